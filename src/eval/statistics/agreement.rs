//! Whether judges agree. Each item lists how many votes fell on each of the possible findings.

/// The share of items with at least two votes on which all votes are equal: `(agreed, of)`.
#[must_use]
pub fn raw_agreement(items: &[[u32; 3]]) -> (u64, u64) {
    let mut counts = (0, 0);
    for item in items {
        let votes: u32 = item.iter().sum();
        if votes >= 2 {
            counts.1 += 1;
            counts.0 += u64::from(item.contains(&votes));
        }
    }
    counts
}

/// Fleiss' kappa: agreement beyond what chance alone would give; 1 is perfect, 0 none. Items of the largest number
/// of votes count. `None` where none has two votes, or where all votes are the same, so that chance agrees as well.
#[must_use]
pub fn fleiss_kappa(items: &[[u32; 3]]) -> Option<f64> {
    let size = |item: &[u32; 3]| item.iter().sum::<u32>();
    let largest = items.iter().map(size).max().filter(|votes| *votes >= 2)?;
    let items: Vec<_> = items.iter().filter(|item| size(item) == largest).collect();
    let votes = f64::from(largest);
    #[expect(clippy::cast_precision_loss, reason = "counts of items are far below 2^52")]
    let count = items.len() as f64;
    let pairs = |item: &[u32; 3]| item.iter().map(|n| f64::from(*n) * (f64::from(*n) - 1.0)).sum::<f64>();
    let observed = items.iter().map(|item| pairs(item) / (votes * (votes - 1.0))).sum::<f64>() / count;
    let share = |finding: usize| items.iter().map(|item| f64::from(item[finding])).sum::<f64>() / (count * votes);
    let expected: f64 = (0..3).map(|finding| share(finding) * share(finding)).sum();
    (expected < 1.0).then(|| (observed - expected) / (1.0 - expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_counts_items_with_several_votes() {
        assert_eq!(raw_agreement(&[[3, 0, 0], [2, 1, 0], [1, 0, 0], [0, 0, 2]]), (2, 3));
        assert_eq!(raw_agreement(&[]), (0, 0));
    }

    #[test]
    fn kappa_is_one_for_agreement_and_none_without_variety() {
        assert_eq!(fleiss_kappa(&[[3, 0, 0], [0, 3, 0]]), Some(1.0));
        assert_eq!(fleiss_kappa(&[[3, 0, 0], [3, 0, 0]]), None);
        assert_eq!(fleiss_kappa(&[[1, 0, 0]]), None);
        let split = fleiss_kappa(&[[1, 1, 0], [1, 1, 0]]).expect("votes");
        assert!((split + 1.0).abs() < 1e-12, "{split}");
    }
}
