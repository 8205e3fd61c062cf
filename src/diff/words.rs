//! What a step of a control was and is, in few words for people: never raw JSON, keys of a member or a text of any
//! length.

use super::change::{Change, Note, Op};
use super::path::{self, Step};
use crate::resource::{Kind, Map, Value};

/// How many characters a value may have.
const LONGEST: usize = 60;
/// How many entries of a list are told.
const TOLD: usize = 5;
/// How deep a map is told.
const DEEPEST: usize = 3;

/// The step in words.
pub(super) fn sentence(change: &Change) -> String {
    let place = &change.path;
    if let Some(members) = joining(change) {
        return members;
    }
    match (change.note, &change.from, &change.to) {
        (Some(Note::Order), ..) => format!("`{place}` stands in another order"),
        (_, Some(from), Some(to)) => format!("`{place}` was {} and is {}", short(from), short(to)),
        (_, Some(from), None) => format!("`{place}` was {} and is gone", short(from)),
        (_, None, Some(to)) => format!("`{place}` is new: {}", short(to)),
        (_, None, None) => format!("`{place}` changed"),
    }
}

/// Who joins a team.
fn joining(change: &Change) -> Option<String> {
    let (Kind::Team, Op::Add, Some(to)) = (&change.resource.kind, change.op, &change.to) else { return None };
    match (path::parse(&change.path).ok()?.as_slice(), to) {
        ([Step::Name(spec), Step::Name(members)], Value::List(items)) if spec == "spec" && members == "members" => {
            Some(format!("new members: {}", listed(items)))
        }
        ([Step::Name(spec), Step::Name(members), _], Value::Map(_)) if spec == "spec" && members == "members" => {
            Some(format!("new member: {}", named(to).unwrap_or_else(|| short(to))))
        }
        _ => None,
    }
}

/// A value in few words: it may be as long as a prompt.
fn short(value: &Value) -> String {
    cut(&words(value, DEEPEST))
}

/// The first entries of a list, each with its name, and how many more there are.
fn listed(items: &[Value]) -> String {
    let mut told: Vec<String> =
        items.iter().take(TOLD).map(|item| named(item).unwrap_or_else(|| short(item))).collect();
    if items.len() > TOLD {
        told.push(format!("and {} more", items.len() - TOLD));
    }
    told.join(", ")
}

/// What an entry is called: a member with their role, a gate, a reference, an exception with what it is for.
fn named(item: &Value) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Value::as_text).map(cut);
    if let Some(user) = text("user") {
        return Some(match text("role") {
            Some(role) => format!("{user} ({role})"),
            None => user,
        });
    }
    if let (Some(rule), Some(component)) = (text("rule"), text("component")) {
        return Some(format!("{rule} for {component}"));
    }
    ["name", "gate", "id", "metric"].into_iter().find_map(text)
}

fn words(value: &Value, depth: usize) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::List(items) if items.is_empty() => "an empty list".to_owned(),
        Value::List(items) => listed(items),
        Value::Map(map) if map.is_empty() => "an empty map".to_owned(),
        Value::Map(map) => named(value).unwrap_or_else(|| entries(map, depth)),
    }
}

/// The entries of a map: `deny true, reason no`, what stands deeper in parentheses.
fn entries(map: &Map, depth: usize) -> String {
    let Some(depth) = depth.checked_sub(1) else { return format!("{} entries", map.len()) };
    let told = map.iter().take(TOLD).map(|(key, value)| match value {
        Value::Map(inner) if !inner.is_empty() => format!("{} ({})", cut(key), words(value, depth)),
        value => format!("{} {}", cut(key), cut(&words(value, depth))),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn cut(text: &str) -> String {
    let flat = |text: &mut dyn Iterator<Item = char>| -> String {
        text.map(|c| if c.is_control() { ' ' } else { c }).collect()
    };
    match text.chars().nth(LONGEST) {
        None => flat(&mut text.chars()),
        Some(_) => format!("{}…", flat(&mut text.chars().take(LONGEST - 1))),
    }
}

#[cfg(test)]
mod tests {
    use crate::diff::weigh;
    use crate::resource::sample::one;

    fn told(head: &str, before: Option<&str>, after: &str) -> Vec<String> {
        let (before, after) = (before.map(|spec| one(head, spec)), one(head, after));
        let steps = weigh(after.id(), before.as_ref().map(|before| before.body()), Some(after.body()));
        steps.into_iter().map(|step| step.sentence).collect()
    }

    #[test]
    fn who_joins_a_team_is_told_by_name_and_role_in_one_line_and_without_keys() {
        let members = "{members: [{user: alice@example.com, role: operator, keys: [ssh-ed25519 AAAAC3Nz]}, \
                       {user: support-bot, role: operator, automation: true}]}";
        let said = told("Team support", None, members);
        assert_eq!(said, ["new members: alice@example.com (operator), support-bot (operator)"]);
        let more = "{members: [{user: ana, role: viewer}, {user: ben, role: admin, keys: [ssh-ed25519 AAAAC3Nz]}]}";
        assert_eq!(told("Team t", Some("{members: [{user: ana, role: viewer}]}"), more), ["new member: ben (admin)"]);
        let many: Vec<String> = (0..9).map(|n| format!("{{user: u{n}, role: viewer}}")).collect();
        let said = told("Team t", None, &format!("{{members: [{}]}}", many.join(", ")));
        assert!(said[0].ends_with("u4 (viewer), and 4 more"), "{said:?}");
    }

    #[test]
    fn lists_and_maps_are_told_in_words() {
        let rule = "{when: {env: y, cost.runUsd: '>5'}, action: {deny: true}}";
        assert_eq!(
            told("Policy p", Some(&format!("{{rules: [{rule}]}}")), "{rules: []}"),
            ["`spec.rules.0` was action (deny true), when (cost.runUsd >5, env y) and is gone"]
        );
        assert_eq!(
            told("Environment e", None, "{override: [ana, 'team:leads']}"),
            ["`spec.override` is new: ana, team:leads"]
        );
        let exceptions = "{exceptions: [{rule: AGB-SEC-002, component: 'joch:tool/default/x', reason: r}]}";
        let said = told("Environment e", Some("{}"), exceptions);
        assert_eq!(said, ["`spec.exceptions` is new: AGB-SEC-002 for joch:tool/default/x"]);
        let deep = format!("{{x: {}1{}}}", "{a: ".repeat(20), "}".repeat(20));
        for said in told("Eval q", Some("{}"), &deep).iter().chain(&told("Team t", None, "{members: [[{}]]}")) {
            assert!(!said.contains(['{', '[', '"']) && said.len() < 200, "{said}");
        }
    }
}
