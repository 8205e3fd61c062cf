//! What a result comes to by its own numbers: the verdict that its signer wrote is believed only where these say the
//! same.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::eval::{Decimal, MetricResult, Ratio, RunResult, Score, Verdict as Ran};
use crate::resource::{Direction, Threshold};

use super::binding::short;
use super::terms::Terms;

/// One threshold of an Eval, and what a result says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Judged {
    /// The metric.
    pub metric: String,
    /// What it must be: `>= 0.85`.
    pub threshold: String,
    /// What was measured; none where that is not known.
    pub observed: Option<Decimal>,
    /// Whether it holds.
    pub verdict: Ran,
    /// Why that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// Whether every case of the dataset has run: a result that ends before that says nothing yet, but for a no.
pub(super) fn is_complete(result: &RunResult) -> bool {
    result.counts.missing == 0 || result.verdict == Ran::Failed
}

/// Checks that a result does not contradict itself or the Eval that it is of.
///
/// # Errors
/// What does not add up.
pub(super) fn check(result: &RunResult, terms: &Terms) -> Result<(), String> {
    let counts = &result.counts;
    let trials = u64::from(result.runner.trials);
    if result.kind != "EvalResult" {
        return Err(format!("its kind is `{}`", short(&result.kind)));
    }
    if result.dataset.cases != terms.cases || result.cases.len() as u64 != terms.cases {
        let (says, has) = (result.dataset.cases, result.cases.len());
        return Err(format!("the dataset has {} cases, and it says {says} and holds {has}", terms.cases));
    }
    let ids: BTreeSet<_> = result.cases.iter().map(|case| case.id.as_str()).collect();
    if ids.len() != result.cases.len() {
        return Err("it holds a case twice".into());
    }
    if result.runner.trials < terms.trials {
        return Err(format!("each case runs {} times, and it ran {trials} times", terms.trials));
    }
    if let Some(case) = result.cases.iter().find(|case| case.trials.len() as u64 != trials) {
        return Err(format!(
            "the case `{}` has {} trials, and {trials} were to run",
            short(&case.id),
            case.trials.len()
        ));
    }
    let all = || result.cases.iter().flat_map(|case| &case.trials);
    let faults = all().filter(|trial| trial.fault.is_some()).count() as u64;
    let timeouts = all().filter(|trial| trial.fault == Some(crate::eval::FaultKind::Timeout)).count() as u64;
    let sum = counts.answered.saturating_add(counts.errors).saturating_add(counts.missing);
    let planned = terms.cases.saturating_mul(trials);
    if (counts.planned, sum) != (planned, planned) || counts.errors != faults || counts.timeouts != timeouts {
        return Err(format!(
            "{planned} trials were to run, and it counts {} planned, {} answered, {} errors ({faults} of them among its \
             cases) and {} missing",
            counts.planned, counts.answered, counts.errors, counts.missing
        ));
    }
    if result.runner.finished_at.is_none() || result.runner.finished_at < result.runner.started_at {
        return Err("it does not say when it ended".into());
    }
    Ok(())
}

/// The thresholds of the Eval, judged by the numbers of the result.
pub(super) fn judge(result: &RunResult, terms: &Terms) -> Vec<Judged> {
    terms.thresholds.iter().map(|(name, threshold)| one(result, name, threshold)).collect()
}

fn one(result: &RunResult, name: &str, threshold: &Threshold) -> Judged {
    let judged = |observed, verdict, reason: Option<String>| Judged {
        metric: name.to_owned(),
        threshold: threshold.to_string(),
        observed,
        verdict,
        reason,
    };
    let unknown = |why: &str| judged(None, Ran::Inconclusive, Some(why.to_owned()));
    let mut named = result.metrics.iter().filter(|metric| metric.name == name);
    let metric = match (named.next(), named.next()) {
        (Some(metric), None) => metric,
        (None, _) => return unknown("it was not measured"),
        (Some(_), Some(_)) => return unknown("it was measured twice"),
    };
    let Some(value) = metric.value else {
        let why = metric.reason.as_deref().map_or_else(|| "it has no value".to_owned(), short);
        return judged(None, Ran::Inconclusive, Some(why));
    };
    if !Ratio::of(value).passes(threshold) {
        return judged(Some(value), Ran::Failed, None);
    }
    if let Some(why) = beyond_its_cases(result, metric, value, threshold) {
        return judged(Some(value), Ran::Inconclusive, Some(why));
    }
    match metric.verdict {
        Some(Ran::Passed) => judged(Some(value), Ran::Passed, None),
        Some(verdict) => judged(Some(value), verdict, metric.reason.as_deref().map(short)),
        None => judged(Some(value), Ran::Inconclusive, Some("the run did not judge it".into())),
    }
}

/// No mean, rank or extreme is better than the best case.
fn beyond_its_cases(
    result: &RunResult,
    metric: &MetricResult,
    value: Decimal,
    threshold: &Threshold,
) -> Option<String> {
    if metric.aggregate.starts_with("pass") {
        return None;
    }
    let trials = result.cases.iter().flat_map(|case| &case.trials);
    let scores = trials.filter_map(|trial| match trial.scores.get(&metric.name) {
        Some(Score::Scored(score)) => Some(*score),
        _ => None,
    });
    let (best, better) = match threshold.direction()? {
        Direction::Higher => (scores.max(), "above"),
        Direction::Lower => (scores.min(), "below"),
    };
    let Some(best) = best else { return Some("no case of it has a score".into()) };
    let beyond = if better == "above" { value > best } else { value < best };
    beyond.then(|| format!("it is {value}, {better} the best of its cases ({best})"))
}
