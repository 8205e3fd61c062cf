//! The journal of a run: one line for everything that was paid for, in the order in which it came.
//!
//! A result is a pure function of the journal, whatever the order of its lines and however they are spread over files.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::resource::{Digest, ResourceId};

use super::answer::{FaultKind, Outcome, Usage};
use super::leak::Leak;
use super::scores::Scores;

pub(super) mod codec;

/// Names the format of a journal.
pub const JOURNAL_SCHEMA: &str = "joch.dev/eval-journal/v1";

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// The first of every file: what the run is.
    Plan(Box<Plan>),
    /// The agent answered, or did not.
    Answer(Box<Answered>),
    /// A judge spoke, or did not.
    Opinion(Box<Opinion>),
    /// A program scored an answer.
    Program(Programmed),
    /// How late the runner itself was.
    Lag(Lag),
}

/// What a run is: everything that its result is bound to. Runs with another plan never mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Names the format.
    pub schema: String,
    /// The id of the run; the shards of one run share it.
    pub run: String,
    /// What is measured.
    pub subject: Subject,
    /// The Eval.
    pub eval: EvalRef,
    /// The Eval itself, in its canonical form.
    pub definition: String,
    /// The dataset.
    pub dataset: DatasetRef,
    /// The judges, in the order in which opinions number them.
    pub judges: Vec<JudgeRef>,
    /// How the agent was reached.
    pub reach: ReachRef,
    /// What tokens cost, by the name of the model; of the agent's models and of the judges', where anybody knows it.
    pub prices: BTreeMap<String, Prices>,
    /// The model whose price counts where an answer names none: the agent's own, or the first of its route.
    pub priced_as: Option<String>,
    /// The joch that runs it.
    pub joch: String,
    /// Runs of each case.
    pub trials: u32,
    /// Calls at a time.
    pub concurrency: u32,
    /// Which part of the cases this file is about: `(i, n)`, i from 1.
    pub shard: Option<(u32, u32)>,
    /// What started it.
    pub trigger: Trigger,
    /// Every case of the dataset, of all shards.
    pub cases: Vec<CaseRef>,
    /// When it was planned.
    pub planned_at: DateTime<Utc>,
}

/// The agent that is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalSubject")]
pub struct Subject {
    /// The agent.
    pub agent: ResourceId,
    /// Its version, for people to read; the digest counts.
    pub version: Option<u64>,
    /// Digest of its closure.
    pub digest: Digest,
    /// The environment that runs it.
    pub environment: String,
}

/// An Eval at one content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvalRef {
    /// The Eval.
    pub id: ResourceId,
    /// Its version in the environment, if it is that content.
    pub version: Option<u64>,
    /// Digest of its canonical form, dataset included.
    pub digest: Digest,
}

/// A dataset at one content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DatasetRef {
    /// Where it came from.
    pub uri: String,
    /// Digest of its bytes.
    pub digest: Digest,
    /// How many cases it holds.
    pub cases: u64,
}

/// A judge at one content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JudgeRef {
    /// The Model.
    pub model: ResourceId,
    /// Digest of the Model's canonical form.
    pub digest: Digest,
    /// The provider.
    pub provider: String,
    /// The model that is asked for.
    pub requested: String,
    /// The metrics that it judges.
    pub metrics: Vec<String>,
    /// How often it is asked.
    pub samples: u32,
    /// Digest of the words in which it is asked, criteria included.
    pub prompt: Digest,
    /// Whether it was named by the project's `joch.yaml`, and not by the Eval.
    pub by_default: bool,
}

/// How an agent was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReachRef {
    /// The protocol: `http`, `replay`, …
    pub protocol: String,
    /// What said how: `deployment/default/x`, or the Eval.
    pub by: ResourceId,
    /// Digest of the `invoke`.
    pub digest: Digest,
    /// Whether the agent itself answered.
    pub live: bool,
    /// Digest of the recording that answered in its place; recorded, and compared by no gate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub recording: Option<Digest>,
}

/// Prices of tokens in US dollars per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Prices {
    /// Of tokens read.
    pub input: super::Decimal,
    /// Of tokens written.
    pub output: super::Decimal,
}

/// What started a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Trigger {
    /// Somebody asked.
    Manual,
    /// It was due.
    Nightly,
    /// This release of the agent.
    Deployment(String),
}

/// One case of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRef {
    /// Its id.
    pub id: String,
    /// Digest of what it says.
    pub digest: Digest,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tags: Vec<String>,
}

/// One trial of one case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Unit {
    /// The case.
    pub case: String,
    /// The trial, from 1.
    pub trial: u32,
}

/// What came back for a unit, with all that needs no further call to score. Credentials are masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    /// The unit.
    pub unit: Unit,
    /// When.
    pub at: DateTime<Utc>,
    /// The answer and what was observed.
    pub outcome: Outcome,
    /// The scores of the metrics that are computed.
    pub scores: Scores,
    /// What leaks, told without its value.
    pub leaks: Vec<Leak>,
}

/// What a judge said of a unit, or of a canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opinion {
    /// The unit; for a canary, its name and trial 0.
    pub unit: Unit,
    /// The answer that it is about, as [`Reply::digest`](super::Reply::digest) has it; none for a canary.
    pub about: Option<Digest>,
    /// Which judge of the plan.
    pub judge: u32,
    /// Which sample, from 1.
    pub sample: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// Per criterion, as `metric/criterion`, what the judge found; or why there is no opinion.
    pub found: Result<BTreeMap<String, Finding>, String>,
    /// Tokens.
    pub usage: Option<Usage>,
    /// The model that answered, as it names itself.
    pub model: Option<String>,
    /// How many requests were sent.
    pub attempts: u32,
}

/// What a judge found of one criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "JudgeFinding")]
pub enum Finding {
    /// It holds.
    Met,
    /// It does not.
    NotMet,
    /// The material does not tell.
    CannotJudge,
}

/// What a program scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programmed {
    /// The unit.
    pub unit: Unit,
    /// The answer that it is about.
    pub about: Digest,
    /// When.
    pub at: DateTime<Utc>,
    /// The scores.
    pub scores: Scores,
}

/// How late the runner was at what it had set itself for a certain instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lag {
    /// When.
    pub at: DateTime<Utc>,
    /// How often it was measured since the line before.
    pub count: u64,
    /// Nearest-rank 99th percentile of these, in microseconds.
    pub p99_us: u64,
}

impl Answered {
    /// Whether this stands: the agent answered, or had its chance and did not. Where only the way to it failed, a later
    /// line for the same unit takes its place, and a run that goes on asks again.
    #[must_use]
    pub fn stands(&self) -> bool {
        match &self.outcome.reply {
            Ok(_) => true,
            Err(fault) => !matches!(fault.kind, FaultKind::Connection | FaultKind::Credentials | FaultKind::Limit),
        }
    }
}

impl Opinion {
    /// Whether this stands: the judge spoke. Where it did not, a later line takes its place.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.found.is_ok()
    }

    /// Whether it is of a canary and not of an answer.
    #[must_use]
    pub fn is_canary(&self) -> bool {
        self.unit.trial == 0
    }
}
