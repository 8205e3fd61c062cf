//! What else might have come out: the cases are drawn again, with repetition, as often as is worth while.

use crate::eval::{Decimal, Ratio};
use crate::resource::Digest;

use super::rank;

/// Draws that a seed decides.
#[derive(Debug, Clone)]
pub struct Chance(u64);

/// How the mean of differences stands to zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The mean difference.
    pub mean: Ratio,
    /// The interval that holds the true one 95 times of 100.
    pub interval: [Decimal; 2],
    /// How often a difference at least so clear comes by chance alone, from 0 to 1.
    pub p: f64,
}

/// How often the cases are drawn again; less often where there are so many that it would take seconds.
fn repeats(cases: usize) -> usize {
    (20_000_000 / cases.max(1)).clamp(200, 2_000)
}

impl Chance {
    /// Draws that depend on nothing but these bytes.
    #[must_use]
    pub fn seeded(bytes: impl AsRef<[u8]>) -> Self {
        Self(u64::from_str_radix(&Digest::of(bytes).short(), 16).expect("sixteen hex digits are a u64"))
    }

    /// The next 64 bits: splitmix64.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.bits()) * end as u128;
        usize::try_from(wide >> 64).expect("less than `end`")
    }
}

/// The interval that holds the mean of these values with this certainty, each value that of one case; `None` for fewer
/// than two values and for a level that is not between 0 and 1.
#[must_use]
pub fn bootstrap_mean(values: &[Decimal], level: f64) -> Option<[Decimal; 2]> {
    let means = means(values)?;
    let [low, high] = ends(&means, level)?;
    let count = values.len() as u64;
    Some([Ratio::new(low, count)?.rounded(), Ratio::new(high, count)?.rounded()])
}

/// The interval of the `percent`th percentile, nearest rank over all values of all cases. Cases are drawn, each with all
/// its values. `None` for fewer than two cases, for no values, and for a level that is not between 0 and 1.
#[must_use]
pub fn bootstrap_rank(cases: &[Vec<Decimal>], percent: u8, level: f64) -> Option<[Decimal; 2]> {
    let mut ordered: Vec<(Decimal, usize)> =
        cases.iter().enumerate().flat_map(|(case, values)| values.iter().map(move |value| (*value, case))).collect();
    if cases.len() < 2 || ordered.is_empty() {
        return None;
    }
    ordered.sort_unstable();
    let mut chance = Chance::seeded(text(ordered.iter().map(|(value, _)| *value)));
    let mut drawn = vec![0_usize; cases.len()];
    let mut found = Vec::new();
    for _ in 0..repeats(cases.len()) {
        drawn.fill(0);
        for _ in 0..cases.len() {
            drawn[chance.below(cases.len())] += 1;
        }
        let total = drawn.iter().zip(cases).map(|(times, values)| times * values.len()).sum();
        let wanted = rank(percent, total);
        let mut seen = 0;
        let at = ordered.iter().find(|(_, case)| {
            seen += drawn[*case];
            seen >= wanted
        });
        found.extend(at.map(|(value, _)| *value));
    }
    found.sort_unstable();
    ends(&found, level)
}

/// Whether paired values differ: each is that of the candidate less that of the baseline, for one case. `None` for fewer
/// than two pairs.
#[must_use]
pub fn paired_difference(differences: &[Decimal]) -> Option<Difference> {
    let sums = means(differences)?;
    let [low, high] = ends(&sums, 0.95)?;
    let count = differences.len() as u64;
    let share = |matches: &dyn Fn(&Decimal) -> bool| {
        let hits = sums.iter().filter(|sum| matches(sum)).count();
        // One is added, so that no chance is ever said to be none.
        ratio(hits + 1, sums.len() + 1)
    };
    let p = (2.0 * share(&|sum| *sum <= Decimal::ZERO).min(share(&|sum| *sum >= Decimal::ZERO))).min(1.0);
    let interval = [Ratio::new(low, count)?.rounded(), Ratio::new(high, count)?.rounded()];
    Some(Difference { mean: Ratio::mean(differences)?, interval, p })
}

