//! Eval: what is measured, what a score must reach, and which promotions wait for it.

use super::texts;
use crate::resource::envelope::Resource;
use crate::resource::fields::mention::reference;
use crate::resource::id::{Reference, ResourceId};
use crate::resource::kind::Kind;
use crate::resource::metric::scale;
use crate::resource::threshold::Threshold;
use crate::resource::value::Value;

/// What an Eval says.
#[derive(Debug, Clone, PartialEq)]
pub struct Eval {
    /// What is measured.
    pub target: Option<Reference>,
    /// What each metric must reach, all of it, by its name; one that is no threshold is an error that names it.
    pub thresholds: Vec<(String, Result<Vec<Threshold>, String>)>,
    /// Which promotions wait for it.
    pub guards: Guards,
}

/// Which promotions wait for an Eval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guards {
    /// None.
    Nothing,
    /// Those into these environments.
    These(Vec<String>),
    /// All: the gate is enabled, and no environment is named.
    Everything,
}

impl Eval {
    /// The view of an Eval; `None` for another kind.
    #[must_use]
    pub fn of(resource: &Resource) -> Option<Self> {
        if resource.id().kind != Kind::Eval {
            return None;
        }
        let spec = resource.spec();
        let target = spec.get("target").and_then(|target| {
            let kind = target.get("kind").and_then(Value::as_text).map_or(Kind::Agent, Kind::from_name);
            reference(&kind, target)
        });
        let metrics = spec.get("metrics").and_then(Value::as_list).unwrap_or_default();
        let thresholds = spec.get("thresholds").and_then(Value::as_map).into_iter().flatten();
        let thresholds = thresholds.map(|(name, value)| {
            let read = Threshold::read_all(value, &scale(name, metrics));
            (name.clone(), read.map_err(|_| format!("the threshold of `{name}` does not say what passes")))
        });
        let guards = guards(spec.get("releaseGate").unwrap_or(&Value::Null));
        Some(Self { target, thresholds: thresholds.collect(), guards })
    }

    /// Whether a promotion into this environment waits for it.
    #[must_use]
    pub fn blocks(&self, environment: &str) -> bool {
        match &self.guards {
            Guards::Nothing => false,
            Guards::These(names) => names.iter().any(|name| name == environment),
            Guards::Everything => true,
        }
    }

    /// Whether it measures this agent; `namespace` is that of the Eval.
    #[must_use]
    pub fn measures(&self, agent: &ResourceId, namespace: &str) -> bool {
        self.target.as_ref().is_some_and(|target| target.candidates(namespace).contains(agent))
    }
}

fn guards(gate: &Value) -> Guards {
    let names = texts(gate.get("blocksPromotionTo"));
    match gate.get("enabled") {
        Some(Value::Bool(false)) => Guards::Nothing,
        None | Some(Value::Null) if names.is_empty() => Guards::Nothing,
        _ if names.is_empty() => Guards::Everything,
        _ => Guards::These(names),
    }
}
