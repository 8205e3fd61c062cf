//! What no schema checks of a bill: that every reference is one thing, leads somewhere, and hangs together.

use std::collections::{BTreeMap, BTreeSet};

use super::cyclonedx::Bill;

/// What is wrong with the references of a bill: each names one component, leads to one, and is reached from the agent.
#[must_use]
pub fn check(bill: &Bill) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for reference in bill.references() {
        if !known.insert(reference) {
            wrong.push(format!("two of its components are called `{reference}`"));
        }
    }
    let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for dependency in &bill.dependencies {
        let from = dependency.reference.as_str();
        if edges.insert(from, dependency.depends_on.iter().map(String::as_str).collect()).is_some() {
            wrong.push(format!("`{from}` says twice what it uses"));
        }
        let named = std::iter::once(from).chain(dependency.depends_on.iter().map(String::as_str));
        for named in named.filter(|named| !known.contains(named)) {
            wrong.push(format!("`{named}` is named by `{from}` and is no component of it"));
        }
    }
    for named in bill.compositions.iter().flat_map(|composition| &composition.assemblies) {
        if !known.contains(named.as_str()) {
            wrong.push(format!("`{named}` is named by a composition and is no component of it"));
        }
    }
    let mut open = vec![bill.metadata.component.reference.as_str()];
    let mut reached = BTreeSet::new();
    while let Some(reference) = open.pop() {
        if reached.insert(reference) {
            open.extend(edges.get(reference).into_iter().flatten());
        }
    }
    for lost in known.difference(&reached) {
        wrong.push(format!("nothing leads from the agent to `{lost}`"));
    }
    wrong
}
