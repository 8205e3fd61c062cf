//! Whether two versions differ on the same cases, where a case is passed or not.

/// The exact two-sided p value of McNemar's test: `lost` cases passed before and do not now, `won` the other way round.
/// Cases on which both agree say nothing. 1 where there is no other.
#[must_use]
pub fn mcnemar_exact(lost: u64, won: u64) -> f64 {
    let (few, all) = (lost.min(won), lost.saturating_add(won));
    if all == 0 {
        return 1.0;
    }
    // Each side is a fair coin; the terms of the binomial are summed by their logarithms, which no count overflows.
    let mut logarithm = -(float(all) * std::f64::consts::LN_2);
    let mut tail = logarithm.exp();
    for drawn in 1..=few {
        logarithm += (float(all - drawn + 1) / float(drawn)).ln();
        tail += logarithm.exp();
    }
    (2.0 * tail).min(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_is_that_of_fair_coins() {
        for (lost, won, p) in
            [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (0, 6, 0.03125), (9, 1, 0.021_484_375), (4, 4, 1.0)]
        {
            assert!((mcnemar_exact(lost, won) - p).abs() < 1e-12, "{lost} {won}: {}", mcnemar_exact(lost, won));
        }
        let many = mcnemar_exact(6_000, 5_000);
        assert!(many > 0.0 && many < 1e-15, "{many}");
    }
}
