//! From the opinions of judges on one answer to the score of a metric.
//!
//! A criterion is met if more than half of all opinions that were asked for say so, over samples and judges; a tie is
//! not met. If more than half say that it cannot be judged, there is no score. An opinion that is missing could have said
//! anything: where it could have turned the outcome, there is no score either. The score is the weighted share of the
//! criteria that are met.

use std::collections::BTreeMap;

use crate::eval::Decimal;
use crate::eval::definition::{Criterion, Definition, Judged, Measure, Score};
use crate::eval::journal::JudgeRef;

use super::collect::{Held, Names};
use super::words::brief;

/// Votes on one criterion: met, not met, cannot judge.
pub(super) type Votes = [u32; 3];

/// What the judges of one metric said of one answer.
pub(super) struct Judgement {
    /// The score, or why there is none.
    pub(super) score: Score,
    /// The criteria that are not met.
    pub(super) unmet: Vec<String>,
    /// The votes on each criterion.
    pub(super) votes: Vec<Votes>,
}

/// How the criteria that judges decided on belong to the metrics of an Eval: by number, the place of the metric, and the
/// id of the criterion in it. Where the name of one metric begins another's, the longer counts.
pub(super) fn belonging(criteria: &Names, definition: &Definition) -> Vec<Option<(usize, String)>> {
    let judged: Vec<(usize, &str)> = definition
        .metrics
        .iter()
        .enumerate()
        .filter(|(_, metric)| matches!(metric.measure, Measure::Judged(_)))
        .map(|(place, metric)| (place, metric.name.as_str()))
        .collect();
    let owner = |key: &String| {
        let fits = |name: &str| Some(key.strip_prefix(name)?.strip_prefix('/')?.to_owned());
        let found = judged.iter().filter_map(|(place, name)| Some((name.len(), *place, fits(name)?)));
        found.max_by_key(|(length, ..)| *length).map(|(_, place, id)| (place, id))
    };
    criteria.all().iter().map(owner).collect()
}

/// The score of the metric at `place` for one answer.
pub(super) fn judge(
    judged: &Judged,
    place: usize,
    name: &str,
    judges: &[JudgeRef],
    held: &Held,
    belonging: &[Option<(usize, String)>],
) -> Judgement {
    let asked = |judge: u32| judges.get(judge as usize).is_some_and(|judge| judge.metrics.iter().any(|of| of == name));
    let demanded: u64 = judges
        .iter()
        .filter(|judge| judge.metrics.iter().any(|of| of == name))
        .map(|judge| u64::from(judge.samples))
        .sum();
    let mut votes: BTreeMap<&str, Votes> =
        judged.criteria.iter().map(|criterion| (criterion.id.as_str(), [0; 3])).collect();
    for ((judge, ..), opinion) in &held.opinions {
        let found = opinion.as_ref().filter(|_| asked(*judge)).and_then(|kept| kept.value.found.as_ref());
        for (criterion, finding) in found.into_iter().flatten() {
            let Some(Some((of, id))) = belonging.get(*criterion as usize) else { continue };
            // What the metric itself lists is all that counts; otherwise the case, or the metric's name, said what to ask.
            if *of == place && (judged.criteria.is_empty() || votes.contains_key(id.as_str())) {
                votes.entry(id).or_default()[*finding as usize] += 1;
            }
        }
    }
    let (mut score, unmet) = weigh(&votes, demanded, &judged.criteria);
    let mut mute = held.opinions.iter().filter(|((judge, ..), _)| asked(*judge));
    let why = mute.find_map(|(_, kept)| kept.as_ref()?.value.why.as_deref());
    if let (Score::Unscored(reason), Some(why)) = (&mut score, why) {
        *reason = format!("{reason}: {}", brief(why));
    }
    Judgement { score, unmet, votes: votes.into_values().collect() }
}

