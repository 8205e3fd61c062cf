//! A candidate beside its baseline, case by case: what changed, whether chance alone would do it, and which cases got
//! worse. Only runs of one Eval on one dataset can be compared.

use std::collections::HashMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::{Digest, Direction};

use super::answer::FaultKind;
use super::definition::{Aggregate, Check, Definition, Measure, Metric, Score};
use super::result::{CaseResult, RunResult, Verdict};
use super::statistics::{Shift, latency_shift, mcnemar_exact, nearest_rank, paired_difference};
use super::{Decimal, Ratio};

/// How many cases that got worse are listed.
const MOST_WORSE: usize = 20;
/// The share of cases, in per cent, that must have a score in both runs for a verdict.
const LEAST_PAIRED: usize = 80;
/// How late a runner may be for its latencies to be compared, in microseconds; or a fiftieth of the median.
const FINE_LAG_US: u64 = 5_000;

/// Two runs of one Eval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalPairedComparison")]
pub struct Comparison {
    /// The run that the candidate is compared with.
    pub run: String,
    /// The environment in which that was.
    pub environment: String,
    /// The version of the agent that it measured.
    pub version: Option<u64>,
    /// The content of that agent.
    pub digest: Digest,
    /// Metric by metric, in the order of the Eval.
    pub metrics: Vec<Compared>,
    /// How the latency stands to the baseline's; none where one of the runs was too late itself, or few cases were paired.
    pub latency: Option<Shift>,
}

/// One metric of two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvalComparedMetric")]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// What the baseline came to.
    pub before: Option<Decimal>,
    /// What the candidate came to.
    pub after: Option<Decimal>,
    /// By how much it grew; negative where it fell.
    pub change: Option<Decimal>,
    /// Whether that is better; none where it is equal, or nobody knows which way is better.
    pub better: Option<bool>,
    /// By how much it may be worse.
    pub allowed: Option<Decimal>,
    /// Whether it is within that; none where nothing is said.
    pub verdict: Option<Verdict>,
    /// Why that cannot be told.
    pub reason: Option<String>,
    /// How many cases have a score in both runs.
    pub pairs: u64,
    /// The probability of such a change by chance alone, from 0 to 1.
    pub p: Option<Decimal>,
    /// How that was found: `mcnemar-exact`, `paired-bootstrap`.
    pub test: Option<String>,
    /// The interval that holds the true mean change of a case 95 times of 100.
    pub ci95: Option<[Decimal; 2]>,
    /// How many cases got better.
    pub improved: u64,
    /// How many cases got worse.
    pub worsened: u64,
    /// The cases that got worse, worst first.
    pub worse: Vec<Change>,
}

/// What one case scored before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EvalCaseChange")]
pub struct Change {
    /// The case.
    pub case: String,
    /// Its score in the baseline.
    pub before: Decimal,
    /// Its score in the candidate.
    pub after: Decimal,
}

/// Why two runs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incomparable {
    /// They are of different Evals.
    Eval {
        /// That of the candidate.
        candidate: String,
        /// That of the baseline.
        baseline: String,
    },
    /// They used different datasets.
    Dataset {
        /// That of the candidate.
        candidate: Digest,
        /// That of the baseline.
        baseline: Digest,
    },
}

/// Compares two runs; `definition` is the Eval of the candidate.
///
/// # Errors
/// They are not runs of one Eval on one dataset.
pub fn compare(
    candidate: &RunResult,
    baseline: &RunResult,
    definition: &Definition,
) -> Result<Comparison, Incomparable> {
    if candidate.eval.id != baseline.eval.id {
        let name = |run: &RunResult| run.eval.id.to_string();
        return Err(Incomparable::Eval { candidate: name(candidate), baseline: name(baseline) });
    }
    if candidate.dataset.digest != baseline.dataset.digest {
        let (candidate, baseline) = (candidate.dataset.digest, baseline.dataset.digest);
        return Err(Incomparable::Dataset { candidate, baseline });
    }
    let before: HashMap<&str, &CaseResult> = baseline.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let pairs: Vec<Pair<'_>> = candidate
        .cases
        .iter()
        .filter_map(|after| Some(Pair { after, before: before.get(after.id.as_str())? }))
        .collect();
    let metrics = definition.metrics.iter().map(|metric| compared(metric, candidate, baseline, &pairs)).collect();
    Ok(Comparison {
        run: baseline.run.clone(),
        environment: baseline.subject.environment.clone(),
        version: baseline.subject.version,
        digest: baseline.subject.digest,
        metrics,
        latency: latency(candidate, baseline, &pairs),
    })
}

/// One case in both runs.
struct Pair<'a> {
    after: &'a CaseResult,
    before: &'a CaseResult,
}

