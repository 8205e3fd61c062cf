//! The first reading: where every value stands, and the limits that keep a hostile file from doing harm.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr::Scalar;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};

use super::super::diagnostic::{Position, Spans};
use super::super::path;
use super::super::value::{Map, Number, Value};
use super::{Fault, Scanned, syntax};

/// The deepest nesting, aliases followed.
pub(super) const DEPTH: usize = 32;
/// The most values of one file, aliases followed.
pub(super) const NODES: usize = 100_000;
/// The most aliases of one file.
const ALIASES: usize = 1_000;
/// The most documents of one file.
const DOCUMENTS: usize = 1_000;

/// Reads every document of `text`. What stops the reader is an error; what does not stands with its document.
pub(super) fn scan(text: &str) -> Result<Vec<Scanned>, Fault> {
    let mut reader = Reader { text, parser: Parser::new_from_str(text), nodes: 0, aliases: 0 };
    let mut documents = Vec::new();
    while let Some((event, span)) = reader.next()? {
        if !matches!(event, Event::DocumentStart(_)) {
            continue;
        }
        if documents.len() == DOCUMENTS {
            let message = format!("the file holds more than {DOCUMENTS} documents");
            return Err(
                Fault::new("limit-documents", position(span.start), message).help("split it into several files")
            );
        }
        documents.push(reader.document()?);
    }
    documents.retain(|document| document.value != Value::Null || !document.faults.is_empty());
    Ok(documents)
}

struct Reader<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    nodes: usize,
    aliases: usize,
}

/// One document while it is read.
#[derive(Default)]
struct Draft {
    spans: Spans,
    faults: Vec<Fault>,
    anchors: BTreeMap<usize, Anchor>,
}

/// A value that aliases may repeat.
struct Anchor {
    value: Value,
    nodes: usize,
    depth: usize,
}

/// Where a value goes: its path, and how deep that is.
#[derive(Clone, Copy)]
struct Place<'p> {
    path: &'p str,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, Fault> {
        self.parser.next_event().transpose().map_err(|error| syntax::explain(self.text, &error))
    }

    /// The next event inside a document.
    fn expect(&mut self) -> Result<(Event<'t>, Span), Fault> {
        self.next()?.ok_or_else(|| Fault::new("yaml-syntax", Position::START, "the file ends within a document"))
    }

    fn document(&mut self) -> Result<Scanned, Fault> {
        let mut draft = Draft::default();
        let (event, span) = self.expect()?;
        let start = position(span.start);
        let value = self.value(event, span, Place { path: "", depth: 1 }, &mut draft)?;
        Ok(Scanned { value, spans: draft.spans, start, faults: draft.faults })
    }

    fn value(&mut self, event: Event<'t>, span: Span, place: Place<'_>, draft: &mut Draft) -> Result<Value, Fault> {
        let at = position(span.start);
        draft.spans.note(place.path, at);
        self.count(1, at)?;
        check_depth(place.depth, at)?;
        let before = self.nodes;
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor, at, place, draft),
            Event::Scalar(text, style, anchor, tag) => {
                check_tag(tag.as_deref(), at, place.path, draft);
                (anchor, scalar(&text, style, tag.as_deref(), at, place.path, draft))
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), at, place.path, draft);
                (anchor, self.list(place, draft)?)
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), at, place.path, draft);
                (anchor, self.map(place, draft)?)
            }
            _ => return Err(Fault::new("yaml-syntax", at, "a value was expected here")),
        };
        if anchor > 0 {
            let (nodes, depth) = (self.nodes - before + 1, depth(&value));
            draft.anchors.insert(anchor, Anchor { value: value.clone(), nodes, depth });
        }
        Ok(value)
    }

    fn list(&mut self, place: Place<'_>, draft: &mut Draft) -> Result<Value, Fault> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.expect()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::List(items));
            }
            let path = path::item(place.path, items.len());
            items.push(self.value(event, span, Place { path: &path, depth: place.depth + 1 }, draft)?);
        }
    }

    fn map(&mut self, place: Place<'_>, draft: &mut Draft) -> Result<Value, Fault> {
        let mut map = Map::new();
        let mut merged = None;
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let (event, span) = self.expect()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let at = position(span.start);
            let key = self.key(event, span, place, draft)?;
            let path = key.as_ref().map_or_else(|| place.path.to_owned(), |key| path::entry(place.path, &key.text));
            let (event, span) = self.expect()?;
            let is_leaf = matches!(event, Event::Scalar(..) | Event::Alias(_));
            let value = self.value(event, span, Place { path: &path, depth: place.depth + 1 }, draft)?;
            let Some(key) = key else { continue };
            draft.spans.note_key(&path, at);
            if !is_leaf || value == Value::Null {
                draft.spans.note(&path, at);
            }
            if let Some(first) = lines.insert(key.text.clone(), at.line) {
                let message = format!("the key `{}` stands twice in one map, first on line {first}", key.text);
                draft.faults.push(Fault::new("duplicate-key", at, message).path(&path).help("remove one of the two"));
            } else if key.is_merge {
                merged = Some((value, at));
            } else {
                map.insert(key.text, value);
            }
        }
        if let Some((source, at)) = merged {
            merge(&mut map, source, at, place.path, draft);
        }
        Ok(Value::Map(map))
    }

    /// Reads a key. `None` means that it is no key for joch; the fault is noted.
    fn key(&mut self, event: Event<'t>, span: Span, place: Place<'_>, draft: &mut Draft) -> Result<Option<Key>, Fault> {
        let at = position(span.start);
        let mut refuse = |message: &str| {
            draft.faults.push(
                Fault::new("key-not-text", at, message)
                    .path(place.path)
                    .help("write the key as text, in quotes if need be"),
            );
        };
        match event {
            Event::Scalar(text, style, 0, None) => {
                let plain = style == ScalarStyle::Plain;
                if plain && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL") {
                    refuse("a key that means nothing");
                }
                self.count(1, at)?;
                Ok(Some(Key { is_merge: plain && text == "<<", text: text.into_owned() }))
            }
            Event::Scalar(..) | Event::Alias(_) => {
                refuse("a key with a tag, an anchor or an alias");
                Ok(None)
            }
            collection => {
                refuse("a key that is a map or a list");
                self.value(collection, span, Place { path: place.path, depth: place.depth + 1 }, draft)?;
                Ok(None)
            }
        }
    }

    fn alias(&mut self, anchor: usize, at: Position, place: Place<'_>, draft: &Draft) -> Result<Value, Fault> {
        self.aliases += 1;
        if self.aliases > ALIASES {
            let message = format!("the file holds more than {ALIASES} aliases");
            return Err(
                Fault::new("limit-aliases", at, message).help("write the repeated values out, or split the file")
            );
        }
        let Some(anchor) = draft.anchors.get(&anchor) else {
            return Err(Fault::new("yaml-syntax", at, "an alias within the very value that it names").path(place.path));
        };
        self.count(anchor.nodes, at)?;
        check_depth(place.depth + anchor.depth - 1, at)?;
        Ok(anchor.value.clone())
    }

    fn count(&mut self, nodes: usize, at: Position) -> Result<(), Fault> {
        self.nodes += nodes;
        if self.nodes <= NODES {
            return Ok(());
        }
        let message = format!("the file holds more than {NODES} values, aliases followed");
        Err(Fault::new("limit-nodes", at, message).help("split it into several files"))
    }
}

