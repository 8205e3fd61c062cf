//! The tree under every resource, free of any text format. YAML and JSON are read into it and written
//! from it, so that validation, digest and diff all look at one thing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};

/// A map of a resource, its keys in bytewise order.
pub type Map = BTreeMap<String, Value>;

/// One node of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`, `~`, or nothing at all after a key.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// Text, in any of the styles a format may write it.
    Text(String),
    /// A sequence; order counts.
    List(Vec<Self>),
    /// A mapping; order does not count.
    Map(Map),
}

/// A finite number with one representation for each value: `1` and `1.0` are the same number.
#[derive(Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Whole(i128),
    /// Any other number; never whole within ±2⁵³, never NaN, never infinite.
    Fraction(f64),
}

/// Whole numbers up to here are exact in a binary64, so a float that is one of them is that integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// The number nearest to `float`, or `None` if it is not finite.
    #[must_use]
    pub fn from_f64(float: f64) -> Option<Self> {
        if !float.is_finite() {
            return None;
        }
        if float.fract() == 0.0 && float.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within ±2⁵³")]
            return Some(Self::Whole(float as i128));
        }
        Some(Self::Fraction(float))
    }

    /// As a binary64; whole numbers beyond ±2⁵³ lose their last digits.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "documented")]
            Self::Whole(whole) => whole as f64,
            Self::Fraction(float) => float,
        }
    }
}

// A fraction is never NaN, so equality is reflexive.
impl Eq for Number {}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As canonical YAML and JSON both read it: `12`, `0.5`, `1.0e+22`.
///
/// A YAML 1.1 reader takes `1e22` for text, so an exponent always comes with a dot and a sign.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(whole) => write!(f, "{whole}"),
            Self::Fraction(float) => {
                let shortest = format!("{float:?}");
                let Some((mantissa, exponent)) = shortest.split_once('e') else {
                    return f.write_str(&shortest);
                };
                let dot = if mantissa.contains('.') { "" } else { ".0" };
                let sign = if exponent.starts_with('-') { "" } else { "+" };
                write!(f, "{mantissa}{dot}e{sign}{exponent}")
            }
        }
    }
}

impl Value {
    /// The value at a path of map keys, such as `["spec", "model", "name"]`.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The value under `key`, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// The text, if this is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is one.
    #[must_use]
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if this is a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// A word for the type, for messages: `text`, `a list`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// One text for a field that takes one or many: the items of a list of texts, or the text itself.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::List(items) => items.iter().filter_map(Self::as_text).collect(),
            _ => Vec::new(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<i64> for Value {
    fn from(whole: i64) -> Self {
        Self::Number(Number::Whole(whole.into()))
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::Number(Number::Whole(whole)) => match i64::try_from(*whole) {
                Ok(whole) => serializer.serialize_i64(whole),
                Err(_) => serializer.serialize_i128(*whole),
            },
            Self::Number(Number::Fraction(float)) => serializer.serialize_f64(*float),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

/// Whatever JSON can say.
impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::default()
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Stored records carry values as JSON; a number that JSON cannot hold exactly is refused.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(serde_json::Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl TryFrom<serde_json::Value> for Value {
    type Error = String;

    fn try_from(json: serde_json::Value) -> Result<Self, String> {
        Ok(match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(bool) => Self::Bool(bool),
            serde_json::Value::Number(number) => Self::Number(number_from_json(&number)?),
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Array(items) => {
                Self::List(items.into_iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            serde_json::Value::Object(entries) => Self::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| Ok((key, Self::try_from(value)?)))
                    .collect::<Result<_, String>>()?,
            ),
        })
    }
}

fn number_from_json(number: &serde_json::Number) -> Result<Number, String> {
    if let Some(whole) = number.as_i64() {
        return Ok(Number::Whole(whole.into()));
    }
    if let Some(whole) = number.as_u64() {
        return Ok(Number::Whole(whole.into()));
    }
    number.as_f64().and_then(Number::from_f64).ok_or_else(|| format!("`{number}` is not a finite number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_one_point_zero_are_one_value() {
        assert_eq!(Number::from_f64(1.0), Some(Number::Whole(1)));
        assert_eq!(Number::from_f64(-0.0), Some(Number::Whole(0)));
        assert_eq!(Number::from_f64(f64::NAN), None);
    }

    #[test]
    fn every_reader_takes_a_written_number_for_a_number() {
        let written = |float| Number::from_f64(float).expect("finite").to_string();
        assert_eq!(written(1e22), "1.0e+22");
        assert_eq!(written(1e-7), "1.0e-7");
        assert_eq!(written(2.5e-9), "2.5e-9");
        assert_eq!(written(0.85), "0.85");
    }
}
