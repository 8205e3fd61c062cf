//! Whether a change widens or narrows what an agent, or those who release it, may do: the table of
//! `rules`, and here how each row of it is weighed. What the table does not say is not known, and stays without a word.

use super::change::{Change, Effect, Note};
use super::path::{self, Step};
use super::rules::{Judge, RULES};
use crate::resource::metric::scale;
use crate::resource::{Kind, Map, Number, Operator, Threshold, Value};
use Effect::{Narrows, Widens};

/// What is known about the effect of `change`, which was found between the bodies `old` and `new`.
///
/// A value that came or went with all that is under it widens if any part of it is known to widen, and
/// narrows only if every part is known to narrow.
#[must_use]
pub fn of(kind: &Kind, change: &Change, old: Option<&Value>, new: Option<&Value>) -> Option<Effect> {
    if change.note == Some(Note::Order) {
        return None;
    }
    let (_, rules) = RULES.iter().find(|(of, _)| of == kind)?;
    let steps = path::parse(&change.path).ok()?;
    Scales { rules, old, new }.weigh(&steps, change.from.as_ref(), change.to.as_ref())
}

struct Scales<'a> {
    rules: &'static [(&'static str, Judge)],
    old: Option<&'a Value>,
    new: Option<&'a Value>,
}

impl Scales<'_> {
    fn weigh(&self, steps: &[Step], from: Option<&Value>, to: Option<&Value>) -> Option<Effect> {
        let (from, to) = (from.filter(|value| says_something(value)), to.filter(|value| says_something(value)));
        let here = self.rules.iter().find(|(pattern, _)| covers(pattern, steps));
        here.and_then(|(_, judge)| self.judge(*judge, steps, from, to))
            .or_else(|| self.weigh_policy_rule(steps))
            .or_else(|| self.weigh_parts(steps, from, to))
    }

    fn weigh_policy_rule(&self, steps: &[Step]) -> Option<Effect> {
        let within = |depth: &usize| {
            let rule = self.rules.iter().find(|(pattern, _)| covers(pattern, &steps[..*depth]));
            matches!(rule, Some((_, Judge::PolicyRule)))
        };
        let depth = (1..steps.len()).find(within)?;
        let rule = |body: Option<&'_ Value>| body.and_then(|body| path::lookup(body, &steps[..depth])).cloned();
        policy_rule(rule(self.old).as_ref(), rule(self.new).as_ref())
    }

    fn weigh_parts(&self, steps: &[Step], from: Option<&Value>, to: Option<&Value>) -> Option<Effect> {
        let whole = match (from, to) {
            (None, Some(whole)) | (Some(whole), None) => whole,
            _ => return None,
        };
        let part = |step: Step, value: &Value| {
            let steps = [steps, &[step]].concat();
            if from.is_some() { self.weigh(&steps, Some(value), None) } else { self.weigh(&steps, None, Some(value)) }
        };
        let effects: Vec<Option<Effect>> = match whole {
            Value::Map(map) => map.iter().map(|(key, value)| part(Step::Name(key.clone()), value)).collect(),
            Value::List(items) => items.iter().enumerate().map(|(at, item)| part(Step::Place(at), item)).collect(),
            _ => return None,
        };
        if effects.contains(&Some(Widens)) {
            Some(Widens)
        } else {
            (!effects.is_empty() && effects.iter().all(|effect| *effect == Some(Narrows))).then_some(Narrows)
        }
    }

    fn judge(&self, judge: Judge, steps: &[Step], from: Option<&Value>, to: Option<&Value>) -> Option<Effect> {
        match judge {
            Judge::Presence(effect) => presence(effect, from, to),
            Judge::Entry(effect) => {
                let parent = &steps[..steps.len() - 1];
                let stands =
                    |body: Option<&Value>| body.and_then(|body| path::lookup(body, parent)).is_some_and(says_something);
                if stands(self.old) && stands(self.new) { presence(effect, from, to) } else { None }
            }
            Judge::Flag(effect) => match (flag(from)?, flag(to)?) {
                (a, b) if a == b => None,
                (_, Some(true)) | (Some(false), _) => Some(effect),
                (_, Some(false)) | (Some(true), _) => Some(effect.opposite()),
                (None, None) => None,
            },
            Judge::Cap => limit(Widens, from, to),
            Judge::Floor => limit(Narrows, from, to),
            Judge::CapOr(usual) => beside(Widens, usual, from, to),
            Judge::FloorOr(usual) => beside(Narrows, usual, from, to),
            Judge::Share => rising(Widens, from?.as_number()?, to?.as_number()?),
            Judge::Ranked(rows) => {
                let last = i64::try_from(rows.len()).ok()? - 1;
                match (rank(rows, from)?, rank(rows, to)?) {
                    (Some(a), Some(b)) if a == b => None,
                    (Some(a), Some(b)) => Some(if a < b { Widens } else { Narrows }),
                    (None, Some(rank)) if rank == last => Some(Widens),
                    (None, Some(0)) => Some(Narrows),
                    (Some(rank), None) if rank == last => Some(Narrows),
                    (Some(0), None) => Some(Widens),
                    _ => None,
                }
            }
            Judge::PolicyRule => policy_rule(from, to),
            Judge::Threshold => self.threshold(steps, from, to),
        }
    }

    /// A number alone means what the eval itself makes of it, alike on both sides.
    fn threshold(&self, steps: &[Step], from: Option<&Value>, to: Option<&Value>) -> Option<Effect> {
        let (Some(from), Some(to)) = (from, to) else { return presence(Narrows, from, to) };
        let Some(Step::Name(metric)) = steps.last() else { return None };
        let read = |body: Option<&Value>, value: &Value| {
            let metrics = body.and_then(|body| body.at(&["spec", "metrics"])?.as_list()).unwrap_or_default();
            Threshold::read_all(value, &scale(metric, metrics)).ok()
        };
        let (old, new) = (read(self.old, from)?, read(self.new, to)?);
        if old.len() != new.len() {
            return None;
        }
        let mut effects = Vec::new();
        for (old, new) in old.iter().zip(&new) {
            let up = match old.operator {
                _ if old.operator != new.operator => return None,
                Operator::AtLeast | Operator::Above => Narrows,
                Operator::AtMost | Operator::Below => Widens,
                Operator::Exactly if old.value == new.value => continue,
                Operator::Exactly => return None,
            };
            effects.extend(rising(up, old.value, new.value));
        }
        let first = *effects.first()?;
        Some(if effects.contains(&Widens) { Widens } else { first })
    }
}

