//! Who is meant without being named: agents by a policy's labels, Models by what they serve.

use crate::resource::{Candidate, Kind, Resource, Value};

/// Whether `policy` binds `agent` by its selector. A selector without labels selects every agent; a policy
/// without a selector binds only those that name it.
#[must_use]
pub fn selects(policy: &Resource, agent: &Resource) -> bool {
    if policy.id().kind != Kind::Policy {
        return false;
    }
    let Some(selector) = policy.spec().at(&["appliesTo", "agents", "selector"]) else { return false };
    let Some(wanted) = selector.get("matchLabels").unwrap_or(&Value::Null).as_map() else {
        return true;
    };
    let labels = agent.labels();
    wanted.iter().all(|(key, value)| {
        let value = match value {
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(bool) => bool.to_string(),
            Value::Null | Value::List(_) | Value::Map(_) => return false,
        };
        labels.get(key) == Some(&value)
    })
}

/// Whether `model` is what `provider:model` means: by its provider, and by its `model` or its name.
#[must_use]
pub fn is_candidate(model: &Resource, candidate: &Candidate) -> bool {
    let text = |key| model.spec().get(key).and_then(Value::as_text);
    text("provider") == Some(&candidate.provider)
        && (text("model") == Some(&candidate.model) || model.id().name == candidate.model)
}
