//! What Deployments and Evals say about the promotion of an agent.

use crate::resource::{Kind, Resource, ResourceId, Target, Value};

/// The agent that a Deployment deploys.
#[must_use]
pub fn deployed_agent(deployment: &Resource) -> Option<ResourceId> {
    named(deployment, "spec.agentRef")
}

/// The environment that a Deployment deploys to.
#[must_use]
pub fn deployed_to(deployment: &Resource) -> Option<&str> {
    let reference = deployment.spec().get("environmentRef")?;
    reference.as_text().or_else(|| reference.get("name").and_then(Value::as_text))
}

/// What `spec.promotion` of a Deployment requires under `key`: a name, a list of names, or references.
#[must_use]
pub fn required(deployment: &Resource, key: &str) -> Vec<String> {
    let one = |value: &Value| value.as_text().or_else(|| value.get("name").and_then(Value::as_text)).map(str::to_owned);
    match deployment.spec().at(&["promotion", key]) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) => items.iter().map(|item| one(item).unwrap_or_else(|| "?".into())).collect(),
        Some(other) => vec![one(other).unwrap_or_else(|| "?".into())],
    }
}

/// The agent that an Eval measures.
#[must_use]
pub fn measured_agent(eval: &Resource) -> Option<ResourceId> {
    named(eval, "spec.target").filter(|id| id.kind == Kind::Agent)
}

/// Whether an Eval guards promotions into `environment`.
#[must_use]
pub fn blocks(eval: &Resource, environment: &str) -> bool {
    let Some(gate) = eval.spec().get("releaseGate") else { return false };
    let enabled = gate.get("enabled").and_then(Value::as_bool).unwrap_or(true);
    enabled && gate.get("blocksPromotionTo").is_none_or(|named| named.texts().contains(&environment))
}

/// The resource that the field at `path` names, in the referrer's own namespace unless it says another.
fn named(resource: &Resource, path: &str) -> Option<ResourceId> {
    let mention = resource.mentions().into_iter().find(|mention| mention.path == path)?;
    match mention.target {
        Target::Resource(reference) => reference.candidates(&resource.id().namespace).into_iter().next(),
        Target::Candidate(_) => None,
    }
}
