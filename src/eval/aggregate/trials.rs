//! Every trial as the result has it, and which of them are worth showing.

use std::collections::HashMap;
use std::sync::Arc;

use crate::eval::definition::{Definition, Measure, Score};
use crate::eval::result::{CaseResult, TrialResult};
use crate::eval::{Decimal, journal::CaseRef};
use crate::resource::{Digest, Direction};

use super::collect::{Collected, Held};
use super::outputs::MOST_OUTPUTS;
use super::points::{Column, Point, Unmet, direction};

/// Every case in the order of the dataset, without the answers themselves.
pub(super) fn cases(definition: &Definition, found: &Collected, columns: &[Column], unmet: Unmet) -> Vec<CaseResult> {
    let plan = &found.plans.plan;
    let names: Vec<Arc<str>> = definition.metrics.iter().map(|metric| metric.name.as_str().into()).collect();
    let mut cases: Vec<CaseResult> = plan
        .cases
        .iter()
        .enumerate()
        .map(|(case, CaseRef { id, tags, .. })| {
            let trials = (1..=plan.trials).map(|number| {
                let held = found.cases[case].iter().find(|(trial, _)| *trial == number).map(|(_, held)| held);
                let scores = names.iter().zip(columns).map(|(metric, column)| {
                    (Arc::clone(metric), Score::from(&column.cases[case][number as usize - 1]))
                });
                TrialResult { scores: scores.collect(), ..trial(held) }
            });
            CaseResult { id: id.clone(), tags: tags.clone(), trials: trials.collect() }
        })
        .collect();
    for (case, trial, criterion) in unmet {
        cases[case].trials[trial].unmet.push(criterion);
    }
    cases
}

/// The lines whose answers are worth showing: those that leak, and those whose scores could be better; the first ones.
pub(super) fn worth_showing(
    definition: &Definition,
    found: &Collected,
    columns: &[Column],
) -> HashMap<Digest, (usize, usize)> {
    let short = |case: usize, trial: usize| {
        definition.metrics.iter().zip(columns).any(|(metric, column)| {
            let best = match direction(metric) {
                Some(Direction::Lower) => Decimal::ZERO,
                Some(Direction::Higher) | None => Decimal::ONE,
            };
            metric.is_share() && column.cases[case][trial].score().is_some_and(|score| score != best)
        })
    };
    let all = found.cases.iter().enumerate().flat_map(|(case, trials)| trials.iter().map(move |held| (case, held)));
    let bad = all.filter_map(|(case, (trial, held))| {
        let answer = held.answer.as_ref().filter(|answer| answer.value.fault.is_none())?;
        let trial = *trial as usize - 1;
        (!answer.value.leaks.is_empty() || short(case, trial)).then_some((answer.digest, (case, trial)))
    });
    bad.take(MOST_OUTPUTS).collect()
}

/// How many cases have trials that differ: one with an answer and one without, or one with another score.
pub(super) fn flaky(definition: &Definition, found: &Collected, columns: &[Column]) -> u64 {
    let differ = |case: usize| {
        let answers = || found.cases[case].iter().filter_map(|(_, held)| held.answer.as_ref());
        let faults = answers().filter(|answer| answer.value.fault.is_some()).count();
        let scored = definition
            .metrics
            .iter()
            .zip(columns)
            .filter(|(metric, _)| !matches!(metric.measure, Measure::Observed(_)));
        faults > 0 && faults < answers().count()
            || scored.map(|(_, column)| &column.cases[case]).any(|points| {
                let mut scores = points.iter().filter_map(Point::score);
                let first = scores.next();
                scores.any(|score| Some(score) != first)
            })
    };
    (0..found.cases.len()).filter(|case| differ(*case)).count() as u64
}

fn trial(held: Option<&Held>) -> TrialResult {
    let Some(answer) = held.and_then(|held| held.answer.as_ref()).map(|kept| &kept.value) else {
        return TrialResult { message: Some("the journal says nothing of it".to_owned()), ..TrialResult::default() };
    };
    TrialResult {
        latency_us: answer.latency_us,
        cost: answer.cost.as_ref().ok().copied(),
        usage: answer.usage,
        attempts: answer.attempts,
        fault: answer.fault.as_ref().map(|(kind, _)| *kind),
        message: answer.fault.as_ref().map(|(_, message)| message.clone()),
        output_digest: answer.output,
        leaks: answer.leaks.clone(),
        ..TrialResult::default()
    }
}

impl From<&Point> for Score {
    fn from(point: &Point) -> Self {
        match point {
            Point::Scored(score) => Self::Scored(*score),
            Point::Unscored(why) => Self::Unscored(why.clone()),
            Point::Missing | Point::Worst => Self::Unscored("there is no answer".to_owned()),
        }
    }
}
