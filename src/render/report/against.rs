//! What a result is held against: the version that the next environment runs now, and earlier runs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::eval::{Decimal, RunResult, Verdict};

use super::figures;

/// The same Eval with another version, metric by metric.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalComparison")]
pub struct Against {
    /// The environment that runs the other version.
    pub environment: String,
    /// The other version.
    pub version: Option<u64>,
    /// The run that measured it.
    pub run: String,
    /// Metric by metric, in the order of the Eval.
    pub metrics: Vec<Delta>,
}

/// One metric of both.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalDelta")]
pub struct Delta {
    /// Its name.
    pub name: String,
    /// What the other version came to.
    pub before: Option<Decimal>,
    /// By how much it grew; negative where it fell.
    pub change: Option<Decimal>,
    /// Whether that is better or worse; none where it is equal, or nobody knows which way is better.
    pub better: Option<bool>,
    /// By how much it may be worse.
    pub allowed: Option<Decimal>,
    /// Whether it is within that; none where nothing is said.
    pub verdict: Option<Verdict>,
    /// The probability of such a change by chance alone, where it was computed.
    pub chance: Option<Decimal>,
    /// Cases that got worse, worst first.
    pub worse: Vec<String>,
}

/// An earlier run of the same Eval, as much of it as a trend needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// Its id.
    pub run: String,
    /// When it ended.
    pub at: Option<DateTime<Utc>>,
    /// The version that it measured.
    pub version: Option<u64>,
    /// The environment.
    pub environment: String,
    /// What it came to.
    pub verdict: Verdict,
    /// What it measured.
    pub metrics: BTreeMap<String, Decimal>,
}

impl Earlier {
    /// What a trend needs of a result.
    #[must_use]
    pub fn of(result: &RunResult) -> Self {
        let values = result.metrics.iter().filter_map(|metric| Some((metric.name.clone(), metric.value?)));
        Self {
            run: result.run.clone(),
            at: result.runner.finished_at,
            version: result.subject.version,
            environment: result.subject.environment.clone(),
            verdict: result.verdict,
            metrics: values.collect(),
        }
    }
}

impl Against {
    /// `v7 in prod`.
    pub(crate) fn what(&self) -> String {
        let version =
            self.version.map_or_else(|| "a version without a number".to_owned(), |version| format!("v{version}"));
        format!("{version} in {}", self.environment)
    }

    /// The delta of a metric.
    pub(crate) fn of(&self, metric: &str) -> Option<&Delta> {
        self.metrics.iter().find(|delta| delta.name == metric)
    }

    /// The deltas that are worse, those beyond what is allowed first.
    pub(crate) fn regressions(&self) -> Vec<&Delta> {
        let mut worse: Vec<&Delta> = self.metrics.iter().filter(|delta| delta.is_worse()).collect();
        worse.sort_by_key(|delta| (std::cmp::Reverse(delta.verdict), std::cmp::Reverse(delta.worse.len())));
        worse
    }
}

impl Delta {
    /// `-0.02 (worse)`; a dash where one side has no value.
    pub(crate) fn told(&self) -> String {
        let Some(change) = self.change else { return "-".to_owned() };
        let sign = if change > Decimal::ZERO { "+" } else { "" };
        let word = match self.better {
            Some(true) => " (better)",
            Some(false) => " (worse)",
            None => "",
        };
        format!("{sign}{}{word}", figures::number(change, &[]))
    }

    /// Whether it is worse than it was, or more than is allowed.
    pub(crate) fn is_worse(&self) -> bool {
        self.better == Some(false) || self.verdict.is_some_and(|verdict| verdict != Verdict::Passed)
    }
}
