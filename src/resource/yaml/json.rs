//! JSON files: read as JSON, with the same limits and the same care for duplicate keys.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::super::diagnostic::{Position, Spans};
use super::super::value::{Map, Number, Value};
use super::first;
use super::{Fault, Scanned};

/// Reads the one document of a JSON text.
pub(super) fn scan(text: &str) -> Result<Vec<Scanned>, Fault> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let read = Node { depth: 1 }.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    let value = read.map_err(|error| {
        let position = Position { line: error.line().max(1), column: error.column().max(1) };
        let whole = error.to_string();
        let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message);
        let rule = RULES.iter().find(|(_, sign)| message.contains(sign)).map_or("json-syntax", |(rule, _)| rule);
        Fault::new(rule, position, message)
    })?;
    // JSON is YAML but for corners such as surrogate pairs; only the places are taken from that reading, and
    // in such a corner every finding stands at the top of the file.
    let spans = match first::scan(text) {
        Ok(mut documents) if documents.len() == 1 => documents.remove(0).spans,
        _ => Spans::default(),
    };
    Ok(vec![Scanned { value, spans, start: Position::START, faults: Vec::new() }])
}

/// The rules that this reader applies itself, and the words by which its messages are known.
const RULES: [(&str, &str); 3] =
    [("duplicate-key", "stands twice in one map"), ("limit-depth", "nested more than"), ("limit-number", "64 bits")];

/// A value at some depth.
#[derive(Clone, Copy)]
struct Node {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth > first::DEPTH {
            return Err(D::Error::custom(format!("values are nested more than {} deep", first::DEPTH)));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
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
        Ok(Value::Number(Number::Whole(whole.into())))
    }

    fn visit_u64<E: serde::de::Error>(self, whole: u64) -> Result<Value, E> {
        i64::try_from(whole)
            .map(Value::from)
            .map_err(|_| E::custom(format!("`{whole}` has more than 64 bits with its sign: quote it")))
    }

    fn visit_f64<E: serde::de::Error>(self, float: f64) -> Result<Value, E> {
        Number::from_f64(float).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Self { depth: self.depth + 1 })? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice in one map")));
            }
            map.insert(key, access.next_value_seed(Self { depth: self.depth + 1 })?);
        }
        Ok(Value::Map(map))
    }
}
