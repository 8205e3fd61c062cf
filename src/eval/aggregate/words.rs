//! How a value and its threshold are told, so that nobody reads `0.85 < 0.85`.

use std::cmp::Ordering;

use crate::eval::{Decimal, Ratio};
use crate::resource::{Operator, Threshold};

/// `task_success = 0.82 < 0.85`: what was measured, and how that breaks the threshold.
pub(super) fn broken(name: &str, value: Ratio, threshold: &Threshold) -> String {
    let is = match threshold.operator {
        Operator::AtLeast => "<",
        Operator::AtMost => ">",
        Operator::Above => "<=",
        Operator::Below => ">=",
        Operator::Exactly => "!=",
    };
    format!("{name} = {} {is} {}", told(value, threshold), threshold.value)
}

/// The value with as few digits as show on which side of the threshold it lies: four decimals, or more where needed.
pub(super) fn told(value: Ratio, threshold: &Threshold) -> String {
    let Some(bound) = Decimal::from_number(threshold.value) else { return value.to_string() };
    let side = value.compare(bound);
    let shown = (4..=12).map(|places| cut(value.rounded(), places)).find(|shown| shown.cmp(&bound) == side);
    match (shown, side) {
        (Some(shown), _) => shown.to_string(),
        // Only reached where twelve decimals do not tell the two apart.
        (None, Ordering::Less) => format!("just under {bound}"),
        (None, _) => format!("just over {bound}"),
    }
}

/// The value with at most four decimals, or more where it would read like what stands beside it: a threshold such as
/// `>= 0.85`, or another value.
#[must_use]
pub fn shown(value: Decimal, beside: &str) -> String {
    let number = beside.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '-');
    let Ok(bound) = number.parse::<Decimal>() else { return cut(value, 4).to_string() };
    let side = value.cmp(&bound);
    let shown = (4..=12).map(|places| cut(value, places)).find(|shown| shown.cmp(&bound) == side);
    shown.unwrap_or(value).to_string()
}

/// Rounded to so many decimals.
pub(super) fn cut(value: Decimal, places: u32) -> Decimal {
    let text = value.to_string();
    let Some((whole, part)) = text.split_once('.') else { return value };
    let places = places as usize;
    let Some(next) = part.as_bytes().get(places) else { return value };
    let kept: Decimal = format!("{whole}.{}", &part[..places]).trim_end_matches('.').parse().unwrap_or(value);
    if *next < b'5' {
        return kept;
    }
    let step: Decimal = format!("1e-{places}").parse().unwrap_or_default();
    if text.starts_with('-') { kept - step } else { kept + step }
}

/// A share in per cent, with at most two decimals.
pub(super) fn per_cent(part: u64, of: u64) -> String {
    let share = Decimal::fraction(part.saturating_mul(100), of).unwrap_or_default();
    format!("{} %", cut(share, 2))
}

/// A text of somebody else as one line of at most 200 characters.
pub(super) fn brief(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Value;

    fn words(value: &str, threshold: &str) -> String {
        let threshold = Threshold::read(&Value::from(threshold), None).expect("a threshold");
        broken("x", Ratio::of(value.parse().expect("a decimal")), &threshold)
    }

    #[test]
    fn a_value_never_reads_like_the_threshold_that_it_misses() {
        assert_eq!(words("0.82", ">=0.85"), "x = 0.82 < 0.85");
        assert_eq!(words("0.849999", ">=0.85"), "x = 0.849999 < 0.85");
        assert_eq!(words("0.40", "<0.4"), "x = 0.4 >= 0.4");
        assert_eq!(words("0.41", "<0.40"), "x = 0.41 >= 0.4");
        assert_eq!(words("0.000000000001", "<=0"), "x = 0.000000000001 > 0");
        assert_eq!(words("0.866666666667", ">=0.9"), "x = 0.8667 < 0.9");
        assert_eq!(words("3000.5", "<3000"), "x = 3000.5 >= 3000");
        assert_eq!(words("-0.00005", ">=0"), "x = -0.0001 < 0");
        let threshold = Threshold::read(&Value::from(">=0.5"), None).expect("a threshold");
        let sum = "1.499999999999".parse().expect("a decimal");
        let nearly = Ratio::new(sum, 3).expect("not 0");
        assert_eq!(broken("x", nearly, &threshold), "x = just under 0.5 < 0.5");
    }

    #[test]
    fn a_value_is_short_and_still_tells_its_side() {
        let told = |value: &str, beside: &str| shown(value.parse().expect("a decimal"), beside);
        assert_eq!(told("0.708333333333", ">= 0.85"), "0.7083");
        assert_eq!(told("0.849999999", ">= 0.85"), "0.849999999");
        assert_eq!(told("0.85", ">= 0.85"), "0.85");
        assert_eq!(told("0.333333333333", ""), "0.3333");
    }

    #[test]
    fn a_share_is_told_in_per_cent() {
        assert_eq!(per_cent(3, 50), "6 %");
        assert_eq!(per_cent(1, 3), "33.33 %");
        assert_eq!(per_cent(0, 0), "0 %");
    }
}
