//! Who is meant without being named: agents, by a policy's labels.

use crate::resource::{Kind, Resource, view};

/// Whether `policy` is a Policy that binds `agent` by its selector.
#[must_use]
pub fn selects(policy: &Resource, agent: &Resource) -> bool {
    policy.id().kind == Kind::Policy && view::selects(policy, &agent.labels())
}
