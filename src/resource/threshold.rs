//! Thresholds: what a score must reach, and which way is better.
//!
//! One bare number means "at least" for a quality and "at most" for a leak. Which of the two is decided here,
//! by the metric, and never guessed: where nobody knows, the file must say it.

use std::fmt;

use super::value::{Number, Value};

/// What a score must be to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// How the score is compared.
    pub operator: Operator,
    /// What with.
    pub value: Number,
}

/// How a score is compared with a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `<`
    Below,
    /// `==`
    Exactly,
}

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// What is known of the numbers that a metric gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Which way is better.
    pub direction: Option<Direction>,
    /// What the numbers can be.
    pub range: Range,
    /// The units in which a threshold may be written.
    pub units: &'static [Unit],
}

/// What the numbers of a metric can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// From 0 to 1.
    Share,
    /// 0 or more.
    Positive,
    /// Any number.
    Any,
}

/// A unit that may follow the number of a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `%`: hundredths.
    Percent,
    /// `ms`
    Milliseconds,
    /// `s`
    Seconds,
    /// `usd`, `USD` or `$`
    UsDollars,
}

/// Why something is no threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclear {
    /// A bare number, and nobody knows which way the metric is better.
    Direction,
    /// Neither a number nor a comparison.
    Form,
    /// The metric is not measured in this unit.
    Unit(Unit),
    /// The metric never gives such a number.
    Range(Range),
    /// `min` is more than `max`.
    Crossed,
}

impl Threshold {
    /// Reads `0.85`, `"85%"`, `"<0.40"`, `">= 0.9"`. A bare number means at least or at most as `direction` has it.
    ///
    /// # Errors
    /// See [`Unclear`].
    pub fn read(value: &Value, direction: Option<Direction>) -> Result<Self, Unclear> {
        Self::read_one(value, &Scale { direction, ..Scale::UNKNOWN })
    }

    /// Reads what [`Threshold::read`] reads, or `{min: 100, max: 200}`: all that a metric of this scale must reach.
    ///
    /// # Errors
    /// See [`Unclear`].
    pub fn read_all(value: &Value, scale: &Scale) -> Result<Vec<Self>, Unclear> {
        let Value::Map(map) = value else { return Ok(vec![Self::read_one(value, scale)?]) };
        let mut bounds = Vec::new();
        for (key, bound) in map {
            let direction = match key.as_str() {
                "min" => Direction::Higher,
                "max" => Direction::Lower,
                _ => return Err(Unclear::Form),
            };
            let read = Self::read_one(bound, &Scale { direction: Some(direction), ..*scale })?;
            if bound.as_text().is_some_and(|text| split_sign(text).0.is_some()) {
                return Err(Unclear::Form);
            }
            bounds.push((key, read));
        }
        // `max` comes first in the map, and `min` is read first by people.
        bounds.reverse();
        let bounds: Vec<Self> = bounds.into_iter().map(|(_, bound)| bound).collect();
        match bounds.as_slice() {
            [] => Err(Unclear::Form),
            [min, max] if min.value.as_f64() > max.value.as_f64() => Err(Unclear::Crossed),
            _ => Ok(bounds),
        }
    }

    fn read_one(value: &Value, scale: &Scale) -> Result<Self, Unclear> {
        let (sign, value) = match value {
            Value::Number(number) => (None, *number),
            Value::Text(text) => {
                let (sign, rest) = split_sign(text);
                let (digits, unit) = split_unit(rest);
                let value = match unit {
                    Some(Unit::Percent) => hundredths(digits),
                    _ => number(digits),
                };
                let value = value.ok_or(Unclear::Form)?;
                if let Some(unit) = unit.filter(|unit| !scale.units.contains(unit)) {
                    return Err(Unclear::Unit(unit));
                }
                (sign, value)
            }
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => return Err(Unclear::Form),
        };
        let operator = match (sign, scale.direction) {
            (Some(operator), _) => operator,
            (None, Some(Direction::Higher)) => Operator::AtLeast,
            (None, Some(Direction::Lower)) => Operator::AtMost,
            (None, None) => return Err(Unclear::Direction),
        };
        if !scale.range.holds(value) {
            return Err(Unclear::Range(scale.range));
        }
        Ok(Self { operator, value })
    }

    /// Whether `score` passes. NaN never does.
    #[must_use]
    pub fn holds(&self, score: f64) -> bool {
        let value = self.value.as_f64();
        match self.operator {
            Operator::AtLeast => score >= value,
            Operator::AtMost => score <= value,
            Operator::Above => score > value,
            Operator::Below => score < value,
            #[expect(clippy::float_cmp, reason = "`== 1` asks for exactly that")]
            Operator::Exactly => score == value,
        }
    }

