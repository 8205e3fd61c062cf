//! Holds: a signed no to one version in one environment, until somebody lifts it.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::closure::Unreadable;
use crate::resource::{Digest, ResourceId};
use crate::trust::{Principal, PublicKey};

/// Names the format of a hold.
pub const HOLD_SCHEMA: &str = "joch.dev/hold/v1";

/// The body of an evidence item under `holds/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Names the format.
    pub schema: String,
    /// Whether the version is held, or let go.
    pub action: HoldAction,
    /// The resource.
    pub resource: ResourceId,
    /// Digest of the version: of the closure for an agent.
    pub digest: Digest,
    /// Its number, for people to read.
    pub version: Option<u64>,
    /// The environment; every one where none is named.
    pub environment: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The rollback that brought it, if one did.
    pub release: Option<String>,
    /// When, by that person's clock.
    pub stated_at: DateTime<Utc>,
}

/// What a hold does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HoldAction {
    /// The version must not be brought in.
    Hold,
    /// It may again.
    Lift,
}

/// A hold whose signature was checked.
#[derive(Debug, Clone)]
pub struct Held {
    /// The id of the evidence item.
    pub id: String,
    /// Who signed; `None` for a key that trust does not list.
    pub principal: Option<Principal>,
    /// The key.
    pub key: PublicKey,
    /// What was signed.
    pub hold: Hold,
    /// When the ledger took it in.
    pub carried_at: DateTime<Utc>,
}

/// The holds that the ledger has.
pub trait Holds {
    /// Those on one content of a resource, in the order in which the ledger took them in.
    ///
    /// # Errors
    /// When the evidence branch cannot be read.
    fn on(&self, id: &ResourceId, digest: Digest) -> Result<Vec<Held>, Unreadable>;
}
