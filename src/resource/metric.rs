//! Metrics: how each is measured, as its entry in an Eval says, and which way it is better. Validation and runs both
//! ask here, so that they never differ.

use std::borrow::Cow;

use super::name::nearest;
use super::threshold::{Direction, Range, Scale, Unit};
use super::value::Value;

/// How a metric is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// A model judges.
    Judge,
    /// The run observes it; with the percentile that its name tells, from 1 to 99.
    Quantity(Quantity, Option<u8>),
    /// It is computed from case and answer.
    Check(Check),
    /// A program says it.
    Program,
}

/// What a run observes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// US dollars.
    Cost,
    /// Milliseconds.
    Latency,
    /// Tokens read.
    InputTokens,
    /// Tokens written.
    OutputTokens,
    /// Both.
    Tokens,
    /// Cases without an answer.
    Errors,
    /// Tools called.
    ToolCalls,
}

/// What is computed from case and answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Whether the answer is the expected one.
    Exact,
    /// Whether it holds texts.
    Contains,
    /// Whether it matches a pattern.
    Regex,
    /// Whether a schema accepts it.
    JsonSchema,
    /// Whether a path finds something in it.
    JsonPath,
    /// Whether the expected tools were called.
    ToolTrajectory,
    /// Whether it holds personal data.
    PiiLeakage,
    /// Whether it holds credentials.
    SecretLeakage,
}

/// A metric that nobody can compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The field of the metric that says what nobody knows.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// What there is.
    pub help: String,
}

impl Measured {
    /// How a metric is measured, by its `type`, and then by `measure`, `check` or its name.
    ///
    /// # Errors
    /// Nobody can compute it.
    pub fn of(metric: &Value) -> Result<Self, Unknown> {
        let text = |key: &str| metric.get(key).and_then(Value::as_text);
        let name = text("name").unwrap_or_default();
        let stands = |key: &str| metric.get(key).is_some_and(|value| *value != Value::Null);
        match text("type") {
            Some("llm_judge") => Ok(Self::Judge),
            Some("exec") => Ok(Self::Program),
            Some("numeric") => quantity(metric, name),
            Some("deterministic") => check(metric, name),
            Some(other) => Err(Unknown {
                key: "type",
                message: format!("the metric `{name}` has the type `{other}`, which joch does not know"),
                help: "write one of `llm_judge`, `numeric`, `deterministic` and `exec`".into(),
            }),
            None if stands("measure") => quantity(metric, name),
            None if stands("check") => check(metric, name),
            None if stands("command") => Ok(Self::Program),
            None if ["judgeModelRef", "judges", "criteria", "rubric"].into_iter().any(stands) => Ok(Self::Judge),
            None if JUDGED.contains(&name) => Ok(Self::Judge),
            None => quantity(metric, name).or_else(|_| check(metric, name)).map_err(|_| Unknown {
                key: "name",
                message: format!("nobody can compute the metric `{name}`, for it has no `type`"),
                help: "write `type: llm_judge`, `numeric`, `deterministic` or `exec`".into(),
            }),
        }
    }

    /// Which way is better for whatever is measured so, if that is always the same.
    #[must_use]
    pub fn direction(self) -> Option<Direction> {
        match self {
            Self::Judge => Some(Direction::Higher),
            Self::Quantity(Quantity::ToolCalls, _) | Self::Program => None,
            Self::Quantity(..) | Self::Check(Check::PiiLeakage | Check::SecretLeakage) => Some(Direction::Lower),
            Self::Check(_) => Some(Direction::Higher),
        }
    }

    /// What its numbers can be.
    #[must_use]
    pub fn range(self) -> Range {
        match self {
            Self::Judge | Self::Check(_) | Self::Quantity(Quantity::Errors, _) => Range::Share,
            Self::Quantity(..) => Range::Positive,
            Self::Program => Range::Any,
        }
    }

