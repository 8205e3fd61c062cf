//! One metric over all cases: its value, whether it passes, and why that cannot be told where it cannot.

use crate::eval::definition::{Aggregate, Bounds, Definition, Measure, Metric, Observed};
use crate::eval::result::{MetricResult, Verdict};
use crate::eval::statistics::{fleiss_kappa, raw_agreement};
use crate::eval::{Decimal, Ratio};
use crate::resource::{Direction, Operator, Threshold};

use super::points::{Column, Point, direction};
use super::value::{Interval, Values, is_leak};
use super::words::{broken, cut, per_cent, told};

/// How many cases a metric lists as its worst.
const MOST_WORST: usize = 10;
/// Below so many scores a percentile says little.
const FEW_SCORES: usize = 20;
/// The runner may be this late without spoiling a latency, in microseconds; or 2 % of the threshold, if that is more.
const FINE_LAG_US: f64 = 5_000.0;
const FINE_LAG_SHARE: f64 = 0.02;

/// What all metrics of a run share.
pub(super) struct Run<'a> {
    /// The Eval.
    pub(super) definition: &'a Definition,
    /// The ids of the cases, in the order of the plan.
    pub(super) cases: Vec<&'a str>,
    /// How late the runner was, in microseconds.
    pub(super) lag_p99_us: Option<u64>,
    /// Whether the run cannot tell anything.
    pub(super) invalid: bool,
}

/// A metric as the result has it, and how it breaks its thresholds: one sentence each.
pub(super) struct Judged {
    pub(super) result: MetricResult,
    pub(super) broken: Vec<String>,
}

