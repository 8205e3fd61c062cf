//! Rules of policies: whether one does at least as much as another, in at least the same cases.

use std::collections::BTreeSet;

use crate::resource::{Map, Value};

/// What a rule does, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Nothing,
    Changes,
    Asks,
    Denies,
}

/// Whether `now` stops whatever `was` stopped.
pub(super) fn replaces(was: &Value, now: &Value) -> bool {
    let (old, new) = (strength(was), strength(now));
    new >= old
        && holds_wherever(was, now)
        && match (old, new) {
            (Strength::Asks, Strength::Asks) => asks_alike(was, now),
            (Strength::Changes, Strength::Changes) => effect(was) == effect(now),
            _ => true,
        }
}

/// Whether a rule does anything.
pub(super) fn acts(rule: &Value) -> bool {
    strength(rule) > Strength::Nothing
}

/// What became of a rule that nothing replaces, in words.
pub(super) fn told(was: &Value, nth: usize, now: &[Value]) -> String {
    let name = rule_name(was, nth);
    let named = |rule: &&Value| rule.get("name").is_some() && rule.get("name") == was.get("name");
    let alike = |rule: &&Value| rule.get("when") == was.get("when") && rule.get("when").is_some();
    let Some(heir) = now.iter().find(named).or_else(|| now.iter().find(alike)) else {
        return format!("{name} ({}) is gone, or holds in fewer cases", word(was));
    };
    if strength(heir) < strength(was) {
        return format!("{name} did {} and does {}", word(was), word(heir));
    }
    if !holds_wherever(was, heir) {
        return format!("{name} ({}) holds in fewer cases: `when` was {} and is {}", word(was), json(was), json(heir));
    }
    let timeout = |rule: &Value| routing(rule, "onTimeout").first().cloned().unwrap_or_else(|| "not said".into());
    if timeout(was) != timeout(heir) {
        return format!("{name}: `onTimeout` was `{}` and is `{}`", timeout(was), timeout(heir));
    }
    let list = |rule: &Value| routing(rule, "approvers").into_iter().collect::<Vec<_>>().join(", ");
    if list(was) != list(heir) {
        return format!("{name}: `approvers` were `{}` and are `{}`", list(was), list(heir));
    }
    format!("{name} ({}) does something else", word(was))
}

fn rule_name(rule: &Value, nth: usize) -> String {
    match rule.get("name").and_then(Value::as_text) {
        Some(name) => format!("the rule {}", super::found::shown(name)),
        None => format!("rule {}", nth + 1),
    }
}

fn json(rule: &Value) -> String {
    let when = rule.get("when").unwrap_or(&Value::Null);
    super::found::shown(&serde_json::to_string(when).unwrap_or_default())
}

fn word(rule: &Value) -> &'static str {
    match strength(rule) {
        Strength::Nothing => "nothing",
        Strength::Changes => "change what passes",
        Strength::Asks => "demand an approval",
        Strength::Denies => "deny",
    }
}

fn strength(rule: &Value) -> Strength {
    let acts =
        |key: &str| rule.at(&["action", key]).is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)));
    if acts("deny") {
        Strength::Denies
    } else if approval(rule).is_some() {
        Strength::Asks
    } else if acts("redact") || acts("modify") {
        Strength::Changes
    } else {
        Strength::Nothing
    }
}

fn approval(rule: &Value) -> Option<&Value> {
    let require = rule.get("require").or_else(|| rule.at(&["action", "require"]))?;
    require.get("approval").filter(|value| !matches!(value, Value::Null | Value::Bool(false))).map(|_| require)
}

/// What is blacked out or changed, without the words about it.
fn effect(rule: &Value) -> Map {
    let mut action = rule.get("action").and_then(Value::as_map).cloned().unwrap_or_default();
    ["reason", "replacement", "description"].iter().for_each(|word| {
        action.remove(*word);
    });
    action
}

fn routing(rule: &Value, key: &str) -> BTreeSet<String> {
    let routing = approval(rule).and_then(|require| require.at(&["approvalRouting", key]));
    routing.map(Value::texts).unwrap_or_default().into_iter().map(str::to_owned).collect()
}

/// The same people are asked, and silence is a no wherever it was.
fn asks_alike(was: &Value, now: &Value) -> bool {
    let closes = |rule: &Value| {
        routing(rule, "onTimeout").iter().any(|word| ["deny", "block", "stop", "reject"].contains(&word.as_str()))
    };
    let whom = |rule: &Value| approval(rule).and_then(|require| require.get("approval")).cloned();
    routing(was, "approvers") == routing(now, "approvers") && (!closes(was) || closes(now)) && whom(was) == whom(now)
}

