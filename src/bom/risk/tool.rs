//! Tools as they are: how far they reach, and whether anybody is asked.

use std::sync::Arc;

use crate::resource::{Kind, Resource, Risk, Value};

use super::Terms;
use super::found::Found;
use super::reach::{Reach, said};
use super::whole::{Level, Part, Whole};

pub(super) fn judge(whole: &Whole, terms: &Terms<'_>, found: &mut Found) {
    for level in &whole.levels {
        for tool in level.of_kind(&Kind::Tool) {
            let reach = Reach::of(tool);
            let asks = asks(tool, level, terms.imposed);
            if reach >= Reach::Financial {
                let watched = reach == Reach::Financial && asks;
                let severity = if watched { Risk::Medium } else { Risk::High };
                let why = format!("its side effects are {}", said(tool));
                found.raise("AGB-TOOL-002", tool.component(), severity, why);
            }
            if reach >= Reach::ExternalWrite && !asks {
                let severity = if reach >= Reach::Financial { Risk::Critical } else { Risk::High };
                let why = format!("its side effects are {}, and no call of it waits for a person", said(tool));
                found.raise("AGB-TOOL-003", tool.component(), severity, why);
            }
        }
    }
}

/// Whether each call waits for a person, or none is let through: by the tool's own record, or by a policy that binds
/// the agent. A record that says anything but yes asks nobody, whoever a policy wants asked.
pub(super) fn asks(tool: &Part, level: &Level, imposed: &[Arc<Resource>]) -> bool {
    let bound = level.of_kind(&Kind::Policy).map(Part::spec);
    let imposed = imposed.iter().filter(|resource| resource.id().kind == Kind::Policy).map(|policy| policy.spec());
    tool.is_true(REQUIRES_APPROVAL) || bound.chain(imposed).any(|policy| stops(policy, tool))
}

const REQUIRES_APPROVAL: &[&str] = &["sideEffects", "requiresApproval"];

/// Whether a rule of the policy denies every call of this tool, or demands an approval that its record does not refuse.
fn stops(policy: &Value, tool: &Part) -> bool {
    let may_ask = tool.at(REQUIRES_APPROVAL).is_none();
    let rules = policy.get("rules").and_then(Value::as_list).unwrap_or_default();
    rules.iter().any(|rule| {
        let denies = rule.at(&["action", "deny"]) == Some(&Value::Bool(true));
        let asks = [&["require", "approval"][..], &["action", "require", "approval"]]
            .iter()
            .any(|path| rule.at(path).and_then(Value::as_text).is_some_and(|who| !who.trim().is_empty()));
        // What happens when nobody answers must be a no.
        let timeout = rule.at(&["require", "approvalRouting", "onTimeout"]).and_then(Value::as_text);
        let falls_open = timeout.is_some_and(|word| !matches!(word, "deny" | "block" | "stop" | "reject"));
        (denies || may_ask && asks && !falls_open) && covers(rule.get("when"), tool)
    })
}

/// Whether a condition holds for every call of the tool: it asks only for what its record says.
fn covers(when: Option<&Value>, tool: &Part) -> bool {
    let Some(when) = when.and_then(Value::as_map) else { return false };
    let level = Reach::of(tool).word();
    when.iter().all(|(key, expected)| {
        let actual = match key.as_str() {
            "tool.sideEffect" | "tool.sideEffects.level" => level,
            "tool.name" => tool.id().name.as_str(),
            "tool.type" => tool.text(&["type"]).unwrap_or_default(),
            _ => return false,
        };
        expected.texts().contains(&actual)
    })
}
