//! What people saw of MCP servers, as gates look at it.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::bom::Observation;
use crate::closure::Unreadable;
use crate::resource::{Number, ResourceId, Value};
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

/// Whose score of an MCP server counts in an environment.
#[derive(Clone, Copy)]
pub struct Scorers<'a> {
    /// Who works there.
    pub trust: &'a Trust,
    /// The environment.
    pub environment: &'a str,
    /// Who asks for the change and who made it: they score nothing of their own, unless trust knows nobody else.
    pub parties: Option<(&'a Principal, &'a BTreeSet<String>)>,
}

impl Scorers<'_> {
    /// The score of an observation from 0 to 1, if it counts: signed by a person who is an admin, an approver or may
    /// write to the environment, and who neither asks for the change nor made it.
    #[must_use]
    pub fn score(&self, one: &Observed) -> Option<Number> {
        let principal = one.principal.as_ref()?;
        let party = |(operator, authors): (&Principal, &BTreeSet<String>)| {
            operator.name == principal.name || authors.contains(&principal.name)
        };
        let own = self.parties.is_some_and(party) && self.trust.people().len() > 1;
        // Who may let a version go again may say how far a server is trusted.
        if own || !self.trust.may_lift(principal, Some(self.environment)) {
            return None;
        }
        let score = one.observation.trust_score.as_ref().and_then(Value::as_number);
        score.filter(|score| (0.0..=1.0).contains(&score.as_f64()))
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
