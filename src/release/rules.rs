//! What an environment demands of a change: the union of what its Environment, Deployments and Evals
//! say, on the target's side and on the source's, and what the operator adds. None takes another away.

use std::sync::Arc;

use crate::gate::Demand;
use crate::resource::{Digest, Kind, Requirement, Resource, ResourceId, Value};
use crate::trust::Trust;

use super::guards;

/// The rules for one subject in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// What is demanded, each requirement once.
    pub demands: Vec<Demand>,
    /// Digest of what the environment, Deployments and Evals say; `--require` adds to the demands only.
    pub digest: Digest,
    /// Whether anything but `--require` demands something.
    pub gated: bool,
}

/// The rules for a change of `resource` in `environment`.
///
/// `records` are the Evals and Deployments of the target and of the source. The first rung demands nothing.
///
/// # Errors
/// A gate that cannot be read: the change must not happen, because what is demanded is not known.
pub fn rules_for(
    environment: &str,
    resource: &ResourceId,
    trust: &Trust,
    records: &[Arc<Resource>],
    required: &[Requirement],
) -> Result<Rules, String> {
    let mut demands = Vec::new();
    let mut said = Vec::new();
    if environment != trust.ladder().first() {
        for (origin, requirement) in environment_gates(environment, trust)? {
            said.push(format!("{origin} {requirement}"));
            add(&mut demands, requirement, origin);
        }
        let subject = judged_agent(resource, records);
        for record in records {
            for requirement in demanded_by(record, &subject, environment)? {
                let origin = record.id().to_string();
                said.push(format!("{origin} {requirement}"));
                if record.id().kind == Kind::Eval {
                    said.push(format!("{origin} {}", record.digest()));
                }
                add(&mut demands, requirement, origin);
            }
        }
    }
    let gated = !demands.is_empty();
    for requirement in required {
        add(&mut demands, requirement.clone(), "--require".into());
    }
    said.sort_unstable();
    said.dedup();
    let gates = trust.environment(environment).and_then(|record| record.spec().get("gates").cloned());
    let gates = gates.map(|gates| serde_json::to_string(&gates).unwrap_or_default()).unwrap_or_default();
    Ok(Rules { demands, digest: Digest::of(format!("{gates}\n{}", said.join("\n"))), gated })
}

fn add(demands: &mut Vec<Demand>, requirement: Requirement, origin: String) {
    match demands.iter_mut().find(|demand| demand.requirement == requirement) {
        Some(demand) if demand.origins.contains(&origin) => {}
        Some(demand) => demand.origins.push(origin),
        None => demands.push(Demand { requirement, origins: vec![origin] }),
    }
}

fn environment_gates(environment: &str, trust: &Trust) -> Result<Vec<(String, Requirement)>, String> {
    let Some(record) = trust.environment(environment) else { return Ok(Vec::new()) };
    let gates = record.spec().get("gates").and_then(Value::as_list).unwrap_or_default();
    let read = |gate: &Value| {
        let text = gate.as_text().or_else(|| gate.get("gate").and_then(Value::as_text));
        let text = text.ok_or_else(|| format!("{}: a gate is text such as `approval:TEAM`", record.id()))?;
        let requirement = text.parse().map_err(|why| format!("{}: gate `{text}`: {why}", record.id()))?;
        Ok((record.id().to_string(), requirement))
    };
    gates.iter().map(read).collect()
}

/// Whose rules judge a resource: its own for an agent; for a Deployment or Eval, those of the agent it is
/// about, since it guards that agent.
fn judged_agent(resource: &ResourceId, records: &[Arc<Resource>]) -> Vec<ResourceId> {
    if resource.kind == Kind::Agent {
        return vec![resource.clone()];
    }
    records.iter().filter(|record| record.id() == resource).filter_map(|record| about(record)).collect()
}

/// The agent that a Deployment or Eval is about.
fn about(record: &Resource) -> Option<ResourceId> {
    match record.id().kind {
        Kind::Deployment => guards::deployed_agent(record),
        Kind::Eval => guards::measured_agent(record),
        _ => None,
    }
}

fn demanded_by(record: &Resource, agents: &[ResourceId], environment: &str) -> Result<Vec<Requirement>, String> {
    if !about(record).is_some_and(|agent| agents.contains(&agent)) {
        return Ok(Vec::new());
    }
    let parse = |text: String| text.parse::<Requirement>().map_err(|why| format!("{}: `{text}`: {why}", record.id()));
    match record.id().kind {
        Kind::Deployment if guards::deployed_to(record) == Some(environment) => {
            let evals = guards::required(record, "requiresEval").into_iter().map(|name| format!("eval:{name}"));
            let teams = guards::required(record, "requiresApproval").into_iter().map(|name| format!("approval:{name}"));
            evals.chain(teams).map(parse).collect()
        }
        Kind::Eval if guards::blocks(record, environment) => {
            parse(format!("eval:{}", record.id().name)).map(|one| vec![one])
        }
        _ => Ok(Vec::new()),
    }
}
