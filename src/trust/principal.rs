//! Principals, and their membership in teams.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::view::Role;

use super::key::PublicKey;

/// Who a signature proves: a person or an automation that the trust branch names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

/// One membership in one team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The team.
    pub team: String,
    /// The principal's name, as `user:` gives it.
    pub user: String,
    /// What the principal may do.
    pub role: Role,
    /// Whether this is a machine's account.
    pub automation: bool,
    /// The keys that prove it.
    pub keys: Vec<PublicKey>,
    /// Where an operator may write; `None` is every rung but the last.
    pub environments: Option<Vec<String>>,
}
