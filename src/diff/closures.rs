//! What differs between two closures.

use std::collections::BTreeMap;

use crate::closure::Closure;

use super::change::Change;
use super::sets::between_sets;

/// What differs between two closures: each level on its own, a change that several levels share told once.
#[must_use]
pub fn between_closures(old: Option<&Closure>, new: Option<&Closure>) -> Vec<Change> {
    let levels = |closure: Option<&Closure>| closure.map(Closure::levels).unwrap_or_default();
    let (old, new) = (levels(old), levels(new));
    let none = BTreeMap::new();
    let mut paths: Vec<_> = old.keys().chain(new.keys()).collect();
    paths.sort();
    paths.dedup();
    let mut changes: Vec<Change> = Vec::new();
    for path in paths {
        for change in between_sets(old.get(path).unwrap_or(&none), new.get(path).unwrap_or(&none)) {
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
    }
    changes
}
