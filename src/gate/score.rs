//! What a result comes to by its own numbers: the verdict that its signer wrote is believed only where these say the
//! same.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::eval::{Bounds, Decimal, MetricResult, Ratio, RunResult, Verdict as Ran, rejudge};

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
    let run = terms.definition.run;
    if result.runner.trials < run.trials {
        return Err(format!("each case runs {} times, and it ran {trials} times", run.trials));
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
    let most = u64::from(run.max_error_rate);
    if counts.errors.saturating_mul(1_000_000) > most.saturating_mul(planned) {
        return Err(format!("{} of {planned} calls have no answer, and it may be {most} of a million", counts.errors));
    }
    if result.runner.finished_at.is_none() || result.runner.finished_at < result.runner.started_at {
        return Err("it does not say when it ended".into());
    }
    Ok(())
}

/// The thresholds of the Eval, judged by the scores of every case; what the run itself says can only make it worse.
pub(super) fn judge(result: &RunResult, terms: &Terms) -> Vec<Judged> {
    let again = rejudge(&terms.definition, result);
    let bounds = terms.definition.metrics.iter().filter_map(|metric| metric.threshold.as_ref());
    terms.thresholds().zip(bounds).map(|((name, told), bounds)| one(result, &again, name, told, bounds)).collect()
}

fn one(result: &RunResult, again: &[MetricResult], name: &str, threshold: String, bounds: &Bounds) -> Judged {
    let judged = |observed, verdict, reason: Option<&str>| Judged {
        metric: name.to_owned(),
        threshold: threshold.clone(),
        observed,
        verdict,
        reason: reason.map(short),
    };
    let unknown = |why: &str| judged(None, Ran::Inconclusive, Some(why));
    let mut named = result.metrics.iter().filter(|metric| metric.name == name);
    let said = match (named.next(), named.next()) {
        (Some(metric), None) => metric,
        (None, _) => return unknown("it was not measured"),
        (Some(_), Some(_)) => return unknown("it was measured twice"),
    };
    let Some(comes_to) = again.iter().find(|metric| metric.name == name) else { return unknown("it was not measured") };
    let reason = || said.reason.as_deref().or(comes_to.reason.as_deref());
    let verdicts = [said.verdict, comes_to.verdict].map(|verdict| verdict.unwrap_or(Ran::Inconclusive));
    let below = said.value.is_some_and(|value| bounds.0.iter().any(|bound| !Ratio::of(value).passes(bound)));
    if verdicts.contains(&Ran::Failed) || below {
        let failed = if comes_to.verdict == Some(Ran::Failed) { comes_to } else { said };
        return judged(failed.value, Ran::Failed, None);
    }
    if said.value.is_none() {
        return judged(None, Ran::Inconclusive, Some(reason().unwrap_or("it has no value")));
    }
    if said.value != comes_to.value {
        let told = |value: Option<Decimal>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
        let why = format!("it says {}, and its cases come to {}", told(said.value), told(comes_to.value));
        return judged(said.value, Ran::Inconclusive, Some(&why));
    }
    if verdicts.contains(&Ran::Inconclusive) {
        return judged(said.value, Ran::Inconclusive, Some(reason().unwrap_or("the run cannot tell")));
    }
    judged(said.value, Ran::Passed, None)
}
