//! The native rules of a Policy, read: what each asks about, and what follows from it.

use crate::resource::envelope::environment_key;
use crate::resource::{Map, Resource, Value, path, view};

use super::flaw::Flaw;
use super::key::{self, Family, Key, LABELS};
use super::wanted::{Wanted, told};

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its place in the list, from 0.
    pub index: usize,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What must all hold for it to apply; nothing at all always does.
    pub when: Vec<Condition>,
    /// What follows.
    pub effects: Vec<Effect>,
}

/// What one key must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// As it is written, a label's name included.
    pub written: String,
    /// The key.
    pub key: &'static Key,
    /// What it must be.
    pub wanted: Wanted,
}

/// What follows where a rule applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It must not happen.
    Deny(Option<String>),
    /// A person must allow it, one of these if any is named.
    Approve(Vec<String>),
    /// Something is taken out or changed on the way.
    Transform(&'static str),
}

/// The actions that joch knows; only these decide anything.
const ACTIONS: [&str; 4] = ["allow", "deny", "modify", "redact"];

/// How long a key may be: the name of a label with its prefix.
const LONGEST_KEY: usize = 200;
/// How many approvers a rule may name.
const MOST_APPROVERS: usize = 20;

impl Rule {
    /// The families that it asks about.
    #[must_use]
    pub fn asks(&self, family: Family) -> bool {
        self.when.iter().any(|condition| condition.key.family == family)
    }
}

/// The native rules of a Policy. `{fromEnvironment: KEY}` must have been filled in; where `open` says so, a value that
/// has not been is passed over.
///
/// # Errors
/// Everything about it that cannot be acted on.
pub fn rules(policy: &Resource, open: bool) -> Result<Vec<Rule>, Vec<Flaw>> {
    let mut flaws = Vec::new();
    let spec = policy.spec();
    check_selector(policy, &mut flaws);
    check_keys(spec, &mut flaws);
    let mut rules = Vec::new();
    match spec.get("rules") {
        None | Some(Value::Null) => {}
        Some(Value::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                rules.extend(rule(index, item, open, &mut flaws));
            }
        }
        Some(other) => flaws.push(Flaw::new("spec.rules", format!("`rules` is a list, not {}", other.type_name()))),
    }
    if flaws.is_empty() { Ok(rules) } else { Err(flaws) }
}

/// Rules under a key that nobody reads would forbid nothing.
fn check_keys(spec: &Value, flaws: &mut Vec<Flaw>) {
    for key in spec.as_map().into_iter().flat_map(Map::keys) {
        let meant = crate::resource::name::nearest(key, ["rules", "rego", "appliesTo"]);
        if let Some(meant) = meant.filter(|meant| meant != key) {
            let flaw = Flaw::new(path::entry("spec", key), format!("a Policy has no `{key}`"));
            flaws.push(flaw.help(format!("did you mean `{meant}`?")));
        }
    }
}

/// A selector that cannot be read selects nobody, or too many, and nobody would notice.
fn check_selector(policy: &Resource, flaws: &mut Vec<Flaw>) {
    if let Some((at, message)) = view::unclear_selector(policy) {
        flaws.push(Flaw::new(at, message));
    }
}

