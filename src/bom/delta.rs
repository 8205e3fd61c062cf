//! Which components came, went, or moved to another version.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::{Kind, Pinned};

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
}

impl AbomDelta {
    /// Whether both bills are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
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
            delta.changed.push(Moved { kind, namespace, name, from: from.version, to: to.version });
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
