//! Classes of change: what sort of change a promotion is, computed from its diff and never said by anybody.

use std::collections::BTreeSet;

use super::change::{Change, Effect, Note, Op};
use super::effect::covers;
use super::path;
use super::strength::{Strength, Weakening, is_control};
use crate::resource::{ChangeClass, Kind, ResourceId};

/// The classes of a change of `subject` with this diff, which does this to the controls in it. None where nothing
/// changed.
#[must_use]
pub fn classes(subject: &ResourceId, diff: &[Change], controls: &[Weakening]) -> Vec<ChangeClass> {
    let mut classes: BTreeSet<ChangeClass> = diff.iter().flat_map(|change| of_change(subject, change)).collect();
    classes.extend(controls.iter().map(|step| match step.strength {
        Strength::Weaker => ChangeClass::ControlWeakened,
        Strength::Stronger => ChangeClass::ControlStrengthened,
        Strength::Neutral => ChangeClass::DocumentationOnly,
    }));
    let alone = |class: ChangeClass| classes.iter().all(|other| *other == class);
    if classes.contains(&ChangeClass::DocumentationOnly) && !alone(ChangeClass::DocumentationOnly) {
        classes.remove(&ChangeClass::DocumentationOnly);
    }
    if classes.len() > 1 && classes.remove(&ChangeClass::PromptOnly) {
        classes.insert(ChangeClass::PromptChanged);
    }
    classes.into_iter().collect()
}

/// Lists in which the order of the entries means nothing; in any other it may decide what runs, or which comes first.
const SETS: &[(Kind, &[&str])] = &[
    (
        Kind::Agent,
        &[
            "spec.tools",
            "spec.mcpServers",
            "spec.ragRefs",
            "spec.policies",
            "spec.children",
            "spec.budgetRefs",
            "spec.handoffs.allowedAgents",
        ],
    ),
    (Kind::Model, &["spec.routing.regions"]),
    (Kind::ModelRoute, &["spec.constraints.dataResidency"]),
    (
        Kind::Tool,
        &[
            "spec.safety.allowedAgents",
            "spec.safety.deniedNamespaces",
            "spec.safety.redactFields",
            "spec.observability.redactFields",
        ],
    ),
    (Kind::McpServer, &["spec.exposes.*", "spec.policies", "spec.scanning.redactFieldsInResults"]),
    (Kind::Memory, &["spec.policies"]),
    (Kind::Rag, &["spec.policies", "spec.knowledgeSources"]),
];

/// Whether nothing but the order of a set is another.
fn reorders_set(change: &Change) -> bool {
    let Some(Note::Order) = change.note else { return false };
    let Ok(steps) = path::parse(&change.path) else { return false };
    let sets = SETS.iter().filter(|(kind, _)| *kind == change.resource.kind).flat_map(|(_, sets)| *sets);
    sets.into_iter().any(|set| covers(set, &steps))
}