    /// Which way the comparison takes for better; `None` for `==`.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        match self.operator {
            Operator::AtLeast | Operator::Above => Some(Direction::Higher),
            Operator::AtMost | Operator::Below => Some(Direction::Lower),
            Operator::Exactly => None,
        }
    }
}

/// `>= 0.85`; write the metric's name before it.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator, self.value)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::Below => "<",
            Self::Exactly => "==",
        })
    }
}

impl Scale {
    /// Of a metric of which nothing is known.
    pub const UNKNOWN: Self = Self { direction: None, range: Range::Any, units: &[Unit::Percent] };
}

impl Range {
    fn holds(self, number: Number) -> bool {
        let number = number.as_f64();
        match self {
            Self::Share => (0.0..=1.0).contains(&number),
            Self::Positive => number >= 0.0,
            Self::Any => true,
        }
    }
}

/// As in a sentence: `a share from 0 to 1`.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Share => "a share from 0 to 1",
            Self::Positive => "a number from 0",
            Self::Any => "a number",
        })
    }
}

/// As it is written: `ms`.
impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Percent => "%",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::UsDollars => "usd",
        })
    }
}

impl Direction {
    /// The direction written `higher` or `lower` in a file.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "higher" => Some(Self::Higher),
            "lower" => Some(Self::Lower),
            _ => None,
        }
    }

    /// The direction that the name of a metric tells, if it tells one.
    ///
    /// `pii_leakage`, `cost_per_case` and `error_rate` are better lower, `task_success` and `f1` higher. A
    /// name that says both (`error_detection_accuracy`), or turns its word around, tells nothing.
    #[must_use]
    pub fn of_metric(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let has = |table: &[&str]| words.iter().any(|word| table.contains(word));
        match (has(LOWER), has(HIGHER), has(TURNING)) {
            (true, false, false) => Some(Self::Lower),
            (false, true, false) => Some(Self::Higher),
            _ => None,
        }
    }
}

/// How comparisons are written; the longer signs first.
const SIGNS: [(&str, Operator); 6] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Exactly),
    (">", Operator::Above),
    ("<", Operator::Below),
    ("=", Operator::Exactly),
];

/// How units are written; the longer ones first.
const UNITS: [(&str, Unit); 6] = [
    ("usd", Unit::UsDollars),
    ("USD", Unit::UsDollars),
    ("ms", Unit::Milliseconds),
    ("s", Unit::Seconds),
    ("%", Unit::Percent),
    ("$", Unit::UsDollars),
];

/// Words of metrics that are better lower.
const LOWER: &[&str] = &[
    "leakage",
    "leak",
    "leaks",
    "cost",
    "costs",
    "usd",
    "latency",
    "duration",
    "ms",
    "seconds",
    "error",
    "errors",
    "failure",
    "failures",
    "tokens",
    "toxicity",
    "bias",
    "hallucination",
    "hallucinations",
    "violation",
    "violations",
    "regressions",
    "retries",
    "timeouts",
    "crashes",
];

/// Words of metrics that are better higher.
const HIGHER: &[&str] = &[
    "success",
    "accuracy",
    "consistency",
    "correctness",
    "precision",
    "recall",
    "f1",
    "faithfulness",
    "groundedness",
    "helpfulness",
    "relevance",
    "relevancy",
    "completeness",
    "coherence",
    "fluency",
    "satisfaction",
    "csat",
    "similarity",
    "quality",
    "adherence",
    "compliance",
    "validity",
    "coverage",
    "pass",
    "resolution",
    "match",
    "bleu",
    "rouge",
];

/// Words that turn the one next to them around.
const TURNING: &[&str] = &["no", "non", "not", "free", "without", "detection", "avoidance", "prevention", "un"];

/// The comparison that a text begins with, and the rest.
fn split_sign(text: &str) -> (Option<Operator>, &str) {
    let text = text.trim();
    match SIGNS.iter().find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?))) {
        Some((operator, rest)) => (Some(operator), rest),
        None => (None, text),
    }
}

/// The unit that a text ends with, and what stands before it.
fn split_unit(text: &str) -> (&str, Option<Unit>) {
    match UNITS.iter().find_map(|(word, unit)| Some((text.strip_suffix(word)?, *unit))) {
        Some((digits, unit)) => (digits, Some(unit)),
        None => (text, None),
    }
}

/// The hundredth part of a number written without an exponent, exactly as written: `99.9` is 0.999.
fn hundredths(text: &str) -> Option<Number> {
    let text = text.trim();
    number(text)?;
    number(&format!("{text}e-2")).filter(|_| !text.contains(['e', 'E']))
}