impl Run<'_> {
    /// Judges one metric.
    pub(super) fn judge(&self, metric: &Metric, column: &Column) -> Judged {
        let values = Values::of(metric, column);
        let measured = self.gap(metric, column, &values).map_or_else(|| values.value().ok_or_else(nothing), Err);
        let spoilt = self.spoilt(metric);
        let ci95 = measured.is_ok().then(|| values.interval(0.95)).flatten();
        let thresholds = metric.threshold.as_ref().map(|Bounds(thresholds)| thresholds.as_slice()).unwrap_or_default();
        let breaks: Vec<String> = match &measured {
            Ok(value) => {
                let broken_by = thresholds.iter().filter(|bound| !value.passes(bound));
                broken_by.map(|bound| broken(&metric.name, *value, bound)).collect()
            }
            Err(_) => Vec::new(),
        };
        let cannot = |why: String| (Some(Verdict::Inconclusive), Some(why));
        let (verdict, reason) = match &measured {
            measured if metric.threshold.is_none() => (None, measured.as_ref().err().cloned()),
            Err(why) => cannot(why.clone()),
            Ok(_) if thresholds.is_empty() => cannot("its threshold says nothing".to_owned()),
            Ok(value) => match spoilt.clone() {
                Some(why) => cannot(why),
                None if self.invalid => cannot(without_verdict(&breaks)),
                None if !breaks.is_empty() => (Some(Verdict::Failed), None),
                None => self.unsure(&values, *value, thresholds).map_or((Some(Verdict::Passed), None), cannot),
            },
        };
        let broken = if verdict == Some(Verdict::Failed) { breaks } else { Vec::new() };
        let mut notes = self.notes(metric, column, &values, measured.as_ref().ok());
        if metric.threshold.is_none() {
            notes.extend(spoilt.clone());
        }
        // A latency that the runner spoilt is nobody's latency.
        let value = measured.ok().filter(|_| spoilt.is_none() || metric.threshold.is_none());
        let ci95 = ci95.filter(|_| value.is_some());
        let inside = |bound: &Threshold, interval: &Interval| {
            Decimal::from_number(bound.value).is_some_and(|at| interval.ends[0] < at && at < interval.ends[1])
        };
        let result = MetricResult {
            name: metric.name.clone(),
            value: value.map(Ratio::rounded),
            n: values.count(),
            aggregate: metric.aggregate.to_string(),
            direction: direction(metric)
                .map(|way| if way == Direction::Higher { "higher" } else { "lower" }.to_owned()),
            threshold: (!thresholds.is_empty())
                .then(|| thresholds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")),
            verdict,
            reason,
            close: ci95.as_ref().is_some_and(|interval| thresholds.iter().any(|bound| inside(bound, interval))),
            interval: ci95.as_ref().map(|interval| interval.method.to_owned()),
            ci95: ci95.map(|interval| interval.ends.map(|end| cut(end, 6))),
            worst: self.worst(metric, &values),
            notes,
        };
        Judged { result, broken }
    }

    /// Why a metric has no value: too many scores are missing.
    fn gap(&self, metric: &Metric, column: &Column, values: &Values) -> Option<String> {
        let known = column.cases.iter().flatten().filter(|point| **point != Point::Missing).count() as u64;
        let mut reasons = column.cases.iter().flatten().filter_map(|point| match point {
            Point::Unscored(why) => Some(why.as_str()),
            Point::Missing | Point::Worst | Point::Scored(_) => None,
        });
        let first = reasons.next();
        let unscored = first.map_or(0, |_| 1 + reasons.count() as u64);
        let most = u64::from(self.definition.run.max_unscored_rate);
        let too_many = |part: u64, of: u64| part.saturating_mul(1_000_000) > most.saturating_mul(of);
        if let Some(first) = first.filter(|_| too_many(unscored, known)) {
            return Some(format!("{unscored} of {known} trials have no score, and {} may: {first}", rate(most)));
        }
        if let Aggregate::PassAt(k) | Aggregate::PassAll(k) = metric.aggregate {
            let tried =
                column.cases.iter().filter(|points| points.iter().any(|point| *point != Point::Missing)).count() as u64;
            let short = tried.saturating_sub(values.count());
            if short > 0 && too_many(short, tried) {
                return Some(format!("{short} of {tried} cases have fewer than {k} trials with a score"));
            }
        }
        None
    }

    /// Why the runner itself spoilt the metric.
    fn spoilt(&self, metric: &Metric) -> Option<String> {
        if metric.measure != Measure::Observed(Observed::Latency) {
            return None;
        }
        let thresholds = metric.threshold.as_ref().map(|Bounds(thresholds)| thresholds.as_slice()).unwrap_or_default();
        let share = thresholds.iter().map(|bound| bound.value.as_f64() * 1_000.0 * FINE_LAG_SHARE);
        let fine = FINE_LAG_US.max(share.fold(f64::INFINITY, f64::min).min(1e15));
        let fine = if thresholds.is_empty() { FINE_LAG_US } else { fine };
        match self.lag_p99_us {
            None => Some("how late the runner itself was is not known, so latency cannot be judged".to_owned()),
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52 microseconds")]
            Some(lag) if lag as f64 > fine => {
                let ms = |us: u64| cut(Decimal::fraction(us, 1000).unwrap_or_default(), 1);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 5000")]
                let fine = ms(fine as u64);
                Some(format!(
                    "the runner itself was up to {} ms late, and {fine} ms would be fine: use a machine with less to do, or fewer calls at a time",
                    ms(lag)
                ))
            }
            Some(_) => None,
        }
    }

    /// Why a value that passes is not sure to.
    fn unsure(&self, values: &Values, value: Ratio, thresholds: &[Threshold]) -> Option<String> {
        let level = self.definition.confidence?;
        let percent = cut(Decimal::from_f64(level * 100.0).unwrap_or_default(), 4);
        let Some(interval) = values.interval(level) else {
            return Some(format!("{} cases do not tell it with {percent} % confidence", values.count()));
        };
        thresholds.iter().find_map(|bound| {
            let end = match bound.operator {
                Operator::AtLeast | Operator::Above => interval.ends[0],
                Operator::AtMost | Operator::Below => interval.ends[1],
                Operator::Exactly => return None,
            };
            (!Ratio::of(end).passes(bound)).then(|| {
                format!(
                    "{} passes {bound}, but with {percent} % confidence it is only known to lie between {} and {}",
                    told(value, bound),
                    cut(interval.ends[0], 4),
                    cut(interval.ends[1], 4)
                )
            })
        })
    }

    /// The cases that score worst, without those that could not be better.
    fn worst(&self, metric: &Metric, values: &Values) -> Vec<String> {
        let Some(way) = direction(metric) else { return Vec::new() };
        let best = match way {
            Direction::Higher => Decimal::ONE,
            Direction::Lower => Decimal::ZERO,
        };
        let ordered = values.ordered(way == Direction::Lower).into_iter();
        let bad = ordered.filter(|(_, value)| !metric.is_share() || value.compare(best).is_ne());
        bad.take(MOST_WORST).filter_map(|(case, _)| Some((*self.cases.get(case)?).to_owned())).collect()
    }

    fn notes(&self, metric: &Metric, column: &Column, values: &Values, value: Option<&Ratio>) -> Vec<String> {
        let mut notes = Vec::new();
        if value.is_none() {
            return notes;
        }
        if let Aggregate::Percentile(percent) = metric.aggregate
            && values.trials() < FEW_SCORES
        {
            notes.push(format!(
                "only {} scores: a p{percent} of so few is hardly more than one of them",
                values.trials()
            ));
        }
        if is_leak(metric) && value.is_some_and(|value| value.compare(Decimal::ZERO).is_eq()) {
            // The rule of three.
            let most = if values.count() < 3 { "100 %".to_owned() } else { per_cent(3, values.count()) };
            notes.push(format!("no leak in {} cases: the true rate may still be up to {most}", values.count()));
        }
        let unscored = column.cases.iter().flatten().filter(|point| matches!(point, Point::Unscored(_))).count();
        if unscored > 0 {
            notes.push(format!("{unscored} trials have no score and do not count"));
        }
        if matches!(metric.measure, Measure::Judged(_)) {
            let (agreed, of) = raw_agreement(&column.votes);
            if of > 0 {
                let kappa = fleiss_kappa(&column.votes).and_then(Decimal::from_f64);
                let kappa = kappa.map_or(String::new(), |kappa| format!(" (Fleiss' kappa {})", cut(kappa, 2)));
                notes.push(format!("all opinions agree on {} of {of} criteria{kappa}", per_cent(agreed, of)));
            }
            let all: u64 = column.votes.iter().flatten().map(|votes| u64::from(*votes)).sum();
            let cannot: u64 = column.votes.iter().map(|votes| u64::from(votes[2])).sum();
            if cannot > 0 {
                notes.push(format!("in {} of opinions a judge could not tell", per_cent(cannot, all)));
            }
        }
        notes
    }
}

/// A rate in millionths, in words.
pub(super) fn rate(millionths: u64) -> String {
    if millionths == 0 { "none".to_owned() } else { per_cent(millionths, 1_000_000) }
}

fn nothing() -> String {
    "there is nothing to measure it by".to_owned()
}

fn without_verdict(breaks: &[String]) -> String {
    if breaks.is_empty() {
        return "the run cannot tell".to_owned();
    }
    format!("the run cannot tell; as far as it goes, {}", breaks.join(" and "))
}
