//! What the server has done, for those who compare it with what joch says of it.

use serde::{Deserialize, Serialize};

/// What the server has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Answers of the agent.
    pub answers: u64,
    /// Verdicts of the judge.
    pub verdicts: u64,
    /// Requests answered by 429.
    pub too_many: u64,
    /// Requests answered by 500.
    pub broken: u64,
    /// Requests that came back before the time that their 429 had asked for.
    pub early: u64,
    /// Requests under way at a time, at the most.
    pub busiest: u64,
    /// How long answers of the agent took, nearest-rank median in microseconds.
    pub p50_us: u64,
    /// The same, 95th percentile.
    pub p95_us: u64,
}

/// The nearest rank: of `percent` of the values none is larger. 0 for no values.
pub(super) fn nearest_rank(values: &mut [u64], percent: usize) -> u64 {
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100);
    rank.checked_sub(1).map_or(0, |at| values[at])
}
