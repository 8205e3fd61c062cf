//! JSON, read strictly: no key twice, no number that loses digits, nothing that is nested too deep.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::trouble::{Slip, quoted};

/// The deepest nesting.
const DEPTH: usize = 64;
/// The most values of one record.
const VALUES: usize = 200_000;

/// Reads one record that begins on `line`.
pub(super) fn parse(text: &str, line: usize) -> Result<Value, Slip> {
    let values = Cell::new(0);
    let mut parser = serde_json::Deserializer::from_str(text);
    let read = Node { depth: 1, values: &values }.deserialize(&mut parser);
    read.and_then(|value| parser.end().map(|()| value)).map_err(|error| explain(&error, line))
}

/// Reads one record that is a map.
pub(super) fn parse_map(text: &str, line: usize) -> Result<Map<String, Value>, Slip> {
    match parse(text, line)? {
        Value::Object(map) => Ok(map),
        other => {
            let what = format!("a case is a JSON object, not {}", type_name(&other));
            Err(Slip::new(what, "write, say, `{\"id\": \"greeting\", \"input\": \"Hello\"}`").on(line))
        }
    }
}

/// A word for the type, for messages.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// What stands in the words of an error, and the fix.
const KNOWN: [(&str, &str); 8] = [
    ("stands twice in one map", "remove one of the two"),
    ("nested more than", "write it flatter"),
    ("loses digits", "quote it"),
    ("number out of range", "quote it"),
    ("hex escape", "write both halves of the character, as `\\ud83d\\ude00`, or the character itself"),
    ("control character", "write it escaped, as `\\n`"),
    ("EOF while parsing", "write each case on one line, as a whole"),
    ("trailing characters", "write each case on a line of its own"),
];

fn explain(error: &serde_json::Error, line: usize) -> Slip {
    let whole = error.to_string();
    let (message, _) = whole.rsplit_once(" at line ").unwrap_or((&whole, ""));
    let next = KNOWN.iter().find(|(words, _)| message.contains(words)).map_or("mend it", |(_, next)| next);
    let what = if error.is_data() { message.to_owned() } else { format!("this is not JSON: {message}") };
    let what = format!("{what} (column {})", error.column().max(1));
    Slip::new(what, next).on(line + error.line().max(1) - 1)
}

/// A value at some depth.
#[derive(Clone, Copy)]
struct Node<'c> {
    depth: usize,
    values: &'c Cell<usize>,
}

impl Node<'_> {
    fn below(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.values.set(self.values.get() + 1);
        if self.depth > DEPTH {
            return Err(D::Error::custom(format!("values are nested more than {DEPTH} deep")));
        }
        if self.values.get() > VALUES {
            return Err(D::Error::custom(format!("one record holds more than {VALUES} values")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E>(self, whole: i64) -> Result<Value, E> {
        Ok(whole.into())
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Value, E> {
        Ok(whole.into())
    }

    fn visit_f64<E: serde::de::Error>(self, float: f64) -> Result<Value, E> {
        // A whole number beyond 64 bits comes as a float, and is no longer what was written.
        if float.fract() == 0.0 && float.abs() >= 9_007_199_254_740_992.0 {
            return Err(E::custom(format!("the number {float:e} loses digits")));
        }
        serde_json::Number::from_f64(float).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.below())? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {} stands twice in one map", quoted(&key))));
            }
            map.insert(key, access.next_value_seed(self.below())?);
        }
        Ok(Value::Object(map))
    }
}
