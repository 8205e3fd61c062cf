//! How far a share may lie from the one that was observed.

/// Wilson's interval of a share: of `total` cases, `met` are so. `level` is how sure it is to hold the true share, 0.95
/// as a rule. `None` for no cases, for more met than there are, and for a level that is not between 0 and 1.
#[must_use]
pub fn wilson(met: u64, total: u64, level: f64) -> Option<[f64; 2]> {
    if total == 0 || met > total || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let z = quantile(f64::midpoint(1.0, level));
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^52")]
    let (met_f, n) = (met as f64, total as f64);
    let share = met_f / n;
    let spread = z * z / n;
    let middle = (share + spread / 2.0) / (1.0 + spread);
    let half = z / (1.0 + spread) * (share * (1.0 - share) / n + spread / (4.0 * n)).sqrt();
    // At the ends the interval closes exactly; rounding must not leave a crumb.
    let low = if met == 0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if met == total { 1.0 } else { (middle + half).min(1.0) };
    Some([low, high])
}

/// The value below which a standard normal draw falls with probability `p`; accurate to nine digits. The ends, and what
/// is no probability, give an infinity.
#[must_use]
pub fn quantile(p: f64) -> f64 {
    if p.is_nan() || p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    // Bisection of the distribution function: slow and plain, and nobody calls it often.
    let (mut low, mut high) = (-40.0_f64, 40.0_f64);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if below(middle) < p { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The probability that a standard normal draw falls below `x`.
fn below(x: f64) -> f64 {
    let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if x.abs() > 6.0 {
        // The tail, by its continued fraction.
        let fraction = (1..=40).rev().fold(x.abs(), |tail, step| x.abs() + f64::from(step) / tail);
        let tail = density / fraction;
        return if x < 0.0 { tail } else { 1.0 - tail };
    }
    // Marsaglia's series: 1/2 + density · (x + x³/3 + x⁵/15 + …).
    let (mut sum, mut term) = (x, x);
    for odd in (3..=400).step_by(2) {
        term *= x * x / f64::from(odd);
        sum += term;
    }
    0.5 + density * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 0.0005
    }

    #[test]
    fn the_interval_is_the_one_in_the_books() {
        for (met, total, low, high) in [(92, 100, 0.850, 0.959), (46, 50, 0.812, 0.968), (0, 50, 0.0, 0.0713)] {
            let [found_low, found_high] = wilson(met, total, 0.95).expect("cases");
            assert!(close(found_low, low) && close(found_high, high), "{met}/{total}: [{found_low}, {found_high}]");
        }
        assert_eq!(wilson(10, 10, 0.95).expect("cases")[1], 1.0);
    }

    #[test]
    fn without_cases_there_is_no_interval() {
        assert_eq!(wilson(0, 0, 0.95), None);
        assert_eq!(wilson(2, 1, 0.95), None);
        for level in [0.0, 1.0, -1.0, f64::NAN] {
            assert_eq!(wilson(1, 2, level), None);
        }
    }

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for (p, expected) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.995, 2.575_829_304), (0.000_1, -3.719_016_485)] {
            assert!((quantile(p) - expected).abs() < 1e-8, "{p}: {}", quantile(p));
        }
        assert_eq!(quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(quantile(1.0), f64::INFINITY);
    }
}
