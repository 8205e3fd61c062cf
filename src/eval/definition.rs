//! An Eval, understood: which metrics, how each is measured, what it must reach, and how the run goes.

use std::fmt;

use crate::resource::{Digest, Direction, Reference, ResourceId, Threshold};

/// What an Eval asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The Eval.
    pub id: ResourceId,
    /// Digest of its canonical form, dataset included.
    pub digest: Digest,
    /// What is measured.
    pub target: Reference,
    /// The metrics in the order of the file.
    pub metrics: Vec<Metric>,
    /// How the run goes.
    pub run: Run,
    /// How sure a verdict must be, between 0 and 1; none judges by the observed value alone.
    pub confidence: Option<f64>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name, as under `thresholds`.
    pub name: String,
    /// How a case is scored.
    pub measure: Measure,
    /// Which way is better; known for every metric that has a threshold.
    pub direction: Option<Direction>,
    /// How the scores of all cases become one.
    pub aggregate: Aggregate,
    /// What it must reach; none is only told.
    pub threshold: Option<Bounds>,
    /// How much worse than the version that the next environment runs now it may be.
    pub max_regression: Option<super::Decimal>,
}

/// What a metric must reach: one or two thresholds, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds(pub Vec<Threshold>);

/// How a case is scored.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// A model judges it.
    Judged(Judged),
    /// It is read off what the run observed.
    Observed(Observed),
    /// It is computed from case and answer.
    Checked(Check),
    /// A program of one's own scores it.
    Program {
        /// Program and arguments.
        command: Vec<String>,
    },
}

/// What a judge is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The Models that judge; empty where the project's default does.
    pub judges: Vec<Reference>,
    /// What is looked for in every case; empty where the cases, or the name of the metric, say it.
    pub criteria: Vec<Criterion>,
    /// How often each judge is asked.
    pub samples: u32,
}

/// One thing that is met or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// Its id among those of the metric: `1`, `2`, or as the file names it.
    pub id: String,
    /// What must hold.
    pub text: String,
    /// How much it counts against the others; 1 unless said otherwise.
    pub weight: u32,
}

/// What a run observes of each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// US dollars.
    Cost,
    /// Milliseconds.
    Latency,
    /// Tokens read.
    InputTokens,
    /// Tokens written.
    OutputTokens,
    /// Both.
    Tokens,
    /// 1 for a case without an answer, else 0.
    Error,
    /// Tools called.
    ToolCalls,
}

/// What is computed from case and answer: 1 or 0, but for the leaks, where 1 is a case that leaks.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// The answer is the expected one.
    Exact {
        /// Whether case and white space at the ends count.
        strict: bool,
    },
    /// The answer holds all of these texts, or the expected one where none is given.
    Contains {
        /// The texts.
        texts: Vec<String>,
        /// Whether upper and lower case count.
        strict: bool,
        /// Whether it must hold none of them instead.
        none: bool,
    },
    /// The answer matches.
    Regex {
        /// The pattern.
        pattern: String,
        /// Whether it must not match instead.
        none: bool,
    },
    /// The answer is JSON that the schema accepts.
    JsonSchema(serde_json::Value),
    /// The answer is JSON in which the path finds something, or finds what is expected.
    JsonPath {
        /// The path.
        path: String,
        /// What it must find; any value where none is given.
        equals: Option<serde_json::Value>,
    },
    /// The tools that were called are those expected.
    Trajectory {
        /// How the two lists are compared.
        order: Trajectory,
        /// Whether arguments count where the case gives them.
        arguments: bool,
    },
    /// The answer, or a tool call, holds personal data.
    PiiLeakage(LeakSettings),
    /// The answer, or a tool call, holds a credential.
    SecretLeakage(LeakSettings),
}

/// How two lists of tool calls are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trajectory {
    /// The same calls in the same order.
    Strict,
    /// The same calls in any order.
    Unordered,
    /// No call that is not expected.
    Subset,
    /// Every expected call, and others.
    Superset,
}

/// What counts as a leak.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeakSettings {
    /// Texts that never count.
    pub allow: Vec<String>,
    /// Whether data counts that the case's own input holds.
    pub count_echoed: bool,
    /// Countries whose national phone numbers count, as `DE`; others need a `+`.
    pub regions: Vec<String>,
}

/// How the scores of all cases become one. Trials of a case become one first: their mean, for a leak the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// The mean over cases.
    Mean,
    /// The middle one, nearest rank.
    Median,
    /// The least.
    Min,
    /// The largest.
    Max,
    /// Nearest rank over all trials of all cases; from 1 to 99.
    Percentile(u8),
    /// The share of cases in which at least one of k trials succeeds.
    PassAt(u32),
    /// The share of cases in which all of k trials succeed.
    PassAll(u32),
}

/// As a file and a result write it.
impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => f.write_str("mean"),
            Self::Median => f.write_str("median"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Percentile(percent) => write!(f, "p{percent}"),
            Self::PassAt(k) => write!(f, "pass@{k}"),
            Self::PassAll(k) => write!(f, "pass^{k}"),
        }
    }
}

/// How a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Cases at a time.
    pub concurrency: u32,
    /// Requests a minute to the agent, and as many to each judge; none means as many as they take.
    pub requests_per_minute: Option<u32>,
    /// Runs of each case.
    pub trials: u32,
    /// How long one call may take, in milliseconds, where the target says nothing.
    pub timeout_ms: u64,
    /// How often a failed call is repeated.
    pub retries: u32,
    /// How old a result may be, in seconds.
    pub max_age_s: u64,
    /// Share of cases that may stay without an answer, in millionths.
    pub max_error_rate: u32,
    /// Share of scores of a metric that may be missing, in millionths.
    pub max_unscored_rate: u32,
}

impl Metric {
    /// Whether a case can score only between 0 and 1.
    #[must_use]
    pub fn is_share(&self) -> bool {
        matches!(self.measure, Measure::Judged(_) | Measure::Checked(_) | Measure::Observed(Observed::Error))
    }
}

/// What a case scored, or why it has no score. Never NaN, never a default.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Score {
    /// A score.
    Scored(super::Decimal),
    /// None, for this reason.
    Unscored(String),
}
