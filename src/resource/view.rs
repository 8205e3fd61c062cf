//! Typed views of the kinds that decide over promotions. A view reads what is there and fills in nothing;
//! what is of the wrong type is left out, for validation has said so before.

mod budget;
mod deployment;
mod environment;
mod eval;
mod model;
mod policy;
mod team;

pub use budget::{Budget, Limits, Scope};
pub use deployment::Deployment;
pub use environment::{Allowlists, Environment, Gate, Mode, Runtime};
pub use eval::{Eval, Guards};
pub use model::{allowed_models, route_candidates};
pub use policy::{selector, selects};
pub use team::{Member, Role, Team};

use super::fields::mention::reference;
use super::id::Reference;
use super::kind::Kind;
use super::value::Value;

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
