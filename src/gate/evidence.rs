//! All that a gate may look at.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::closure::Closure;
use crate::resource::{Digest, Requirement, ResourceId};
use crate::trust::{Principal, Trust};

use super::measured::Measurements;
use super::regression::Regression;
use super::statement::Vote;

/// A requirement, and who makes it. Demands of several places add up; none takes another away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// What is demanded.
    pub requirement: Requirement,
    /// Where: `--require`, `Deployment/support-triage-prod`, `Environment/prod`.
    pub origins: Vec<String>,
}

impl Demand {
    /// The origin of what the operator adds.
    pub const REQUIRED: &'static str = "--require";

    /// Whether others make it too than the operator.
    #[must_use]
    pub fn is_standing(&self) -> bool {
        self.origins.iter().any(|origin| origin != Self::REQUIRED)
    }
}

/// What is judged: one closure (or a catalog entry that no closure holds) moving from one content to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The agent, or the resource itself.
    pub resource: ResourceId,
    /// What the environment runs now.
    pub from: Option<Digest>,
    /// What it would run; `None` for a deletion.
    pub to: Option<Digest>,
    /// Digest of everything else the change would write.
    pub writes: Digest,
}

/// What was gathered before any gate was asked.
pub struct Evidence<'a> {
    /// The environment that would change.
    pub environment: &'a str,
    /// Whether that environment demands anything at all.
    pub gated: bool,
    /// When the decision is made.
    pub now: DateTime<Utc>,
    /// Who may say so.
    pub trust: &'a Trust,
    /// Who asks for the change.
    pub operator: &'a Principal,
    /// Who made the versions that the change brings.
    pub authors: BTreeSet<String>,
    /// Digest of the rules that the environment judges by.
    pub gate_rules: Digest,
    /// Signed statements about this resource, oldest first.
    pub votes: Vec<Vote>,
    /// What the change would undo.
    pub regressions: Vec<Regression>,
    /// What the operator allows to be undone, as `kind/name`.
    pub allowed_regressions: Vec<ResourceId>,
    /// The candidate itself, if it is an agent.
    pub candidate: Option<&'a Closure>,
    /// What evals measured.
    pub measurements: Measurements<'a>,
    /// Whether anybody's approval of the change is demanded.
    pub approval_demanded: bool,
}
