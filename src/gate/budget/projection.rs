//! What an agent would cost where it is to run, worked out from the runs of one result. Everything that went in stands
//! beside what came out, so that anybody can work it out again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::closure::Closure;
use crate::eval::{Decimal, RunResult, TrialResult, Usage};
use crate::gate::evidence::Evidence;
use crate::gate::verdict::Verdict;
use crate::resource::envelope::filled;
use crate::resource::view::Deployment;
use crate::resource::{Digest, Resource, ResourceId, Value};

use super::limits::{Figure, Limit, defaults};
use super::prices::{PricedModel, models};
use super::usage::{Column, cost};

/// The days of the longest month.
pub(super) const DAYS: u64 = 31;
/// With fewer cases than these no mean is believed.
pub(super) const LEAST_CASES: usize = 20;

/// What an agent would cost, by one result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Projection {
    /// The agent.
    pub agent: ResourceId,
    /// Digest of its closure.
    pub digest: Digest,
    /// The Eval whose runs were looked at.
    pub eval: ResourceId,
    /// The evidence item.
    pub evidence: String,
    /// How many cases ran.
    pub cases: u64,
    /// How many runs of them.
    pub runs: u64,
    /// Tokens of all runs, where they are counted.
    pub tokens: Usage,
    /// The Models and their prices.
    pub models: Vec<PricedModel>,
    /// US dollars of the dearest run with the dearest Model.
    pub run_usd: Option<Decimal>,
    /// Which run that is: `max`, or `p99` of a hundred and more.
    pub run_rank: String,
    /// Mean US dollars of a run with the Model that usually answers.
    pub mean_usd: Option<Decimal>,
    /// What that mean stays below 95 times of 100.
    pub upper_mean_usd: Option<Decimal>,
    /// The same if the dearest Model answered every time.
    pub worst_mean_usd: Option<Decimal>,
    /// Tokens of the longest run.
    pub run_tokens: Option<Decimal>,
    /// What the mean of tokens stays below 95 times of 100.
    pub upper_mean_tokens: Option<Decimal>,
    /// Runs of a day, as declared.
    pub runs_per_day: Option<Decimal>,
    /// The Deployments that declare them.
    pub declared_by: Vec<ResourceId>,
    /// Days of a month.
    pub days_per_month: u64,
    /// Why something is not known.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unknown: Vec<String>,
    /// The limits, and what was held against each.
    pub limits: Vec<Held>,
}

/// A limit, and what was held against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HeldLimit")]
pub struct Held {
    /// The limit.
    #[serde(flatten)]
    pub limit: Limit,
    /// What is projected; none where it is not known.
    pub projected: Option<Decimal>,
    /// What that comes to.
    pub verdict: Verdict,
    /// Whether it is above the soft limit, or above a limit that only tells.
    pub warns: bool,
}

/// What is not known yet of a projection, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unknown {
    /// Why nobody knows the cost of a run.
    pub(super) cost: Option<String>,
    /// Why nobody knows the tokens of a run.
    pub(super) tokens: Option<String>,
    /// Why nobody knows how many runs there are.
    pub(super) volume: Option<String>,
    /// Why so few cases tell nothing.
    pub(super) few: Option<String>,
}

/// Works out what an agent would cost, and holds it against its limits. `worst` holds days and months against the
/// dearest Model.
pub(super) fn project(
    closure: &Closure,
    (eval, item, result): (&ResourceId, &str, &RunResult),
    limits: Vec<Limit>,
    worst: bool,
    evidence: &Evidence<'_>,
) -> (Projection, Unknown) {
    let mut unknown = Unknown::default();
    let models = models(closure, evidence.running, &defaults(evidence)).unwrap_or_else(|why| {
        unknown.cost = Some(why);
        Vec::new()
    });
    let mut column = |models: Vec<&PricedModel>| {
        if unknown.cost.is_some() {
            return None;
        }
        let asked = Column::of(result, |trial| cost(trial, models.iter().copied()));
        let asked = asked.and_then(|column| match column.top() {
            // Where tokens cost something, a run that cost nothing was not counted.
            Some(Decimal::ZERO) if models.iter().all(|model| model.costs()) => {
                Err("no run is said to have used a token".to_owned())
            }
            _ => Ok(column),
        });
        asked.map_err(|why| unknown.cost = Some(why)).ok()
    };
    let all = column(models.iter().collect());
    let usual = column(models.iter().filter(|model| model.usual).collect());
    let tokens = Column::of(result, tokens_of).map_err(|why| unknown.tokens = Some(why)).ok();
    let (volume, declared_by) = match volume(closure.id(), evidence) {
        Ok((volume, by)) => (Some(volume), by),
        Err(why) => {
            unknown.volume = Some(why);
            (None, Vec::new())
        }
    };
    if result.cases.len() < LEAST_CASES {
        unknown.few = Some(format!("{} ran {} cases, and {LEAST_CASES} are needed", eval, result.cases.len()));
    }
    let daily_tokens = limits.iter().any(|limit| limit.figure == Figure::DayTokens);
    let upper = usual.as_ref().and_then(Column::upper_mean);
    let worst_mean = if all == usual { upper } else { all.as_ref().and_then(Column::upper_mean) };
    let said = [&unknown.few, &unknown.cost, &unknown.tokens, &unknown.volume];
    let mut projection = Projection {
        agent: closure.id().clone(),
        digest: closure.digest(),
        eval: eval.clone(),
        evidence: item.to_owned(),
        cases: result.cases.len() as u64,
        runs: result.cases.iter().map(|case| case.trials.len() as u64).sum(),
        tokens: result
            .cases
            .iter()
            .flat_map(|case| &case.trials)
            .filter_map(|trial| trial.usage)
            .fold(Usage::default(), Usage::plus),
        run_usd: all.as_ref().and_then(Column::top),
        run_rank: all.as_ref().map_or("max", Column::top_word).to_owned(),
        mean_usd: usual.as_ref().and_then(Column::mean),
        upper_mean_usd: upper,
        worst_mean_usd: worst_mean,
        run_tokens: tokens.as_ref().and_then(Column::top),
        upper_mean_tokens: tokens.as_ref().filter(|_| daily_tokens).and_then(Column::upper_mean),
        runs_per_day: volume,
        declared_by,
        days_per_month: DAYS,
        unknown: said.into_iter().flatten().cloned().collect(),
        limits: Vec::new(),
        models,
    };
    projection.limits = limits.into_iter().map(|limit| projection.hold(limit, worst)).collect();
    (projection, unknown)
}

