//! Principals and the roles they hold.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::key::PublicKey;

/// Who a signature proves: a person or an automation that the trust branch names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// The name that trust gives the key, usually an e-mail address.
    pub name: String,
    /// Whether it is a machine; a machine never counts as an approver.
    pub automation: bool,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What a member of a team may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, and is asked about what was done.
    Auditor,
    /// Approves what others promote.
    Approver,
    /// Writes to the environments that the membership names.
    Operator,
    /// Writes everywhere, and changes trust.
    Admin,
}

impl Role {
    /// The role so written in a Team.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "viewer" => Self::Viewer,
            "auditor" => Self::Auditor,
            "approver" => Self::Approver,
            "operator" => Self::Operator,
            "admin" => Self::Admin,
            _ => return None,
        })
    }
}

/// One membership in one team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The team.
    pub team: String,
    /// The principal's name, as `user:` gives it.
    pub user: String,
    /// The role; a member without one is a viewer.
    pub role: Role,
    /// Whether this is a machine's account.
    pub automation: bool,
    /// The keys that prove it.
    pub keys: Vec<PublicKey>,
    /// Where an operator may write; `None` is every rung but the last.
    pub environments: Option<Vec<String>>,
}
