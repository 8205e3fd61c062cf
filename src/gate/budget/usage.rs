//! What the runs of a result used, and what each would cost with the Models of the agent.

use crate::eval::statistics::{bootstrap_mean, nearest_rank};
use crate::eval::{Decimal, Ratio, RunResult, TrialResult};

use super::prices::PricedModel;

/// From so many runs on, the dearest is the 99th percentile and not the largest.
const RUNS_FOR_P99: usize = 100;
/// The level of the interval whose upper end is what the mean stays below 95 times of 100.
const LEVEL: f64 = 0.9;

/// Some quantity of every run, by case; a run without an answer is charged the largest that any had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column(Vec<Vec<Decimal>>);

impl Column {
    /// Asks every run that has an answer.
    ///
    /// # Errors
    /// How many runs cannot say it, and why the first cannot.
    pub(super) fn of(
        result: &RunResult,
        ask: impl Fn(&TrialResult) -> Result<Decimal, String>,
    ) -> Result<Self, String> {
        let mut first = None;
        let mut silent = 0_usize;
        let mut largest = None;
        let mut cases = Vec::with_capacity(result.cases.len());
        for case in &result.cases {
            let mut runs = Vec::with_capacity(case.trials.len());
            for trial in &case.trials {
                let answer = if trial.fault.is_some() { None } else { Some(ask(trial)) };
                runs.push(match answer {
                    None => None,
                    Some(Ok(value)) => {
                        largest = largest.max(Some(value));
                        Some(value)
                    }
                    Some(Err(why)) => {
                        silent += 1;
                        first.get_or_insert(why);
                        None
                    }
                });
            }
            cases.push(runs);
        }
        let runs: usize = cases.iter().map(Vec::len).sum();
        if let Some(why) = first {
            return Err(format!("{silent} of {runs} runs cannot be priced: {why}"));
        }
        let largest = largest.ok_or("no run has an answer")?;
        Ok(Self(cases.into_iter().map(|runs| runs.into_iter().map(|run| run.unwrap_or(largest)).collect()).collect()))
    }

    /// How many runs.
    pub(super) fn runs(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// The dearest run that counts: the largest, of a hundred and more the 99th percentile.
    pub(super) fn top(&self) -> Option<Decimal> {
        let mut all: Vec<Decimal> = self.0.iter().flatten().copied().collect();
        all.sort_unstable();
        nearest_rank(&all, if all.len() < RUNS_FOR_P99 { 100 } else { 99 })
    }

    /// How [`Column::top`] was found.
    pub(super) fn top_word(&self) -> &'static str {
        if self.runs() < RUNS_FOR_P99 { "max" } else { "p99" }
    }

    /// The mean over cases, each the mean of its runs.
    pub(super) fn mean(&self) -> Option<Decimal> {
        Ratio::mean(&self.means()).map(Ratio::rounded)
    }

    /// What the mean stays below 95 times of 100, by drawing the cases again. The draws depend on the values alone.
    pub(super) fn upper_mean(&self) -> Option<Decimal> {
        let mut means = self.means();
        means.sort_unstable();
        bootstrap_mean(&means, LEVEL).map(|[_, upper]| upper).max(self.mean())
    }

    fn means(&self) -> Vec<Decimal> {
        self.0.iter().filter_map(|runs| Ratio::mean(runs).map(Ratio::rounded)).collect()
    }
}

/// What a run cost or would have cost: the dearest of these Models on its tokens, and no less than what the target or the
/// run said. Tools that a target adds to what it says are in it.
///
/// # Errors
/// Why nobody knows.
pub(super) fn cost<'m>(
    trial: &TrialResult,
    models: impl Iterator<Item = &'m PricedModel> + Clone,
) -> Result<Decimal, String> {
    let mut priced = Vec::new();
    for model in models.clone() {
        if let Some(why) = &model.unknown {
            return Err(format!("the price of {} is not known: {why}", model.model));
        }
        let Some(usage) = trial.usage else { continue };
        priced.extend(model.cost(usage));
    }
    let said = trial.cost.filter(|cost| *cost >= Decimal::ZERO);
    match (trial.usage, priced.into_iter().max(), said) {
        (Some(_), Some(priced), said) => Ok(said.map_or(priced, |said| said.max(priced))),
        // What one Model cost, another does not.
        (None, _, Some(said)) if said > Decimal::ZERO && models.count() <= 1 => Ok(said),
        (Some(_), None, Some(said)) if said > Decimal::ZERO => Ok(said),
        (Some(_), None, _) => Err("the agent names no Model, and the target does not say what a run cost".into()),
        (None, ..) => Err("the target does not count its tokens".into()),
    }
}
