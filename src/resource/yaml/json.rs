//! JSON files: read as JSON, with the same limits and the same care for duplicate keys.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::super::diagnostic::{Position, Spans};
use super::super::path;
use super::super::value::{Map, Number, Value};
use super::first;
use super::{Fault, Scanned};

/// Reads the one document of a JSON text.
pub(super) fn scan(text: &str) -> Result<Vec<Scanned>, Fault> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let read = Node { depth: 1 }.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    let value = read.map_err(|error| explain(&error))?;
    let mut places = Places { rest: text.chars().peekable(), at: Position::START, spans: Spans::default() };
    places.skip_space();
    let start = places.at;
    places.value("");
    Ok(vec![Scanned { value, spans: places.spans, start, faults: Vec::new() }])
}

/// What this reader refuses itself, by the words of its messages, and common slips: the rule, and the fix.
const KNOWN: [(&str, &str, &str); 5] = [
    ("stands twice in one map", "duplicate-key", "remove one of the two"),
    ("nested more than", "limit-depth", "write it flatter"),
    ("does not fit into 64 bits", "limit-number", "quote it"),
    ("number out of range", "non-finite-number", "write a finite number, or quote it if it is text"),
    ("trailing comma", "json-syntax", "remove the comma before this"),
];

fn explain(error: &serde_json::Error) -> Fault {
    let position = Position { line: error.line().max(1), column: error.column().max(1) };
    let whole = error.to_string();
    let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message);
    match KNOWN.iter().find(|(words, ..)| message.contains(words)) {
        Some((_, rule, help)) => Fault::new(rule, position, message).help(*help),
        None => Fault::new("json-syntax", position, format!("this is not JSON: {message}")),
    }
}

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
        i64::try_from(whole).map(Value::from).map_err(|_| E::custom(format!("`{whole}` does not fit into 64 bits")))
    }

    fn visit_f64<E: serde::de::Error>(self, float: f64) -> Result<Value, E> {
        Number::from_f64(float).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
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

/// Walks over a text that is known to be JSON, and notes where values stand.
struct Places<'t> {
    rest: Peekable<Chars<'t>>,
    at: Position,
    spans: Spans,
}

impl Places<'_> {
    fn value(&mut self, path: &str) {
        self.skip_space();
        self.spans.note(path, self.at);
        match self.rest.peek() {
            Some('{') => self.map(path),
            Some('[') => self.list(path),
            Some('"') => drop(self.string()),
            _ => {
                while self.rest.peek().is_some_and(|c| !matches!(c, ',' | '}' | ']') && !c.is_whitespace()) {
                    self.step();
                }
            }
        }
    }

    fn map(&mut self, path: &str) {
        self.step();
        self.skip_space();
        while self.rest.peek() == Some(&'"') {
            let at = self.at;
            let key = self.string();
            let path = path::entry(path, &serde_json::from_str::<String>(&key).unwrap_or(key));
            self.spans.note_key(&path, at);
            self.skip_space();
            self.step();
            self.skip_space();
            let is_leaf = !matches!(self.rest.peek(), Some('{' | '['));
            self.value(&path);
            if !is_leaf {
                self.spans.note(&path, at);
            }
            self.skip_separator();
        }
        self.step();
    }

    fn list(&mut self, path: &str) {
        self.step();
        self.skip_space();
        let mut index = 0;
        while self.rest.peek().is_some_and(|next| *next != ']') {
            self.value(&path::item(path, index));
            self.skip_separator();
            index += 1;
        }
        self.step();
    }

    /// The string that begins here, as it is written, quotes and all.
    fn string(&mut self) -> String {
        let mut written = String::new();
        while let Some(char) = self.step() {
            written.push(char);
            match char {
                '\\' => written.extend(self.step()),
                '"' if written.len() > 1 => break,
                _ => {}
            }
        }
        written
    }

    fn skip_separator(&mut self) {
        self.skip_space();
        if self.rest.peek() == Some(&',') {
            self.step();
            self.skip_space();
        }
    }

    fn skip_space(&mut self) {
        while self.rest.peek().is_some_and(|next| next.is_whitespace()) {
            self.step();
        }
    }

    fn step(&mut self) -> Option<char> {
        let char = self.rest.next()?;
        if char == '\n' {
            self.at = Position { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(char)
    }
}