/// Whether the condition of `now` holds wherever that of `was` does: it asks for nothing that `was` does not imply.
fn holds_wherever(was: &Value, now: &Value) -> bool {
    let empty = Map::new();
    let when = |rule: &'_ Value| rule.get("when").and_then(Value::as_map).cloned();
    let (Some(old), new) = (when(was).or_else(|| Some(empty.clone())), when(now)) else { return false };
    // A rule without a condition is not read as one for all cases, unless the other has none either.
    let Some(new) = new.or_else(|| old.is_empty().then_some(empty)) else { return false };
    new.iter().all(|(key, wanted)| old.get(key).is_some_and(|known| implies(known, wanted)))
}

/// Whether whatever fits `known` fits `wanted` too.
fn implies(known: &Value, wanted: &Value) -> bool {
    if known == wanted {
        return true;
    }
    if let (Some(known), Some(wanted)) = (known.as_text().and_then(bound), wanted.as_text().and_then(bound)) {
        return match (known, wanted) {
            ((Sign::Above(open), a), (Sign::Above(wide), b)) | ((Sign::Below(open), b), (Sign::Below(wide), a)) => {
                a > b || a == b && (wide || !open)
            }
            _ => false,
        };
    }
    match (known, wanted) {
        (Value::List(known), Value::List(wanted)) => {
            !known.is_empty() && known.iter().all(|item| wanted.contains(item))
        }
        (known, Value::List(wanted)) => wanted.contains(known),
        (Value::List(known), wanted) => !known.is_empty() && known.iter().all(|item| item == wanted),
        _ => false,
    }
}

/// A comparison, and whether it takes in its bound.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Above(bool),
    Below(bool),
}

/// `>= 5` as (above, and 5 too; 5).
fn bound(text: &str) -> Option<(Sign, f64)> {
    let text = text.trim();
    let (sign, rest) = match text.as_bytes().first()? {
        b'>' => (true, &text[1..]),
        b'<' => (false, &text[1..]),
        _ => return None,
    };
    let with = rest.starts_with('=');
    let number: f64 = rest.trim_start_matches('=').trim().parse().ok()?;
    let sign = if sign { Sign::Above(with) } else { Sign::Below(with) };
    number.is_finite().then_some((sign, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Value {
        serde_json::from_str(json).expect("written here")
    }

    #[test]
    fn a_rule_is_replaced_by_one_that_does_as_much_in_as_many_cases() {
        let deny = |when: &str| rule(&format!(r#"{{"when": {when}, "action": {{"deny": true}}}}"#));
        let over = |bound: &str| deny(&format!(r#"{{"cost.runUsd": "{bound}"}}"#));
        assert!(replaces(&over("> 5"), &over(">5")) && replaces(&over("> 5"), &over("> 4")));
        assert!(replaces(&over("> 5"), &over(">= 5")) && !replaces(&over(">= 5"), &over("> 5")));
        assert!(!replaces(&over("> 5"), &over("> 6")) && !replaces(&over("> 5"), &over("< 5")));
        assert!(replaces(&over("< 0.8"), &over("< 0.9")) && !replaces(&over("< 0.9"), &over("< 0.8")));
        assert!(replaces(&over("<= 5"), &over("<= 5.0")) && !replaces(&over("<= 5"), &over("< 5")));
        let level = |levels: &str| deny(&format!(r#"{{"tool.sideEffect": {levels}}}"#));
        assert!(replaces(&level(r#""financial""#), &level(r#"["privileged", "financial"]"#)));
        assert!(!replaces(&level(r#"["privileged", "financial"]"#), &level(r#""financial""#)));
        assert!(!replaces(&level(r#""financial""#), &deny(r#"{"tool.sideEffect": "financial", "env": "prod"}"#)));
    }

    #[test]
    fn another_effect_or_other_people_are_not_as_much() {
        let with = |does: &str| rule(&format!(r#"{{"when": {{"tool.name": "x"}}, {does}}}"#));
        let deny = with(r#""action": {"deny": true}"#);
        let ask = |routing: &str| with(&format!(r#""require": {{"approval": "human", "approvalRouting": {routing}}}"#));
        let asked = ask(r#"{"approvers": ["team:leads"], "onTimeout": "deny"}"#);
        assert!(!replaces(&deny, &asked) && replaces(&asked, &deny));
        assert!(!replaces(&asked, &ask(r#"{"approvers": ["team:leads"], "onTimeout": "allow"}"#)));
        assert!(!replaces(&asked, &ask(r#"{"approvers": ["team:leads"]}"#)));
        assert!(!replaces(&asked, &ask(r#"{"approvers": ["team:all"], "onTimeout": "deny"}"#)));
        assert!(!replaces(&with(r#""action": {"redact": true}"#), &with(r#""action": {"modify": "x"}"#)));
    }
}