/// Whether a pattern such as `spec.tools.*` covers these steps: `*` is any key or item.
pub(super) fn covers(pattern: &str, steps: &[Step]) -> bool {
    let mut names = pattern.split('.').filter(|name| !name.is_empty());
    let fits = steps.iter().all(|step| match (names.next(), step) {
        (Some("*"), _) => true,
        (Some(name), Step::Name(step)) => name == step,
        _ => false,
    });
    fits && names.next().is_none()
}

/// An empty list or map, and nothing after a key, say as little as a missing field.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::List(items) => !items.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
        _ => true,
    }
}

fn presence(effect: Effect, from: Option<&Value>, to: Option<&Value>) -> Option<Effect> {
    let stands = |value: Option<&Value>| value.is_some_and(|value| *value != Value::Bool(false));
    match (stands(from), stands(to)) {
        (false, true) => Some(effect),
        (true, false) => Some(effect.opposite()),
        _ => None,
    }
}

/// The flag, if there is one; nothing at all if the value is something else.
fn flag(value: Option<&Value>) -> Option<Option<bool>> {
    value.map_or(Some(None), |value| value.as_bool().map(Some))
}

fn limit(up: Effect, from: Option<&Value>, to: Option<&Value>) -> Option<Effect> {
    match (from, to) {
        (None, Some(to)) => figure(to).map(|_| Narrows),
        (Some(from), None) => figure(from).map(|_| Widens),
        (from, to) => rising(up, figure(from?)?, figure(to?)?),
    }
}

