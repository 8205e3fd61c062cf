//! What changed between two sets of resources, such as the closures of two versions, and the one line
//! that sums it up.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, Op};
use super::path::{self, Step};
use super::structural::between;
use crate::resource::{Kind, ResourceId, Value};

/// The changes from one set to another, agents first, then by kind in listing order, namespace and name.
#[must_use]
pub fn between_sets(old: &BTreeMap<ResourceId, Value>, new: &BTreeMap<ResourceId, Value>) -> Vec<Change> {
    let ids: BTreeSet<&ResourceId> = old.keys().chain(new.keys()).collect();
    ids.into_iter().flat_map(|id| between(id, old.get(id), new.get(id))).collect()
}

/// The changes in one line: `model replaced, +tool zendesk.refund, policy/pii-guard changed`.
///
/// Where a single agent changed its fields are told, otherwise which agents did.
#[must_use]
pub fn summary(changes: &[Change]) -> String {
    let agents: BTreeSet<&ResourceId> =
        changes.iter().map(|c| &c.resource).filter(|id| id.kind == Kind::Agent).collect();
    let mut parts: Vec<String> = Vec::new();
    for change in changes {
        let part = match (change.is_whole(), change.op) {
            (true, Op::Add) => signed('+', &change.resource.kind.singular(), &change.resource),
            (true, Op::Remove) => signed('-', &change.resource.kind.singular(), &change.resource),
            _ if change.resource.kind == Kind::Agent && agents.len() == 1 => of_agent(change),
            _ => format!("{} changed", change.resource),
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") }
}

/// `+tool zendesk.refund`: worded as the list entry that names it, so that the two count as one.
fn signed(sign: char, word: &str, id: &ResourceId) -> String {
    let shown = id.to_string();
    let name = shown.split_once('/').map_or(shown.as_str(), |(_, name)| name);
    format!("{sign}{word} {name}")
}

fn of_agent(change: &Change) -> String {
    let steps = path::parse(&change.path).unwrap_or_default();
    let names: Vec<&str> = steps
        .iter()
        .map(|step| match step {
            Step::Name(name) => name.as_str(),
            Step::Place(_) => "",
        })
        .collect();
    let item = match names[..] {
        ["spec", "handoffs", "allowedAgents", name] => Some(("handoff", name)),
        ["spec", list, name] => member_word(list).map(|word| (word, name)),
        _ => None,
    };
    let field = match names[..] {
        ["spec", field, ..] | [field, ..] => field,
        [] => "agent",
    };
    match (item, change.op) {
        (Some((word, name)), Op::Add) if !name.is_empty() => format!("+{word} {name}"),
        (Some((word, name)), Op::Remove) if !name.is_empty() => format!("-{word} {name}"),
        (_, Op::Add) if names.len() == 2 => format!("{field} added"),
        (_, Op::Remove) if names.len() == 2 => format!("{field} removed"),
        _ if field.starts_with("model") => format!("{field} replaced"),
        _ => format!("{field} changed"),
    }
}

/// What one entry of a list of members is called.
fn member_word(list: &str) -> Option<&'static str> {
    Some(match list {
        "tools" => "tool",
        "mcpServers" => "mcp-server",
        "memories" => "memory",
        "ragRefs" => "rag",
        "policies" => "policy",
        "children" => "agent",
        "budgetRefs" => "budget",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(json: &str) -> BTreeMap<ResourceId, Value> {
        let bodies: Vec<Value> = serde_json::from_str(json).expect("written here");
        let id = |body: &Value| {
            let text = |path: &[&str]| body.at(path).and_then(Value::as_text).expect("written here").to_owned();
            ResourceId::new(Kind::from_name(&text(&["kind"])), "default", text(&["metadata", "name"]))
        };
        bodies.into_iter().map(|body| (id(&body), body)).collect()
    }

    #[test]
    fn a_closure_is_summed_up_in_one_line() {
        let old = set(r#"[
            {"kind": "Policy", "metadata": {"name": "pii-guard"}, "spec": {"audit": {"level": "all"}}},
            {"kind": "Agent", "metadata": {"name": "triage"}, "spec": {"model": "a", "tools": ["search"], "instructions": "x"}}
        ]"#);
        let new = set(r#"[
            {"kind": "Policy", "metadata": {"name": "pii-guard"}, "spec": {"audit": {"level": "some", "sink": "s"}}},
            {"kind": "Tool", "metadata": {"name": "zendesk.refund"}, "spec": {"type": "rest"}},
            {"kind": "Agent", "metadata": {"name": "triage"}, "spec": {"model": "b", "tools": ["zendesk.refund"], "instructions": "y", "handoffs": {"allowedAgents": ["x"]}}}
        ]"#);
        let changes = between_sets(&old, &new);
        assert_eq!(changes[0].resource.kind, Kind::Agent);
        let line = "handoffs added, instructions changed, model replaced, -tool search, +tool zendesk.refund, policy/pii-guard changed";
        assert_eq!(summary(&changes), line);
        assert_eq!(summary(&[]), "nothing changed");
        let back: Vec<Change> = changes.iter().map(Change::inverse).collect();
        assert!(summary(&back).contains("+tool search, -tool zendesk.refund"), "{}", summary(&back));
    }

    #[test]
    fn of_several_agents_only_the_names_are_told() {
        let old = set(r#"[{"kind": "Agent", "metadata": {"name": "a"}, "spec": {"model": "1"}},
            {"kind": "Agent", "metadata": {"name": "b"}, "spec": {"model": "1"}}]"#);
        let new = set(r#"[{"kind": "Agent", "metadata": {"name": "a"}, "spec": {"model": "2"}},
            {"kind": "Agent", "metadata": {"name": "b"}, "spec": {"model": "2"}}]"#);
        assert_eq!(summary(&between_sets(&old, &new)), "agent/a changed, agent/b changed");
    }
}
