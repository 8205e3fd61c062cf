//! The Models that an agent or a route may use.

use crate::resource::envelope::Resource;
use crate::resource::fields::Target;

/// The Models of a ModelRoute, the primary first.
#[must_use]
pub fn route_candidates(route: &Resource) -> Vec<Target> {
    targets_under(route, "spec.strategy.")
}

/// The Models of an Agent's `modelPolicy.allowed`.
#[must_use]
pub fn allowed_models(agent: &Resource) -> Vec<Target> {
    targets_under(agent, "spec.modelPolicy.")
}

fn targets_under(resource: &Resource, path: &str) -> Vec<Target> {
    let mentions = resource.mentions().into_iter();
    mentions.filter(|mention| mention.path.starts_with(path)).map(|mention| mention.target).collect()
}