fn weigh(votes: &BTreeMap<&str, Votes>, demanded: u64, criteria: &[Criterion]) -> (Score, Vec<String>) {
    let weight = |id: &str| {
        criteria.iter().find(|criterion| criterion.id == id).map_or(1, |criterion| u64::from(criterion.weight))
    };
    let (mut met, mut all, mut unmet) = (0_u64, 0_u64, Vec::new());
    if votes.is_empty() {
        return (Score::Unscored("no judge gave an opinion".to_owned()), unmet);
    }
    for (id, votes) in votes {
        all += weight(id);
        match decide(*votes, demanded) {
            Ok(true) => met += weight(id),
            Ok(false) => unmet.push((*id).to_owned()),
            Err(why) => return (Score::Unscored(format!("criterion `{id}`: {why}")), Vec::new()),
        }
    }
    let share = Decimal::fraction(met, all);
    (share.map_or_else(|| Score::Unscored("no criterion has a weight".to_owned()), Score::Scored), unmet)
}

/// Whether a criterion is met, of so many opinions that were asked for.
fn decide([met, not_met, cannot]: Votes, demanded: u64) -> Result<bool, String> {
    let (met, cannot) = (u64::from(met), u64::from(cannot));
    let given = met + u64::from(not_met) + cannot;
    let missing = demanded.saturating_sub(given);
    let most = |votes: u64| votes * 2 > demanded;
    if demanded == 0 || given > demanded {
        return Err("nobody was asked".to_owned());
    }
    match () {
        () if most(met) => Ok(true),
        () if most(cannot) => Err("the judges cannot tell".to_owned()),
        () if most(met + missing) || most(cannot + missing) => {
            Err(format!("{missing} of {demanded} opinions are missing, and could decide"))
        }
        () => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_half_of_all_opinions_decide_and_a_tie_is_not_met() {
        assert_eq!(decide([1, 0, 0], 1), Ok(true));
        assert_eq!(decide([0, 1, 0], 1), Ok(false));
        assert_eq!(decide([2, 1, 0], 3), Ok(true));
        assert_eq!(decide([1, 1, 0], 2), Ok(false));
        assert_eq!(decide([1, 1, 1], 3), Ok(false));
        assert_eq!(decide([1, 0, 1], 2), Ok(false));
    }

    #[test]
    fn what_most_judges_cannot_tell_has_no_score() {
        assert!(decide([0, 0, 1], 1).is_err());
        assert!(decide([1, 0, 2], 3).is_err());
        assert_eq!(decide([2, 0, 1], 3), Ok(true));
    }

    #[test]
    fn a_missing_opinion_counts_against_no_side_and_for_none() {
        assert_eq!(decide([2, 0, 0], 3), Ok(true));
        assert_eq!(decide([0, 2, 0], 3), Ok(false));
        assert!(decide([1, 1, 0], 3).is_err());
        assert!(decide([1, 0, 0], 3).is_err());
        assert!(decide([0, 1, 0], 3).is_err());
        assert!(decide([0, 0, 0], 1).is_err());
        assert!(decide([0, 0, 0], 0).is_err());
    }

    #[test]
    fn the_score_is_the_weighted_share_of_what_is_met() {
        let criterion = |id: &str, weight| Criterion { id: id.to_owned(), text: String::new(), weight };
        let criteria = [criterion("a", 3), criterion("b", 1), criterion("c", 0)];
        let votes = BTreeMap::from([("a", [1, 0, 0]), ("b", [0, 1, 0]), ("c", [0, 1, 0])]);
        let (score, unmet) = weigh(&votes, 1, &criteria);
        assert_eq!(score, Score::Scored("0.75".parse().expect("a decimal")));
        assert_eq!(unmet, ["b", "c"]);
        assert_eq!(weigh(&votes, 1, &[]).0, Score::Scored(Decimal::fraction(1, 3).expect("not 0")));
        let silent = BTreeMap::from([("a", [1, 0, 0]), ("b", [0, 0, 0])]);
        assert!(matches!(weigh(&silent, 1, &criteria).0, Score::Unscored(_)), "a criterion that nobody judged");
        assert!(matches!(weigh(&BTreeMap::new(), 1, &criteria).0, Score::Unscored(_)));
        let weightless = BTreeMap::from([("c", [1, 0, 0])]);
        assert!(matches!(weigh(&weightless, 1, &criteria).0, Score::Unscored(_)));
    }
}