fn rule(index: usize, item: &Value, open: bool, flaws: &mut Vec<Flaw>) -> Option<Rule> {
    let at = path::item("spec.rules", index);
    let Value::Map(map) = item else {
        flaws.push(Flaw::new(at, format!("a rule is a map, not {}", item.type_name())));
        return None;
    };
    let known = ["name", "when", "action", "require", "description"];
    for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
        if let Some(meant) = crate::resource::name::nearest(key, known) {
            let flaw = Flaw::new(path::entry(&at, key), format!("a rule has no `{key}`"));
            flaws.push(flaw.help(format!("did you mean `{meant}`?")));
        }
    }
    let mut when = Vec::new();
    match map.get("when") {
        None | Some(Value::Null) => {}
        Some(Value::Map(asked)) => conditions(asked, &path::entry(&at, "when"), open, &mut when, flaws),
        Some(other) => {
            flaws.push(Flaw::new(path::entry(&at, "when"), format!("`when` is a map, not {}", other.type_name())));
        }
    }
    let mut effects = Vec::new();
    match map.get("action") {
        None | Some(Value::Null) => {}
        Some(Value::Map(action)) => actions(action, &path::entry(&at, "action"), &mut effects, flaws),
        Some(other) => {
            let flaw = Flaw::new(path::entry(&at, "action"), format!("`action` is a map, not {}", other.type_name()));
            flaws.push(flaw.help("write, say, `action: { deny: true, reason: … }`"));
        }
    }
    match map.get("require") {
        None | Some(Value::Null) => {}
        Some(require) => effects.extend(approval(require, &path::entry(&at, "require"), flaws)),
    }
    let name = map.get("name").and_then(Value::as_text).map(str::to_owned);
    Some(Rule { index, name, when, effects })
}

fn conditions(asked: &Map, at: &str, open: bool, when: &mut Vec<Condition>, flaws: &mut Vec<Flaw>) {
    for (written, value) in asked {
        let place = path::entry(at, written);
        if let (LABELS, Value::Map(labels)) = (written.as_str(), value)
            && environment_key(value).is_none()
        {
            let spelt: Map = labels.iter().map(|(key, value)| (format!("{LABELS}.{key}"), value.clone())).collect();
            conditions(&spelt, at, open, when, flaws);
            continue;
        }
        if written.len() > LONGEST_KEY {
            flaws.push(Flaw::new(at, format!("no key is longer than {LONGEST_KEY} characters")));
            continue;
        }
        let Some(key) = key::find(written).filter(|_| written != LABELS) else {
            let flaw = Flaw::new(place, format!("`{written}` is nothing that a rule can ask about"));
            flaws.push(match key::meant(written) {
                Some(meant) => flaw.help(format!("did you mean `{meant}`?")),
                None => {
                    let all: Vec<_> = key::KEYS.iter().map(|key| key.name).collect();
                    flaw.help(format!("there is {}", all.join(", ")))
                }
            });
            continue;
        };
        if environment_key(value).is_some() {
            if !open {
                flaws.push(Flaw::new(place, "the environment has no value for it"));
            }
            continue;
        }
        match Wanted::read(key, value) {
            Ok(wanted) => when.push(Condition { written: written.clone(), key, wanted }),
            Err((message, help)) => {
                let flaw = Flaw::new(place, message);
                flaws.push(Flaw { help, ..flaw });
            }
        }
    }
}

fn actions(action: &Map, at: &str, effects: &mut Vec<Effect>, flaws: &mut Vec<Flaw>) {
    let set = |key: &str| !matches!(action.get(key), None | Some(Value::Null | Value::Bool(false)));
    match action.get("deny") {
        None | Some(Value::Null | Value::Bool(false)) => {}
        Some(Value::Bool(true)) => {
            effects.push(Effect::Deny(action.get("reason").filter(|reason| **reason != Value::Null).map(told)));
        }
        Some(other) => flaws.push(Flaw::new(
            path::entry(at, "deny"),
            format!("`deny` is `true` or `false`, not {}", other.type_name()),
        )),
    }
    for word in ["redact", "modify"] {
        if set(word) {
            effects.push(Effect::Transform(word));
        }
    }
    // An action of which no word is known would follow from nothing; a slip of the pen must not open a gate.
    if !action.keys().any(|key| ACTIONS.contains(&key.as_str())) {
        let flaw = Flaw::new(at, format!("an action is one of {}", ACTIONS.join(", ")));
        let meant = action.keys().find_map(|key| crate::resource::name::nearest(key, ACTIONS));
        flaws.push(match meant {
            Some(meant) => flaw.help(format!("did you mean `{meant}`?")),
            None => flaw,
        });
    }
}

