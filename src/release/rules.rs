//! What an environment demands of a change: the union of what its Environment, Deployments and Evals
//! say, on the target's side and on the source's, and what the operator adds. None takes another away.

use std::sync::Arc;

use crate::gate::Demand;
use crate::resource::view::{self, Deployment, Eval};
use crate::resource::{Digest, Kind, Requirement, Resource, ResourceId};
use crate::trust::Trust;

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

impl Rules {
    /// These rules and those of another agent that the same change moves, under one digest.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let digest = Digest::of(format!("{}{}", self.digest, other.digest));
        Self { digest, ..self.and(other) }
    }

    /// These rules, and what `earlier` demands beside them.
    #[must_use]
    pub fn and(mut self, earlier: Self) -> Self {
        for demand in earlier.demands {
            for origin in demand.origins {
                add(&mut self.demands, demand.requirement.clone(), origin);
            }
        }
        self.gated |= earlier.gated;
        self
    }
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
        let agents = judged_agents(resource, records);
        for record in records {
            for requirement in demanded_by(record, &agents, environment) {
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
    // What is imposed, and the values that the environment fills in, are part of what is approved.
    for imposed in trust.imposed(environment, &resource.namespace) {
        said.push(format!("imposed {} {}", imposed.id(), imposed.digest()));
    }
    if let Some(defaults) = trust.environment(environment).and_then(|record| record.spec().get("defaults").cloned()) {
        said.push(format!("defaults {}", serde_json::to_string(&defaults).unwrap_or_default()));
    }
    said.sort_unstable();
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
    let view = view::Environment::of(record).map_err(|why| format!("{}: {why}", record.id()))?;
    Ok(view.gates.into_iter().map(|gate| (record.id().to_string(), gate.requirement)).collect())
}

/// Whose rules judge a resource: its own for an agent; for a Deployment or Eval, those of the agents it may
/// be about, since it guards them.
fn judged_agents(resource: &ResourceId, records: &[Arc<Resource>]) -> Vec<ResourceId> {
    if resource.kind == Kind::Agent {
        return vec![resource.clone()];
    }
    records.iter().filter(|record| record.id() == resource).flat_map(|record| about(record)).collect()
}

/// The agents that a Deployment or Eval may be about: its own namespace's, then that of `default`.
fn about(record: &Resource) -> Vec<ResourceId> {
    let named = match record.id().kind {
        Kind::Deployment => Deployment::of(record).and_then(|deployment| deployment.agent),
        Kind::Eval => Eval::of(record).and_then(|eval| eval.target),
        _ => None,
    };
    named.map(|reference| reference.candidates(&record.id().namespace)).unwrap_or_default()
}

/// What a Deployment or Eval demands of a change of one of `agents`.
fn demanded_by(record: &Resource, agents: &[ResourceId], environment: &str) -> Vec<Requirement> {
    if !about(record).iter().any(|agent| agents.contains(agent)) {
        return Vec::new();
    }
    if let Some(deployment) = Deployment::of(record) {
        let here = deployment.environment.as_ref().is_some_and(|named| named.name == environment);
        let evals = deployment.requires_eval.into_iter().map(|eval| Requirement::Eval(eval.name));
        let teams = deployment.requires_approval.into_iter().map(|team| Requirement::Approval(team.name, 1));
        return if here { evals.chain(teams).collect() } else { Vec::new() };
    }
    let guards = Eval::of(record).is_some_and(|eval| eval.blocks(environment));
    if guards { vec![Requirement::Eval(record.id().name.clone())] } else { Vec::new() }
}
