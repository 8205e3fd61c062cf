//! The table of what widens and what narrows: one row a field, `*` for any key or item. An empty pattern is
//! the resource as a whole. The first row of a kind that fits a path decides.

use super::change::Effect::{self, Narrows, Widens};
use crate::resource::Kind;
use Judge::{Cap, CapOr, Entry, Flag, Floor, FloorOr, PolicyRule, Presence, Ranked, Share, Threshold};

/// How the values on both sides of a place are judged.
#[derive(Debug, Clone, Copy)]
pub(super) enum Judge {
    /// Being there has this effect, and going the other one: a tool widens, a policy narrows.
    Presence(Effect),
    /// The same for an entry of a list or map that, when empty or absent, says "all": judged only while
    /// other entries stand on both sides.
    Entry(Effect),
    /// `true` is the extreme of this effect. An absent flag lies somewhere between `true` and `false`.
    Flag(Effect),
    /// An upper limit: none at all is the widest, a higher one wider.
    Cap,
    /// A lower limit: none at all is the widest, a higher one narrower.
    Floor,
    /// An upper limit that is this where nothing is said; lengths of time in seconds.
    CapOr(f64),
    /// A lower limit that is this where nothing is said.
    FloorOr(f64),
    /// A number with a default that joch does not know: compared only where both sides state it.
    Share,
    /// Words from the narrowest to the widest; words of one row do not compare. An absent word lies
    /// somewhere between the first row and the last.
    Ranked(&'static [&'static [&'static str]]),
    /// A rule of a policy, judged as a whole wherever in it something changed.
    PolicyRule,
    /// A threshold of an eval: a number, or a comparison such as `>= 0.85`.
    Threshold,
}

/// Side effects of a tool from the most harmless to the most far-reaching. The words are those of the
/// catalogue; their order is joch's: what leaves the machine reaches further than what stays, people
/// further than systems, money further than words, and code may do all of these.
const SIDE_EFFECTS: Judge = Ranked(&[
    &["read_only"],
    &["local_write"],
    &["external_write"],
    &["communication"],
    &["financial"],
    &["code_execution"],
    &["privileged"],
]);

/// An approver may not do what an operator does, nor the other way round.
const ROLES: Judge = Ranked(&[&["viewer"], &["auditor"], &["approver", "operator"], &["admin"]]);

/// What happens at a limit or a drift: stop, slow down, tell, nothing.
const ENFORCEMENT: Judge = Ranked(&[
    &["deny", "block", "stop", "reject", "quarantine"],
    &["throttle", "degrade"],
    &["alert", "warn", "notify"],
    &["ignore", "none", "allow"],
]);

/// How grave a risk must be before a gate says no.
const SEVERITY: Judge = Ranked(&[&["low"], &["medium"], &["high"], &["critical"]]);

/// What a gate that says no does.
const MODE: Judge = Ranked(&[&["enforce"], &["advisory"]]);

pub(super) static RULES: &[(Kind, &[(&str, Judge)])] = &[
    (
        Kind::Agent,
        &[
            ("", Presence(Widens)),
            ("spec.tools.*", Presence(Widens)),
            ("spec.mcpServers.*", Presence(Widens)),
            ("spec.memories.*", Presence(Widens)),
            ("spec.ragRefs.*", Presence(Widens)),
            ("spec.children.*", Presence(Widens)),
            ("spec.handoffs.allowedAgents.*", Presence(Widens)),
            ("spec.policies.*", Presence(Narrows)),
            ("spec.budgetRefs.*", Presence(Narrows)),
            ("spec.budgets.*", Cap),
            ("spec.modelPolicy.allowed.*", Entry(Widens)),
        ],
    ),
    (Kind::Model, &[("spec.limits.*", Cap)]),
    (
        Kind::ModelRoute,
        &[
            ("spec.requirements.*", Presence(Narrows)),
            ("spec.strategy.fallback.*", Presence(Widens)),
            ("spec.constraints.maxCostUsdPerExecution", Cap),
            ("spec.constraints.maxCostUsdPerCall", Cap),
            ("spec.constraints.dataResidency", Presence(Narrows)),
        ],
    ),
    (
        Kind::Tool,
        &[
            ("", Presence(Widens)),
            ("spec.sideEffects.level", SIDE_EFFECTS),
            ("spec.sideEffects.requiresApproval", Flag(Narrows)),
            ("spec.safety.allowedAgents", Presence(Narrows)),
            ("spec.safety.allowedAgents.*", Entry(Widens)),
            ("spec.safety.deniedNamespaces.*", Presence(Narrows)),
            ("spec.safety.rateLimit", Presence(Narrows)),
            ("spec.safety.rateLimit.perMinute", Cap),
            ("spec.safety.rateLimit.callsPerMinute", Cap),
            ("spec.safety.rateLimit.requestsPerMinute", Cap),
        ],
    ),
    (
        Kind::McpServer,
        &[
            ("", Presence(Widens)),
            ("spec.exposes.*", Flag(Widens)),
            ("spec.exposes.*.*", Presence(Widens)),
            ("spec.discovery.onSchemaDrift", ENFORCEMENT),
            ("spec.security.sandbox", Flag(Narrows)),
            ("spec.security.allowStdio", Flag(Widens)),
            ("spec.security.pinServerVersion", Flag(Narrows)),
            ("spec.security.trustedPublisher", Flag(Narrows)),
            ("spec.security.minTrustScore", Floor),
            ("spec.policies.*", Presence(Narrows)),
        ],
    ),
    (Kind::FrameworkAdapter, &[("spec.capabilities.toolApproval", Flag(Narrows))]),
    (Kind::Memory, &[("", Presence(Widens)), ("spec.policies.*", Presence(Narrows))]),
    (
        Kind::Rag,
        &[
            ("", Presence(Widens)),
            ("spec.sources.*", Presence(Widens)),
            ("spec.knowledgeSources.*", Presence(Widens)),
            ("spec.policies.*", Presence(Narrows)),
        ],
    ),
    (Kind::KnowledgeSource, &[("", Presence(Widens))]),
    (
        Kind::Policy,
        &[
            ("", Presence(Narrows)),
            ("spec.appliesTo.agents.selector.matchLabels.*", Entry(Widens)),
            ("spec.rules.*", PolicyRule),
            ("spec.rules.*.require.approvalRouting.onTimeout", ENFORCEMENT),
        ],
    ),
    (
        Kind::Budget,
        &[
            ("", Presence(Narrows)),
            ("spec.scope.teams.*", Entry(Narrows)),
            ("spec.scope.agents.*", Entry(Narrows)),
            ("spec.limits.*", Cap),
            ("spec.enforcement.onSoftLimit", ENFORCEMENT),
            ("spec.enforcement.onHardLimit", ENFORCEMENT),
            ("spec.enforcement.softLimitPct", Share),
            ("spec.allocation.byAgent.*", Share),
        ],
    ),
    (
        Kind::Eval,
        &[
            ("", Presence(Narrows)),
            ("spec.dataset.cases", Floor),
            ("spec.metrics.*", Presence(Narrows)),
            ("spec.metrics.*.samples", FloorOr(1.0)),
            ("spec.metrics.*.allow.*", Presence(Widens)),
            ("spec.metrics.*.regions.*", Presence(Narrows)),
            ("spec.metrics.*.countEchoed", Flag(Narrows)),
            ("spec.thresholds.*", Threshold),
            ("spec.thresholds.*.min", Floor),
            ("spec.thresholds.*.max", Cap),
            ("spec.confidence", Floor),
            ("spec.run.trials", FloorOr(1.0)),
            ("spec.run.timeoutSeconds", CapOr(60.0)),
            ("spec.run.maxErrorRate", CapOr(0.0)),
            ("spec.run.maxUnscoredRate", CapOr(0.0)),
            ("spec.run.maxAge", CapOr(7.0 * 86_400.0)),
            ("spec.maxRegression.*", Cap),
            ("spec.releaseGate.enabled", Flag(Narrows)),
            ("spec.releaseGate.blocksPromotionTo", Presence(Narrows)),
            ("spec.releaseGate.blocksPromotionTo.*", Presence(Narrows)),
            ("spec.releaseGate.into.*", Presence(Narrows)),
        ],
    ),
    (
        Kind::Deployment,
        &[
            ("spec.promotion.requiresEval", Presence(Narrows)),
            ("spec.promotion.requiresEval.*", Presence(Narrows)),
            ("spec.promotion.requiresApproval", Presence(Narrows)),
            ("spec.promotion.requiresApproval.*", Presence(Narrows)),
            ("spec.expectedRunsPerDay", Floor),
        ],
    ),
    (
        Kind::Environment,
        &[
            ("spec.gates.*", Presence(Narrows)),
            ("spec.gates.*.mode", MODE),
            ("spec.gates.*.failOn", SEVERITY),
            ("spec.gates.*.level", SEVERITY),
            ("spec.gates.*.count", Floor),
            ("spec.gates.*.percent", CapOr(10.0)),
            ("spec.gates.*.minTrustScore", Floor),
            ("spec.gates.*.exceptions.*", Presence(Widens)),
            ("spec.changeClasses.*", Presence(Narrows)),
            ("spec.changeClasses.*.*", Presence(Narrows)),
            ("spec.changeClasses.*.*.mode", MODE),
            ("spec.changeClasses.*.*.failOn", SEVERITY),
            ("spec.changeClasses.*.*.level", SEVERITY),
            ("spec.changeClasses.*.*.count", Floor),
            ("spec.changeClasses.*.*.percent", CapOr(10.0)),
            ("spec.minTrustScore", Floor),
            ("spec.exceptions.*", Presence(Widens)),
            ("spec.exceptions.*.severity", SEVERITY),
            ("spec.requireLive", Flag(Narrows)),
            ("spec.allowlists.*", Presence(Narrows)),
            ("spec.allowlists.*.*", Entry(Widens)),
            ("spec.requireImageDigest", Flag(Narrows)),
            ("spec.evalRunners.*", Entry(Widens)),
            ("spec.override.*", Presence(Widens)),
            ("spec.soak", Floor),
            ("spec.freezes.*", Presence(Narrows)),
            ("spec.policies.*", Presence(Narrows)),
            ("spec.budgetRefs.*", Presence(Narrows)),
            ("spec.compliance.dataResidency", Presence(Narrows)),
            ("spec.compliance.dataResidency.*", Entry(Widens)),
            ("spec.compliance.auditRequired", Flag(Narrows)),
        ],
    ),
    (
        Kind::Team,
        &[
            ("spec.members.*", Presence(Widens)),
            ("spec.members.*.role", ROLES),
            ("spec.members.*.keys.*", Presence(Widens)),
            ("spec.members.*.automation", Flag(Narrows)),
            ("spec.members.*.environments.*", Entry(Widens)),
            ("spec.namespaces.*", Presence(Narrows)),
            ("spec.defaultPolicies.*", Presence(Narrows)),
            ("spec.budgetRefs.*", Presence(Narrows)),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::diff::between;
    use crate::resource::{ResourceId, Value};

    /// A body with `value` at the end of `pattern`, and at every step something else beside it.
    fn body(pattern: &str, value: Option<&Value>) -> Option<Value> {
        if pattern.is_empty() {
            return value.map(|value| Value::Map(BTreeMap::from([("spec".to_owned(), value.clone())])));
        }
        let (name, rest) = pattern.split_once('.').unwrap_or((pattern, ""));
        let under = if rest.is_empty() { value.cloned() } else { body(rest, value) };
        let beside = ("beside".to_owned(), Value::from(1));
        let name = if name == "*" { "any" } else { name };
        Some(Value::Map([beside].into_iter().chain(under.map(|under| (name.to_owned(), under))).collect()))
    }

    fn parsed(json: &str) -> Option<Value> {
        (!json.is_empty()).then(|| serde_json::from_str(json).expect("written here"))
    }

    /// What every row of a judge must say: from, to, effect; and the opposite the other way round.
    fn samples(judge: Judge) -> Vec<(String, String, Option<Effect>)> {
        let rows = |rows: &[(&str, &str, Option<Effect>)]| -> Vec<_> {
            rows.iter().map(|(from, to, effect)| ((*from).to_owned(), (*to).to_owned(), *effect)).collect()
        };
        match judge {
            Presence(effect) | Entry(effect) => rows(&[("", r#""x""#, Some(effect)), (r#""x""#, r#""y""#, None)]),
            Flag(effect) => rows(&[
                ("false", "true", Some(effect)),
                ("", "true", Some(effect)),
                ("false", "", Some(effect)),
                ("true", r#""some""#, None),
            ]),
            Cap => rows(&[("1", "2.5", Some(Widens)), ("1", "", Some(Widens)), ("1", r#""1""#, None)]),
            Floor => rows(&[("1", "2.5", Some(Narrows)), ("1", "", Some(Widens)), ("1", r#""1""#, None)]),
            CapOr(usual) | FloorOr(usual) => {
                let (usual, more) = (usual.to_string(), (usual + 1.0).to_string());
                let effect = Some(if matches!(judge, CapOr(_)) { Widens } else { Narrows });
                rows(&[(usual.as_str(), more.as_str(), effect), ("", more.as_str(), effect), ("1", r#""x""#, None)])
            }
            Share => rows(&[("0.5", "0.8", Some(Widens)), ("", "0.8", None)]),
            Ranked(words) => {
                let quoted = |row: usize| format!("{:?}", words[row][0]);
                let mut samples: Vec<_> =
                    (1..words.len()).map(|row| (quoted(row - 1), quoted(row), Some(Widens))).collect();
                samples.push((String::new(), quoted(words.len() - 1), Some(Widens)));
                samples.push((String::new(), quoted(0), Some(Narrows)));
                samples.push((quoted(0), r#""something-else""#.into(), None));
                samples
            }
            PolicyRule => rows(&[
                ("", r#"{"action":{"deny":true}}"#, Some(Narrows)),
                ("", r#"{"action":{"modify":{"x":1}}}"#, None),
                (r#"{"action":{"redact":true}}"#, r#"{"action":{"deny":true}}"#, Some(Narrows)),
                (r#"{"action":{"deny":true}}"#, r#"{"require":{"approval":"human"}}"#, Some(Widens)),
                (r#"{"when":{"a":1},"action":{"deny":true}}"#, r#"{"when":{"a":2},"action":{"deny":true}}"#, None),
                (
                    r#"{"when":{"a":1},"action":{"deny":true}}"#,
                    r#"{"when":{"a":1,"b":2},"action":{"deny":true}}"#,
                    Some(Widens),
                ),
                (r#"{"action":{"deny":true,"reason":"x"}}"#, r#"{"action":{"deny":true,"reason":"y"}}"#, None),
            ]),
            Threshold => rows(&[
                ("", "0.8", Some(Narrows)),
                (r#"">= 0.8""#, r#"">=0.9""#, Some(Narrows)),
                (r#""<= 0.02""#, r#""<= 0.1""#, Some(Widens)),
                (r#"">= 0.8""#, r#""<= 0.8""#, None),
                ("0.8", "0.9", None),
            ]),
        }
    }

    #[test]
    fn every_row_says_what_its_judge_says_in_both_directions() {
        for (kind, rules) in RULES {
            let id = ResourceId::new(kind.clone(), "default", "x");
            for (pattern, judge) in *rules {
                for (from, to, effect) in samples(*judge) {
                    // A whole resource is there or not; what it holds is the matter of other rows.
                    if pattern.is_empty() && !from.is_empty() {
                        continue;
                    }
                    let (old, new) = (body(pattern, parsed(&from).as_ref()), body(pattern, parsed(&to).as_ref()));
                    let found = |old: &Option<Value>, new: &Option<Value>| -> Vec<_> {
                        let changes = between(&id, old.as_ref(), new.as_ref());
                        assert!(!changes.is_empty(), "{kind} {pattern}");
                        changes.into_iter().map(|change| change.effect).collect()
                    };
                    let place = format!("{kind} `{pattern}`: {from} -> {to}");
                    assert!(found(&old, &new).iter().all(|found| *found == effect), "{place}");
                    let back = effect.map(Effect::opposite);
                    assert!(found(&new, &old).iter().all(|found| *found == back), "{place}, backwards");
                }
            }
        }
    }

    #[test]
    fn no_row_is_hidden_by_another() {
        for (kind, rules) in RULES {
            let patterns: Vec<_> = rules.iter().map(|(pattern, _)| pattern).collect();
            let distinct: std::collections::BTreeSet<_> = patterns.iter().collect();
            assert_eq!(distinct.len(), patterns.len(), "{kind}");
        }
    }
}
