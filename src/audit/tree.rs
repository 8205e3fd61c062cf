//! Which part of an environment's tree a changed path belongs to.

use std::collections::BTreeSet;

use crate::release::layout;
use crate::resource::ResourceId;

/// The parts of an environment's tree that a release changes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Parts {
    /// Whether the manifest changes.
    pub manifest: bool,
    /// The agents whose closure changes.
    pub closures: BTreeSet<ResourceId>,
    /// The agents whose record or bill changes.
    pub accounts: BTreeSet<ResourceId>,
    /// The paths of catalog entries that change.
    pub entries: BTreeSet<String>,
    /// The paths of cases that change.
    pub cases: BTreeSet<String>,
    /// The paths that no release changes.
    pub strange: Vec<String>,
}

/// What follows the name of an Eval in the name of its cases.
const CASES: &str = ".cases.jsonl";

impl Parts {
    /// Sorts changed paths by the part that they belong to.
    #[must_use]
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut touched = Self::default();
        for path in paths {
            touched.add(path);
        }
        touched
    }

    fn add(&mut self, path: &str) {
        let parts: Vec<_> = path.split('/').collect();
        match parts.as_slice() {
            [layout::MANIFEST] => self.manifest = true,
            [layout::AGENTS, namespace, name, "closure", _, ..] => {
                self.closures.insert(ResourceId::agent(*namespace, *name));
            }
            [layout::AGENTS, namespace, name, "record.json" | "bom.cdx.json"] => {
                self.accounts.insert(ResourceId::agent(*namespace, *name));
            }
            [layout::CATALOG, _, _, file] if file.ends_with(CASES) => {
                self.cases.insert(path.to_owned());
            }
            [layout::CATALOG, _, _, file] if file.ends_with(".yaml") => {
                self.entries.insert(path.to_owned());
            }
            _ => self.strange.push(path.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_no_release_changes_is_strange() {
        let touched = Parts::of([
            "release.json",
            "agents/default/x/closure/agent.yaml",
            "agents/default/x/record.json",
            "catalog/tools/default/t.yaml",
            "catalog/evals/default/e.cases.jsonl",
            "README.md",
            "agents/default/x/closure",
            "agents/default/x/notes.txt",
            "catalog/tools/t.yaml",
        ]);
        assert!(touched.manifest && touched.cases.len() == 1 && touched.entries.len() == 1);
        assert_eq!(touched.closures, touched.accounts);
        assert_eq!(touched.strange.len(), 4);
    }
}
