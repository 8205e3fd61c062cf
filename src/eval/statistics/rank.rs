//! Percentiles by nearest rank: always a value that was observed, and the same on every machine.

/// The rank, from 1, of the `percent`th percentile among `count` values: the least for which at least `percent` of 100
/// values are no larger. Of fewer than 20 values the 95th is the largest. 0 for no values.
#[must_use]
pub fn rank(percent: u8, count: usize) -> usize {
    (usize::from(percent.min(100)) * count).div_ceil(100).max(usize::from(count > 0))
}

/// The percentile of values in ascending order; `None` for none.
#[must_use]
pub fn nearest_rank<T: Copy>(ascending: &[T], percent: u8) -> Option<T> {
    ascending.get(rank(percent, ascending.len()).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_observed() {
        let one_outlier: Vec<u64> = [1; 19].into_iter().chain([100]).collect();
        assert_eq!(nearest_rank(&one_outlier, 95), Some(1));
        assert_eq!(nearest_rank(&one_outlier, 96), Some(100));
        assert_eq!(nearest_rank(&one_outlier[10..], 95), Some(100));
        assert_eq!(nearest_rank(&[7], 1), Some(7));
        assert_eq!(nearest_rank(&[7], 99), Some(7));
        assert_eq!(nearest_rank(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(nearest_rank::<u64>(&[], 50), None);
    }

    #[test]
    fn the_rank_is_exact_where_floats_are_not() {
        for count in 1..=10_000_usize {
            assert_eq!(rank(95, count), (95 * count).div_ceil(100), "{count}");
        }
        assert_eq!(rank(95, 20), 19);
        assert_eq!(rank(95, 100), 95);
        assert_eq!(rank(0, 5), 1);
    }
}
