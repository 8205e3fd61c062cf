//! Whether a control asks for less than before: an Environment, Team, Eval, Deployment, Policy or Budget.
//!
//! An agent that may do more is a matter for the gates. A control that asks for less is a matter for those who stand
//! behind the gates, so nothing is taken on trust here: what is not known to ask for as much asks for less.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::{Change, Effect, Note, Op};
use super::effect::covers;
use super::normal::normal;
use super::path;
use super::structural::between;
use super::words::sentence;
use crate::resource::{Kind, ResourceId, Value};

/// What one step of a change does to a control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Weakening {
    /// The control.
    pub resource: ResourceId,
    /// Where in it, such as `spec.thresholds.task_success`; empty for the whole of it.
    pub path: String,
    /// What the step does.
    pub strength: Strength,
    /// The step in words: what was, what is, and whether that is known to ask for less.
    pub sentence: String,
}

/// What a step does to a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// It asks for more.
    Stronger,
    /// It asks for the same.
    Neutral,
    /// It asks for less, or nobody can tell.
    Weaker,
}

impl Strength {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stronger => "stronger",
            Self::Neutral => "neutral",
            Self::Weaker => "weaker",
        }
    }
}

impl Weakening {
    /// Whether it asks for less.
    #[must_use]
    pub fn is_weaker(&self) -> bool {
        self.strength == Strength::Weaker
    }
}

/// Whether a kind controls what others may do.
#[must_use]
pub fn is_control(kind: &Kind) -> bool {
    kind.is_trust() || matches!(kind, Kind::Eval | Kind::Deployment | Kind::Policy | Kind::Budget)
}

/// Every step from one content of a control to another, each with its strength; none for another kind.
#[must_use]
pub fn weigh(id: &ResourceId, before: Option<&Value>, after: Option<&Value>) -> Vec<Weakening> {
    if !is_control(&id.kind) || before == after {
        return Vec::new();
    }
    let told = |strength, sentence: &str| Weakening {
        resource: id.clone(),
        path: String::new(),
        strength,
        sentence: sentence.to_owned(),
    };
    match (before, after) {
        (Some(_), None) => vec![told(Strength::Weaker, "it is taken away")],
        (None, Some(_)) if !id.kind.is_trust() => vec![told(Strength::Stronger, "it is new")],
        (None, Some(after)) => first_steps(id, after),
        (Some(before), Some(after)) => steps(id, before, after),
        (None, None) => Vec::new(),
    }
}

/// What an agent says itself of how much it may spend.
pub(super) fn own_limits(id: &ResourceId, before: Option<&Value>, after: Option<&Value>) -> Vec<Weakening> {
    let changes = between(id, before, after).into_iter();
    let limits = changes.filter(|change| change.path == "spec.budgets" || change.path.starts_with("spec.budgets."));
    limits.map(|change| step(&change)).collect()
}

/// What the first content of an Environment or Team does: where there was none, nothing was demanded of anybody and
/// nobody could do anything.
fn first_steps(id: &ResourceId, after: &Value) -> Vec<Weakening> {
    let mut found = steps(id, &says_nothing(after), after);
    // What is only declared cannot ask for less than no Environment at all.
    for step in found.iter_mut().filter(|step| step.is_weaker() && DECLARED.contains(&step.path.as_str())) {
        step.strength = Strength::Neutral;
        step.sentence = step.sentence.trim_end_matches(DOUBT).to_owned();
    }
    found
}

/// Fields of an Environment that no gate reads, so that they permit nothing. A list of these, and not of what loosens:
/// a field that joch does not know may loosen.
const DECLARED: &[&str] = &["spec.compliance.auditRequired", "spec.compliance.piiMode"];

/// The same record without a word in it. Maps whose entries stand for themselves are there and empty, so that each entry
/// is weighed.
fn says_nothing(body: &Value) -> Value {
    let mut body = body.as_map().cloned().unwrap_or_default();
    let mut spec = BTreeMap::new();
    for key in ["compliance", "defaults"] {
        if let Some(Value::Map(_)) = body.get("spec").and_then(|spec| spec.get(key)) {
            spec.insert(key.to_owned(), Value::Map(BTreeMap::new()));
        }
    }
    body.insert("spec".into(), Value::Map(spec));
    Value::Map(body)
}

