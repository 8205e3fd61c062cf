//! Exact numbers: a mean of 0.9s is 0.9, and money is counted, not rounded.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::{Number, Operator, Threshold};

/// A number with twelve decimals, which holds scores, US dollars and milliseconds without rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(into = "f64", try_from = "f64")]
#[schemars(with = "f64")]
pub struct Decimal(i128);

/// A sum over a count, kept apart so that nothing is lost before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// The sum.
    pub sum: Decimal,
    /// How many it is of; never 0.
    pub count: u64,
}

const PLACES: u32 = 12;
const ONE: i128 = 10_i128.pow(PLACES);
/// Beyond this a number is no score, price or time, and sums could overflow.
const LARGEST: i128 = ONE * 1_000_000_000_000_000;

impl Decimal {
    /// 0.
    pub const ZERO: Self = Self(0);
    /// 1.
    pub const ONE: Self = Self(ONE);

    /// A whole number.
    #[must_use]
    pub fn whole(number: u64) -> Self {
        Self(i128::from(number) * ONE)
    }

    /// `number / of`, rounded to twelve decimals; `None` where `of` is 0.
    #[must_use]
    pub fn fraction(number: u64, of: u64) -> Option<Self> {
        let scaled = i128::from(number) * ONE;
        let of = i128::from(of);
        (of != 0).then(|| Self((scaled + of / 2) / of))
    }

    /// So many millionths.
    #[must_use]
    pub fn millionths(number: u64) -> Self {
        Self(i128::from(number) * (ONE / 1_000_000))
    }

    /// The decimal that `float` is written as, shortest form; `None` where it is not finite or too large.
    #[must_use]
    pub fn from_f64(float: f64) -> Option<Self> {
        if !float.is_finite() {
            return None;
        }
        format!("{float:e}").parse().ok()
    }

    /// The decimal of a number in a resource.
    #[must_use]
    pub fn from_number(number: Number) -> Option<Self> {
        match number {
            Number::Whole(whole) => whole.checked_mul(ONE).filter(|scaled| scaled.abs() <= LARGEST).map(Self),
            Number::Fraction(float) => Self::from_f64(float),
        }
    }

    /// The nearest binary64.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// This many times.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(i128::from(count)))
    }

    /// The product, cut to twelve decimals; `None` where it is too large for any price or time.
    #[must_use]
    pub fn by(self, factor: Self) -> Option<Self> {
        let whole = (self.0 / ONE).checked_mul(factor.0)?;
        // Twelve decimals and a price of up to 10^15 stay within 128 bits only when taken apart.
        let part = self.0 % ONE;
        let part = (factor.0 / ONE).checked_mul(part)?.checked_add(factor.0 % ONE * part / ONE)?;
        whole.checked_add(part).filter(|product| product.abs() <= LARGEST).map(Self)
    }

    /// How often it goes into `whole`, rounded down; `None` where it never ends.
    #[must_use]
    pub fn goes_into(self, whole: Self) -> Option<u64> {
        if self.0 <= 0 {
            return None;
        }
        u64::try_from((whole.0 / self.0).max(0)).ok()
    }

    /// The millionth part, rounded to twelve decimals: what one token costs of a price per million.
    #[must_use]
    pub fn per_million(self) -> Self {
        Self(self.0 / 1_000_000)
    }
}

impl Ratio {
    /// A sum over a count; `None` for a count of 0.
    #[must_use]
    pub fn new(sum: Decimal, count: u64) -> Option<Self> {
        (count > 0).then_some(Self { sum, count })
    }

    /// One value.
    #[must_use]
    pub fn of(value: Decimal) -> Self {
        Self { sum: value, count: 1 }
    }

    /// The mean of these values; `None` for none.
    #[must_use]
    pub fn mean(values: &[Decimal]) -> Option<Self> {
        Self::new(values.iter().copied().sum(), values.len() as u64)
    }

    /// Compares exactly with a decimal.
    #[must_use]
    pub fn compare(self, other: Decimal) -> Ordering {
        self.sum.0.cmp(&other.0.saturating_mul(i128::from(self.count)))
    }

    /// The nearest binary64.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.rounded().as_f64()
    }

    /// The nearest decimal.
    #[must_use]
    pub fn rounded(self) -> Decimal {
        let count = i128::from(self.count);
        let half = if self.sum.0 < 0 { -(count / 2) } else { count / 2 };
        Decimal((self.sum.0 + half) / count)
    }

    /// Whether it passes a threshold. A threshold that no decimal can hold lets nothing pass.
    #[must_use]
    pub fn passes(self, threshold: &Threshold) -> bool {
        let Some(value) = Decimal::from_number(threshold.value) else { return false };
        let order = self.compare(value);
        match threshold.operator {
            Operator::AtLeast => order != Ordering::Less,
            Operator::AtMost => order != Ordering::Greater,
            Operator::Above => order == Ordering::Greater,
            Operator::Below => order == Ordering::Less,
            Operator::Exactly => order == Ordering::Equal,
        }
    }
}