/// A limit that has a value where nothing is said.
fn beside(up: Effect, usual: f64, from: Option<&Value>, to: Option<&Value>) -> Option<Effect> {
    let read = |value: Option<&Value>| value.map_or_else(|| Number::from_f64(usual), figure);
    rising(up, read(from)?, read(to)?)
}

/// A number, or a length of time such as `36h` in seconds.
fn figure(value: &Value) -> Option<Number> {
    let Value::Text(text) = value else { return value.as_number() };
    let factor = match text.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        b'd' => 86_400,
        b'w' => 604_800,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    let whole = digits.bytes().all(|b| b.is_ascii_digit()) && digits.len() <= 9;
    let count: u32 = digits.parse().ok().filter(|_| whole)?;
    Number::from_f64(f64::from(count) * f64::from(factor))
}

fn rising(up: Effect, from: Number, to: Number) -> Option<Effect> {
    match from.as_f64().total_cmp(&to.as_f64()) {
        std::cmp::Ordering::Less => Some(up),
        std::cmp::Ordering::Greater => Some(up.opposite()),
        std::cmp::Ordering::Equal => None,
    }
}

/// The row of a word, if there is a word; nothing at all if no row has it.
fn rank(rows: &[&[&str]], value: Option<&Value>) -> Option<Option<i64>> {
    let Some(value) = value else { return Some(None) };
    let word = value.as_text()?;
    let row = rows.iter().position(|row| row.contains(&word))?;
    i64::try_from(row).ok().map(Some)
}

/// A rule narrows by being there if it denies, demands an approval or redacts. Of two rules with one
/// condition the one that does more of this is narrower; of two that do the same, the one with the fewer
/// conditions, because all of them must hold.
fn policy_rule(from: Option<&Value>, to: Option<&Value>) -> Option<Effect> {
    let (Some(from), Some(to)) = (from, to) else {
        let rule = from.or(to)?;
        return strength(rule)?.gt(&0).then_some(if to.is_some() { Narrows } else { Widens });
    };
    let (when, now) = (from.get("when"), to.get("when"));
    if when == now {
        return match strength(from)?.cmp(&strength(to)?) {
            std::cmp::Ordering::Less => Some(Narrows),
            std::cmp::Ordering::Greater => Some(Widens),
            std::cmp::Ordering::Equal => None,
        };
    }
    let acts_alike = ["action", "require"].iter().all(|key| from.get(key) == to.get(key)) && strength(from)? > 0;
    if !acts_alike {
        return None;
    }
    // A rule that acts more often takes away more.
    reach(when?.as_map()?, now?.as_map()?).map(|more| if more { Narrows } else { Widens })
}

/// Whether the conditions `now` hold wherever `when` did, and beyond; `Some(false)` for the other way round.
fn reach(when: &Map, now: &Map) -> Option<bool> {
    let mut more = Vec::new();
    for key in when.keys().chain(now.keys().filter(|key| !when.contains_key(*key))) {
        match (when.get(key), now.get(key)) {
            (old, new) if old == new => {}
            (Some(_), None) => more.push(true),
            (Some(old), Some(new)) => more.push(holds_more(old, new)?),
            (None, _) => more.push(false),
        }
    }
    let first = *more.first()?;
    more.iter().all(|each| *each == first).then_some(first)
}

