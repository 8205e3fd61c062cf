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

/// Why something is no threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclear {
    /// A bare number, and nobody knows which way the metric is better.
    Direction,
    /// Neither a number nor a comparison.
    Form,
}

impl Threshold {
    /// Reads `0.85`, `"<0.40"`, `">= 0.9"`. A bare number means at least or at most as `direction` has it.
    ///
    /// # Errors
    /// See [`Unclear`].
    pub fn read(value: &Value, direction: Option<Direction>) -> Result<Self, Unclear> {
        let bare = |value| {
            let operator = match direction.ok_or(Unclear::Direction)? {
                Direction::Higher => Operator::AtLeast,
                Direction::Lower => Operator::AtMost,
            };
            Ok(Self { operator, value })
        };
        match value {
            Value::Number(number) => bare(*number),
            Value::Text(text) => {
                let text = text.trim();
                match SIGNS.iter().find_map(|(sign, operator)| Some((operator, text.strip_prefix(sign)?))) {
                    Some((&operator, rest)) => Ok(Self { operator, value: number(rest).ok_or(Unclear::Form)? }),
                    None => bare(number(text).ok_or(Unclear::Form)?),
                }
            }
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => Err(Unclear::Form),
        }
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
        for bad in ["<nan", "<inf", "<1e400", "<", "", "< 5%", "<3000ms", "<<1", "=>1", "high"] {
            assert_eq!(told("task_success", bad), "Form", "{bad}");
        }
    }

    #[test]
    fn nan_never_passes() {
        for text in [">=0", "<=0", ">0", "<0", "==0"] {
            let threshold = Threshold::read(&text.into(), None).expect("a comparison");
            assert!(!threshold.holds(f64::NAN), "{text}");
        }
    }
}