fn steps(id: &ResourceId, before: &Value, after: &Value) -> Vec<Weakening> {
    let (old, new) = normal(&id.kind, before, after);
    between(id, Some(&old), Some(&new)).iter().map(step).collect()
}

/// What is said of a step of which nobody knows whether it asks for less.
const DOUBT: &str = ", and nobody can tell whether that asks for as much";

fn step(change: &Change) -> Weakening {
    let strength = strength(change);
    let doubt = if strength == Strength::Weaker && change.effect.is_none() { DOUBT } else { "" };
    Weakening {
        resource: change.resource.clone(),
        path: change.path.clone(),
        strength,
        sentence: format!("{}{doubt}", sentence(change)),
    }
}

fn strength(change: &Change) -> Strength {
    match change.effect {
        _ if (change.note == Some(Note::Order) && !is_command(change)) || is_neutral(change) => Strength::Neutral,
        Some(Effect::Widens) => Strength::Weaker,
        Some(Effect::Narrows) => Strength::Stronger,
        None => Strength::Weaker,
    }
}

/// Whether it is the words of a command, of which another order is another command.
fn is_command(change: &Change) -> bool {
    let last = change.path.rsplit('.').next().unwrap_or_default();
    matches!(last, "command" | "args" | "arguments")
}

/// Fields that say nothing about what is demanded; all that stands under them is as harmless.
const NEUTRAL: &[(&str, &[&str])] = &[
    ("", &["apiVersion", "metadata", "spec.description", "spec.displayName"]),
    ("Eval", &["spec.schedule", "spec.run.concurrency", "spec.run.requestsPerMinute"]),
    ("Deployment", &["spec.replicas", "spec.rollout", "spec.runtime"]),
    ("Environment", &["spec.region", "spec.runtime"]),
    ("Policy", &["spec.rules.*.action.reason", "spec.rules.*.description", "spec.rules.*.name", "spec.rules.*.id"]),
    ("Team", &["spec.contact"]),
];

fn is_neutral(change: &Change) -> bool {
    let Ok(steps) = path::parse(&change.path) else { return false };
    let kind = change.resource.kind.name();
    let rows = NEUTRAL.iter().filter(|(of, _)| of.is_empty() || *of == kind);
    let mut patterns = rows.flat_map(|(_, patterns)| *patterns);
    let beneath = |pattern: &&str| (1..=steps.len()).any(|depth| covers(pattern, &steps[..depth]));
    patterns.any(beneath) || is_harmless(change)
}

/// What takes nothing away although the table has no word for it.
fn is_harmless(change: &Change) -> bool {
    let path = change.path.as_str();
    let nothing = |value: &Option<Value>| match value {
        Some(Value::List(items)) => items.is_empty(),
        Some(Value::Map(map)) => map.is_empty(),
        Some(value) => *value == Value::Null,
        None => true,
    };
    if nothing(&change.from) && nothing(&change.to) && path.starts_with("spec.gates") {
        return true;
    }
    match (&change.resource.kind, change.op) {
        // A value that nothing could use before.
        (Kind::Environment, Op::Add) => path.starts_with("spec.defaults."),
        // Where the cases lie; their number and digest say which they are.
        (Kind::Eval, _) => matches!(path, "spec.dataset.uri" | "spec.dataset.size"),
        // A rule can only add: of all that say something, the one that denies counts.
        (Kind::Policy, Op::Add) => change.effect.is_none() && is_rule(path),
        _ => false,
    }
}

