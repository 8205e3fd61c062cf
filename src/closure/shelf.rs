//! Where members are taken from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::resource::{Kind, Resource, ResourceId, view};

use super::members::Closure;

/// A place that holds resources, such as the catalog of an environment. Reads on demand, so that cost
/// follows what an answer needs.
pub trait Shelf {
    /// The resource of this id.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    fn get(&self, id: &ResourceId) -> Result<Option<Arc<Resource>>, Unreadable>;

    /// Every resource of this kind, in order of namespace and name.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    fn of_kind(&self, kind: &Kind) -> Result<Vec<Arc<Resource>>, Unreadable>;

    /// The Evals or Deployments, as `kind` says, that may be about this agent, in order of namespace and name.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    fn about(&self, kind: &Kind, agent: &ResourceId) -> Result<Vec<Arc<Resource>>, Unreadable> {
        let all = self.of_kind(kind)?;
        Ok(all.into_iter().filter(|record| view::about(record).contains(agent)).collect())
    }

    /// The Budgets whose scope names this agent or one of these teams, in order of namespace and name.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    fn budgets(&self, agent: &ResourceId, teams: &BTreeSet<&str>) -> Result<Vec<Arc<Resource>>, Unreadable> {
        let all = self.of_kind(&Kind::Budget)?;
        Ok(all.into_iter().filter(|budget| draws(budget, agent, teams)).collect())
    }
}

/// Whether the scope of a Budget names this agent or one of these teams.
#[must_use]
pub fn draws(budget: &Resource, agent: &ResourceId, teams: &BTreeSet<&str>) -> bool {
    let scope = view::Scope::of(budget);
    scope.is_some_and(|scope| scope.covers(agent, &budget.id().namespace, |team| teams.contains(team)))
}

/// What a shelf holds could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

/// One place to look for members, in the order in which [`super::Sources`] lists them.
#[derive(Clone, Copy)]
pub enum Layer<'a> {
    /// Resources at hand: the applied set, or what a ripple exchanges.
    Set(&'a BTreeMap<ResourceId, Arc<Resource>>),
    /// The closure that the environment holds for the agent.
    Held(&'a Closure),
    /// A catalog.
    Catalog(&'a dyn Shelf),
}

impl Layer<'_> {
    pub(super) fn get(self, id: &ResourceId) -> Result<Option<Arc<Resource>>, Unreadable> {
        match self {
            Self::Set(set) => Ok(set.get(id).cloned()),
            Self::Held(closure) => Ok(closure.members().get(id).cloned()),
            Self::Catalog(shelf) => shelf.get(id),
        }
    }

    pub(super) fn of_kind(self, kind: &Kind) -> Result<Vec<Arc<Resource>>, Unreadable> {
        let of_kind = |map: &BTreeMap<ResourceId, Arc<Resource>>| {
            map.values().filter(|r| r.id().kind == *kind).cloned().collect()
        };
        match self {
            Self::Set(set) => Ok(of_kind(set)),
            Self::Held(closure) => Ok(of_kind(closure.members())),
            Self::Catalog(shelf) => shelf.of_kind(kind),
        }
    }
}
