//! What people saw of MCP servers, as gates look at it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::bom::Observation;
use crate::closure::Unreadable;
use crate::resource::ResourceId;
use crate::trust::{Principal, PublicKey, Trust};

/// An observation whose signature was checked.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The id of the evidence item.
    pub id: String,
    /// Who signed; `None` for a key that trust does not list.
    pub principal: Option<Principal>,
    /// The key.
    pub key: PublicKey,
    /// What was signed.
    pub observation: Arc<Observation>,
    /// When the ledger took it in.
    pub carried_at: DateTime<Utc>,
    /// Whether the evidence of an earlier decision held it already.
    pub earlier: bool,
}

impl Observed {
    /// Whether whoever signed may say what a server offers: somebody who does more than read.
    #[must_use]
    pub fn counts(&self, trust: &Trust) -> bool {
        self.principal.as_ref().is_some_and(|principal| trust.works(principal))
    }
}

/// The observations that the ledger holds.
pub trait Observations {
    /// Those of one MCP server, in the order in which the ledger took them in; those that the evidence commit `since`
    /// holds are marked as earlier.
    ///
    /// # Errors
    /// When the evidence branch cannot be read.
    fn of_server(&self, server: &ResourceId, since: Option<&str>) -> Result<Vec<Observed>, Unreadable>;
}