/// The same for one condition: a list is any of its entries, and a comparison has a bound.
fn holds_more(old: &Value, new: &Value) -> Option<bool> {
    let entries = |value: &Value| match value {
        Value::List(items) => Some(items.clone()),
        Value::Text(text) if comparison(text).is_some() || text.starts_with("!=") => None,
        other => Some(vec![other.clone()]),
    };
    if let (Some(old), Some(new)) = (entries(old), entries(new)) {
        let within = |a: &[Value], b: &[Value]| a.iter().all(|entry| b.contains(entry));
        return match (within(&old, &new), within(&new, &old)) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        };
    }
    let ((sign, bound), (new_sign, new_bound)) = (comparison(old.as_text()?)?, comparison(new.as_text()?)?);
    let up = bound.as_f64() < new_bound.as_f64();
    (sign == new_sign && bound != new_bound).then_some(up == sign.starts_with('<'))
}

/// The sign of a comparison such as `>= 5`, and its bound.
fn comparison(text: &str) -> Option<(&str, Number)> {
    let text = text.trim();
    let sign = ["<=", ">=", "<", ">"].into_iter().find(|sign| text.starts_with(sign))?;
    Some((sign, Number::from_f64(text[sign.len()..].trim().parse().ok()?)?))
}

/// 3 denies, 2 demands an approval, 1 redacts, 0 none of these; nothing if the rule does what joch cannot weigh.
fn strength(rule: &Value) -> Option<u8> {
    let acts = |key: &str| rule.at(&["action", key]).is_some_and(|value| *value != Value::Bool(false));
    if acts("deny") {
        Some(3)
    } else if acts("modify") {
        None
    } else if rule.at(&["require", "approval"]).or(rule.at(&["action", "require", "approval"])).is_some() {
        Some(2)
    } else {
        Some(u8::from(acts("redact")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::between;
    use crate::resource::ResourceId;

    /// `path effect` of each change, `?` where nothing is known.
    fn told(kind: Kind, old: &str, new: &str) -> Vec<String> {
        let body = |json: &str| serde_json::from_str::<Value>(&format!(r#"{{"spec": {json}}}"#)).expect("written here");
        let changes = between(&ResourceId::new(kind, "default", "x"), Some(&body(old)), Some(&body(new)));
        changes.iter().map(|c| format!("{} {}", c.path, c.effect.map_or("?", Effect::word))).collect()
    }

    #[test]
    fn prompts_models_and_the_order_of_tools_are_not_guessed_at() {
        let old = r#"{"instructions": "x", "model": "a", "tools": ["a", "b"]}"#;
        let new = r#"{"instructions": "y", "model": "b", "tools": ["b", "a"]}"#;
        assert_eq!(told(Kind::Agent, old, new), ["spec.instructions ?", "spec.model ?", "spec.tools ?"]);
        assert_eq!(told(Kind::Other("FeatureFlags".into()), r#"{"x": 1}"#, r#"{"x": 2}"#), ["spec.x ?"]);
    }

    #[test]
    fn a_part_that_widens_outweighs_the_rest_and_an_unknown_part_leaves_narrowing_open() {
        let widens = r#"{"sideEffects": {"level": "privileged", "requiresApproval": true}}"#;
        assert_eq!(told(Kind::Tool, "{}", widens), ["spec.sideEffects widens"]);
        let narrows = r#"{"sideEffects": {"level": "read_only", "requiresApproval": true}}"#;
        assert_eq!(told(Kind::Tool, "{}", narrows), ["spec.sideEffects narrows"]);
        let open = r#"{"sideEffects": {"requiresApproval": true, "idempotent": false}}"#;
        assert_eq!(told(Kind::Tool, "{}", open), ["spec.sideEffects ?"]);
        assert_eq!(
            told(Kind::Agent, "{}", r#"{"tools": ["a"], "policies": []}"#),
            ["spec.policies ?", "spec.tools widens"]
        );
    }

    #[test]
    fn a_list_that_says_all_when_empty_is_judged_only_while_it_has_entries() {
        let of = |agents: &str| format!(r#"{{"safety": {{"allowedAgents": {agents}}}}}"#);
        let of_tool = |old: &str, new: &str| told(Kind::Tool, &of(old), &of(new));
        assert_eq!(of_tool(r#"["a"]"#, r#"["a", "b"]"#), ["spec.safety.allowedAgents[b] widens"]);
        assert_eq!(of_tool(r#"["a"]"#, "[]"), ["spec.safety.allowedAgents[a] ?"]);
        let selector =
            |labels: &str| format!(r#"{{"appliesTo": {{"agents": {{"selector": {{"matchLabels": {labels}}}}}}}}}"#);
        let (old, new) = (selector(r#"{"tier": "cx"}"#), selector(r#"{"tier": "cx", "pii": "yes"}"#));
        let path = "spec.appliesTo.agents.selector.matchLabels";
        assert_eq!(told(Kind::Policy, &old, &new), [format!("{path}.pii widens")]);
        assert_eq!(told(Kind::Policy, &old, &selector("{}")), [format!("{path}.tier ?")]);
    }

    #[test]
    fn a_policy_rule_is_judged_as_a_whole_wherever_it_changed() {
        let rule = |action: &str| format!(r#"{{"rules": [{{"when": {{"tool.name": "x"}}, "action": {action}}}]}}"#);
        let told = |old: &str, new: &str| told(Kind::Policy, &rule(old), &rule(new));
        let place = "spec.rules[0].action";
        assert_eq!(told(r#"{"deny": true}"#, r#"{"deny": false}"#), [format!("{place}.deny widens")]);
        assert_eq!(
            told(r#"{"deny": true}"#, r#"{"redact": true}"#),
            [format!("{place}.deny widens"), format!("{place}.redact widens")]
        );
        assert_eq!(
            told(r#"{"deny": true, "reason": "a"}"#, r#"{"deny": true, "reason": "b"}"#),
            [format!("{place}.reason ?")]
        );
    }

    #[test]
    fn a_bare_threshold_is_judged_by_the_direction_its_eval_gives() {
        let eval = |direction: &str, bound: &str| {
            format!(r#"{{"metrics": [{{"name": "m"{direction}}}], "thresholds": {{"m": {bound}}}}}"#)
        };
        let told =
            |direction: &str, old: &str, new: &str| told(Kind::Eval, &eval(direction, old), &eval(direction, new));
        assert_eq!(told("", "0.8", "0.7"), ["spec.thresholds.m ?"]);
        let known = |metric: &str, bound: &str| format!(r#"{{"thresholds": {{"{metric}": {bound}}}}}"#);
        let told_known = |metric: &str| self::told(Kind::Eval, &known(metric, "0.8"), &known(metric, "0.7"));
        assert_eq!(told_known("task_success"), ["spec.thresholds.task_success widens"]);
        assert_eq!(told_known("pii_leakage"), ["spec.thresholds.pii_leakage narrows"]);
        assert_eq!(told(r#", "direction": "higher""#, "0.8", "0.7"), ["spec.thresholds.m widens"]);
        assert_eq!(told(r#", "direction": "lower""#, "0.8", r#""<= 0.7""#), ["spec.thresholds.m narrows"]);
    }

    #[test]
    fn people_and_gates_count_too() {
        let old = r#"{"members": [{"user": "ada", "role": "viewer", "keys": ["k1"]}]}"#;
        let new = r#"{"members": [{"user": "ada", "role": "admin", "keys": ["k1", "k2"]}]}"#;
        let told_team = told(Kind::Team, old, new);
        assert_eq!(told_team, ["spec.members[ada].keys[k2] widens", "spec.members[ada].role widens"]);
        let old = r#"{"gates": ["policy", {"gate": "agbom", "failOn": "high", "mode": "enforce"}]}"#;
        let new = r#"{"gates": [{"gate": "agbom", "failOn": "critical", "mode": "advisory"}]}"#;
        let expected =
            ["spec.gates[policy] widens", "spec.gates[agbom].failOn widens", "spec.gates[agbom].mode widens"];
        assert_eq!(told(Kind::Environment, old, new), expected);
    }
}
