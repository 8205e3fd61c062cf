//! The fields of an `invoke` one by one: what is read is of the type it must be, and what is left over is told.

use std::collections::BTreeMap;

use super::Text;
use crate::resource::{Map, Number, Value, name};

/// The fields of one `invoke` that are not read yet, and what is wrong with those that are.
pub(super) struct Fields<'v> {
    kind: &'v str,
    left: BTreeMap<&'v str, &'v Value>,
    pub(super) wrong: Vec<String>,
}

impl<'v> Fields<'v> {
    pub(super) fn of(kind: &'v str, map: &'v Map) -> Self {
        let left = map.iter().filter(|(key, value)| *key != "type" && **value != Value::Null);
        Self { kind, left: left.map(|(key, value)| (key.as_str(), value)).collect(), wrong: Vec::new() }
    }

    pub(super) fn complain(&mut self, message: impl Into<String>) {
        self.wrong.push(message.into());
    }

    /// Whether a field is there and not read yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.left.contains_key(key)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<&'v Value> {
        self.left.remove(key)
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.take(key)?;
        match value.as_text() {
            Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
            Some(_) => self.none(format!("`invoke.{key}` is empty")),
            None => self.none(format!("`invoke.{key}` is {}, and must be text", value.type_name())),
        }
    }

    pub(super) fn needed(&mut self, key: &str, example: &str) -> String {
        let there = self.has(key);
        let text = self.text(key);
        if !there {
            self.complain(format!("`invoke` of type `{}` has no `{key}`: add `{key}: {example}`", self.kind));
        }
        text.unwrap_or_default()
    }

    pub(super) fn bool(&mut self, key: &str) -> bool {
        let Some(value) = self.take(key) else { return false };
        value.as_bool().unwrap_or_else(|| {
            self.complain(format!("`invoke.{key}` is {}, and must be true or false", value.type_name()));
            false
        })
    }

    pub(super) fn path(&mut self, key: &str) -> Option<String> {
        let path = self.text(key)?;
        match crate::eval::json_path(&path) {
            Ok(_) => Some(path),
            Err(why) => self.none(format!("`invoke.{key}`: {why}")),
        }
    }

    /// Milliseconds out of `timeoutSeconds`.
    pub(super) fn timeout(&mut self, otherwise: u64) -> u64 {
        let Some(value) = self.take("timeoutSeconds") else { return otherwise };
        let seconds = value.as_number().map_or(0.0, Number::as_f64);
        if (0.001..=86_400.0).contains(&seconds) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 86 400 000")]
            return (seconds * 1000.0).round() as u64;
        }
        self.complain("`invoke.timeoutSeconds` must be a number of seconds from 0.001 to 86400");
        otherwise
    }

    pub(super) fn count(&mut self, key: &str) -> Option<u32> {
        let value = self.take(key)?;
        match value.as_number() {
            Some(Number::Whole(whole @ 1..=100_000)) => u32::try_from(whole).ok(),
            _ => self.none(format!("`invoke.{key}` must be a whole number from 1 to 100000")),
        }
    }

    pub(super) fn json(&mut self, key: &str) -> Option<serde_json::Value> {
        let value = self.take(key)?;
        match serde_json::to_value(value) {
            Ok(json) => Some(json),
            Err(_) => self.none(format!("`invoke.{key}` holds a number that JSON cannot")),
        }
    }

    pub(super) fn object(&mut self, key: &str) -> serde_json::Map<String, serde_json::Value> {
        match self.json(key) {
            None => serde_json::Map::new(),
            Some(serde_json::Value::Object(map)) => map,
            Some(_) => {
                self.complain(format!("`invoke.{key}` must be a map"));
                serde_json::Map::new()
            }
        }
    }

    /// The list of texts, or the one text that stands without a list.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let texts = value.texts();
        let all = value.as_list().map_or(1, <[Value]>::len);
        if texts.len() != all || texts.is_empty() || texts[0].is_empty() {
            self.complain(format!("`invoke.{key}` must be a list of texts"));
            return Vec::new();
        }
        texts.into_iter().map(str::to_owned).collect()
    }

    /// A text that may be in a Secret.
    pub(super) fn secret_text(&mut self, key: &str) -> Option<Text> {
        let value = self.take(key)?;
        text_or_secret(value).map_err(|why| self.complain(format!("`invoke.{key}` {why}"))).ok()
    }

    /// Texts by name, each of which may be in a Secret.
    pub(super) fn secret_texts(&mut self, key: &str) -> BTreeMap<String, Text> {
        let Some(value) = self.take(key) else { return BTreeMap::new() };
        let Some(map) = value.as_map() else {
            self.complain(format!("`invoke.{key}` is {}, and must be a map", value.type_name()));
            return BTreeMap::new();
        };
        let mut texts = BTreeMap::new();
        for (name, value) in map {
            match text_or_secret(value) {
                Ok(text) => drop(texts.insert(name.clone(), text)),
                Err(why) => self.complain(format!("`invoke.{key}.{name}` {why}")),
            }
        }
        texts
    }

    /// Tells every field that nobody read.
    pub(super) fn finish(mut self) -> Vec<String> {
        let known = KNOWN.iter().find(|(kind, _)| *kind == self.kind).map_or(&[][..], |(_, fields)| *fields);
        for key in std::mem::take(&mut self.left).into_keys() {
            let help = match name::nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it takes {}", known.join(", ")),
            };
            self.complain(format!("`invoke` of type `{}` takes no `{key}`: {help}", self.kind));
        }
        self.wrong
    }

    fn none<T>(&mut self, message: String) -> Option<T> {
        self.complain(message);
        None
    }
}