/// The classes of one step. What a control asks for is weighed by its strength, not here.
fn of_change(subject: &ResourceId, change: &Change) -> Vec<ChangeClass> {
    use ChangeClass::{
        CapabilityNarrowed, CapabilityWidened, ControlStrengthened, ControlWeakened, DataChanged, DependencyChanged,
        DocumentationOnly, ModelChanged, PromptOnly,
    };
    let path = change.path.as_str();
    let under =
        |field: &str| path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let any = |fields: &[&str]| fields.iter().any(|field| under(field));
    let reach = match (change.effect, change.op) {
        (Some(Effect::Narrows), _) => CapabilityNarrowed,
        (None, Op::Remove) if path.is_empty() => CapabilityNarrowed,
        _ => CapabilityWidened,
    };
    let kind = &change.resource.kind;
    // Labels are what policies, budgets and rules of risk ask about: they count as what they are on.
    let is_said_of_it = any(&["apiVersion", "metadata"]) && !under("metadata.labels");
    if is_said_of_it || reorders_set(change) {
        return vec![DocumentationOnly];
    }
    if under("spec.description") {
        return match kind {
            // Models choose by it: of tools, and of the agents that one runs or hands over to.
            Kind::Tool | Kind::McpServer => vec![reach],
            Kind::Agent if change.resource != *subject => vec![PromptOnly],
            _ => vec![DocumentationOnly],
        };
    }
    match kind {
        kind if is_control(kind) => {
            if *kind == Kind::Eval && under("spec.dataset") {
                vec![DataChanged]
            } else {
                Vec::new()
            }
        }
        Kind::Agent if under("spec.instructions") => vec![PromptOnly],
        Kind::Agent if any(&["spec.model", "spec.modelRef", "spec.modelRoute", "spec.modelPolicy"]) => {
            let widens = change.effect == Some(Effect::Widens);
            if widens { vec![ModelChanged, CapabilityWidened] } else { vec![ModelChanged] }
        }
        Kind::Agent if under("spec.framework") => vec![DependencyChanged],
        Kind::Agent if any(&["spec.policies", "spec.budgetRefs", "spec.budgets"]) => match change.effect {
            Some(Effect::Narrows) => vec![ControlStrengthened],
            _ => vec![ControlWeakened],
        },
        Kind::Agent if any(&["spec.memories", "spec.ragRefs"]) => vec![DataChanged, reach],
        Kind::Model | Kind::ModelRoute => match change.effect {
            Some(Effect::Widens) if !path.is_empty() => vec![ModelChanged, CapabilityWidened],
            _ => vec![ModelChanged],
        },
        Kind::FrameworkAdapter => match change.effect {
            Some(Effect::Widens) if !path.is_empty() => vec![DependencyChanged, CapabilityWidened],
            _ => vec![DependencyChanged],
        },
        Kind::McpServer if under("spec.security.pinnedVersion") => vec![DependencyChanged],
        Kind::Memory | Kind::Rag | Kind::KnowledgeSource => match change.effect {
            None if !path.is_empty() => vec![DataChanged],
            _ => vec![DataChanged, reach],
        },
        _ => vec![reach],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{between, weigh};
    use crate::resource::sample::labelled;

    fn told(head: &str, before: &str, after: &str) -> String {
        told_of(&ResourceId::agent("default", "a"), head, ["{}", before], ["{}", after])
    }

    /// The same for a change of `subject`, with the labels of each side.
    fn told_of(subject: &ResourceId, head: &str, before: [&str; 2], after: [&str; 2]) -> String {
        let of = |[labels, spec]: [&str; 2]| (!spec.is_empty()).then(|| labelled(head, labels, spec));
        let (before, after) = (of(before), of(after));
        let id = before.as_ref().or(after.as_ref()).expect("one of the two").id().clone();
        let (before, after) = (before.as_ref().map(|r| r.body()), after.as_ref().map(|r| r.body()));
        let found = classes(subject, &between(&id, before, after), &weigh(&id, before, after));
        found.iter().map(|class| class.word()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_change_is_of_the_class_that_its_diff_shows() {
        for (head, before, after, class) in [
            ("Agent a", "{instructions: x}", "{instructions: y}", "prompt-only"),
            ("Agent a", "{instructions: x}", "{instructions: y, description: z}", "prompt-only"),
            ("Agent a", "{description: x}", "{description: y}", "documentation-only"),
            ("Agent a", "{instructions: x, model: m}", "{instructions: y, model: n}", "prompt-changed model-changed"),
            ("Agent a", "{tools: [a]}", "{tools: [a, b]}", "capability-widened"),
            ("Agent a", "{tools: [a, b]}", "{tools: [a]}", "capability-narrowed"),
            ("Agent a", "{tools: [a, b]}", "{tools: [b, a]}", "documentation-only"),
            ("Agent a", "{policies: [p]}", "{policies: []}", "control-weakened"),
            ("Agent a", "{budgets: {costLimitUsdPerDay: 5}}", "{budgets: {costLimitUsdPerDay: 9}}", "control-weakened"),
            ("Agent a", "{framework: {image: a}}", "{framework: {image: b}}", "dependency-changed"),
            ("Agent a", "{nobody_knows: 1}", "{nobody_knows: 2}", "capability-widened"),
            ("Agent a", "", "{instructions: x}", "capability-widened"),
            ("Agent a", "{instructions: x}", "", "capability-narrowed"),
            ("Tool t", "{description: x}", "{description: y}", "capability-widened"),
            ("Tool t", "{sideEffects: {level: financial}}", "{sideEffects: {level: read_only}}", "capability-narrowed"),
            ("Model m", "{model: a}", "{model: b}", "model-changed"),
            ("KnowledgeSource k", "{uri: a}", "{uri: b}", "data-changed"),
            ("FrameworkAdapter f", "{adapterImage: a}", "{adapterImage: b}", "dependency-changed"),
            (
                "MCPServer s",
                "{security: {pinnedVersion: '1'}}",
                "{security: {pinnedVersion: '2'}}",
                "dependency-changed",
            ),
            ("Eval q", "{thresholds: {task_success: 0.9}}", "{thresholds: {task_success: 0.8}}", "control-weakened"),
            (
                "Eval q",
                "{thresholds: {task_success: 0.8}}",
                "{thresholds: {task_success: 0.9}}",
                "control-strengthened",
            ),
            ("Eval q", "{dataset: {sha256: a}}", "{dataset: {sha256: b}}", "data-changed control-weakened"),
            ("Eval q", "{description: a}", "{description: b}", "documentation-only"),
            ("Budget b", "{limits: {dailyUsd: 1}}", "{limits: {dailyUsd: 2}}", "control-weakened"),
        ] {
            assert_eq!(told(head, before, after), class, "{head}: {before} -> {after}");
        }
    }

    #[test]
    fn order_is_documentation_only_where_it_means_nothing() {
        for (head, before, after, class) in [
            ("MCPServer s", "{command: [npx, a, b]}", "{command: [npx, b, a]}", "capability-widened"),
            ("MCPServer s", "{args: [a, b]}", "{args: [b, a]}", "capability-widened"),
            ("MCPServer s", "{exposes: {tools: [a, b]}}", "{exposes: {tools: [b, a]}}", "documentation-only"),
            ("Tool t", "{command: [rm, a, b]}", "{command: [rm, b, a]}", "capability-widened"),
            (
                "Tool t",
                "{safety: {deniedNamespaces: [a, b]}}",
                "{safety: {deniedNamespaces: [b, a]}}",
                "documentation-only",
            ),
            ("Agent a", "{modelPolicy: {allowed: [m, n]}}", "{modelPolicy: {allowed: [n, m]}}", "model-changed"),
            ("Agent a", "{instructions: [x, y]}", "{instructions: [y, x]}", "prompt-only"),
            ("ModelRoute r", "{strategy: {fallback: [m, n]}}", "{strategy: {fallback: [n, m]}}", "model-changed"),
            (
                "Eval q",
                "{target: {invoke: {type: subprocess, command: [run, a, b]}}}",
                "{target: {invoke: {type: subprocess, command: [run, b, a]}}}",
                "control-weakened",
            ),
        ] {
            assert_eq!(told(head, before, after), class, "{head}: {before} -> {after}");
        }
    }

    #[test]
    fn labels_are_no_documentation_and_annotations_are() {
        let agent = ResourceId::agent("default", "a");
        for (head, class) in [
            ("Model m", "model-changed"),
            ("Agent a", "capability-widened"),
            ("Tool t", "capability-widened"),
            ("KnowledgeSource k", "data-changed"),
            ("Eval q", "documentation-only"),
        ] {
            assert_eq!(told_of(&agent, head, ["{tier: large}", "{}"], ["{tier: small}", "{}"]), class, "{head}");
            assert_eq!(told_of(&agent, head, ["{tier: large}", "{}"], ["{}", "{}"]), class, "{head}");
        }
        let beside = told_of(&agent, "Agent a", ["{team: a}", "{instructions: x}"], ["{team: b}", "{instructions: y}"]);
        assert_eq!(beside, "prompt-changed capability-widened");
    }

    #[test]
    fn the_description_of_a_child_is_a_prompt_for_whoever_chooses_it() {
        let parent = ResourceId::agent("default", "parent");
        let said = told_of(&parent, "Agent a", ["{}", "{description: x}"], ["{}", "{description: y}"]);
        assert_eq!(said, "prompt-only");
    }

    #[test]
    fn an_adapter_that_asks_nobody_any_more_widens() {
        let of = |before, after| told("FrameworkAdapter f", before, after);
        let (asks, silent) = ("{capabilities: {toolApproval: true}}", "{capabilities: {toolApproval: false}}");
        assert_eq!(of(asks, silent), "dependency-changed capability-widened");
        assert_eq!(of(asks, "{capabilities: {}}"), "dependency-changed capability-widened");
        assert_eq!(of(asks, "{}"), "dependency-changed capability-widened");
        assert_eq!(of(silent, asks), "dependency-changed");
    }

    #[test]
    fn every_class_is_known_by_its_word() {
        for class in ChangeClass::ALL {
            assert_eq!(ChangeClass::from_word(class.word()), Some(class));
            assert_eq!(serde_json::to_string(&class).expect("a word"), format!("\"{class}\""));
        }
        assert!(ChangeClass::ALL.is_sorted(), "the widest last");
    }
}
