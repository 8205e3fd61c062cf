//! From the scores of one metric to its value, and how sure that is.

use crate::eval::definition::{Aggregate, Check, Measure, Metric, Observed};
use crate::eval::statistics::{bootstrap_mean, bootstrap_rank, nearest_rank, pass_all, pass_at, wilson};
use crate::eval::{Decimal, Ratio};

use super::points::{Column, Point};

/// Fewer cases than this are not drawn again: what comes out would look surer than it is.
const FEWEST_DRAWN: usize = 10;
/// Numbers of trials whose common multiple is larger are not brought to it, but rounded to twelve decimals.
const LARGEST_MULTIPLE: u64 = 1_000_000;

/// The scores of one metric, case by case.
pub(super) struct Values {
    aggregate: Aggregate,
    /// The cases that have a value, by their place in the plan, with that value times `of`.
    cases: Vec<(usize, Decimal)>,
    of: u64,
    /// Every score of the cases, for percentiles.
    trials: Vec<Vec<Decimal>>,
}

/// How far the true value may lie from the one that was measured.
pub(super) struct Interval {
    pub(super) ends: [Decimal; 2],
    pub(super) method: &'static str,
}

impl Values {
    /// The value of every case that has one: the mean of its trials, for a leak the worst.
    pub(super) fn of(metric: &Metric, column: &Column) -> Self {
        let (mut ratios, mut trials) = (Vec::new(), Vec::new());
        for (case, points) in column.cases.iter().enumerate() {
            let scores: Vec<Decimal> = points.iter().filter_map(Point::score).collect();
            if let Some(value) = case_value(metric, &scores) {
                ratios.push((case, value));
                trials.push(scores);
            }
        }
        let multiple = ratios.iter().try_fold(1_u64, |multiple, (_, ratio)| {
            Some(multiple / divisor(multiple, ratio.count) * ratio.count)
                .filter(|multiple| *multiple <= LARGEST_MULTIPLE)
        });
        let scaled =
            |ratio: Ratio| multiple.map_or(ratio.rounded(), |multiple| ratio.sum.times(multiple / ratio.count));
        let cases = ratios.into_iter().map(|(case, ratio)| (case, scaled(ratio))).collect();
        Self { aggregate: metric.aggregate, cases, of: multiple.unwrap_or(1), trials }
    }

    /// Over how many cases.
    pub(super) fn count(&self) -> u64 {
        self.cases.len() as u64
    }

    /// How many scores these cases have.
    pub(super) fn trials(&self) -> usize {
        self.trials.iter().map(Vec::len).sum()
    }

    /// The value of the metric, exact; `None` without cases.
    pub(super) fn value(&self) -> Option<Ratio> {
        let ordered = || {
            let mut ordered: Vec<Decimal> = self.cases.iter().map(|(_, value)| *value).collect();
            ordered.sort_unstable();
            ordered
        };
        let one = |value: Option<Decimal>| Ratio::new(value?, self.of);
        match self.aggregate {
            Aggregate::Mean | Aggregate::PassAt(_) | Aggregate::PassAll(_) => {
                Ratio::new(self.cases.iter().map(|(_, value)| *value).sum(), self.count().checked_mul(self.of)?)
            }
            Aggregate::Median => one(nearest_rank(&ordered(), 50)),
            Aggregate::Min => one(ordered().first().copied()),
            Aggregate::Max => one(ordered().last().copied()),
            Aggregate::Percentile(percent) => {
                let mut all: Vec<Decimal> = self.trials.iter().flatten().copied().collect();
                all.sort_unstable();
                nearest_rank(&all, percent).map(Ratio::of)
            }
        }
    }

    /// The interval that holds the true value with this certainty; none for the least and the largest of all, and for few
    /// cases that are not simply passed or not.
    pub(super) fn interval(&self, level: f64) -> Option<Interval> {
        let rounded = || -> Vec<Decimal> {
            self.cases.iter().filter_map(|(_, value)| Some(Ratio::new(*value, self.of)?.rounded())).collect()
        };
        let drawn = |ends: Option<[Decimal; 2]>| {
            let enough = self.cases.len() >= FEWEST_DRAWN;
            ends.filter(|_| enough).map(|ends| Interval { ends, method: "bootstrap" })
        };
        match self.aggregate {
            Aggregate::Mean | Aggregate::PassAt(_) | Aggregate::PassAll(_) => {
                let values = rounded();
                if values.iter().all(|value| *value == Decimal::ZERO || *value == Decimal::ONE) {
                    let met = values.iter().filter(|value| **value == Decimal::ONE).count() as u64;
                    let [low, high] = wilson(met, self.count(), level)?;
                    return Some(Interval {
                        ends: [Decimal::from_f64(low)?, Decimal::from_f64(high)?],
                        method: "wilson",
                    });
                }
                drawn(bootstrap_mean(&values, level))
            }
            Aggregate::Median => {
                let cases: Vec<_> = rounded().into_iter().map(|value| vec![value]).collect();
                drawn(bootstrap_rank(&cases, 50, level))
            }
            Aggregate::Percentile(percent) => drawn(bootstrap_rank(&self.trials, percent, level)),
            Aggregate::Min | Aggregate::Max => None,
        }
    }

    /// The places of the cases by their value; ties in the order of the plan.
    pub(super) fn ordered(&self, largest_first: bool) -> Vec<(usize, Ratio)> {
        let mut ordered = self.cases.clone();
        ordered.sort_by(|(_, a), (_, b)| if largest_first { b.cmp(a) } else { a.cmp(b) });
        ordered.into_iter().filter_map(|(case, value)| Some((case, Ratio::new(value, self.of)?))).collect()
    }
}

/// Whether a metric counts leaks, so that one bad trial makes a bad case.
pub(super) fn is_leak(metric: &Metric) -> bool {
    matches!(metric.measure, Measure::Checked(Check::PiiLeakage(_) | Check::SecretLeakage(_)))
}

/// Whether one score is a success: nothing missing of it, and no leak or error.
fn succeeds(metric: &Metric, score: Decimal) -> bool {
    let clean = is_leak(metric) || matches!(metric.measure, Measure::Observed(Observed::Error));
    score == if clean { Decimal::ZERO } else { Decimal::ONE }
}

fn case_value(metric: &Metric, scores: &[Decimal]) -> Option<Ratio> {
    let successes = || scores.iter().filter(|score| succeeds(metric, **score)).count() as u64;
    match metric.aggregate {
        Aggregate::PassAt(k) => pass_at(successes(), scores.len() as u64, k),
        Aggregate::PassAll(k) => pass_all(successes(), scores.len() as u64, k),
        _ if is_leak(metric) => scores.iter().max().copied().map(Ratio::of),
        _ => Ratio::mean(scores),
    }
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}
