//! A small drawing of a metric over the versions, with the same in words.

use crate::eval::Decimal;

use super::figures;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 28.0;
/// Kept free around the line, so that its end has room for a dot.
const MARGIN: f64 = 4.0;

/// The values, oldest first, as SVG; nothing for fewer than two.
pub(super) fn svg(values: &[Decimal]) -> String {
    let floats: Vec<f64> = values.iter().map(|value| value.as_f64()).filter(|value| value.is_finite()).collect();
    if floats.len() < 2 || floats.len() < values.len() {
        return String::new();
    }
    let (low, high) =
        floats.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
    let step = (WIDTH - 2.0 * MARGIN) / (floats.len() - 1) as f64;
    let place = |(at, value): (usize, &f64)| {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        (MARGIN + step * at as f64, HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN))
    };
    let points: Vec<(f64, f64)> = floats.iter().enumerate().map(place).collect();
    let line: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let (x, y) = points[points.len() - 1];
    format!(
        "<svg role=\"img\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\"><title>{}</title>\
         <polyline points=\"{}\"/><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"/></svg>",
        words(values),
        line.join(" ")
    )
}

/// `oldest first: 0.9, 0.92, 0.7`.
fn words(values: &[Decimal]) -> String {
    let told: Vec<_> = values.iter().map(|value| figures::number(*value, &[])).collect();
    format!("oldest first: {}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::sample::decimal;
    use super::*;

    #[test]
    fn a_trend_says_in_words_what_it_draws() {
        let svg = svg(&[decimal("0.9"), decimal("0.8"), decimal("1")]);
        assert!(svg.contains("<title>oldest first: 0.9, 0.8, 1</title>"), "{svg}");
        assert!(svg.contains("points=\"4.0,14.0 60.0,24.0 116.0,4.0\""), "{svg}");
    }

    #[test]
    fn one_value_is_no_trend_and_equal_ones_are_a_flat_line() {
        assert_eq!(svg(&[decimal("0.9")]), "");
        assert!(svg(&[Decimal::ONE, Decimal::ONE]).contains("4.0,14.0 116.0,14.0"));
    }
}
