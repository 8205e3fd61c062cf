//! Classes of change: what sort of change a promotion is, computed from its diff and never said by anybody.

use std::collections::BTreeSet;

use super::change::{Change, Effect, Note, Op};
use super::strength::{Strength, Weakening, is_control};
use crate::resource::{ChangeClass, Kind};

/// The classes of a change with this diff, which does this to the controls in it. None where nothing changed.
#[must_use]
pub fn classes(diff: &[Change], controls: &[Weakening]) -> Vec<ChangeClass> {
    let mut classes: BTreeSet<ChangeClass> = diff.iter().flat_map(of_change).collect();
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

/// The classes of one step. What a control asks for is weighed by its strength, not here.
fn of_change(change: &Change) -> Vec<ChangeClass> {
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
    if any(&["apiVersion", "metadata"]) {
        return vec![DocumentationOnly];
    }
    // Also of an Agent: its own description is for people; of a tool, a model reads it.
    let read_by_people = under("spec.description") && !matches!(kind, Kind::Tool | Kind::McpServer);
    if read_by_people || (change.note == Some(Note::Order) && !matches!(kind, Kind::ModelRoute)) {
        return vec![DocumentationOnly];
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
        Kind::FrameworkAdapter => vec![DependencyChanged],
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
    use crate::resource::sample::one;

    fn told(head: &str, before: &str, after: &str) -> String {
        let of = |spec: &str| (!spec.is_empty()).then(|| one(head, spec));
        let (before, after) = (of(before), of(after));
        let id = before.as_ref().or(after.as_ref()).expect("one of the two").id().clone();
        let (before, after) = (before.as_ref().map(|r| r.body()), after.as_ref().map(|r| r.body()));
        let found = classes(&between(&id, before, after), &weigh(&id, before, after));
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
    fn every_class_is_known_by_its_word() {
        for class in ChangeClass::ALL {
            assert_eq!(ChangeClass::from_word(class.word()), Some(class));
            assert_eq!(serde_json::to_string(&class).expect("a word"), format!("\"{class}\""));
        }
        assert!(ChangeClass::ALL.is_sorted(), "the widest last");
    }
}