fn is_rule(path: &str) -> bool {
    path.strip_prefix("spec.rules.").is_some_and(|rest| !rest.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Resource;
    use crate::resource::sample::{labelled, one};

    fn told(head: &str, before: &str, after: &str) -> Vec<String> {
        let of = |spec: &str| (!spec.is_empty()).then(|| one(head, spec));
        let (before, after) = (of(before), of(after));
        let id = before.as_ref().or(after.as_ref()).expect("one of the two").id().clone();
        let body = |resource: &Option<std::sync::Arc<Resource>>| resource.as_ref().map(|r| r.body().clone());
        let steps = weigh(&id, body(&before).as_ref(), body(&after).as_ref());
        steps.iter().map(|step| format!("{} {}", step.path, step.strength.word())).collect()
    }

    /// What a step from `a` to `b` does, and what one from `b` to `a`.
    fn both(head: &str, a: &str, b: &str, there: &str, back: &str) {
        let worst = |steps: Vec<String>| {
            let word = |word: &str| steps.iter().any(|step| step.ends_with(word));
            ["weaker", "stronger", "neutral"].into_iter().find(|w| word(w)).unwrap_or("none").to_owned()
        };
        assert_eq!(worst(told(head, a, b)), there, "{head}: {a} -> {b}: {:?}", told(head, a, b));
        assert_eq!(worst(told(head, b, a)), back, "{head}: {b} -> {a}: {:?}", told(head, b, a));
    }

    fn weaker(head: &str, a: &str, b: &str) {
        both(head, a, b, "weaker", "stronger");
    }

    fn unknown(head: &str, a: &str, b: &str) {
        both(head, a, b, "weaker", "weaker");
    }

    fn neutral(head: &str, a: &str, b: &str) {
        both(head, a, b, "neutral", "neutral");
    }

    #[test]
    fn an_environment_that_asks_for_less_is_weaker() {
        for (a, b) in [
            ("{gates: [policy, budget]}", "{gates: [policy]}"),
            ("{gates: ['approval:rm:2']}", "{gates: ['approval:rm']}"),
            ("{gates: ['approval:rm']}", "{}"),
            ("{gates: ['agbom:high']}", "{gates: ['agbom:critical']}"),
            ("{gates: [agbom]}", "{gates: [{gate: agbom, mode: advisory}]}"),
            ("{gates: [{gate: agbom, failOn: medium}]}", "{gates: [{gate: agbom, failOn: high}]}"),
            ("{gates: [agbom]}", "{gates: [{gate: agbom, exceptions: [{name: x, reason: y}]}]}"),
            ("{gates: ['latency:+10%']}", "{gates: ['latency:+25%']}"),
            ("{gates: [latency]}", "{gates: ['latency:+25%']}"),
            ("{gates: [policy]}", ""),
            ("{requireLive: true}", "{requireLive: false}"),
            ("{exceptions: [{rule: r}]}", "{exceptions: [{rule: r, severity: critical}]}"),
            ("{exceptions: [{rule: r, severity: medium}]}", "{exceptions: [{rule: r}]}"),
            ("{evalRunners: [ana]}", "{evalRunners: [ana, bot]}"),
            ("{override: [ana]}", "{override: [ana, ben]}"),
            ("{}", "{override: [ana]}"),
            ("{soak: 24h}", "{soak: 1h}"),
            ("{soak: 24h}", "{}"),
            ("{freezes: [{name: xmas, from: a}]}", "{freezes: []}"),
            ("{policies: [p]}", "{policies: []}"),
            ("{budgetRefs: [b]}", "{}"),
            ("{minTrustScore: 0.8}", "{minTrustScore: 0.5}"),
            ("{changeClasses: {capability-widened: ['approval:security']}}", "{changeClasses: {}}"),
            (
                "{changeClasses: {capability-widened: ['approval:security:2']}}",
                "{changeClasses: {capability-widened: ['approval:security']}}",
            ),
        ] {
            if b.is_empty() {
                assert_eq!(told("Environment prod", a, b), [" weaker"]);
                assert_eq!(told("Environment prod", b, a), ["spec.gates stronger"]);
            } else {
                weaker("Environment prod", a, b);
            }
        }
        assert_eq!(
            told("Environment prod", "{exceptions: [{rule: r}]}", "{exceptions: [{rule: r, severity: high}]}"),
            Vec::<String>::new()
        );
        neutral("Environment prod", "{}", "{gates: []}");
        neutral("Environment prod", "{region: eu}", "{region: us, description: x}");
        neutral("Environment prod", "{gates: [policy, budget]}", "{gates: [budget, policy], region: x}");
        for (a, b) in [
            ("{gates: ['approval:rm']}", "{gates: ['approval:other']}"),
            ("{defaults: {URL: a}}", "{defaults: {URL: b}}"),
            ("{evalRunners: []}", "{evalRunners: [ana]}"),
            ("{freezes: [{name: xmas, until: a}]}", "{freezes: [{name: xmas, until: b}]}"),
            ("{anything: 1}", "{anything: 2}"),
            ("{gates: [{gate: policy, more: 1}]}", "{gates: [{gate: policy, more: 2}]}"),
        ] {
            unknown("Environment prod", a, b);
        }
        both("Environment prod", "{}", "{defaults: {URL: a}}", "weaker", "weaker");
        both("Environment prod", "{defaults: {A: 1}}", "{defaults: {A: 1, B: 2}}", "neutral", "weaker");
        assert_eq!(told("Environment prod", "{gates: policy}", "{gates: [policy]}"), Vec::<String>::new(), "the same");
    }

    #[test]
    fn an_environment_that_is_new_asks_for_less_only_where_it_may_loosen() {
        for harmless in [
            "{compliance: {dataResidency: [eu], piiMode: redact, auditRequired: true}}",
            "{compliance: {auditRequired: false}}",
            "{defaults: {URL: a}, region: eu, description: x, gates: [policy], soak: 1h}",
        ] {
            let said = told("Environment dev", "", harmless);
            assert!(!said.is_empty() && said.iter().all(|step| !step.ends_with(" weaker")), "{harmless}: {said:?}");
        }
        for (loose, at) in [
            ("{override: [ana]}", "spec.override"),
            ("{exceptions: [{rule: r}]}", "spec.exceptions"),
            ("{evalRunners: [ana]}", "spec.evalRunners"),
            ("{requireLive: false}", "spec.requireLive"),
            ("{compliance: {exempt: [all], piiMode: x}}", "spec.compliance.exempt"),
            ("{compliance: none}", "spec.compliance"),
            ("{anything: 1}", "spec.anything"),
        ] {
            assert!(told("Environment dev", "", loose).contains(&format!("{at} weaker")), "{loose}");
        }
        // Where one stood, what it said of compliance may not change unseen.
        unknown("Environment dev", "{compliance: {piiMode: redact}}", "{compliance: {piiMode: keep}}");
    }

    #[test]
    fn a_team_that_lets_more_people_do_more_is_weaker() {
        for (a, b) in [
            ("{members: [{user: a, role: viewer}]}", "{members: [{user: a, role: admin}]}"),
            ("{members: []}", "{members: [{user: a, role: approver}]}"),
            ("{members: [{user: a, automation: true}]}", "{members: [{user: a}]}"),
            ("{members: [{user: a, role: admin}]}", "{members: [{user: a, role: admin, keys: [k]}]}"),
            ("{members: [{user: a, environments: [dev]}]}", "{members: [{user: a, environments: [dev, prod]}]}"),
            ("{namespaces: [a, b]}", "{namespaces: [a]}"),
            ("{defaultPolicies: [p]}", "{}"),
            ("{budgetRefs: [b]}", "{budgetRefs: []}"),
        ] {
            weaker("Team rm", a, b);
        }
        unknown("Team rm", "{members: [{user: a, role: approver}]}", "{members: [{user: a, role: operator}]}");
        unknown("Team rm", "{members: [{user: a}]}", "{members: [{user: a, environments: [prod]}]}");
        assert_eq!(told("Team rm", "{members: []}", ""), [" weaker"], "a team that is gone imposes nothing");
        assert_eq!(told("Team rm", "", "{members: [{user: a, role: viewer}]}"), ["spec.members weaker"]);
        assert_eq!(told("Team rm", "", "{defaultPolicies: [p]}"), ["spec.defaultPolicies stronger"]);
    }

    #[test]
    fn an_eval_that_measures_less_is_weaker() {
        for (a, b) in [
            ("{thresholds: {task_success: 0.85}}", "{thresholds: {task_success: 0.8}}"),
            ("{thresholds: {task_success: '85%'}}", "{thresholds: {task_success: '80%'}}"),
            ("{thresholds: {pii_leakage: 0.0}}", "{thresholds: {pii_leakage: 0.1}}"),
            ("{thresholds: {task_success: 0.85}}", "{thresholds: {}}"),
            ("{thresholds: {words: {min: 5, max: 10}}}", "{thresholds: {words: {min: 5, max: 12}}}"),
            ("{metrics: [{name: a}, {name: b}]}", "{metrics: [{name: a}]}"),
            ("{metrics: [{name: a, samples: 3}]}", "{metrics: [{name: a}]}"),
            ("{metrics: [{name: a, allow: [x]}]}", "{metrics: [{name: a, allow: [x, y]}]}"),
            ("{metrics: [{name: a}]}", "{metrics: [{name: a, allow: [y]}]}"),
            ("{dataset: {cases: 20}}", "{dataset: {cases: 19}}"),
            ("{run: {trials: 3, concurrency: 1}}", "{run: {concurrency: 1}}"),
            ("{run: {maxErrorRate: 0}}", "{run: {maxErrorRate: 0.2}}"),
            ("{run: {maxAge: 36h}}", "{run: {maxAge: 9d}}"),
            ("{run: {maxAge: 7d, retries: 1}}", "{run: {maxAge: 8d, retries: 1}}"),
            ("{confidence: 0.95}", "{confidence: 0.9}"),
            ("{confidence: 0.95}", "{}"),
            ("{maxRegression: {task_success: 0.01}}", "{maxRegression: {task_success: 0.05}}"),
            ("{releaseGate: {enabled: true}}", "{releaseGate: {enabled: false}}"),
            (
                "{releaseGate: {enabled: true, blocksPromotionTo: [staging, prod]}}",
                "{releaseGate: {enabled: true, blocksPromotionTo: [staging]}}",
            ),
            ("{releaseGate: {enabled: true}}", "{releaseGate: {enabled: true, blocksPromotionTo: [prod]}}"),
            ("{releaseGate: {blocksPromotionTo: prod}}", "{releaseGate: {enabled: false, blocksPromotionTo: prod}}"),
            ("{releaseGate: {enabled: true}}", "{}"),
        ] {
            weaker("Eval q", a, b);
        }
        for (a, b) in [
            ("{dataset: {cases: 20, sha256: aa}}", "{dataset: {cases: 20, sha256: bb}}"),
            ("{dataset: {cases: 20, sha256: aa}}", "{dataset: {cases: 21, sha256: bb}}"),
            ("{metrics: [{name: a, judgeModelRef: m}]}", "{metrics: [{name: a, judgeModelRef: n}]}"),
            ("{metrics: [{name: a, judges: [m, n]}]}", "{metrics: [{name: a, judges: [m]}]}"),
            ("{metrics: [{name: a, criteria: [x]}]}", "{metrics: [{name: a, criteria: [y]}]}"),
            ("{target: {name: x}}", "{target: {name: y}}"),
            ("{thresholds: {task_success: '>=0.8'}}", "{thresholds: {task_success: '<=0.8'}}"),
            ("{thresholds: {nobody_knows: 0.8}}", "{thresholds: {nobody_knows: 0.9}}"),
        ] {
            unknown("Eval q", a, b);
        }
        neutral(
            "Eval q",
            "{description: a, dataset: {uri: a, cases: 2}}",
            "{dataset: {uri: b, cases: 2}, schedule: {nightly: true}}",
        );
        assert_eq!(told("Eval q", "{}", ""), [" weaker"]);
        assert_eq!(told("Eval q", "", "{}"), [" stronger"]);
    }

    #[test]
    fn a_deployment_that_drops_a_demand_or_is_about_something_else_is_weaker() {
        let all = "{agentRef: x, environmentRef: prod, promotion: {requiresEval: q, requiresApproval: [rm, sec]}}";
        weaker("Deployment d", all, "{agentRef: x, environmentRef: prod, promotion: {requiresApproval: [rm, sec]}}");
        weaker(
            "Deployment d",
            all,
            "{agentRef: x, environmentRef: prod, promotion: {requiresEval: [q], requiresApproval: rm}}",
        );
        unknown("Deployment d", "{agentRef: x}", "{agentRef: y}");
        unknown("Deployment d", "{environmentRef: prod}", "{environmentRef: dev}");
        unknown("Deployment d", "{invoke: {type: http, url: a}}", "{invoke: {type: http, url: b}}");
        weaker("Deployment d", "{expectedRunsPerDay: 300}", "{expectedRunsPerDay: 3}");
        neutral("Deployment d", "{replicas: 1}", "{replicas: 3, rollout: {x: 1}}");
    }

    #[test]
    fn a_policy_that_forbids_less_is_weaker() {
        let rule = |when: &str, act: &str| format!("{{when: {{{when}}}, {act}}}");
        let policy = |rules: &[String]| format!("{{rules: [{}]}}", rules.join(", "));
        let deny = "action: {deny: true}";
        let ask = "require: {approval: human}";
        let (a, b) = (rule("tool.name: a", deny), rule("cost.runUsd: '>5'", deny));
        for (old, new) in [
            (vec![a.clone(), b.clone()], vec![b.clone()]),
            (vec![b.clone()], vec![rule("cost.runUsd: '>10'", deny)]),
            (vec![rule("x: '<0.7'", deny)], vec![rule("x: '<0.5'", deny)]),
            (vec![rule("x: [a, b]", deny)], vec![rule("x: a", deny)]),
            (vec![a.clone()], vec![rule("tool.name: a, env: prod", deny)]),
            (vec![a.clone()], vec![rule("tool.name: a", ask)]),
            (vec![a.clone()], vec![rule("tool.name: a", "action: {deny: false}")]),
            (
                vec![rule("x: 1", "require: {approval: human, approvalRouting: {onTimeout: deny}}")],
                vec![rule("x: 1", "require: {approval: human, approvalRouting: {onTimeout: allow}}")],
            ),
        ] {
            weaker("Policy p", &policy(&old), &policy(&new));
        }
        let first = rule("tool.name: c", deny);
        assert_eq!(
            told("Policy p", &policy(&[a.clone(), b.clone()]), &policy(&[first, a.clone(), b.clone()])),
            ["spec.rules.2 stronger"],
            "a rule at the head moves the others and weakens none"
        );
        unknown("Policy p", &policy(std::slice::from_ref(&a)), &policy(&[rule("tool.name: z", deny)]));
        let routed =
            |who: &str| rule("x: 1", &format!("require: {{approval: human, approvalRouting: {{approvers: [{who}]}}}}"));
        unknown("Policy p", &policy(&[routed("a, b")]), &policy(&[routed("a")]));
        let scope = |labels: &str| format!("{{appliesTo: {{agents: {{selector: {{matchLabels: {{{labels}}}}}}}}}}}");
        both("Policy p", &scope("a: '1'"), &scope("a: '1', b: '2'"), "weaker", "stronger");
        unknown("Policy p", &scope("a: '1'"), &scope("a: '2'"));
        unknown("Policy p", "{audit: {level: all}}", "{audit: {level: none}}");
        neutral(
            "Policy p",
            &policy(&[rule("x: 1", "action: {deny: true, reason: a}")]),
            &policy(&[rule("x: 1", "action: {deny: true, reason: b}")]),
        );
    }

    #[test]
    fn a_budget_that_allows_more_is_weaker() {
        weaker("Budget b", "{limits: {monthlyUsd: 100}}", "{limits: {monthlyUsd: 200}}");
        weaker("Budget b", "{limits: {dailyUsd: 5}}", "{limits: {}}");
        weaker("Budget b", "{enforcement: {onHardLimit: deny}}", "{enforcement: {onHardLimit: alert}}");
        weaker("Budget b", "{scope: {teams: [a, b]}}", "{scope: {teams: [a]}}");
        unknown("Budget b", "{currency: USD}", "{currency: EUR}");
    }

    #[test]
    fn labels_and_annotations_say_nothing() {
        let (a, b) = (labelled("Eval q", "{a: '1'}", "{}"), labelled("Eval q", "{b: '1'}", "{}"));
        let steps = weigh(a.id(), Some(a.body()), Some(b.body()));
        assert!(!steps.is_empty() && steps.iter().all(|step| step.strength == Strength::Neutral), "{steps:?}");
    }

    #[test]
    fn a_sentence_says_what_was_and_what_is_and_whether_that_is_known() {
        let sentence = |before: &str, after: &str| {
            let (before, after) = (one("Eval q", before), one("Eval q", after));
            weigh(before.id(), Some(before.body()), Some(after.body())).remove(0).sentence
        };
        assert_eq!(
            sentence("{thresholds: {task_success: 0.85}}", "{thresholds: {task_success: 0.7}}"),
            "`spec.thresholds.task_success` was 0.85 and is 0.7"
        );
        assert_eq!(
            sentence("{dataset: {sha256: aa}}", "{dataset: {sha256: bb}}"),
            "`spec.dataset.sha256` was aa and is bb, and nobody can tell whether that asks for as much"
        );
        let long = sentence("{description: a, x: 1}", &format!("{{description: a, x: '{}'}}", "y\\n".repeat(500)));
        assert!(long.len() < 200 && !long.contains('\n'), "{long}");
    }
}
