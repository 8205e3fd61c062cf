//! Tools compared with what ran before.

use crate::resource::{Kind, Risk, Value};

use super::found::{Found, listed, shown};
use super::mcp_change::{entries, shrunk};
use super::reach::{Reach, said};
use super::whole::{Part, Whole};

pub(super) fn judge(before: &Whole, after: &Whole, found: &mut Found) {
    for (was, tool) in after.changed(before, &Kind::Tool) {
        grew(was, tool, found);
        if was.is_true(&["sideEffects", "requiresApproval"]) && !tool.is_true(&["sideEffects", "requiresApproval"]) {
            let why = "`sideEffects.requiresApproval` was `true` and is not";
            found.raise("AGB-TOOL-004", tool.component(), Risk::Critical, why);
        }
        limits(was, tool, found);
        told(was, tool, found);
        promises(was, tool, found);
    }
    for child in after.levels.iter().filter(|level| !level.path.is_empty()) {
        let Some(was) = before.level(&child.path) else { continue };
        described(&was.agent, &child.agent, "its description, by which it is chosen,", found);
    }
}

fn grew(was: &Part, tool: &Part, found: &mut Found) {
    let (old, new) = (Reach::of(was), Reach::of(tool));
    if new <= old {
        return;
    }
    let severity = match new {
        Reach::ReadOnly | Reach::LocalWrite => Risk::Low,
        Reach::ExternalWrite | Reach::Communication => Risk::High,
        Reach::Financial | Reach::CodeExecution | Reach::Privileged => Risk::Critical,
    };
    let why = format!("its side effects were {} and are {}", said(was), said(tool));
    found.raise("AGB-TOOL-001", tool.component(), severity, why);
}

fn limits(was: &Part, tool: &Part, found: &mut Found) {
    let mut weaker = |why: String| {
        found.raise("AGB-TOOL-005", tool.component(), Risk::High, why);
    };
    let allowed = ["safety", "allowedAgents"];
    if !entries(was, &allowed).is_empty() && entries(tool, &allowed).is_empty() {
        weaker(format!("`safety.allowedAgents` named {} and names nobody", names(was, &allowed)));
    }
    shrunk(was, tool, &["safety", "deniedNamespaces"], &mut weaker);
    let rates = was.at(&["safety", "rateLimit"]);
    match (rates, tool.at(&["safety", "rateLimit"])) {
        (Some(old), new) if says_something(old) && !new.is_some_and(says_something) => {
            weaker("`safety.rateLimit` is gone".to_owned());
        }
        (Some(Value::Map(old)), Some(Value::Map(new))) => {
            for (key, value) in old {
                let (old, new) = (value.as_number(), new.get(key).and_then(Value::as_number));
                match (old, new) {
                    (Some(old), Some(new)) if new.as_f64() > old.as_f64() => {
                        weaker(format!("`safety.rateLimit.{key}` was {old} and is {new}"));
                    }
                    (Some(old), None) => weaker(format!("`safety.rateLimit.{key}` was {old} and is not said any more")),
                    _ => {}
                }
            }
        }
        (Some(Value::Number(old)), Some(Value::Number(new))) if new.as_f64() > old.as_f64() => {
            weaker(format!("`safety.rateLimit` was {old} and is {new}"));
        }
        _ => {}
    }
}

fn names(part: &Part, path: &[&str]) -> String {
    listed(entries(part, path).iter().map(String::as_str))
}

fn says_something(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value.as_map().is_none_or(|map| !map.is_empty())
}

/// What a model reads of a tool.
fn told(was: &Part, tool: &Part, found: &mut Found) {
    described(was, tool, "its description", found);
    for schema in ["inputSchema", "outputSchema"] {
        if was.at(&[schema]) != tool.at(&[schema]) {
            let why = format!("its `{schema}` changed");
            found.raise("AGB-TOOL-006", tool.component(), Risk::Medium, why);
        }
    }
}

fn described(was: &Part, part: &Part, what: &str, found: &mut Found) {
    let (old, new) = (was.text(&["description"]), part.text(&["description"]));
    if old != new {
        let word = |text: Option<&str>| text.map_or_else(|| "nothing".to_owned(), shown);
        let why = format!("{what} was {} and is {}", word(old), word(new));
        found.raise("AGB-TOOL-006", part.component(), Risk::Medium, why);
    }
}

fn promises(was: &Part, tool: &Part, found: &mut Found) {
    let mut less = |why: String| {
        found.raise("AGB-TOOL-007", tool.component(), Risk::Medium, why);
    };
    let once = ["sideEffects", "idempotent"];
    if was.is_true(&once) && !tool.is_true(&once) {
        less("`sideEffects.idempotent` was `true` and is not".to_owned());
    }
    for place in ["observability", "safety"] {
        shrunk(was, tool, &[place, "redactFields"], &mut less);
        for log in ["logArgs", "logResult", "log"] {
            if was.is_on(&[place, log]) && !tool.is_on(&[place, log]) {
                less(format!("`{place}.{log}` was on and is not"));
            }
        }
    }
}
