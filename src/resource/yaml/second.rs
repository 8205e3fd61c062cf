//! The second reading, by a parser of another family, and the comparison with the first.

use serde::Deserialize as _;

use super::super::diagnostic::Position;
use super::super::path;
use super::super::value::{Map, Number, Value};
use super::{Fault, Scanned, first};

/// Reads `text` again and notes, with each document, where this reader sees something else than the first.
///
/// # Errors
/// The two readers do not even agree about where documents begin and end.
pub(super) fn compare(text: &str, scanned: &mut [Scanned]) -> Result<(), Fault> {
    let mut documents = serde_yaml::Deserializer::from_str(text)
        .map(|document| convert(serde_yaml::Value::deserialize(document)?))
        .filter(|value| !matches!(value, Ok(Value::Null)));
    // After a syntax error this iterator has no end: it is asked for as many documents as there are.
    for document in scanned.iter_mut() {
        let second = documents.next();
        if !document.faults.is_empty() {
            continue;
        }
        match second {
            Some(Ok(second)) => {
                document.faults.extend(difference(&document.value, &second, "").map(|odd| odd.fault(document)));
            }
            Some(Err(refusal)) => document.faults.push(refusal.fault(document)),
            None => return Err(differing_ends(document.start)),
        }
    }
    if scanned.iter().all(|document| document.faults.is_empty()) && documents.next().is_some() {
        return Err(differing_ends(Position::START));
    }
    Ok(())
}

/// How many brackets stored text may have, prompts included, before its nesting is looked at first.
const OPENED: usize = 10_000;

/// The value of stored, canonical text: no merging, no places, one document.
pub fn from_stored(text: &str) -> Result<Value, String> {
    // The reader behind serde_yaml takes minutes for what opens more than anybody writes; the first one stops at once.
    if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > OPENED {
        first::scan(text).map_err(|fault| fault.message)?;
    }
    let value: serde_yaml::Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    plain(value).map_err(|refusal| refusal.reason)
}

/// Why this reader does not read a document, and where, if it says so.
#[derive(Debug)]
struct Refusal {
    reason: String,
    position: Option<Position>,
}

impl Refusal {
    fn fault(self, document: &Scanned) -> Fault {
        let message = format!("one YAML reader reads this document, another does not: {}", self.reason);
        Fault::new("ambiguous-document", self.position.unwrap_or(document.start), message)
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self { reason, position: None }
    }
}

impl From<serde_yaml::Error> for Refusal {
    fn from(error: serde_yaml::Error) -> Self {
        let position = error.location().map(|at| Position { line: at.line(), column: at.column() });
        let whole = error.to_string();
        let reason = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(reason, _)| reason).to_owned();
        Self { reason, position }
    }
}

/// The value that this reader sees, its `<<` entries merged.
fn convert(mut value: serde_yaml::Value) -> Result<Value, Refusal> {
    // A merged map may bring another `<<` with it. Each round undoes one level of at most 32.
    for _ in 0..super::first::DEPTH {
        if !has_merge(&value) {
            break;
        }
        value.apply_merge()?;
    }
    plain(value)
}

fn has_merge(value: &serde_yaml::Value) -> bool {
    match value {
        serde_yaml::Value::Sequence(items) => items.iter().any(has_merge),
        serde_yaml::Value::Mapping(map) => map.contains_key("<<") || map.values().any(has_merge),
        _ => false,
    }
}

fn plain(value: serde_yaml::Value) -> Result<Value, Refusal> {
    Ok(match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(bool) => Value::Bool(bool),
        serde_yaml::Value::Number(number) => Value::Number(finite(&number)?),
        serde_yaml::Value::String(text) => Value::Text(text),
        serde_yaml::Value::Sequence(items) => Value::List(items.into_iter().map(plain).collect::<Result<_, _>>()?),
        serde_yaml::Value::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key = key_text(key)?;
                if map.insert(key.clone(), plain(value)?).is_some() {
                    return Err(format!("the key `{key}` stands twice in one map").into());
                }
            }
            Value::Map(map)
        }
        serde_yaml::Value::Tagged(tagged) => return Err(format!("the tag `{}`", tagged.tag).into()),
    })
}

fn key_text(key: serde_yaml::Value) -> Result<String, String> {
    match key {
        serde_yaml::Value::String(text) => Ok(text),
        serde_yaml::Value::Number(number) => Ok(number.to_string()),
        serde_yaml::Value::Bool(bool) => Ok(bool.to_string()),
        _ => Err("a key that is not text".into()),
    }
}

fn finite(number: &serde_yaml::Number) -> Result<Number, String> {
    if let Some(whole) = number.as_i64() {
        return Ok(Number::Whole(whole.into()));
    }
    if let Some(whole) = number.as_u64() {
        return Ok(Number::Whole(whole.into()));
    }
    number.as_f64().and_then(Number::from_f64).ok_or_else(|| format!("`{number}` is not a finite number"))
}

/// A place where the readings differ.
struct Difference {
    path: String,
    first: String,
    second: String,
    /// Whether the readers differ about the key, not about its value.
    is_key: bool,
}

impl Difference {
    fn fault(self, document: &Scanned) -> Fault {
        let Self { path, first, second, is_key } = self;
        let position = if is_key { document.spans.key_position(&path) } else { document.spans.position(&path) };
        let help = if is_key {
            "YAML readers take this key for different things: give it another name"
        } else {
            "quote it if it is text; else write it as plainly as you can"
        };
        let message = format!("one YAML reader sees {first} here, another {second}");
        Fault::new("ambiguous-scalar", position.unwrap_or(document.start), message).path(&path).help(help)
    }
}

/// The first place where the two differ.
fn difference(first: &Value, second: &Value, at: &str) -> Option<Difference> {
    match (first, second) {
        (Value::List(ours), Value::List(theirs)) if ours.len() == theirs.len() => ours
            .iter()
            .zip(theirs)
            .enumerate()
            .find_map(|(index, (ours, theirs))| difference(ours, theirs, &path::item(at, index))),
        (Value::Map(ours), Value::Map(theirs)) => odd_key(ours, theirs, at).or_else(|| {
            ours.iter().find_map(|(key, value)| difference(value, theirs.get(key)?, &path::entry(at, key)))
        }),
        _ if first == second => None,
        _ => Some(Difference { path: at.to_owned(), first: shown(first), second: shown(second), is_key: false }),
    }
}

/// A key that only one of the two has.
fn odd_key(ours: &Map, theirs: &Map, at: &str) -> Option<Difference> {
    let told = |key: &str, first: String, second: String| Difference {
        path: path::entry(at, key),
        first,
        second,
        is_key: true,
    };
    if let Some(key) = ours.keys().find(|key| !theirs.contains_key(*key)) {
        return Some(told(key, format!("the key `{key}`"), "none of that name".into()));
    }
    let key = theirs.keys().find(|key| !ours.contains_key(*key))?;
    Some(told(key, "no such key".into(), format!("the key `{key}`")))
}

/// What a reader sees, for a message: `the text 017`, `17`.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(bool) => format!("`{bool}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::Text(text) => format!("the text `{}`", text.chars().take(40).collect::<String>().escape_debug()),
        Value::List(items) => format!("a list of {}", items.len()),
        Value::Map(map) => format!("a map of {}", map.len()),
    }
}

fn differing_ends(position: Position) -> Fault {
    Fault::new(
        "ambiguous-document",
        position,
        "two YAML readers do not agree about where the documents of this file end",
    )
    .help("separate documents with a line `---` and nothing else on it")
}