fn approval(require: &Value, at: &str, flaws: &mut Vec<Flaw>) -> Option<Effect> {
    let Some(word) = require.get("approval").and_then(Value::as_text) else {
        flaws.push(Flaw::new(at, "what is required is an approval").help("write `require: { approval: human }`"));
        return None;
    };
    if word != "human" {
        let place = path::entry(at, "approval");
        flaws.push(Flaw::new(place, format!("who approves is `human`, not `{word}`")));
        return None;
    }
    let named = require.at(&["approvalRouting", "approvers"]).map(Value::texts).unwrap_or_default();
    if named.len() > MOST_APPROVERS || named.iter().any(|name| name.len() > LONGEST_KEY) {
        let place = path::entry(at, "approvalRouting");
        flaws.push(Flaw::new(place, format!("a rule names {MOST_APPROVERS} approvers at most, by short names")));
        return None;
    }
    Some(Effect::Approve(named.into_iter().map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::sample::one;

    fn read(spec: &str) -> Result<Vec<Rule>, Vec<String>> {
        rules(&one("Policy p", spec), false).map_err(|flaws| {
            let told = |flaw: Flaw| format!("{}: {}{}", flaw.path, flaw.message, flaw.help.unwrap_or_default());
            flaws.into_iter().map(told).collect()
        })
    }

    #[test]
    fn a_rule_has_conditions_and_effects() {
        let read = read(
            "{rules: [{when: {tool.sideEffect: financial, agent.labels: {tier: gold}}, action: {deny: true, reason: no}},
              {require: {approval: human, approvalRouting: {approvers: ['team:a']}}}]}",
        )
        .expect("sound");
        let asked: Vec<_> = read[0].when.iter().map(|one| format!("{} {}", one.written, one.wanted)).collect();
        assert_eq!(asked, ["agent.labels.tier gold", "tool.sideEffect financial"]);
        assert_eq!(read[0].effects, [Effect::Deny(Some("no".into()))]);
        assert_eq!(read[1].effects, [Effect::Approve(vec!["team:a".into()])]);
        assert!(read[0].asks(Family::Tool) && !read[0].asks(Family::Model));
    }

    #[test]
    fn what_cannot_be_acted_on_is_told_with_its_place() {
        for (spec, says) in [
            (
                "{rules: [{when: {tool.sideEffects: financial}, action: {deny: true}}]}",
                "did you mean `tool.sideEffect`?",
            ),
            ("{rules: [{when: {whatever: 1}, action: {deny: true}}]}", "there is agent.env"),
            ("{rules: [{when: {agent.labels: gold}, action: {deny: true}}]}", "nothing that a rule can ask about"),
            ("{rules: [{wen: {tool.name: x}, action: {deny: true}}]}", "did you mean `when`?"),
            ("{rules: [{when: {tool.name: x}, action: {dny: true}}]}", "did you mean `deny`?"),
            ("{rules: [{when: {tool.name: x}, action: {deny: 1}}]}", "`deny` is `true` or `false`"),
            ("{rules: [{when: {tool.name: x}, require: {approval: robot}}]}", "not `robot`"),
            ("{rules: [{when: {tool.name: x}, require: {aproval: human}}]}", "write `require: { approval: human }`"),
            ("{rules: [{when: {cost.runUsd: {fromEnvironment: LIMIT}}, action: {deny: true}}]}", "no value for it"),
            ("{rule: []}", "did you mean `rules`?"),
            ("{rules: [], appliesTo: {agents: {selector: {matchLabels: {a: [1]}}}}}", "a label is text"),
            ("{rules: [], appliesTo: {agents: all}}", "selector cannot be read"),
            (
                "{rules: [], appliesTo: {agents: {selector: {matchLabels: {a: b}, matchExpressions: [x]}}}}",
                "spec.appliesTo.agents.selector.matchExpressions: joch reads `matchLabels` here and nothing else",
            ),
        ] {
            let said = read(spec).expect_err(spec).join("; ");
            assert!(said.contains(says), "{spec}: {said}");
        }
    }
}
