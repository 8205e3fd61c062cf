//! Whether a candidate answers more slowly than the version before it, on the same cases.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::eval::Decimal;

use super::bootstrap::bootstrap_rank;
use super::nearest_rank;

/// How the latency of a candidate stands to that of its baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "LatencyShift")]
pub struct Shift {
    /// Over how many pairs.
    pub pairs: usize,
    /// The median over the pairs of candidate ÷ baseline; above 1 the candidate is slower.
    pub ratio: Decimal,
    /// The lower end of the interval that holds the true ratio with the certainty asked for.
    pub lower: Decimal,
    /// Its upper end.
    pub upper: Decimal,
    /// The median latency of the candidate less that of the baseline, in microseconds.
    pub delta_p50_us: i64,
    /// About the least ratio that these pairs could have told from 1: who reads that nothing got slower should know it.
    pub minimum_detectable: Decimal,
}

/// Compares latencies of the same cases, `(candidate, baseline)` in microseconds, each the median of the case's own
/// trials, with calls that failed at their time limit. `level` is how sure the interval is, 0.95 as a rule. `None` for
/// fewer than two pairs and for a level that is not between 0 and 1.
#[must_use]
pub fn latency_shift(pairs: &[(u64, u64)], level: f64) -> Option<Shift> {
    // A call takes time, even where the clock saw none.
    let ratio = |&(candidate, baseline): &(u64, u64)| Decimal::fraction(candidate.max(1), baseline.max(1));
    let mut ratios: Vec<Decimal> = pairs.iter().filter_map(ratio).collect();
    // The draws are seeded by the ratios, and so do not depend on the order of the pairs.
    ratios.sort_unstable();
    let [lower, upper] = bootstrap_rank(&ratios.iter().map(|ratio| vec![*ratio]).collect::<Vec<_>>(), 50, level)?;
    let middle = nearest_rank(&ratios, 50)?;
    let median = |side: fn(&(u64, u64)) -> u64| {
        let mut times: Vec<u64> = pairs.iter().map(side).collect();
        times.sort_unstable();
        nearest_rank(&times, 50).map(|time| i64::try_from(time).unwrap_or(i64::MAX))
    };
    Some(Shift {
        pairs: pairs.len(),
        ratio: middle,
        lower,
        upper,
        delta_p50_us: median(|pair| pair.0)?.saturating_sub(median(|pair| pair.1)?),
        minimum_detectable: Decimal::ONE + (middle - lower),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(count: u64, per_cent: u64) -> Vec<(u64, u64)> {
        (0..count)
            .map(|case| (500 + case * 37 % 400, case))
            .map(|(ms, case)| (ms * (per_cent + case % 7) * 10, ms * 1000))
            .collect()
    }

    #[test]
    fn a_slower_candidate_lies_above_one() {
        let shift = latency_shift(&pairs(100, 120), 0.95).expect("enough");
        assert!(shift.lower > Decimal::ONE && shift.lower <= shift.ratio && shift.ratio <= shift.upper, "{shift:?}");
        assert!(shift.delta_p50_us > 100_000, "{shift:?}");
        assert!(shift.minimum_detectable < Decimal::millionths(1_050_000), "{shift:?}");
    }

    #[test]
    fn the_order_of_the_pairs_does_not_matter() {
        let mut turned = pairs(30, 97);
        turned.reverse();
        assert_eq!(latency_shift(&turned, 0.95), latency_shift(&pairs(30, 97), 0.95));
    }

    #[test]
    fn times_of_nothing_do_not_divide_by_it() {
        let shift = latency_shift(&[(0, 0); 20], 0.95).expect("enough");
        assert_eq!((shift.ratio, shift.lower, shift.upper), (Decimal::ONE, Decimal::ONE, Decimal::ONE));
        assert_eq!(latency_shift(&[(1, 1)], 0.95), None);
        assert!(latency_shift(&[(u64::MAX, 1); 20], 0.95).is_some());
    }
}
