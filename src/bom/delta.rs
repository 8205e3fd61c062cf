//! Which components came, went, or moved to another version.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::closure::Closure;
use crate::resource::{Kind, Pinned};

use super::component::{Component, What};
use super::graph::Graph;

/// What differs between two bills of materials, each list by kind, namespace and name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AbomDelta {
    /// Components that only the new one has.
    pub added: Vec<Pinned>,
    /// Components that only the old one has.
    pub removed: Vec<Pinned>,
    /// Components that both have, at different versions.
    pub changed: Vec<Moved>,
    /// Components that are no resources: images, and agents outside to which one may hand over.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub others: Vec<Other>,
}

/// A component at another version than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The number of the version that was.
    pub from: Option<u64>,
    /// The number of the version that is.
    pub to: Option<u64>,
    /// What moved outside of the ledger, as `pinnedVersion 2.3.1 -> 2.4.0`; none where the content changed and what it
    /// stands for did not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub moved: Option<String>,
}

/// A component that is no resource, and differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Other {
    /// What it is: `image` or `a2a-peer`.
    #[schemars(extend("enum" = ["image", "a2a-peer"]))]
    pub what: String,
    /// Its namespace, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// Its name; of an image registry and repository.
    pub name: String,
    /// What became of it.
    pub change: Became,
    /// The version that was: of an image its tag and digest.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// The version that is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
}

/// What became of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Became {
    /// Only the new bill has it.
    Added,
    /// Only the old bill has it.
    Removed,
    /// Both have it, at different versions.
    Changed,
}

impl AbomDelta {
    /// Whether both bills are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty() && self.others.is_empty()
    }

    /// With what the graphs of two closures tell beside the numbers of their members.
    #[must_use]
    pub fn with(mut self, old: Option<&Closure>, new: Option<&Closure>) -> Self {
        let (old, new) = (old.map(Graph::bare), new.map(Graph::bare));
        for moved in &mut self.changed {
            let of = |graph: &Option<Graph>| versions(graph.as_ref(), &moved.kind, &moved.namespace, &moved.name);
            let (from, to) = (of(&old), of(&new));
            if from != to {
                let side = |side: &BTreeMap<&'static str, String>, field| {
                    side.get(field).map_or("none", String::as_str).to_owned()
                };
                let fields: BTreeSet<_> = from.keys().chain(to.keys()).collect();
                let told =
                    fields.into_iter().map(|field| format!("{field} {} -> {}", side(&from, field), side(&to, field)));
                moved.moved = Some(told.collect::<Vec<_>>().join(", "));
            }
        }
        self.others = others(old.as_ref(), new.as_ref());
        self
    }

    /// Without what [`AbomDelta::with`] adds, which records of an older joch do not tell.
    #[must_use]
    pub fn bare(&self) -> Self {
        let mut bare = Self { others: Vec::new(), ..self.clone() };
        bare.changed.iter_mut().for_each(|moved| moved.moved = None);
        bare
    }
}

/// The versions that a resource has outside of the ledger, by the field that says it.
fn versions(graph: Option<&Graph>, kind: &Kind, namespace: &str, name: &str) -> BTreeMap<&'static str, String> {
    let is_it = |component: &&Component| {
        component.id().is_some_and(|id| id.kind == *kind && id.namespace == namespace && id.name == name)
    };
    let outside = graph.into_iter().flat_map(Graph::components).filter(is_it).filter_map(|c| c.outside.as_ref());
    let mut versions: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for outside in outside {
        versions.entry(outside.field).or_default().insert(&outside.version);
    }
    versions.into_iter().map(|(field, told)| (field, told.into_iter().collect::<Vec<_>>().join(" and "))).collect()
}

