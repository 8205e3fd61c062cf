//! What a result is held against, in words: the version that the next environment runs now, and earlier runs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::eval::{Change, Compared, Comparison, Decimal, RunResult, Verdict};

use crate::eval::statistics::Shift;
use crate::resource::Digest;

use super::figures;

/// The same Eval with the version that the next environment runs now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalComparison")]
pub struct Against {
    /// The environment that runs the other version now.
    pub environment: String,
    /// The other version.
    pub version: Option<u64>,
    /// Its content.
    pub digest: Digest,
    /// The run that measured it.
    pub run: String,
    /// The environment in which that was.
    pub measured_in: String,
    /// Metric by metric, in the order of the Eval.
    pub metrics: Vec<Compared>,
    /// How the latency stands to the other's, where that can be told.
    pub latency: Option<Shift>,
}

impl Against {
    /// A comparison with what this environment runs now.
    #[must_use]
    pub fn of(environment: impl Into<String>, comparison: Comparison) -> Self {
        let Comparison { run, environment: measured_in, version, digest, metrics, latency } = comparison;
        Self { environment: environment.into(), version, digest, run, measured_in, metrics, latency }
    }
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

/// `v7 in prod`.
pub(crate) fn what(against: &Against) -> String {
    let version =
        against.version.map_or_else(|| "a version without a number".to_owned(), |version| format!("v{version}"));
    format!("{version} in {}", against.environment)
}

/// What is told of a metric: `-0.02 (worse)`; a dash where one side has no value.
pub(crate) fn of(against: &Against, metric: &str) -> String {
    against.metrics.iter().find(|delta| delta.name == metric).map_or_else(|| "-".to_owned(), told)
}

/// `-0.02 (worse)`; a dash where one side has no value.
pub(crate) fn told(delta: &Compared) -> String {
    let Some(change) = delta.change else { return "-".to_owned() };
    let sign = if change > Decimal::ZERO { "+" } else { "" };
    let word = match delta.better {
        Some(true) => " (better)",
        Some(false) => " (worse)",
        None => "",
    };
    format!("{sign}{}{word}", figures::number(change, &[]))
}

/// `at most 0.02 worse is allowed`, `p = 0.03`: what says whether a change counts.
pub(crate) fn weighed(delta: &Compared) -> Vec<String> {
    let allowed = delta.allowed.map(|allowed| format!("at most {} worse is allowed", figures::number(allowed, &[])));
    let chance =
        delta.p.map(|p| format!("p = {} over {}", figures::number(p, &[]), figures::counted(delta.pairs, "case")));
    let cases = (delta.improved + delta.worsened > 0)
        .then(|| format!("{} worse, {} better", figures::counted(delta.worsened, "case"), delta.improved));
    [allowed, chance, cases, delta.reason.clone()].into_iter().flatten().collect()
}

/// The metrics that are worse, those beyond what is allowed first.
pub(crate) fn regressions(against: &Against) -> Vec<&Compared> {
    let is_worse = |delta: &&Compared| {
        delta.better == Some(false) || delta.verdict.is_some_and(|verdict| verdict != Verdict::Passed)
    };
    let mut worse: Vec<&Compared> = against.metrics.iter().filter(is_worse).collect();
    worse.sort_by_key(|delta| (std::cmp::Reverse(delta.verdict), std::cmp::Reverse(delta.worsened)));
    worse
}

/// The case that got worse, and by how much: `case-17 1 -> 0`.
pub(crate) fn case(change: &Change) -> String {
    format!("{} {} -> {}", change.case, figures::number(change.before, &[]), figures::number(change.after, &[]))
}