    fn units(self) -> &'static [Unit] {
        match self {
            Self::Judge | Self::Check(_) | Self::Quantity(Quantity::Errors, _) | Self::Program => &[Unit::Percent],
            Self::Quantity(Quantity::Cost, _) => &[Unit::UsDollars],
            Self::Quantity(Quantity::Latency, _) => &[Unit::Milliseconds],
            Self::Quantity(..) => &[],
        }
    }
}

/// How the scores of all cases become one, as a file writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// `mean`
    Mean,
    /// `median`
    Median,
    /// `min`
    Min,
    /// `max`
    Max,
    /// `p1` to `p99`
    Percentile(u8),
    /// `pass@3`, or `pass@k` with the number elsewhere.
    PassAt(Option<u32>),
    /// `pass^3`, or `pass^k` with the number elsewhere.
    PassAll(Option<u32>),
}

impl Statistic {
    /// The words that [`Statistic::read`] reads, for messages.
    pub const WORDS: &'static str = "`mean`, `median`, `min`, `max`, `p95` (`p1` to `p99`), `pass@3` and `pass^3`";
    /// The same as a regular expression.
    pub const PATTERN: &'static str = "^(mean|median|min|max|p[1-9][0-9]?|pass[@^](k|[1-9][0-9]{0,2}))$";

    /// Reads one.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        let digits = |text: &str, longest: usize| {
            let is_number = text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u32>().ok().filter(|number| is_number && *number > 0 && !text.starts_with('0'))
        };
        let count = |text: &str| if text == "k" { Some(None) } else { digits(text, 3).map(Some) };
        Some(match word {
            "mean" => Self::Mean,
            "median" => Self::Median,
            "min" => Self::Min,
            "max" => Self::Max,
            _ => {
                if let Some(k) = word.strip_prefix("pass@") {
                    Self::PassAt(count(k)?)
                } else if let Some(k) = word.strip_prefix("pass^") {
                    Self::PassAll(count(k)?)
                } else {
                    Self::Percentile(u8::try_from(digits(word.strip_prefix('p')?, 2)?).ok()?)
                }
            }
        })
    }
}

/// The parameters of checks, by their keys.
pub const PARAMETERS: [&str; 12] = [
    "strict",
    "texts",
    "none",
    "pattern",
    "schema",
    "path",
    "equals",
    "order",
    "arguments",
    "allow",
    "countEchoed",
    "regions",
];

/// Which way the metric of this name is better: as `direction` says, else as its name and the way in which it is
/// measured tell, where they agree.
///
/// A name can mislead: of a judge, `1` means that everything it looks for is met, whatever the metric is called.
#[must_use]
pub fn direction(name: &str, metrics: &[Value]) -> Option<Direction> {
    let metric = find(name, metrics);
    let said = metric.and_then(|metric| metric.get("direction")).and_then(Value::as_text);
    if let Some(said) = said.and_then(Direction::from_word) {
        return Some(said);
    }
    let measured = metric.and_then(|metric| Measured::of(metric).ok()).and_then(Measured::direction);
    match (Direction::of_metric(name), measured) {
        (Some(told), Some(known)) => (told == known).then_some(known),
        (told, known) => told.or(known),
    }
}

/// What is known of the numbers that the metric of this name gives.
#[must_use]
pub fn scale(name: &str, metrics: &[Value]) -> Scale {
    let direction = direction(name, metrics);
    match find(name, metrics).and_then(|metric| Measured::of(metric).ok()) {
        Some(measured) => Scale { direction, range: measured.range(), units: measured.units() },
        None => Scale { direction, ..Scale::UNKNOWN },
    }
}

/// Metrics whose criteria joch knows.
const JUDGED: [&str; 2] = ["task_success", "tone_consistency"];