impl Add for Decimal {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Decimal {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Decimal {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        values.fold(Self::ZERO, Self::add)
    }
}

/// Plain digits, without trailing zeros: `0.9`, `-12`.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0.unsigned_abs() / ONE.unsigned_abs(), self.0.unsigned_abs() % ONE.unsigned_abs());
        if self.0 < 0 {
            f.write_str("-")?;
        }
        write!(f, "{whole}")?;
        if part == 0 {
            return Ok(());
        }
        let digits = format!("{part:0width$}", width = PLACES as usize);
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

/// Digits with an optional point and exponent. What lies beyond twelve decimals is rounded.
impl std::str::FromStr for Decimal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{part}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) || all.len() > 30 {
            return Err(());
        }
        let exponent: i32 = exponent.parse().map_err(|_| ())?;
        let shift =
            exponent.checked_add(PLACES.cast_signed()).ok_or(())? - i32::try_from(part.len()).map_err(|_| ())?;
        let value: i128 = all.parse().map_err(|_| ())?;
        let scaled = if value == 0 {
            0
        } else if shift >= 0 {
            let factor = 10_i128.checked_pow(shift.unsigned_abs()).ok_or(())?;
            value.checked_mul(factor).ok_or(())?
        } else {
            10_i128.checked_pow(shift.unsigned_abs()).map_or(0, |divisor| (value + divisor / 2) / divisor)
        };
        if scaled > LARGEST {
            return Err(());
        }
        Ok(Self(if negative { -scaled } else { scaled }))
    }
}

impl From<Decimal> for f64 {
    fn from(decimal: Decimal) -> Self {
        decimal.as_f64()
    }
}

impl TryFrom<f64> for Decimal {
    type Error = String;

    fn try_from(float: f64) -> Result<Self, String> {
        Self::from_f64(float).ok_or_else(|| format!("{float} is no score, price or time"))
    }
}

/// The value, plain.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rounded().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn a_mean_of_equal_scores_is_that_score() {
        for score in ["0.9", "0.85", "0.95", "0.1", "0.7"] {
            let threshold = Threshold::read(&score.into(), Some(crate::resource::Direction::Higher)).expect("a number");
            for count in 1..=1000 {
                let mean = Ratio::mean(&vec![decimal(score); count]).expect("some");
                assert!(mean.passes(&threshold), "{count} times {score}");
                assert_eq!(mean.to_string(), score);
            }
        }
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        for text in ["0", "0.9", "-0.000000000001", "12", "3000.5", "0.0000375"] {
            assert_eq!(decimal(text).to_string(), text);
            assert_eq!(Decimal::from_f64(decimal(text).as_f64()), Some(decimal(text)));
        }
        assert_eq!(decimal("-0.0"), Decimal::ZERO);
        assert_eq!(decimal("1e-13"), Decimal::ZERO);
        assert_eq!(decimal("1.5e3"), decimal("1500"));
        for bad in ["", ".", "-", "1e", "nan", "inf", "1e400", "0x1", "1 000"] {
            assert!(bad.parse::<Decimal>().is_err(), "{bad}");
        }
        assert_eq!(Decimal::from_f64(f64::NAN), None);
        assert_eq!(Decimal::from_f64(f64::INFINITY), None);
    }

    #[test]
    fn a_price_times_a_volume_is_exact_or_nothing() {
        for (price, volume, product) in [
            ("0.078", "300", "23.4"),
            ("0.000000000001", "0.5", "0"),
            ("123456789.987654321", "0.001", "123456.789987654321"),
            ("1e9", "1e6", "1000000000000000"),
            ("-2", "1.5", "-3"),
        ] {
            assert_eq!(decimal(price).by(decimal(volume)), Some(decimal(product)), "{price} {volume}");
            assert_eq!(decimal(volume).by(decimal(price)), Some(decimal(product)), "{volume} {price}");
        }
        assert_eq!(decimal("1e15").by(decimal("2")), None);
        assert_eq!(decimal("1e15").by(decimal("1e15")), None);
        assert_eq!(decimal("0.078").goes_into(decimal("25")), Some(320));
        assert_eq!(decimal("0.1").goes_into(decimal("0.05")), Some(0));
        assert_eq!(Decimal::ZERO.goes_into(decimal("25")), None);
    }

    #[test]
    fn a_token_costs_the_millionth_part() {
        assert_eq!(decimal("0.0375").per_million().times(2000).to_string(), "0.000075");
    }
}