/// The components that are no resources and differ, each version of one by itself where there are several.
fn others(old: Option<&Graph>, new: Option<&Graph>) -> Vec<Other> {
    type Side = BTreeMap<(String, Option<String>, String), BTreeSet<Option<String>>>;
    let side = |graph: Option<&Graph>| {
        let mut side = Side::new();
        for component in graph.into_iter().flat_map(Graph::components) {
            if matches!(component.what, What::Image | What::Peer) {
                let key = (component.word(), component.group.clone(), component.name.clone());
                let version = component.outside.as_ref().map(|outside| outside.version.clone());
                side.entry(key).or_default().insert(version);
            }
        }
        side
    };
    let (old, new) = (side(old), side(new));
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let mut others = Vec::new();
    for key in keys {
        let none = BTreeSet::new();
        let (had, has) = (old.get(key).unwrap_or(&none), new.get(key).unwrap_or(&none));
        let went: Vec<_> = had.difference(has).cloned().collect();
        let came: Vec<_> = has.difference(had).cloned().collect();
        let (what, namespace, name) = key.clone();
        let other = |change, from, to| Other {
            what: what.clone(),
            namespace: namespace.clone(),
            name: name.clone(),
            change,
            from,
            to,
        };
        if let ([from], [to]) = (&went[..], &came[..]) {
            others.push(other(Became::Changed, from.clone(), to.clone()));
        } else {
            others.extend(came.into_iter().map(|to| other(Became::Added, None, to)));
            others.extend(went.into_iter().map(|from| other(Became::Removed, from, None)));
        }
    }
    others
}

/// What `new` has that `old` had not, and the other way round.
///
/// A child agent may hold another version of a component than its parent does: then a bill has that
/// component twice. One version for one other is a move; anything else is told as what came and what went.
#[must_use]
pub fn delta(old: &[Pinned], new: &[Pinned]) -> AbomDelta {
    let (old, new): (BTreeSet<&Pinned>, BTreeSet<&Pinned>) = (old.iter().collect(), new.iter().collect());
    let mut sides: BTreeMap<_, (Vec<&Pinned>, Vec<&Pinned>)> = BTreeMap::new();
    let id = |component: &Pinned| (component.kind.clone(), component.namespace.clone(), component.name.clone());
    for component in old.difference(&new) {
        sides.entry(id(component)).or_default().0.push(component);
    }
    for component in new.difference(&old) {
        sides.entry(id(component)).or_default().1.push(component);
    }
    let mut delta = AbomDelta::default();
    for ((kind, namespace, name), (went, came)) in sides {
        if let ([from], [to]) = (&went[..], &came[..]) {
            delta.changed.push(Moved { kind, namespace, name, from: from.version, to: to.version, moved: None });
        } else {
            delta.removed.extend(went.into_iter().cloned());
            delta.added.extend(came.into_iter().cloned());
        }
    }
    delta
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Digest, ResourceId};

    fn tool(name: &str, version: u64) -> Pinned {
        let id = ResourceId::new(Kind::Tool, "default", name);
        Pinned::new(&id, Some(version), Digest::of(format!("{name} {version}")))
    }

    #[test]
    fn what_came_went_and_moved_is_told_apart() {
        let old = [tool("search", 1), tool("refund", 2), tool("mail", 4)];
        let new = [tool("mail", 5), tool("search", 1), tool("chat", 1)];
        let found = delta(&old, &new);
        assert_eq!(found.added, [tool("chat", 1)]);
        assert_eq!(found.removed, [tool("refund", 2)]);
        let moves: Vec<_> = found.changed.iter().map(|moved| (moved.name.as_str(), moved.from, moved.to)).collect();
        assert_eq!(moves, [("mail", Some(4), Some(5))]);
        assert!(delta(&old, &old).is_empty());
    }

    #[test]
    fn a_second_version_of_a_component_came_and_did_not_move() {
        let found = delta(&[tool("mail", 4)], &[tool("mail", 4), tool("mail", 5)]);
        assert_eq!((found.added.len(), found.removed.len(), found.changed.len()), (1, 0, 0));
        let found = delta(&[tool("mail", 4)], &[tool("mail", 5), tool("mail", 6)]);
        assert_eq!((found.added.len(), found.removed.len(), found.changed.len()), (2, 1, 0));
    }
}