/// Quantities by name. Latency also has percentiles.
const QUANTITIES: [(&str, Quantity); 11] = [
    ("cost_per_case", Quantity::Cost),
    ("latency_ms", Quantity::Latency),
    ("tokens_per_case", Quantity::Tokens),
    ("input_tokens_per_case", Quantity::InputTokens),
    ("output_tokens_per_case", Quantity::OutputTokens),
    ("tool_calls_per_case", Quantity::ToolCalls),
    ("error_rate", Quantity::Errors),
    ("tokens", Quantity::Tokens),
    ("input_tokens", Quantity::InputTokens),
    ("output_tokens", Quantity::OutputTokens),
    ("tool_calls", Quantity::ToolCalls),
];

/// Checks by name.
const CHECKS: [(&str, Check); 8] = [
    ("exact", Check::Exact),
    ("contains", Check::Contains),
    ("regex", Check::Regex),
    ("json_schema", Check::JsonSchema),
    ("json_path", Check::JsonPath),
    ("tool_trajectory", Check::ToolTrajectory),
    ("pii_leakage", Check::PiiLeakage),
    ("secret_leakage", Check::SecretLeakage),
];

fn find<'m>(name: &str, metrics: &'m [Value]) -> Option<&'m Value> {
    metrics.iter().find(|metric| metric.get("name").and_then(Value::as_text) == Some(name))
}

/// The field that names what is computed, and what stands in it: `by` if it is there, else the name.
fn named<'m>(metric: &'m Value, by: &'static str, name: &'m str) -> (&'static str, Cow<'m, str>) {
    match metric.get(by) {
        Some(Value::Text(text)) => (by, text.into()),
        Some(Value::Null) | None => ("name", name.into()),
        Some(other) => (by, other.type_name().into()),
    }
}

fn quantity(metric: &Value, name: &str) -> Result<Measured, Unknown> {
    let (key, word) = named(metric, "measure", name);
    if let Some((_, quantity)) = QUANTITIES.iter().find(|(known, _)| *known == word) {
        return Ok(Measured::Quantity(*quantity, None));
    }
    let message = format!("nobody can compute the metric `{name}`: joch observes no `{word}`");
    let help = match percentile(&word) {
        Some(Ok(percent)) => return Ok(Measured::Quantity(Quantity::Latency, Some(percent))),
        Some(Err(help)) => help,
        None => match nearest(&word, QUANTITIES.iter().map(|(known, _)| *known).chain(["latency_p95_ms"])) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                let known: Vec<String> = QUANTITIES[..7].iter().map(|(known, _)| format!("`{known}`")).collect();
                let field = if key == "name" { "add `measure:` with" } else { "write" };
                format!(
                    "{field} one of {} and `latency_p95_ms`, or any percentile from `p1` to `p99`",
                    known.join(", ")
                )
            }
        },
    };
    Err(Unknown { key, message, help })
}

/// The percentile of a latency, or how to write it; `None` for another word.
fn percentile(word: &str) -> Option<Result<u8, String>> {
    let rest = word.strip_prefix("latency_p")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let percent: Option<u8> = digits.parse().ok().filter(|percent| (1..=99).contains(percent));
    Some(match (percent, &rest[digits.len()..]) {
        (Some(percent), "_ms") if !digits.starts_with('0') => Ok(percent),
        (Some(percent), "_s" | "_sec" | "_seconds") => {
            Err(format!("latency is in milliseconds: write `latency_p{percent}_ms`, and its threshold times 1000"))
        }
        (Some(percent), "") => Err(format!("say the unit: write `latency_p{percent}_ms`")),
        _ => Err("percentiles go from `latency_p1_ms` to `latency_p99_ms`".into()),
    })
}