impl Projection {
    /// US dollars of a day by this mean.
    pub(super) fn day(&self, mean: Option<Decimal>) -> Option<Decimal> {
        mean?.by(self.runs_per_day?)
    }

    /// Holds what is projected against a limit. What too few cases say can only be a no.
    fn hold(&self, limit: Limit, worst: bool) -> Held {
        let mean = if worst { self.worst_mean_usd } else { self.upper_mean_usd };
        let projected = match limit.figure {
            Figure::RunUsd | Figure::CallUsd => self.run_usd,
            Figure::DayUsd => self.day(mean),
            Figure::MonthUsd => self.day(mean).and_then(|day| day.by(Decimal::whole(DAYS))),
            Figure::RunTokens => self.run_tokens,
            Figure::DayTokens => self.day(self.upper_mean_tokens),
        };
        let few = (self.cases as usize) < LEAST_CASES;
        let above = projected.is_some_and(|projected| projected > limit.hard);
        let warns = projected.is_some_and(|projected| projected > limit.soft);
        let verdict = match projected {
            None => Verdict::Inconclusive,
            // A run may be many calls, so one above it says nothing of a call.
            Some(_) if limit.figure == Figure::CallUsd => Verdict::Pass,
            Some(_) if above && !limit.alerts_only && (!few || self.is_of_one_run(limit.figure)) => Verdict::Fail,
            Some(_) if few => Verdict::Inconclusive,
            Some(_) => Verdict::Pass,
        };
        Held { limit, projected, verdict, warns }
    }

    /// Whether a figure is of a run that was seen, so that one run is enough for a no.
    fn is_of_one_run(&self, figure: Figure) -> bool {
        matches!(figure, Figure::RunUsd | Figure::RunTokens)
    }
}

fn tokens_of(trial: &TrialResult) -> Result<Decimal, String> {
    let usage = trial.usage.ok_or("the target does not count its tokens")?;
    Ok(Decimal::whole(usage.input) + Decimal::whole(usage.output))
}

/// Runs of a day: the largest that a Deployment of the target or the source declares for the agent there.
///
/// # Errors
/// None does, or one does not say a number.
fn volume(agent: &ResourceId, evidence: &Evidence<'_>) -> Result<(Decimal, Vec<ResourceId>), String> {
    let place = evidence.environment;
    let of = |record: &Resource| {
        Deployment::of(record).is_some_and(|view| view.deploys(agent, place, &record.id().namespace))
    };
    let defaults = defaults(evidence);
    let mut largest: Option<Decimal> = None;
    let mut by: Vec<ResourceId> = Vec::new();
    for record in evidence.measurements.records.iter().filter(|record| of(record)) {
        let Some(said) = record.spec().get("expectedRunsPerDay").filter(|said| **said != Value::Null) else { continue };
        let number = filled(said, &defaults).ok().and_then(|value| Decimal::from_number(value.as_number()?));
        let Some(number) = number.filter(|number| *number > Decimal::ZERO) else {
            return Err(format!("`expectedRunsPerDay` of {} is no number above 0", record.id()));
        };
        largest = largest.max(Some(number));
        if !by.contains(record.id()) {
            by.push(record.id().clone());
        }
    }
    by.sort();
    let missing = || {
        format!("no Deployment of {agent} in `{place}` declares `expectedRunsPerDay`, so nobody knows what a day costs")
    };
    largest.map(|largest| (largest, by)).ok_or_else(missing)
}
