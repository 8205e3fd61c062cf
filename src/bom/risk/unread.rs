//! Models, agents and tools that are named where joch does not read: they are in no bill, and no policy sees them.

use crate::resource::fields::{self, Field, Shape};
use crate::resource::served::Served;
use crate::resource::{Kind, Map, Risk, Value, path};

use super::found::{Found, listed, shown};
use super::whole::{Level, Part, Whole};

/// Fields that are for people wherever they stand.
const FOR_PEOPLE: [&str; 8] =
    ["annotations", "contact", "description", "displayName", "documentation", "labels", "notes", "owner"];

/// What the last word of a key says of what stands under it: these name what an agent is made of.
const NOUNS: [&str; 7] = ["agent", "candidate", "llm", "model", "route", "server", "tool"];

/// Words that say how a name is written, and nothing about what it is the name of.
const ENDINGS: [&str; 6] = ["id", "ids", "name", "names", "ref", "refs"];

/// Words of what happens instead; there only what looks like `provider:model` counts.
const INSTEAD: [&str; 7] = ["delegate", "escalation", "fallback", "handoff", "hedge", "overflow", "secondary"];

pub(super) fn judge(whole: &Whole, found: &mut Found) {
    for level in &whole.levels {
        let models = models(level);
        for part in level.of_kind(&Kind::ModelRoute) {
            for unread in unread(part) {
                // Whatever else a route says of its choice decides which Model answers.
                let chooses = matches!(unread.within.as_str(), "spec" | "spec.strategy") && unread.is_for_machines();
                if chooses || unread.names_parts(&models) {
                    unread.tell(part, found);
                }
            }
        }
        for unread in unread(&level.agent).iter().filter(|unread| unread.names_parts(&models)) {
            unread.tell(&level.agent, found);
        }
    }
}

/// How the Models of a level may be called.
fn models(level: &Level) -> Vec<String> {
    let served = level.of_kind(&Kind::Model).filter_map(|model| Served::by(&model.resource));
    let names = |model: Served| {
        let Served { id, provider, model } = model;
        [format!("{provider}:{model}"), format!("{provider}:{}", id.name)]
    };
    served.flat_map(names).collect()
}

/// A field that joch does not read.
struct Unread<'a> {
    /// Where it stands.
    within: String,
    key: &'a str,
    value: &'a Value,
}

/// The fields of a resource that joch does not read, in the maps that it does.
fn unread(part: &Part) -> Vec<Unread<'_>> {
    let mut all = Vec::new();
    if let Value::Map(spec) = part.spec() {
        collect(spec, fields::of(&part.id().kind), "spec", &mut all);
    }
    all
}

fn collect<'a>(map: &'a Map, known: &'static [Field], within: &str, all: &mut Vec<Unread<'a>>) {
    for (key, value) in map {
        match known.iter().find(|field| field.key == key).map(|field| &field.shape) {
            Some(Shape::Object(fields)) => {
                if let Value::Map(inner) = value {
                    collect(inner, fields, &path::entry(within, key), all);
                }
            }
            Some(_) => {}
            None => all.push(Unread { within: within.to_owned(), key, value }),
        }
    }
}

impl Unread<'_> {
    fn is_for_machines(&self) -> bool {
        !FOR_PEOPLE.contains(&self.key) && !self.key.starts_with("x-")
    }

    /// Whether it names a model, an agent, a route, a tool or a server: by its key, or by what stands in it.
    fn names_parts(&self, models: &[String]) -> bool {
        let key = if self.is_for_machines() { self.key } else { "" };
        names(key, self.value, models)
    }

    fn tell(&self, part: &Part, found: &mut Found) {
        let mut said = Vec::new();
        texts(self.value, &mut said);
        let says = if said.is_empty() { String::new() } else { format!(" ({})", listed(said)) };
        let at = shown(&path::entry(&self.within, self.key));
        let why =
            format!("{at}{says} is nothing that joch reads, so what it names is in no bill and no policy sees it");
        found.raise("AGB-BOM-001", part.component(), Risk::Medium, why);
    }
}

fn names(key: &str, value: &Value, models: &[String]) -> bool {
    match value {
        Value::Text(text) => {
            let last = last_word(key);
            let instead = INSTEAD.contains(&last.as_str()) && is_candidate(text);
            (NOUNS.contains(&last.as_str()) && is_name(text)) || instead || models.contains(text)
        }
        Value::List(items) => items.iter().any(|item| names(key, item, models)),
        Value::Map(map) => map.iter().any(|(inner, value)| {
            // In `{name: x}` it is the key outside that says what is named.
            let key = if ENDINGS.contains(&inner.as_str()) { key } else { inner };
            names(key, value, models)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The last word of `fallbackModels`, `sub_agents` or `agentRef` that says what is named, for one.
fn last_word(key: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut joins = false;
    for c in key.chars() {
        if !c.is_alphanumeric() {
            joins = false;
        } else if joins && !c.is_uppercase() {
            words.last_mut().into_iter().for_each(|word| word.push(c));
        } else {
            words.push(c.to_lowercase().collect());
            joins = true;
        }
    }
    while words.last().is_some_and(|word| ENDINGS.contains(&word.as_str())) {
        words.pop();
    }
    let last = words.pop().unwrap_or_default();
    last.strip_suffix('s').map(str::to_owned).unwrap_or(last)
}

/// Whether a text could be the name of something: no sentence, and not empty.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 253 && !text.contains(char::is_whitespace)
}

fn is_candidate(text: &str) -> bool {
    let parts = text.split_once(':').filter(|(provider, _)| !matches!(*provider, "team" | "http" | "https"));
    is_name(text) && parts.is_some_and(|(provider, model)| !provider.is_empty() && !model.is_empty())
}

fn texts<'a>(value: &'a Value, said: &mut Vec<&'a str>) {
    match value {
        Value::Text(text) => said.push(text),
        Value::List(items) => items.iter().for_each(|item| texts(item, said)),
        Value::Map(map) => map.values().for_each(|value| texts(value, said)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(key: &str, json: &str) -> bool {
        names(key, &serde_json::from_str(json).expect("written here"), &["mistral:large".to_owned()])
    }

    #[test]
    fn a_key_or_a_value_names_what_an_agent_is_made_of() {
        for (key, value) in [
            ("fallbackModels", r#"["deepseek:r1"]"#),
            ("subAgents", r#"["bot"]"#),
            ("sub_agents", r#"[{"name": "bot"}]"#),
            ("agentsAsTools", r#"["bot"]"#),
            ("overflow", r#"{"modelRef": {"name": "mistral"}}"#),
            ("escalation", r#""deepseek:r1""#),
            ("anything", r#"{"deep": ["mistral:large"]}"#),
            ("candidates", r#"["deepseek:r1"]"#),
        ] {
            assert!(told(key, value), "{key}: {value}");
        }
    }

    #[test]
    fn what_only_sounds_like_it_names_nothing() {
        for (key, value) in [
            ("modelParameters", r#"{"temperature": 0.2, "style": "calm"}"#),
            ("toolChoice", r#""auto""#),
            ("toolTimeoutSeconds", "30"),
            ("parallelTools", "true"),
            ("tags", r#"["bot", "mistral"]"#),
            ("escalation", r#""team:support""#),
            ("fallback", r#""Sorry, ask again: later.""#),
            ("ui", r#"{"title": "the mistral:large one"}"#),
        ] {
            assert!(!told(key, value), "{key}: {value}");
        }
    }
}
