//! Typed views of the kinds that decide over promotions. A view reads what is there and fills in nothing;
//! what is of the wrong type is left out, for validation has said so before.

mod budget;
mod deployment;
mod environment;
mod eval;
mod model;
mod policy;
mod team;

pub use budget::{Budget, Limits, READ as READ_OF_BUDGETS, Scope};
pub use deployment::Deployment;
pub use environment::{Allowlists, Environment, Gate, Mode, Runtime};
pub use eval::{Eval, Guards};
pub use model::{allowed_models, route_candidates};
pub use policy::{selector, selects, unclear_selector};
pub use team::{Member, Role, Team};

use super::envelope::Resource;
use super::fields::mention::reference;
use super::id::{Reference, ResourceId};
use super::kind::Kind;
use super::value::Value;

/// The agents that a Deployment or Eval may be about: its own namespace's, then that of `default`. None for what is
/// neither, or names no agent.
#[must_use]
pub fn about(record: &Resource) -> Vec<ResourceId> {
    let named = match record.id().kind {
        Kind::Deployment => Deployment::of(record).and_then(|deployment| deployment.agent),
        Kind::Eval => Eval::of(record).and_then(|eval| eval.target),
        _ => None,
    };
    named.map(|reference| reference.candidates(&record.id().namespace)).unwrap_or_default()
}

/// The references of a list, or of the one that stands without a list.
fn references(kind: &Kind, value: Option<&Value>) -> Vec<Reference> {
    match value {
        Some(Value::List(items)) => items.iter().filter_map(|item| reference(kind, item)).collect(),
        Some(one) => reference(kind, one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// The texts of a list, or the one that stands without a list.
fn texts(value: Option<&Value>) -> Vec<String> {
    value.map(Value::texts).unwrap_or_default().into_iter().map(str::to_owned).collect()
}
