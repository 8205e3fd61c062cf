//! Whether an answer is the expected text, or holds it.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::eval::Case;

use super::json;

const NOTHING_EXPECTED: &str = "the case has no `expected`";

/// Whether the answer is the expected one, or one of a list. Texts are compared as texts, anything else as JSON.
///
/// # Errors
/// Why that cannot be told.
pub(super) fn is_expected(case: &Case, answer: &str, strict: bool) -> Result<bool, &'static str> {
    let is = |expected: &Value| match expected {
        Value::String(text) => same(text, answer, strict),
        other => {
            json::read(answer).is_some_and(|value| json::equal(&value, other))
                || !strict && !other.is_array() && !other.is_object() && same(&other.to_string(), answer, false)
        }
    };
    match expected(case)? {
        Value::Array(accepted) => Ok(is(expected(case)?) || accepted.iter().any(is)),
        one => Ok(is(one)),
    }
}

/// Whether the answer holds all of `texts`, or the expected text (of a list: one of them) where there are none; with
/// `none`, whether it holds none of them.
///
/// # Errors
/// Why that cannot be told.
pub(super) fn contains(
    case: &Case,
    answer: &str,
    texts: &[String],
    strict: bool,
    none: bool,
) -> Result<bool, &'static str> {
    let answer = folded(answer, strict);
    let holds = |text: &str| answer.contains(&folded(text, strict));
    if !texts.is_empty() {
        return Ok(if none { !texts.iter().any(|text| holds(text)) } else { texts.iter().all(|text| holds(text)) });
    }
    let accepted = match expected(case)? {
        Value::Array(accepted) => accepted.iter().map(word).collect::<Result<Vec<_>, _>>()?,
        one => vec![word(one)?],
    };
    if accepted.is_empty() {
        return Err("`expected` is an empty list");
    }
    Ok(accepted.iter().any(|text| holds(text)) != none)
}

fn expected(case: &Case) -> Result<&Value, &'static str> {
    case.expected.as_ref().filter(|expected| !expected.is_null()).ok_or(NOTHING_EXPECTED)
}

/// What to look for of an expected value.
fn word(expected: &Value) -> Result<String, &'static str> {
    match expected {
        Value::String(text) if text.trim().is_empty() => Err("`expected` is empty, and so in every answer"),
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(expected.to_string()),
        _ => Err("`expected` is no text to look for"),
    }
}

fn same(one: &str, other: &str, strict: bool) -> bool {
    let plain = |text: &str| folded(if strict { text } else { text.trim() }, strict);
    plain(one) == plain(other)
}

/// A text as it is compared: composed (NFC), and unless `strict` without capitals.
fn folded(text: &str, strict: bool) -> String {
    if strict {
        return text.nfc().collect();
    }
    // By way of capitals, which makes `ß` and `ss`, and both lower sigmas, the same.
    let capitals: String = text.nfc().flat_map(char::to_uppercase).collect();
    capitals.to_lowercase().nfc().collect()
}
