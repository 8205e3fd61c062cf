//! A change of a shared resource reaches every closure that holds it, and changes nothing else there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::resource::{Kind, Resource, ResourceId, view};

use super::members::{Closure, member_path};
use super::resolve::{Sources, Unresolved, resolve};
use super::selection::selects;
use super::shelf::{Layer, Shelf};

/// What is exchanged: the new content of each changed resource, or `None` where it is gone; and the new
/// closures of changed agents, for those whose children they are.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// Changed resources of other kinds than Agent.
    pub resources: BTreeMap<ResourceId, Option<Arc<Resource>>>,
    /// Changed agents.
    pub agents: BTreeMap<ResourceId, Closure>,
}

/// What an exchange changes, by directory of a closure, namespace and file.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    selects: bool,
    files: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Touched {
    /// What `exchange` changes.
    #[must_use]
    pub fn by(exchange: &Exchange) -> Self {
        let mut touched = Self::default();
        for (id, new) in &exchange.resources {
            touched.selects |= new.as_ref().is_some_and(|policy| view::selector(policy).is_some());
            if let Some((directory, file)) = member_path(id, &id.namespace).split_once('/') {
                let namespaces = touched.files.entry(directory.to_owned()).or_default();
                namespaces.entry(id.namespace.clone()).or_default().insert(file.to_owned());
            }
        }
        touched
    }

    /// Whether a policy among it selects: then any agent may be reached.
    #[must_use]
    pub fn selects(&self) -> bool {
        self.selects
    }

    /// The directories of a closure in which something of it may stand.
    #[must_use]
    pub fn is_in(&self, directory: &str) -> bool {
        self.files.contains_key(directory)
    }

    /// Whether it changes what stands in this file of a directory, for a resource of this namespace.
    #[must_use]
    pub fn holds(&self, directory: &str, namespace: &str, file: &str) -> bool {
        let files = self.files.get(directory).and_then(|namespaces| namespaces.get(namespace));
        files.is_some_and(|files| files.contains(file))
    }
}

/// Whether `exchange` reaches `held`: it holds what changes, or is selected by it now.
#[must_use]
pub fn holds(held: &Closure, exchange: &Exchange) -> bool {
    let member = |id: &ResourceId| held.members().contains_key(id);
    let selected = |policy: &Arc<Resource>| policy.id().kind == Kind::Policy && selects(policy, held.agent());
    exchange.resources.iter().any(|(id, new)| member(id) || new.as_ref().is_some_and(selected))
        || held.children().iter().any(|(id, child)| exchange.agents.contains_key(id) || holds(child, exchange))
}

/// `held` with what `exchange` changes, and every other member as it was: a rollback is not undone by
/// the next policy. A member that the exchange newly names comes from the exchange, else from `catalog`;
/// a new resource never takes the place of one that is held, although a reference would now find it first.
///
/// # Errors
/// As [`resolve`]; a resource that is gone and still named is missing.
pub fn ripple(held: &Closure, exchange: &Exchange, catalog: &dyn Shelf) -> Result<Closure, Unresolved> {
    let new: BTreeMap<_, _> =
        exchange.resources.iter().filter_map(|(id, new)| Some((id.clone(), new.clone()?))).collect();
    let changed: BTreeMap<_, _> =
        new.iter().filter(|(id, _)| held.members().contains_key(*id)).map(|(id, r)| (id.clone(), r.clone())).collect();
    let kept: BTreeMap<_, _> = held
        .members()
        .iter()
        .filter(|(id, _)| !exchange.resources.contains_key(*id))
        .map(|(id, r)| (id.clone(), r.clone()))
        .collect();
    let child = |id: &ResourceId| -> Result<Option<Closure>, Unresolved> {
        let Some(child) = held.children().get(id) else { return Ok(None) };
        match exchange.agents.get(id) {
            Some(changed) => Ok(Some(changed.clone())),
            None if holds(child, exchange) => ripple(child, exchange, catalog).map(Some),
            None => Ok(Some(child.clone())),
        }
    };
    let gone = Without { catalog, exchange };
    let sources = Sources {
        tiers: vec![vec![Layer::Set(&changed), Layer::Set(&kept)], vec![Layer::Set(&new), Layer::Catalog(&gone)]],
        selectable: vec![Layer::Set(&new), Layer::Set(&kept)],
        child: &child,
    };
    resolve(held.agent(), &sources)
}

/// A catalog without what the exchange takes away.
struct Without<'a> {
    catalog: &'a dyn Shelf,
    exchange: &'a Exchange,
}

impl Shelf for Without<'_> {
    fn get(&self, id: &ResourceId) -> Result<Option<Arc<Resource>>, super::Unreadable> {
        if self.exchange.resources.contains_key(id) { Ok(None) } else { self.catalog.get(id) }
    }

    fn of_kind(&self, kind: &Kind) -> Result<Vec<Arc<Resource>>, super::Unreadable> {
        let all = self.catalog.of_kind(kind)?;
        Ok(all.into_iter().filter(|r| !self.exchange.resources.contains_key(r.id())).collect())
    }
}
