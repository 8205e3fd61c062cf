//! Answers that are JSON. JSON is what a JSON parser takes: white space may stand around it, a fence or a sentence not,
//! for whatever reads such an answer would stumble over it too.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::eval::JsonPath;

/// How large a compiled pattern of a schema may be, in bytes.
const PATTERN_SIZE: usize = 2 << 20;

/// The answer as JSON; `None` where it is none.
pub(super) fn read(answer: &str) -> Option<Value> {
    serde_json::from_str(answer).ok()
}

/// Compiles a schema. It stands alone: nothing is fetched. A `format` counts, and one that is not known is an error.
///
/// # Errors
/// What is no schema, and where.
pub(super) fn schema(schema: &Value) -> Result<Validator, String> {
    if !schema.is_object() {
        return Err("a JSON Schema is an object; `true` would accept every answer".to_owned());
    }
    jsonschema::options()
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_SIZE))
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .build(schema)
        .map_err(|why| format!("it is no JSON Schema: {why}, at `{}`", why.instance_path()))
}

/// Whether the path finds what is equal, anything where nothing is given. Where it finds several values, what is equal
/// to them is a list of all.
pub(super) fn found(path: &JsonPath, value: &Value, equals: Option<&Value>) -> bool {
    let found = path.find(value);
    let Some(equals) = equals else { return !found.is_empty() };
    let one = matches!(found.as_slice(), [one] if equal(one, equals));
    let all = |list: &Vec<Value>| {
        !list.is_empty() && list.len() == found.len() && list.iter().zip(&found).all(|(one, other)| equal(one, other))
    };
    one || equals.as_array().is_some_and(all)
}

/// Whether two values say the same: 1 is 1.0, the order of keys is nothing, that of a list counts.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let whole = |number: &serde_json::Number| {
                number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
            };
            match (whole(one), whole(other)) {
                (Some(one), Some(other)) => one == other,
                (None, None) => one.as_f64() == other.as_f64(),
                (Some(whole), None) => is_whole(other.as_f64(), whole),
                (None, Some(whole)) => is_whole(one.as_f64(), whole),
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => one == other,
    }
}

/// Whether a float is exactly this whole number.
fn is_whole(float: Option<f64>, whole: i128) -> bool {
    float.is_some_and(|float| float.fract() == 0.0 && float.abs() < 1e30 && float as i128 == whole)
}
