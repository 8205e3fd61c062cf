//! From what is held of every trial to its scores, metric by metric.
//!
//! A trial without an answer is never left out, or an agent that breaks off on hard cases would score better for it: it
//! gets the worst share, the largest cost that any trial had, and its time limit, or the longest time that any took.

use crate::eval::Decimal;
use crate::eval::answer::FaultKind;
use crate::eval::definition::{Check, Definition, Measure, Metric, Observed, Score};
use crate::resource::Direction;

use super::collect::{Collected, Held, Observed as Answer};
use super::judged::{self, Judgement, Votes};
use super::words::brief;

/// What one trial is worth to one metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Point {
    /// The journal says nothing of it.
    Missing,
    /// There is no score, for this reason.
    Unscored(String),
    /// There is no answer, and it is worth what the worst answer is.
    Worst,
    /// Its score.
    Scored(Decimal),
}

/// One metric of every trial.
pub(super) struct Column {
    /// By case of the plan and trial.
    pub(super) cases: Vec<Vec<Point>>,
    /// Votes of judges, one for every criterion of every answer.
    pub(super) votes: Vec<Votes>,
}

/// Criteria that a trial did not meet: case, trial from 0, and `metric/criterion`.
pub(super) type Unmet = Vec<(usize, usize, String)>;

/// All metrics of all trials, in the order of the Eval, and what was not met.
pub(super) fn columns(definition: &Definition, found: &Collected) -> (Vec<Column>, Unmet) {
    let plan = &found.plans.plan;
    let belonging = judged::belonging(&found.criteria, definition);
    let mut unmet = Vec::new();
    let columns = definition.metrics.iter().enumerate().map(|(place, metric)| {
        let mut votes = Vec::new();
        let mut cases = Vec::with_capacity(found.cases.len());
        for (case, trials) in found.cases.iter().enumerate() {
            let mut points = vec![Point::Missing; plan.trials as usize];
            for (trial, held) in trials {
                let index = *trial as usize - 1;
                let Some(answer) = held.answer.as_ref().map(|kept| &kept.value) else { continue };
                points[index] = match (&answer.fault, &metric.measure) {
                    (Some((kind, _)), _) => without_answer(metric, *kind, answer),
                    (None, Measure::Judged(asked)) => {
                        let Judgement { score, unmet: criteria, votes: cast } =
                            judged::judge(asked, place, &metric.name, &plan.judges, held, &belonging);
                        votes.extend(cast);
                        unmet.extend(criteria.into_iter().map(|id| (case, index, format!("{}/{id}", metric.name))));
                        Point::from(score)
                    }
                    (None, _) => Point::from(score(metric, place, held, answer)),
                };
                if let Point::Scored(score) = points[index]
                    && metric.is_share()
                    && !(Decimal::ZERO..=Decimal::ONE).contains(&score)
                {
                    points[index] = Point::Unscored(format!("the score {score} is not between 0 and 1"));
                }
            }
            cases.push(points);
        }
        let mut column = Column { cases, votes };
        column.charge(metric);
        column
    });
    (columns.collect(), unmet)
}

/// Which way a metric is better: as said, else as its threshold tells.
pub(super) fn direction(metric: &Metric) -> Option<Direction> {
    let told = || metric.threshold.as_ref()?.0.iter().find_map(crate::resource::Threshold::direction);
    metric.direction.or_else(told)
}

/// The score of an answer that needs no judge.
fn score(metric: &Metric, place: usize, held: &Held, answer: &Answer) -> Score {
    let missing = || Score::Unscored("the journal has no score of it".to_owned());
    let usage = |pick: fn(crate::eval::answer::Usage) -> u64| match answer.usage {
        Some(usage) => Score::Scored(Decimal::whole(pick(usage))),
        None => Score::Unscored("the target does not count its tokens".to_owned()),
    };
    match &metric.measure {
        Measure::Judged(_) => missing(),
        Measure::Checked(_) => {
            answer.scores.iter().find(|(of, _)| *of == place).map_or_else(missing, |(_, score)| score.clone())
        }
        Measure::Program { .. } => {
            let kept = held.programs.iter().find(|((of, _), _)| *of == place).and_then(|(_, kept)| kept.as_ref());
            kept.map_or_else(missing, |kept| kept.value.clone())
        }
        Measure::Observed(observed) => match observed {
            Observed::Cost => match &answer.cost {
                Ok(cost) => Score::Scored(*cost),
                Err(why) => Score::Unscored(why.clone()),
            },
            // A recording need not say how long an answer took.
            Observed::Latency if answer.latency_us == 0 => Score::Unscored("nobody measured the time".to_owned()),
            Observed::Latency => Score::Scored(milliseconds(answer.latency_us)),
            Observed::InputTokens => usage(|usage| usage.input),
            Observed::OutputTokens => usage(|usage| usage.output),
            Observed::Tokens => usage(|usage| usage.input.saturating_add(usage.output)),
            Observed::Error => Score::Scored(Decimal::ZERO),
            Observed::ToolCalls => Score::Scored(Decimal::whole(answer.tool_calls)),
        },
    }
}

/// What a trial without an answer is worth.
fn without_answer(metric: &Metric, kind: FaultKind, answer: &Answer) -> Point {
    match (&metric.measure, direction(metric)) {
        (Measure::Observed(Observed::Error), _) => Point::Scored(Decimal::ONE),
        // Its latency is its limit.
        (Measure::Observed(Observed::Latency), _) if kind == FaultKind::Timeout => {
            Point::Scored(milliseconds(answer.latency_us))
        }
        (_, Some(Direction::Higher)) if metric.is_share() => Point::Scored(Decimal::ZERO),
        (_, Some(Direction::Lower)) if metric.is_share() => Point::Scored(Decimal::ONE),
        (Measure::Checked(Check::PiiLeakage(_) | Check::SecretLeakage(_)), None) => Point::Scored(Decimal::ONE),
        (Measure::Observed(_), _) | (Measure::Program { .. }, Some(_)) => Point::Worst,
        (_, None) => Point::Unscored("there is no answer, and nobody says which way is better".to_owned()),
        (_, Some(_)) => Point::Unscored("there is no answer".to_owned()),
    }
}

impl Column {
    /// Puts the worst score that was seen where there was no answer.
    fn charge(&mut self, metric: &Metric) {
        let seen = self.cases.iter().flatten().filter_map(Point::score);
        let worst = match direction(metric) {
            Some(Direction::Higher) => seen.min(),
            _ => seen.max(),
        };
        let point = match worst {
            Some(worst) => Point::Scored(worst),
            None => Point::Unscored("there is no answer, and no other to go by".to_owned()),
        };
        for worst in self.cases.iter_mut().flatten().filter(|point| **point == Point::Worst) {
            *worst = point.clone();
        }
    }
}

impl Point {
    /// The score, if it has one.
    pub(super) fn score(&self) -> Option<Decimal> {
        match self {
            Self::Scored(score) => Some(*score),
            Self::Missing | Self::Unscored(_) | Self::Worst => None,
        }
    }
}

impl From<Score> for Point {
    fn from(score: Score) -> Self {
        match score {
            Score::Scored(score) => Self::Scored(score),
            Score::Unscored(why) => Self::Unscored(brief(&why)),
        }
    }
}

fn milliseconds(us: u64) -> Decimal {
    Decimal::fraction(us, 1000).expect("1000 is not 0")
}
