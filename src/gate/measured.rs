//! Results of evals as gates look at them, and where they look up what these were made for.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::closure::{Shelf, Unreadable};
use crate::eval::RunResult;
use crate::resource::{Digest, Reference, Resource, ResourceId};
use crate::trust::{Principal, PublicKey};

/// A result whose signature was checked, and whose signature proves this principal.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The id of the evidence item.
    pub id: String,
    /// Who signed; `None` for a key that trust does not list.
    pub principal: Option<Principal>,
    /// The key.
    pub key: PublicKey,
    /// What was signed.
    pub result: Arc<RunResult>,
    /// When the ledger took it in: the time of the evidence commit that first holds it.
    pub carried_at: DateTime<Utc>,
}

/// The results that the ledger holds.
pub trait Results {
    /// Those about an agent, of one closure of it or of all, in the order in which the ledger took them in.
    ///
    /// # Errors
    /// When the evidence branch cannot be read.
    fn of(&self, agent: &ResourceId, digest: Option<Digest>) -> Result<Vec<Measured>, Unreadable>;
}

/// What the gates that measure look at.
pub struct Measurements<'a> {
    /// What was measured.
    pub results: &'a dyn Results,
    /// The Evals and Deployments of the target and of the source.
    pub records: &'a [Arc<Resource>],
    /// For what is promoted, the environment it comes from, and its catalog.
    pub source: Option<(&'a str, &'a dyn Shelf)>,
    /// The catalog of the target, with what the change brings.
    pub target: &'a dyn Shelf,
    /// The Model that judges where an Eval names none, as the project says it.
    pub default_judge: Option<&'a Reference>,
    /// The agents whose closures the subject moves: itself, and every child that changes with it.
    pub agents: Vec<Moved>,
    /// Every agent that the same change moves.
    pub together: BTreeSet<ResourceId>,
}

/// An agent that moves from one closure to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The agent.
    pub agent: ResourceId,
    /// What the environment runs now.
    pub from: Option<Digest>,
    /// The candidate.
    pub to: Option<Digest>,
}
