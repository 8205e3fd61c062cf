//! All that a gate may look at.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::closure::{Closure, Shelf};
use crate::resource::{Digest, Map, Requirement, ResourceId, Value};
use crate::trust::{Principal, Trust};

use super::hold::Holds;
use super::measured::Measurements;
use super::observed::Observations;
use super::overriding::Override;
use super::regression::Regression;
use super::review::Overrides;
use super::statement::Vote;

/// A requirement, and who makes it. Demands of several places add up; none takes another away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// What is demanded.
    pub requirement: Requirement,
    /// Where: `--require`, `Deployment/support-triage-prod`, `Environment/prod`.
    pub origins: Vec<String>,
    /// The gates as they are written where they have settings of their own: `{gate: agbom, failOn: critical}`.
    pub settings: Vec<Value>,
    /// Whether everybody who makes it asks for advice only.
    pub advisory: bool,
}

impl Demand {
    /// The origin of what the operator adds.
    pub const REQUIRED: &'static str = "--require";

    /// What `origin` demands, without settings.
    #[must_use]
    pub fn new(requirement: Requirement, origin: impl Into<String>) -> Self {
        Self { requirement, origins: vec![origin.into()], settings: Vec::new(), advisory: false }
    }

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
    /// Trust as it was, where the same command changes it: what it imposed counts too.
    pub earlier_trust: Option<&'a Trust>,
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
    /// What the environment runs now, if it is an agent.
    pub running: Option<&'a Closure>,
    /// What changes, in the words of a diff.
    pub diff: &'a [crate::diff::Change],
    /// What the change does to the controls in it, step by step.
    pub weakenings: &'a [crate::diff::Weakening],
    /// Whether the change is a rollback: what holds up forward changes does not hold it up.
    pub is_rollback: bool,
    /// The catalog of the target as it stands before the change.
    pub standing: &'a dyn Shelf,
    /// Since when the source has run exactly the candidate; none where nothing is promoted.
    pub running_in_source_since: Option<DateTime<Utc>>,
    /// The last release of the agent here, such as `prod/41`, also where it was deleted.
    pub last_release: Option<&'a str>,
    /// The evidence under which what runs now was decided.
    pub last_evidence: Option<&'a str>,
    /// When what runs now was decided.
    pub last_decided_at: Option<DateTime<Utc>>,
    /// The values of the environment that what runs now was decided with, if something runs.
    pub last_values: Option<&'a Map>,
    /// What people saw of MCP servers.
    pub observations: &'a dyn Observations,
    /// Which versions are on hold.
    pub holds: &'a dyn Holds,
    /// What comes along into the catalog.
    pub along: Vec<(ResourceId, Digest)>,
    /// What the operator overrides.
    pub overrides: &'a [Override],
    /// What was overridden before.
    pub broken: &'a dyn Overrides,
    /// What evals measured.
    pub measurements: Measurements<'a>,
}