/// The finite number that `text` writes in digits.
fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    let written = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    if !written || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().map(Number::Whole).or_else(|| Number::from_f64(text.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::value::Map;
    use super::*;

    fn told(metric: &str, value: impl Into<Value>) -> String {
        match Threshold::read(&value.into(), Direction::of_metric(metric)) {
            Ok(threshold) => format!("{metric} {threshold}"),
            Err(unclear) => format!("{unclear:?}"),
        }
    }

    #[test]
    fn a_bare_number_takes_the_direction_of_its_metric() {
        let fraction = |float| Value::Number(Number::from_f64(float).expect("finite"));
        assert_eq!(told("task_success", fraction(0.85)), "task_success >= 0.85");
        assert_eq!(told("pii_leakage", fraction(0.0)), "pii_leakage <= 0");
        assert_eq!(told("latency_p95_ms", 3000), "latency_p95_ms <= 3000");
        assert_eq!(told("sparkle", 1), "Direction");
        assert_eq!(told("error_detection_accuracy", 1), "Direction");
        assert_eq!(told("toxicity-free", 1), "Direction");
    }

    #[test]
    fn a_comparison_says_itself_what_it_means() {
        assert_eq!(told("cost_per_case", "<0.40"), "cost_per_case < 0.4");
        assert_eq!(told("sparkle", ">= 0.9"), "sparkle >= 0.9");
        assert_eq!(told("sparkle", "== 1"), "sparkle == 1");
        assert_eq!(told("task_success", "0.85"), "task_success >= 0.85");
        for bad in
            ["<nan", "<inf", "<1e400", "<", "", "=<1", "~1", "< 3 000", "1_000", "<<1", "=>1", "high", "%", "1e1%"]
        {
            assert_eq!(told("task_success", bad), "Form", "{bad}");
        }
        for bad in [Value::Bool(true), Value::Null, Value::List(vec![1.into()]), Value::Map(Map::new())] {
            assert_eq!(told("task_success", bad.clone()), "Form", "{bad:?}");
        }
    }

    #[test]
    fn a_unit_must_suit_the_metric() {
        assert_eq!(told("task_success", "85%"), "task_success >= 0.85");
        assert_eq!(told("task_success", ">= 99.9 %"), "task_success >= 0.999");
        assert_eq!(told("latency_p95_ms", "<3s"), "Unit(Seconds)");
        assert_eq!(told("task_success", "<3000ms"), "Unit(Milliseconds)");
        let millis = Scale { direction: None, range: Range::Positive, units: &[Unit::Milliseconds] };
        let read = |text: &str| Threshold::read_all(&text.into(), &millis).map(|all| all[0].to_string());
        assert_eq!(read("< 3000 ms"), Ok("< 3000".into()));
        assert_eq!(read("<3s"), Err(Unclear::Unit(Unit::Seconds)));
        assert_eq!(read("<5%"), Err(Unclear::Unit(Unit::Percent)));
        assert_eq!(read("<-1ms"), Err(Unclear::Range(Range::Positive)));
    }

    #[test]
    fn a_share_is_never_above_one_or_below_zero() {
        let share = Scale { direction: Some(Direction::Higher), range: Range::Share, units: &[Unit::Percent] };
        for bad in ["85", "-0.1", ">= 1.01", "850%"] {
            assert_eq!(Threshold::read_all(&bad.into(), &share), Err(Unclear::Range(Range::Share)), "{bad}");
        }
        for good in ["0", "1", "-0.0", "100%", "<= 0.0"] {
            assert!(Threshold::read_all(&good.into(), &share).is_ok(), "{good}");
        }
    }

    #[test]
    fn two_bounds_are_two_thresholds() {
        let of = |entries: &[(&str, &str)]| {
            let map: Map = entries.iter().map(|(key, bound)| ((*key).to_owned(), (*bound).into())).collect();
            let all = Threshold::read_all(&map.into(), &Scale::UNKNOWN)?;
            Ok(all.iter().map(Threshold::to_string).collect::<Vec<_>>().join(" and "))
        };
        assert_eq!(of(&[("min", "100"), ("max", "200")]), Ok(">= 100 and <= 200".into()));
        assert_eq!(of(&[("max", "200")]), Ok("<= 200".into()));
        assert_eq!(of(&[("min", "200"), ("max", "100")]), Err(Unclear::Crossed));
        assert_eq!(of(&[("minimum", "1")]), Err(Unclear::Form));
        assert_eq!(of(&[("min", "<1")]), Err(Unclear::Form));
        assert_eq!(of(&[]), Err(Unclear::Form));
    }

    #[test]
    fn nan_never_passes() {
        for text in [">=0", "<=0", ">0", "<0", "==0"] {
            let threshold = Threshold::read(&text.into(), None).expect("a comparison");
            assert!(!threshold.holds(f64::NAN), "{text}");
        }
    }
}
