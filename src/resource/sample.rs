//! Resources for tests, written as people write them.

use std::sync::Arc;

use super::envelope::Resource;
use super::yaml::{Found, read};

/// `one("Tool team-a/search", "{type: rest}")`; without a namespace it stands in `default`.
pub(crate) fn one(head: &str, spec: &str) -> Arc<Resource> {
    labelled(head, "{}", spec)
}

/// One with labels, such as `{tier: gold}`.
pub(crate) fn labelled(head: &str, labels: &str, spec: &str) -> Arc<Resource> {
    let (kind, name) = head.split_once(' ').expect("a kind and a name");
    let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
    let text = format!(
        "apiVersion: joch.dev/v1alpha1\nkind: {kind}\n\
         metadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}\nspec: {spec}\n"
    );
    let mut read = read("sample.yaml", &text, Found::Named);
    assert!(read.findings.is_empty(), "{text}{:?}", read.findings);
    Arc::new(read.documents.remove(0).resource)
}
