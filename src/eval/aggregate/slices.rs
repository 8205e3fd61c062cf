//! What each tag of the cases comes to: an agent that does well on the whole may fail those with one tag.

use std::collections::BTreeMap;

use crate::eval::definition::{Definition, Score};
use crate::eval::result::{CaseResult, Slice};
use crate::eval::{Decimal, Ratio};

/// How many tags a result tells of; those with the most cases.
const MOST: usize = 50;

/// The slices of these cases, by tag, with the mean of every metric that is a share.
pub(super) fn slices(definition: &Definition, cases: &[CaseResult]) -> Vec<Slice> {
    let mut tagged: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
    for case in cases {
        for tag in &case.tags {
            tagged.entry(tag).or_default().push(case);
        }
    }
    let mut largest: Vec<_> = tagged.into_iter().collect();
    largest.sort_by(|(tag, cases), (other, others)| (others.len(), tag).cmp(&(cases.len(), other)));
    largest.truncate(MOST);
    largest.sort_by_key(|(tag, _)| *tag);
    let slice = |(tag, cases): (&str, Vec<&CaseResult>)| {
        let shares = definition.metrics.iter().filter(|metric| metric.is_share());
        let means = shares.filter_map(|metric| Some((metric.name.clone(), mean(&cases, &metric.name)?)));
        Slice { tag: tag.to_owned(), n: cases.len() as u64, means: means.collect() }
    };
    largest.into_iter().map(slice).collect()
}

/// The mean over cases of the means over their trials; none where nothing is scored.
fn mean(cases: &[&CaseResult], metric: &str) -> Option<Decimal> {
    let of_case = |case: &&CaseResult| {
        let scores: Vec<Decimal> = case
            .trials
            .iter()
            .filter_map(|trial| match trial.scores.get(metric) {
                Some(Score::Scored(score)) => Some(*score),
                _ => None,
            })
            .collect();
        Ratio::mean(&scores).map(Ratio::rounded)
    };
    let means: Vec<Decimal> = cases.iter().filter_map(of_case).collect();
    Ratio::mean(&means).map(Ratio::rounded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::result::TrialResult;
    use crate::eval::{Aggregate, Check, Measure, Metric, Run};
    use crate::resource::{Digest, Kind, Reference, ResourceId};

    fn case(id: &str, tags: &[&str], scores: &[&str]) -> CaseResult {
        let trial = |score: &&str| TrialResult {
            scores: [("exact", Score::Scored(score.parse().expect("a decimal")))].into_iter().collect(),
            ..TrialResult::default()
        };
        CaseResult {
            id: id.into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            trials: scores.iter().map(trial).collect(),
        }
    }

    #[test]
    fn a_tag_has_the_mean_of_its_cases_whatever_the_others_score() {
        let metric = Metric {
            name: "exact".into(),
            measure: Measure::Checked(Check::Exact { strict: true }),
            direction: None,
            aggregate: Aggregate::Mean,
            threshold: None,
            max_regression: None,
        };
        let run = Run {
            concurrency: 1,
            requests_per_minute: None,
            trials: 1,
            timeout_ms: 1,
            retries: 0,
            max_age_s: 1,
            max_error_rate: 0,
            max_unscored_rate: 0,
        };
        let definition = Definition {
            id: ResourceId::new(Kind::Eval, "default", "e"),
            digest: Digest::of("e"),
            target: Reference { kind: Kind::Agent, namespace: None, name: "a".into() },
            metrics: vec![metric],
            run,
            confidence: None,
        };
        let cases = [
            case("1", &["vip", "de"], &["0", "1"]),
            case("2", &["de"], &["1"]),
            case("3", &["de"], &["1"]),
            case("4", &[], &["0"]),
        ];
        let told: Vec<_> = slices(&definition, &cases)
            .into_iter()
            .map(|s| format!("{} {} {}", s.tag, s.n, s.means["exact"]))
            .collect();
        assert_eq!(told, ["de 3 0.833333333333", "vip 1 0.5"]);
    }
}
