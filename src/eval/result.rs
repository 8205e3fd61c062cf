//! The result of a run, as it is signed and stored: what was measured, of what, by whom, and every score.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::Digest;

use super::answer::{FaultKind, Usage};
use super::decimal::Decimal;
use super::journal::{DatasetRef, EvalRef, JudgeRef, ReachRef, Subject, Trigger};
use super::leak::Leak;
use super::scores::Scores;

/// Names the format of a result.
pub const SCHEMA: &str = "joch.dev/eval-result/v1";

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "EvalVerdict")]
pub enum Verdict {
    /// Every threshold holds, and nothing is missing.
    Passed,
    /// The run cannot tell.
    Inconclusive,
    /// A threshold that could be judged does not hold.
    Failed,
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalRun")]
pub struct RunResult {
    /// Names the format.
    pub schema: String,
    /// Always `EvalResult`.
    pub kind: String,
    /// The id of the run.
    pub run: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Why it cannot tell, or what failed: one sentence each.
    pub reasons: Vec<String>,
    /// What was measured.
    pub subject: Subject,
    /// The Eval.
    pub eval: EvalRef,
    /// The dataset.
    pub dataset: DatasetRef,
    /// The judges, and the models that answered for them.
    pub judges: Vec<Judge>,
    /// How the agent was reached.
    pub reach: ReachRef,
    /// How it was run.
    pub runner: Runner,
    /// How many of what.
    pub counts: Counts,
    /// The metrics in the order of the Eval.
    pub metrics: Vec<MetricResult>,
    /// What it cost.
    pub cost: Cost,
    /// The canaries that the judges were shown.
    pub canaries: Canaries,
    /// What the tags of the cases come to.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub slices: Vec<Slice>,
    /// Every case in the order of the dataset.
    pub cases: Vec<CaseResult>,
}

/// A judge, and what answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalJudge")]
pub struct Judge {
    /// What was asked.
    #[serde(flatten)]
    pub asked: JudgeRef,
    /// The models that answered, as they name themselves.
    pub reported: Vec<String>,
    /// Share of criteria on which all samples and judges agreed.
    pub agreement: Option<Decimal>,
}

/// How it was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Runner {
    /// The joch that ran it.
    pub joch: String,
    /// What started it.
    pub trigger: Trigger,
    /// Runs of each case.
    pub trials: u32,
    /// Calls at a time.
    pub concurrency: u32,
    /// The first call.
    pub started_at: Option<DateTime<Utc>>,
    /// The last answer.
    pub finished_at: Option<DateTime<Utc>>,
    /// How late the runner itself was: nearest-rank 99th percentile in microseconds; none where it was not measured.
    pub lag_p99_us: Option<u64>,
    /// Digest of the lines that the result was made from, in the order of their units.
    pub journal: Digest,
}

/// How many of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalCounts")]
pub struct Counts {
    /// Trials of all cases.
    pub planned: u64,
    /// Those with an answer.
    pub answered: u64,
    /// Those without one.
    pub errors: u64,
    /// Of these, those that ran out of time.
    pub timeouts: u64,
    /// Those of which the journal says nothing.
    pub missing: u64,
    /// Scores that are missing where there is an answer.
    pub unscored: u64,
    /// Answers that took more than one request.
    pub retried: u64,
    /// Cases whose trials differ.
    pub flaky: u64,
}

/// One metric over all cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalMetric")]
pub struct MetricResult {
    /// Its name.
    pub name: String,
    /// What was measured; none where that is not known.
    pub value: Option<Decimal>,
    /// Over how many cases.
    pub n: u64,
    /// How they became one: `mean`, `p95`, `pass@3`.
    pub aggregate: String,
    /// `higher` or `lower`, which way is better.
    pub direction: Option<String>,
    /// What it must be: `>= 0.85`.
    pub threshold: Option<String>,
    /// Whether it is; none for a metric without a threshold.
    pub verdict: Option<Verdict>,
    /// Why it cannot be told.
    pub reason: Option<String>,
    /// The interval that holds the true value 95 times of 100.
    pub ci95: Option<[Decimal; 2]>,
    /// How the interval was found: `wilson`, `bootstrap`.
    pub interval: Option<String>,
    /// Whether the threshold lies inside the interval, so that chance alone might have decided.
    #[serde(default)]
    pub close: bool,
    /// The cases that score worst, worst first.
    pub worst: Vec<String>,
    /// What else one should know when reading the value: few cases, how sure a rate of 0 is.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

/// What a run cost in US dollars.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalCost")]
pub struct Cost {
    /// The agent's calls; none where a price or a count is not known.
    pub agent_usd: Option<Decimal>,
    /// The judges' calls; none where a price or a count is not known.
    pub judge_usd: Option<Decimal>,
    /// The agent's tokens.
    pub agent_tokens: Usage,
    /// The judges' tokens.
    pub judge_tokens: Usage,
}

/// The canaries: answers of known quality that every judge is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Canaries {
    /// How many findings were asked for.
    pub expected: u64,
    /// How many were right.
    pub correct: u64,
}

/// The cases with one tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EvalSlice")]
pub struct Slice {
    /// The tag.
    pub tag: String,
    /// How many cases have it.
    pub n: u64,
    /// The mean of each metric that is a share, where it is known.
    pub means: BTreeMap<String, Decimal>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseResult {
    /// Its id.
    pub id: String,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tags: Vec<String>,
    /// Its trials, in order.
    pub trials: Vec<TrialResult>,
}

/// One trial of a case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TrialResult {
    /// Its scores.
    pub scores: Scores,
    /// How long the answer took, in microseconds; a call that timed out counts as its limit.
    pub latency_us: u64,
    /// US dollars, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Decimal>,
    /// The agent's tokens, where the target counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// How many requests it took.
    pub attempts: u32,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultKind>,
    /// What failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Digest of the answer's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_digest: Option<Digest>,
    /// The answer, masked and cut, where the case scored badly or leaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// What leaks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leaks: Vec<Leak>,
    /// Criteria that were not met, as `metric/criterion`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<String>,
}

impl RunResult {
    /// As it is signed and stored: JSON in the order of the fields, one case a line, with a newline at its end.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Grown by doubling, it would take twice its size for a moment.
        super::outline::write(self, (16 << 10) + self.cases.len() * 420)
    }

    /// Reads a result.
    ///
    /// # Errors
    /// A newer schema, or what is not a result.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            schema: Option<String>,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
        match head.schema.as_deref() {
            Some(SCHEMA) => serde_json::from_slice(bytes).map_err(|why| why.to_string()),
            Some(newer) => Err(format!("it is of schema `{newer}`, and this joch reads `{SCHEMA}`: upgrade joch")),
            None => Err(format!("it names no schema; `{SCHEMA}` is expected")),
        }
    }
}
