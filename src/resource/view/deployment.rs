//! Deployment: one agent in one environment.

use super::references;
use crate::resource::envelope::Resource;
use crate::resource::fields::mention::reference;
use crate::resource::id::{Reference, ResourceId};
use crate::resource::kind::Kind;
use crate::resource::value::Value;

/// What a Deployment says.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// The agent.
    pub agent: Option<Reference>,
    /// The environment.
    pub environment: Option<Reference>,
    /// Evals that a promotion of the agent into it demands.
    pub requires_eval: Vec<Reference>,
    /// Teams that must approve it.
    pub requires_approval: Vec<Reference>,
    /// How the agent is reached there; [`Value::Null`] where nothing says so.
    pub invoke: Value,
    /// Runs of a day, for projected cost.
    pub expected_runs_per_day: Option<f64>,
}

impl Deployment {
    /// The view of a Deployment; `None` for another kind.
    #[must_use]
    pub fn of(resource: &Resource) -> Option<Self> {
        if resource.id().kind != Kind::Deployment {
            return None;
        }
        let spec = resource.spec();
        Some(Self {
            agent: spec.get("agentRef").and_then(|value| reference(&Kind::Agent, value)),
            environment: spec.get("environmentRef").and_then(|value| reference(&Kind::Environment, value)),
            requires_eval: references(&Kind::Eval, spec.at(&["promotion", "requiresEval"])),
            requires_approval: references(&Kind::Team, spec.at(&["promotion", "requiresApproval"])),
            invoke: spec.get("invoke").cloned().unwrap_or(Value::Null),
            expected_runs_per_day: spec.get("expectedRunsPerDay").and_then(Value::as_number).map(|n| n.as_f64()),
        })
    }

    /// Whether it is about this agent in this environment; `namespace` is that of the Deployment.
    #[must_use]
    pub fn deploys(&self, agent: &ResourceId, environment: &str, namespace: &str) -> bool {
        let about = self.agent.as_ref().is_some_and(|named| named.candidates(namespace).contains(agent));
        about && self.environment.as_ref().is_some_and(|named| named.name == environment)
    }
}
