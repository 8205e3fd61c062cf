//! What this checkout has seen of the ledger: `.joch/seen.json`. A ledger that is shown in an older state contradicts
//! it, and only it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Rule};

/// The newest tip of each branch that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    schema: String,
    /// The tips, by branch.
    pub tips: BTreeMap<String, String>,
}

const SCHEMA: &str = "joch.dev/memory/v1";

impl Memory {
    /// The memory of these tips.
    #[must_use]
    pub fn new(tips: BTreeMap<String, String>) -> Self {
        Self { schema: SCHEMA.into(), tips }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// What is no such file.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let memory: Self = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
        if memory.schema == SCHEMA { Ok(memory) } else { Err(format!("it is of schema `{}`", memory.schema)) }
    }

    /// As it is stored.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("plain fields");
        bytes.push(b'\n');
        bytes
    }

    /// The branches that no longer hold what was seen of them; `holds` knows whether a branch holds a commit.
    #[must_use]
    pub fn check(&self, holds: impl Fn(&str, &str) -> bool) -> Vec<Finding> {
        let lost = self.tips.iter().filter(|(branch, tip)| !holds(branch, tip));
        lost.map(|(branch, tip)| {
            let message = format!(
                "this checkout has seen {tip} on `{branch}`, which is not there any more: the branch was rewound or \
                 rewritten, or an older ledger is shown; fetch `{branch}` from a clone that has that commit"
            );
            Finding::new(Rule::RewoundBranch, format!("refs/heads/{branch}"), message)
        })
        .collect()
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(BTreeMap::new())
    }
}