/// The protocols, and the fields that each takes.
pub(super) const KNOWN: [(&str, &[&str]); 6] = [
    (
        "http",
        &[
            "url",
            "method",
            "headers",
            "body",
            "output",
            "toolCalls",
            "usage",
            "cost",
            "timeoutSeconds",
            "maxConcurrency",
        ],
    ),
    (
        "openai",
        &[
            "baseUrl",
            "url",
            "model",
            "key",
            "headers",
            "api",
            "instructions",
            "parameters",
            "timeoutSeconds",
            "maxConcurrency",
        ],
    ),
    (
        "anthropic",
        &[
            "baseUrl",
            "url",
            "model",
            "key",
            "headers",
            "instructions",
            "parameters",
            "timeoutSeconds",
            "maxConcurrency",
        ],
    ),
    ("command", &["command", "lines", "variables", "timeoutSeconds", "maxConcurrency"]),
    ("a2a", &["url", "baseUrl", "headers", "binding", "timeoutSeconds", "maxConcurrency"]),
    ("replay", &["file", "timeoutSeconds", "maxConcurrency"]),
];

/// The Secret of a `secretRef`: its name, with its namespace where that is written.
pub(super) fn secret_name(reference: &Value) -> Option<String> {
    if let Some(name) = reference.as_text() {
        return Some(name.to_owned());
    }
    let name = reference.get("name")?.as_text()?;
    match reference.get("namespace").and_then(Value::as_text) {
        Some(namespace) => Some(format!("{namespace}/{name}")),
        None => Some(name.to_owned()),
    }
}

pub(super) fn text_or_secret(value: &Value) -> Result<Text, String> {
    const HOW: &str = "must be text, or `{ secretRef: { name: … } }` with an optional `prefix`";
    match value {
        Value::Text(text) => Ok(Text::Plain(text.clone())),
        Value::Number(number) => Ok(Text::Plain(number.to_string())),
        Value::Bool(bool) => Ok(Text::Plain(bool.to_string())),
        Value::Map(map) => {
            let secret = map.get("secretRef").and_then(secret_name).ok_or(HOW)?;
            match map.get("prefix") {
                None if map.len() == 1 => Ok(Text::Secret(secret)),
                Some(Value::Text(prefix)) if map.len() == 2 => Ok(Text::Prefixed { prefix: prefix.clone(), secret }),
                _ => Err(HOW.to_owned()),
            }
        }
        _ => Err(HOW.to_owned()),
    }
}