/// The sums of the redrawn values, ascending.
fn means(values: &[Decimal]) -> Option<Vec<Decimal>> {
    if values.len() < 2 {
        return None;
    }
    let mut chance = Chance::seeded(text(values.iter().copied()));
    let mut sums: Vec<Decimal> = (0..repeats(values.len()))
        .map(|_| (0..values.len()).map(|_| values[chance.below(values.len())]).sum())
        .collect();
    sums.sort_unstable();
    Some(sums)
}

/// The two values between which the middle `level` of all lie.
fn ends<T: Copy>(ascending: &[T], level: f64) -> Option<[T; 2]> {
    if !(level > 0.0 && level < 1.0) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let outside = ((1.0 - level) / 2.0 * ascending.len() as f64) as usize;
    let last = ascending.len().checked_sub(outside + 1)?;
    Some([*ascending.get(outside)?, *ascending.get(last)?])
}

fn ratio(part: usize, of: usize) -> f64 {
    Decimal::fraction(part as u64, of as u64).map_or(1.0, Decimal::as_f64)
}

fn text(values: impl Iterator<Item = Decimal>) -> String {
    values.map(|value| format!("{value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimals(texts: &[&str]) -> Vec<Decimal> {
        texts.iter().map(|text| text.parse().expect("a decimal")).collect()
    }

    #[test]
    fn the_same_values_have_the_same_interval() {
        let values = decimals(&["0.1", "0.9", "0.5", "0.7", "0.3", "0.8"]);
        let first = bootstrap_mean(&values, 0.95).expect("enough");
        assert_eq!(bootstrap_mean(&values, 0.95), Some(first));
        let mean = Ratio::mean(&values).expect("some").rounded();
        assert!(first[0] < mean && mean < first[1], "{first:?}");
        let narrower = bootstrap_mean(&values, 0.5).expect("enough");
        assert!(first[0] < narrower[0] && narrower[1] < first[1]);
    }

    #[test]
    fn equal_values_have_no_spread() {
        let value = decimals(&["0.9"])[0];
        assert_eq!(bootstrap_mean(&[value; 50], 0.95), Some([value; 2]));
        assert_eq!(bootstrap_rank(&vec![vec![value]; 50], 95, 0.95), Some([value; 2]));
        assert_eq!(bootstrap_mean(&[value], 0.95), None);
        assert_eq!(bootstrap_mean(&[], 0.95), None);
        assert_eq!(bootstrap_mean(&[value; 5], f64::NAN), None);
    }

    #[test]
    fn the_interval_of_a_percentile_lies_among_the_values() {
        let cases: Vec<Vec<Decimal>> = (1..=200).map(|ms| vec![Decimal::whole(ms)]).collect();
        let [low, high] = bootstrap_rank(&cases, 95, 0.95).expect("enough");
        assert!(Decimal::whole(180) <= low && low < Decimal::whole(190), "{low}");
        assert!(Decimal::whole(190) < high && high <= Decimal::whole(197), "{high}");
    }

    #[test]
    fn a_clear_difference_is_told_from_none() {
        let worse: Vec<Decimal> = (0..40).map(|case| Decimal::ZERO - Decimal::millionths(90_000 + case)).collect();
        let found = paired_difference(&worse).expect("enough");
        assert!(found.p < 0.01 && found.interval[1] < Decimal::ZERO, "{found:?}");
        let both: Vec<Decimal> = worse.iter().map(|d| Decimal::ZERO - *d).chain(worse.iter().copied()).collect();
        assert!(paired_difference(&both).expect("enough").p > 0.5);
        assert_eq!(paired_difference(&[Decimal::ZERO; 9]).expect("enough").p, 1.0);
    }

    #[test]
    fn draws_are_even() {
        let mut chance = Chance::seeded("a");
        let mut seen = [0; 7];
        for _ in 0..7000 {
            seen[chance.below(7)] += 1;
        }
        assert!(seen.iter().all(|count| (880..1120).contains(count)), "{seen:?}");
        assert_eq!(chance.below(0), 0);
    }
}