fn check(metric: &Value, name: &str) -> Result<Measured, Unknown> {
    let (key, word) = named(metric, "check", name);
    if let Some((_, check)) = CHECKS.iter().find(|(known, _)| *known == word) {
        return Ok(Measured::Check(*check));
    }
    let help = match nearest(&word, CHECKS.iter().map(|(known, _)| *known)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let known: Vec<String> = CHECKS.iter().map(|(known, _)| format!("`{known}`")).collect();
            let field = if key == "name" { "add `check:` with" } else { "write" };
            format!("{field} one of {}; or `type: exec` and a `command` of your own", known.join(", "))
        }
    };
    Err(Unknown { key, message: format!("nobody can compute the metric `{name}`: joch has no check `{word}`"), help })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(json: &str) -> Value {
        serde_json::from_str(json).expect("JSON")
    }

    fn told(json: &str) -> String {
        match Measured::of(&metric(json)) {
            Ok(measured) => format!("{measured:?}"),
            Err(unknown) => format!("{}: {}", unknown.key, unknown.help),
        }
    }

    #[test]
    fn a_percentile_is_read_from_the_name_of_any_latency() {
        let of = |name: &str| told(&format!(r#"{{"name": "{name}", "type": "numeric"}}"#));
        assert_eq!(of("latency_p95_ms"), "Quantity(Latency, Some(95))");
        assert_eq!(of("latency_p1_ms"), "Quantity(Latency, Some(1))");
        assert_eq!(of("latency_ms"), "Quantity(Latency, None)");
        assert!(of("latency_p95_s").contains("write `latency_p95_ms`, and its threshold times 1000"));
        assert!(of("latency_p95").contains("say the unit"));
        for bad in ["latency_p0_ms", "latency_p100_ms", "latency_p999_ms", "latency_p05_ms", "latency_px_ms"] {
            assert!(of(bad).contains("`latency_p99_ms`"), "{bad}: {}", of(bad));
        }
    }

    #[test]
    fn a_metric_that_nobody_can_compute_lists_what_there_is() {
        assert!(told(r#"{"name": "shine", "type": "numeric"}"#).contains("`cost_per_case`, `latency_ms`"));
        assert!(told(r#"{"name": "shine", "type": "deterministic"}"#).contains("`exact`, `contains`, `regex`"));
        assert_eq!(told(r#"{"name": "pii_leak", "type": "deterministic"}"#), "name: did you mean `pii_leakage`?");
        assert_eq!(told(r#"{"name": "x", "check": "regexp"}"#), "check: did you mean `regex`?");
        assert!(told(r#"{"name": "shine"}"#).contains("type: llm_judge"));
    }

    #[test]
    fn a_metric_may_have_a_name_of_its_own() {
        assert_eq!(told(r#"{"name": "p", "type": "numeric", "measure": "cost_per_case"}"#), "Quantity(Cost, None)");
        assert_eq!(told(r#"{"name": "greets", "type": "deterministic", "check": "regex"}"#), "Check(Regex)");
        assert_eq!(told(r#"{"name": "bleu", "type": "exec"}"#), "Program");
        assert_eq!(told(r#"{"name": "pii_leakage"}"#), "Check(PiiLeakage)");
    }

    #[test]
    fn a_direction_comes_from_the_file_or_from_a_name_that_its_type_does_not_contradict() {
        let of = |name: &str, rest: &str| direction(name, &[metric(&format!(r#"{{"name": "{name}"{rest}}}"#))]);
        let (higher, lower) = (Some(Direction::Higher), Some(Direction::Lower));
        assert_eq!(of("sparkle", r#", "type": "llm_judge""#), higher);
        assert_eq!(of("pii_leakage", r#", "type": "deterministic""#), lower);
        assert_eq!(of("price", r#", "measure": "cost_per_case""#), lower);
        assert_eq!(of("greets", r#", "check": "regex""#), higher);
        assert_eq!(of("sparkle", r#", "type": "exec""#), None);
        assert_eq!(of("tool_calls_per_case", r#", "type": "numeric""#), None);
        // 1 of a judge and of a check means that all is well, so these names mislead.
        assert_eq!(of("hallucination", r#", "type": "llm_judge""#), None);
        assert_eq!(of("format_errors", r#", "check": "regex""#), None);
        assert_eq!(of("hallucination", r#", "type": "llm_judge", "direction": "lower""#), lower);
    }
}
