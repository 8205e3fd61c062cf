//! From a stored result back to what its scores come to, for whoever does not take its signer's word for it.

use crate::eval::Decimal;
use crate::eval::definition::{Definition, Score};
use crate::eval::result::{MetricResult, RunResult};

use super::metric::Run;
use super::points::{Column, Point};

/// The metrics of a result, measured and judged again by the scores of its cases. What judges agree on is not told: a
/// result holds scores and no opinions.
#[must_use]
pub fn rejudge(definition: &Definition, result: &RunResult) -> Vec<MetricResult> {
    let cases = result.cases.iter().map(|case| case.id.as_str()).collect();
    let run = Run { definition, cases, lag_p99_us: result.runner.lag_p99_us, invalid: false };
    definition
        .metrics
        .iter()
        .map(|metric| run.judge(metric, &column(&metric.name, metric.is_share(), result)).result)
        .collect()
}

fn column(metric: &str, share: bool, result: &RunResult) -> Column {
    let point = |score: Option<&Score>| match score {
        Some(Score::Scored(score)) if share && !(Decimal::ZERO..=Decimal::ONE).contains(score) => {
            Point::Unscored(format!("the score {score} is not between 0 and 1"))
        }
        Some(Score::Scored(score)) => Point::Scored(*score),
        Some(Score::Unscored(why)) => Point::from(Score::Unscored(why.clone())),
        None => Point::Unscored("it holds no score of it".to_owned()),
    };
    let cases = result.cases.iter();
    let cases = cases.map(|case| case.trials.iter().map(|trial| point(trial.scores.get(metric))).collect());
    Column { cases: cases.collect(), votes: Vec::new() }
}