struct Key {
    text: String,
    is_merge: bool,
}

/// Takes in the entries of `source` that `map` does not have itself; of several sources the first counts.
fn merge(map: &mut Map, source: Value, at: Position, path: &str, draft: &mut Draft) {
    let sources = match source {
        Value::List(items) => items,
        one => vec![one],
    };
    for source in sources {
        let Value::Map(entries) = source else {
            let message = format!("`<<` takes a map or a list of maps, not {}", source.type_name());
            draft.faults.push(Fault::new("yaml-merge", at, message).path(path));
            continue;
        };
        for (key, value) in entries {
            map.entry(key).or_insert(value);
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Position, path: &str, draft: &mut Draft) -> Value {
    let tag = tag.map(Cow::Borrowed);
    match Scalar::parse_from_cow_and_metadata(text.into(), style, tag.as_ref()) {
        Some(Scalar::Null) => Value::Null,
        Some(Scalar::Boolean(bool)) => Value::Bool(bool),
        Some(Scalar::Integer(whole)) => Value::Number(Number::Whole(whole.into())),
        // Past 64 bits this reader makes a float of a whole number, and its last digits are gone.
        Some(Scalar::FloatingPoint(_)) if text.trim_start_matches(['-', '+']).bytes().all(|b| b.is_ascii_digit()) => {
            let message = format!("`{text}` does not fit into 64 bits");
            draft.faults.push(Fault::new("limit-number", at, message).path(path).help("quote it"));
            Value::Null
        }
        Some(Scalar::FloatingPoint(float)) => Number::from_f64(float.0).map_or_else(
            || {
                let fault = Fault::new("non-finite-number", at, format!("`{text}` is not a finite number"));
                draft.faults.push(fault.path(path).help("write a number, or quote it if it is text"));
                Value::Null
            },
            Value::Number,
        ),
        Some(Scalar::String(text)) => Value::Text(text.into_owned()),
        // A tag that does not fit its text: the other reader says what it makes of it.
        None => Value::Text(text.to_owned()),
    }
}

/// What `!!` stands for.
const CORE: &str = "tag:yaml.org,2002:";

fn check_tag(tag: Option<&Tag>, at: Position, path: &str, draft: &mut Draft) {
    let core = ["str", "int", "float", "bool", "null", "map", "seq"];
    if let Some(tag) = tag
        && !(tag.is_yaml_core_schema() && core.contains(&tag.suffix.as_str()))
    {
        let message = format!("the tag `{}{}` is not one of YAML's own", tag.handle.replace(CORE, "!!"), tag.suffix);
        draft.faults.push(Fault::new("yaml-tag", at, message).path(path).help("remove the tag, or quote the value"));
    }
}

fn check_depth(depth: usize, at: Position) -> Result<(), Fault> {
    if depth <= DEPTH {
        return Ok(());
    }
    Err(Fault::new("limit-depth", at, format!("values are nested more than {DEPTH} deep")))
}

/// How many levels a value has; a leaf has one.
pub(super) fn depth(value: &Value) -> usize {
    1 + match value {
        Value::List(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Map(map) => map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}