fn compared(metric: &Metric, candidate: &RunResult, baseline: &RunResult, pairs: &[Pair<'_>]) -> Compared {
    let value =
        |run: &RunResult| run.metrics.iter().find(|found| found.name == metric.name).and_then(|found| found.value);
    let (before, after) = (value(baseline), value(candidate));
    let direction = direction(metric);
    let changes: Vec<Change> = pairs
        .iter()
        .filter_map(|pair| {
            let (before, after) = (score(metric, pair.before)?, score(metric, pair.after)?);
            Some(Change { case: pair.after.id.clone(), before, after })
        })
        .collect();
    let change = before.zip(after).map(|(before, after)| after - before);
    let (verdict, reason) = verdict(metric, change, direction, changes.len(), candidate.cases.len());
    let (p, test, ci95) = chance(&changes);
    let loss = |change: &Change| match direction {
        Some(Direction::Higher) => change.before - change.after,
        Some(Direction::Lower) => change.after - change.before,
        None => Decimal::ZERO,
    };
    let improved = changes.iter().filter(|change| loss(change) < Decimal::ZERO).count() as u64;
    let pairs = changes.len() as u64;
    let mut worse: Vec<Change> = changes.into_iter().filter(|change| loss(change) > Decimal::ZERO).collect();
    worse.sort_by_key(|change| std::cmp::Reverse(loss(change)));
    let worsened = worse.len() as u64;
    worse.truncate(MOST_WORSE);
    Compared {
        name: metric.name.clone(),
        before,
        after,
        change,
        better: change
            .zip(direction)
            .filter(|(change, _)| *change != Decimal::ZERO)
            .map(|(change, direction)| (change > Decimal::ZERO) == (direction == Direction::Higher)),
        allowed: metric.max_regression,
        verdict,
        reason,
        pairs,
        p,
        test,
        ci95,
        improved,
        worsened,
        worse,
    }
}

/// Whether a metric got worse by more than it may.
fn verdict(
    metric: &Metric,
    change: Option<Decimal>,
    direction: Option<Direction>,
    paired: usize,
    cases: usize,
) -> (Option<Verdict>, Option<String>) {
    let Some(allowed) = metric.max_regression else { return (None, None) };
    let cannot = |why: String| (Some(Verdict::Inconclusive), Some(why));
    let (Some(change), Some(direction)) = (change, direction) else {
        return cannot("one of the two runs has no value of it, or nobody says which way is better".to_owned());
    };
    if paired == 0 || paired * 100 < cases * LEAST_PAIRED {
        return cannot(format!("only {paired} of {cases} cases have a score in both runs"));
    }
    let loss = if direction == Direction::Higher { Decimal::ZERO - change } else { change };
    (Some(if loss > allowed { Verdict::Failed } else { Verdict::Passed }), None)
}

/// How probable such changes are by chance alone.
fn chance(changes: &[Change]) -> (Option<Decimal>, Option<String>, Option<[Decimal; 2]>) {
    let differences: Vec<Decimal> = changes.iter().map(|change| change.after - change.before).collect();
    let Some(difference) = paired_difference(&differences) else { return (None, None, None) };
    let binary = |value: Decimal| value == Decimal::ZERO || value == Decimal::ONE;
    let (p, test) = if changes.iter().all(|change| binary(change.before) && binary(change.after)) {
        let moved =
            |up: bool| changes.iter().filter(|c| c.after != c.before && (c.after > c.before) == up).count() as u64;
        (mcnemar_exact(moved(false), moved(true)), "mcnemar-exact")
    } else {
        (difference.p, "paired-bootstrap")
    };
    (Decimal::from_f64(p), Some(test.to_owned()), Some(difference.interval))
}

/// The score of a case: the mean of its trials, for a percentile their median, for a leak the worst.
fn score(metric: &Metric, case: &CaseResult) -> Option<Decimal> {
    let mut scores: Vec<Decimal> = case
        .trials
        .iter()
        .filter_map(|trial| match trial.scores.get(&metric.name) {
            Some(Score::Scored(score)) => Some(*score),
            Some(Score::Unscored(_)) | None => None,
        })
        .collect();
    scores.sort_unstable();
    match (&metric.measure, metric.aggregate) {
        (Measure::Checked(Check::PiiLeakage(_) | Check::SecretLeakage(_)), _) => scores.last().copied(),
        (_, Aggregate::Percentile(_)) => nearest_rank(&scores, 50),
        _ => Ratio::mean(&scores).map(Ratio::rounded),
    }
}

fn direction(metric: &Metric) -> Option<Direction> {
    let told = || metric.threshold.as_ref()?.0.iter().find_map(crate::resource::Threshold::direction);
    metric.direction.or_else(told)
}

/// The latency of the paired cases, each the median of its trials.
fn latency(candidate: &RunResult, baseline: &RunResult, pairs: &[Pair<'_>]) -> Option<Shift> {
    let (now, then) = (Times::of(candidate)?, Times::of(baseline)?);
    let pairs: Vec<(u64, u64)> =
        pairs.iter().filter_map(|pair| Some((now.case(pair.after)?, then.case(pair.before)?))).collect();
    latency_shift(&pairs, 0.95)
}

/// The latencies of one run.
struct Times {
    /// What a call that failed counts, unless it ran out of time: as long as the longest.
    longest: u64,
}

impl Times {
    /// `None` where the runner itself was too late, or nobody knows.
    fn of(run: &RunResult) -> Option<Self> {
        let mut all: Vec<u64> = run.cases.iter().flat_map(|case| &case.trials).map(|trial| trial.latency_us).collect();
        all.sort_unstable();
        let fine = FINE_LAG_US.max(nearest_rank(&all, 50)? / 50);
        (run.reach.live && run.runner.lag_p99_us? <= fine).then(|| Self { longest: all.last().copied().unwrap_or(0) })
    }

    fn case(&self, case: &CaseResult) -> Option<u64> {
        let tried = case.trials.iter().filter(|trial| trial.attempts > 0);
        let mut times: Vec<u64> = tried
            .map(|trial| match trial.fault {
                None | Some(FaultKind::Timeout) => trial.latency_us,
                Some(_) => self.longest,
            })
            .collect();
        times.sort_unstable();
        nearest_rank(&times, 50)
    }
}

impl fmt::Display for Incomparable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eval { candidate, baseline } => {
                write!(f, "one run is of `{candidate}` and the other of `{baseline}`, so nothing can be compared")
            }
            Self::Dataset { candidate, baseline } => write!(
                f,
                "the runs used different datasets, `{candidate}` and `{baseline}`, so their cases cannot be paired"
            ),
        }
    }
}

impl std::error::Error for Incomparable {}
