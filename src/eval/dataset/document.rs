//! A dataset that is one document: a tree whose parts stand on known lines.

use serde_json::{Map, Value};

use crate::resource::diagnostic::Spans;
use crate::resource::{path, yaml};

use super::json::type_name;
use super::trouble::{Slip, quoted};

/// A document and the places of its parts.
pub(super) struct Document {
    /// The whole.
    pub(super) root: Value,
    spans: Spans,
}

/// One part of a document: a map whose fields are taken one after the other, so that what nobody took shows.
pub(super) struct Part<'d> {
    map: Map<String, Value>,
    /// Its path.
    pub(super) at: String,
    spans: &'d Spans,
}

impl Document {
    /// Reads a document. A name that ends in `.json` is read as JSON, any other as YAML.
    pub(super) fn read(text: &str, name: &str) -> Result<Self, Slip> {
        let (root, spans) = yaml::read_data(name, text).map_err(|finding| {
            let finding = *finding;
            Slip::new(finding.message, finding.help.unwrap_or_else(|| "mend it".into())).on(finding.line)
        })?;
        let root = serde_json::to_value(root).map_err(|why| Slip::new(why.to_string(), "write it as text"))?;
        Ok(Self { root, spans })
    }

    /// A document of which no places are known.
    pub(super) fn of(root: Value) -> Self {
        Self { root, spans: Spans::default() }
    }

    /// The part that `value`, which stands at `at`, is.
    pub(super) fn part(&self, value: &Value, at: &str) -> Result<Part<'_>, Slip> {
        match value {
            Value::Object(map) => Ok(Part { map: map.clone(), at: at.to_owned(), spans: &self.spans }),
            other => {
                let what = format!("{} is a map, not {}", told(at), type_name(other));
                Err(Slip::new(what, "write its fields").on(self.line(at)))
            }
        }
    }

    /// The line on which the value at `at` stands.
    pub(super) fn line(&self, at: &str) -> Option<usize> {
        self.spans.position(at).map(|position| position.line)
    }
}

impl Part<'_> {
    /// Takes the field of one of these names, if it is there and says something.
    pub(super) fn take(&mut self, names: &[&str]) -> Option<Value> {
        let mut found = None;
        for name in names {
            found = found.or(self.map.remove(*name).filter(|value| !value.is_null()));
        }
        found
    }

    /// Takes a list; no field is an empty one.
    pub(super) fn list(&mut self, names: &[&str]) -> Result<Vec<Value>, Slip> {
        match self.take(names) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => {
                Err(self.slip(format!("`{}` is a list, not {}", names[0], type_name(&other)), "write a list"))
            }
        }
    }

    /// Takes a text.
    pub(super) fn text(&mut self, names: &[&str]) -> Result<Option<String>, Slip> {
        match self.take(names) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.slip(format!("`{}` is text, not {}", names[0], type_name(&other)), "quote it")),
        }
    }

    /// A part of this one: the value that was at the field `name`.
    pub(super) fn part(&self, value: Value, name: &str) -> Result<Self, Slip> {
        self.below(value, path::entry(&self.at, name))
    }

    /// A part of this one: an item of the list that was at the field `name`.
    pub(super) fn item(&self, value: Value, name: &str, index: usize) -> Result<Self, Slip> {
        self.below(value, path::item(&path::entry(&self.at, name), index))
    }

    fn below(&self, value: Value, at: String) -> Result<Self, Slip> {
        match value {
            Value::Object(map) => Ok(Self { map, at, spans: self.spans }),
            other => Err(self.slip(format!("`{at}` is a map, not {}", type_name(&other)), "write its fields")),
        }
    }

    /// Refuses whatever nobody took.
    pub(super) fn finish(&self, why: &str, next: &str) -> Result<(), Slip> {
        match self.map.iter().find(|(_, value)| !value.is_null()) {
            None => Ok(()),
            Some((key, _)) => Err(self.slip(format!("{} {why}", quoted(key)), next)),
        }
    }

    /// Something that is wrong with this part.
    pub(super) fn slip(&self, what: impl std::fmt::Display, next: &str) -> Slip {
        let line = self.spans.position(&self.at).map(|position| position.line);
        Slip::new(format!("{}: {what}", told(&self.at)), next).on(line)
    }
}

/// A path for a message; the document itself has none.
fn told(at: &str) -> &str {
    if at.is_empty() { "the document" } else { at }
}
