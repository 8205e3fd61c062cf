//! How often an agent succeeds at least once, or every time, in k attempts: estimated from n, without bias.

use crate::eval::{Decimal, Ratio};

/// The chance that at least one of `k` trials succeeds, where `successes` of `trials` did: 1 − C(n−c, k) / C(n, k).
/// `None` where there are fewer trials than `k`, and for a `k` of 0.
#[must_use]
pub fn pass_at(successes: u64, trials: u64, k: u32) -> Option<Ratio> {
    let none = share(trials.checked_sub(successes)?, trials, k)?;
    Ratio::new(Decimal::whole(none.count) - none.sum, none.count)
}

/// The chance that all of `k` trials succeed, where `successes` of `trials` did: C(c, k) / C(n, k). `None` as for
/// [`pass_at`].
#[must_use]
pub fn pass_all(successes: u64, trials: u64, k: u32) -> Option<Ratio> {
    share(successes, trials, k)
}

/// C(part, k) / C(of, k): the product of (part − i) / (of − i), reduced at every step so that it stays small.
fn share(part: u64, of: u64, k: u32) -> Option<Ratio> {
    if part > of || k == 0 || u64::from(k) > of {
        return None;
    }
    let (mut above, mut below) = (1_u128, 1_u128);
    for step in 0..u64::from(k) {
        above = above.checked_mul(u128::from(part.saturating_sub(step)))?;
        below = below.checked_mul(u128::from(of - step))?;
        let common = divisor(above, below);
        (above, below) = (above / common, below / common);
    }
    match (u64::try_from(above), u64::try_from(below)) {
        // More than a decimal holds; only reached by hundreds of trials of one case.
        (Ok(above), Ok(below)) if below <= 1_000_000_000 => Ratio::new(Decimal::whole(above), below),
        (Ok(above), Ok(below)) => Decimal::fraction(above, below).map(Ratio::of),
        _ => {
            let shift = 128 - 62 - below.leading_zeros().min(66);
            let (above, below) = (u64::try_from(above >> shift).ok()?, u64::try_from(below >> shift).ok()?);
            Decimal::fraction(above, below).map(Ratio::of)
        }
    }
}

/// The greatest common divisor; never 0 where one of the two is not.
fn divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ratio: Option<Ratio>) -> String {
        ratio.map_or("none".to_owned(), |ratio| ratio.to_string())
    }

    #[test]
    fn the_estimate_has_no_bias() {
        assert_eq!(told(pass_at(1, 4, 1)), "0.25");
        assert_eq!(told(pass_at(1, 4, 2)), "0.5");
        assert_eq!(told(pass_at(2, 4, 2)), "0.833333333333");
        assert_eq!(told(pass_all(3, 4, 2)), "0.5");
        assert_eq!(told(pass_all(4, 4, 4)), "1");
        assert_eq!(told(pass_all(3, 4, 4)), "0");
        assert_eq!(told(pass_at(0, 4, 4)), "0");
        assert_eq!(told(pass_at(4, 4, 1)), "1");
    }

    #[test]
    fn fewer_trials_than_k_say_nothing() {
        assert_eq!(pass_at(2, 2, 3), None);
        assert_eq!(pass_all(2, 2, 3), None);
        assert_eq!(pass_all(0, 0, 1), None);
        assert_eq!(pass_at(1, 2, 0), None);
    }

    #[test]
    fn hundreds_of_trials_do_not_overflow() {
        for k in [1, 50, 150, 300] {
            let (once, always) = (pass_at(150, 300, k), pass_all(150, 300, k));
            for estimate in [once, always].into_iter().flatten() {
                assert!((0.0..=1.0).contains(&estimate.as_f64()), "{k}: {estimate}");
            }
        }
    }
}
