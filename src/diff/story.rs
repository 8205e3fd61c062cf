//! Changes told line by line, for a terminal, a commit message and Markdown alike. Signs and words carry
//! the meaning; colour may only repeat it.

use std::fmt;

use super::change::{Change, Note, Op};
use super::{path, text};
use crate::resource::{Kind, ResourceId, Value};

/// One line of a diff for people. Its text comes from resources and is as untrusted as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `' '` heading or context, `'+'` new, `'-'` gone, `'~'` changed.
    pub sign: char,
    /// How deep it stands: 0 for the heading of a resource.
    pub indent: usize,
    /// Without sign, indent and line end.
    pub text: String,
}

/// `agent/triage` for a heading; below it two spaces a level, the sign, a space and the text.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.indent, self.sign) {
            (0, ' ') => f.write_str(&self.text),
            (indent, sign) => write!(f, "{:width$}{sign} {}", "", self.text, width = indent * 2),
        }
    }
}

/// The changes, a heading for each resource and what changed beneath it; nothing is cut short.
#[must_use]
pub fn lines(changes: &[Change]) -> Vec<Line> {
    let mut story = Story::default();
    for group in changes.chunk_by(|a, b| a.resource == b.resource) {
        if !group[0].is_whole() {
            story.line(' ', 0, group[0].resource.to_string());
        }
        group.iter().for_each(|change| story.change(change));
    }
    story.lines
}

/// Above this many characters two single-line texts are compared by words.
const SHORT: usize = 40;
/// A map longer than this many characters is told field by field.
const WIDE: usize = 100;

#[derive(Default)]
struct Story {
    lines: Vec<Line>,
}

impl Story {
    fn change(&mut self, change: &Change) {
        let effect = change.effect.map(|effect| format!(" ({})", effect.word())).unwrap_or_default();
        let sign = match change.op {
            Op::Add => '+',
            Op::Remove => '-',
            Op::Replace => '~',
        };
        match (&change.from, &change.to) {
            (Some(body), None) | (None, Some(body)) if change.is_whole() => {
                self.line(sign, 0, format!("{}{effect}", change.resource));
                self.body(sign, &change.resource, body);
            }
            (Some(value), None) | (None, Some(value)) => self.value(sign, 1, &change.path, value, &effect),
            (Some(from), Some(to)) if change.note == Some(Note::Order) => {
                let order = |value: &Value| value.texts().join(", ");
                self.line('~', 1, format!("{}: order {} -> {}", change.path, order(from), order(to)));
            }
            (Some(from), Some(to)) => self.replaced(&change.path, from, to, &effect),
            (None, None) => {}
        }
    }

    fn replaced(&mut self, path: &str, from: &Value, to: &Value, effect: &str) {
        if let (Value::Text(from), Value::Text(to)) = (from, to)
            && (from.contains('\n') || to.contains('\n') || from.chars().count().min(to.chars().count()) > SHORT)
        {
            self.line('~', 1, format!("{path}:{effect}"));
            return self.hunks(from, to);
        }
        if let (Some(from), Some(to)) = (inline(from), inline(to)) {
            return self.line('~', 1, format!("{path}: {from} -> {to}{effect}"));
        }
        self.line('~', 1, format!("{path}:{effect}"));
        self.value('-', 2, "", from, "");
        self.value('+', 2, "", to, "");
    }

    fn hunks(&mut self, from: &str, to: &str) {
        for (at, hunk) in text::hunks(from, to).into_iter().enumerate() {
            if at > 0 {
                self.line(' ', 2, "...".into());
            }
            for line in hunk.lines {
                self.line(line.sign, 2, line.plain());
            }
        }
    }

    /// What a whole resource says, without what the heading said already.
    fn body(&mut self, sign: char, id: &ResourceId, body: &Value) {
        let Some(entries) = body.as_map() else { return self.value(sign, 1, "", body, "") };
        for (key, value) in entries {
            let said = match (key.as_str(), value) {
                ("apiVersion", Value::Text(version)) => *version == id.kind.api_version(),
                ("kind", Value::Text(kind)) => Kind::from_name(kind) == id.kind,
                _ => false,
            };
            match (key.as_str(), value) {
                _ if said => {}
                ("metadata", Value::Map(metadata)) => {
                    let told = [("name", &id.name), ("namespace", &id.namespace)];
                    let is_told =
                        |key: &str, value: &Value| told.iter().any(|(k, v)| *k == key && value.as_text() == Some(v));
                    for (key, value) in metadata.iter().filter(|(key, value)| !is_told(key, value)) {
                        self.fields(sign, 1, &path::key("metadata", key), value);
                    }
                }
                _ => self.fields(sign, 1, &path::key("", key), value),
            }
        }
    }

    /// A value under its path: in one line where it fits, else field by field beneath.
    fn value(&mut self, sign: char, indent: usize, path: &str, value: &Value, effect: &str) {
        if is_named_by(path, value) {
            self.line(sign, indent, format!("{path}{effect}"));
        } else if let Some(inline) = inline(value) {
            self.line(sign, indent, format!("{}{inline}{effect}", label(path)));
        } else if path.is_empty() {
            self.fields(sign, indent, "", value);
        } else {
            self.line(sign, indent, format!("{path}:{effect}"));
            self.fields(sign, indent + 1, "", value);
        }
    }

    fn fields(&mut self, sign: char, indent: usize, path: &str, value: &Value) {
        match value {
            value if is_named_by(path, value) => self.line(sign, indent, path.to_owned()),
            Value::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    self.fields(sign, indent, &path::key(path, key), value);
                }
            }
            Value::List(items) if inline(value).is_none() => {
                let identities = path::identities(items);
                for (at, item) in items.iter().enumerate() {
                    let name = identities.as_ref().and_then(|names| names.get(at));
                    let path = name.map_or_else(|| path::place(path, at), |name| path::item(path, name));
                    self.fields(sign, indent, &path, item);
                }
            }
            Value::Text(text) if text.contains('\n') => {
                self.line(sign, indent, if path.is_empty() { "|".to_owned() } else { format!("{path}: |") });
                text.split_inclusive('\n').for_each(|line| {
                    self.line(sign, indent + 1, line.strip_suffix('\n').unwrap_or(line).to_owned());
                });
            }
            value => {
                let shown = inline(value).unwrap_or_default();
                self.line(sign, indent, format!("{}{shown}", label(path)));
            }
        }
    }

    fn line(&mut self, sign: char, indent: usize, text: String) {
        self.lines.push(Line { sign, indent, text });
    }
}

fn label(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// Whether the path of an item, which ends in its name, says all that the item says.
fn is_named_by(path: &str, item: &Value) -> bool {
    let name = match item {
        Value::Text(text) => text,
        Value::Map(map) if map.len() == 1 => match map.get("name") {
            Some(Value::Text(name)) => name,
            _ => return false,
        },
        _ => return false,
    };
    path.ends_with(']') && path.ends_with(&path::item("", name))
}

/// The value on one line, if it has one: scalars, and lists and maps of scalars, as YAML would write them.
fn inline(value: &Value) -> Option<String> {
    let flat = match value {
        Value::List(items) => {
            let items = items.iter().map(scalar).collect::<Option<Vec<_>>>()?;
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entry = |(key, value): (&String, &Value)| scalar(value).map(|value| format!("{key}: {value}"));
            format!("{{{}}}", entries.iter().map(entry).collect::<Option<Vec<_>>>()?.join(", "))
        }
        value => return scalar(value),
    };
    (flat.chars().count() <= WIDE).then_some(flat)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("null".into()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Text(text) if text.contains('\n') => None,
        Value::Text(text) if is_plain(text) => Some(text.clone()),
        Value::Text(text) => Some(serde_json::Value::from(text.as_str()).to_string()),
        Value::List(_) | Value::Map(_) => None,
    }
}

/// Whether a text could be taken for nothing but itself.
fn is_plain(text: &str) -> bool {
    let is_word = !matches!(text, "" | "null" | "true" | "false") && text.parse::<f64>().is_err();
    is_word && text.trim() == text && !text.starts_with(['[', '{', '"'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::between;

    fn told(id: &ResourceId, old: &str, new: &str) -> String {
        let body = |json: &str| (!json.is_empty()).then(|| serde_json::from_str::<Value>(json).expect("written here"));
        let changes = between(id, body(old).as_ref(), body(new).as_ref());
        lines(&changes).iter().map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn an_agent_tells_its_changes_in_words() {
        let id = ResourceId::agent("default", "triage");
        let old = r#"{"spec": {
            "model": {"name": "gpt-5"}, "tools": ["b", "a"], "budgets": {"tokenLimitPerRun": 1000},
            "instructions": "You triage tickets.\nBe kind.\n", "tags": [], "version": "1"
        }}"#;
        let new = r#"{"spec": {
            "model": {"name": "gpt-5-mini"}, "tools": ["a", "b", {"name": "zendesk.refund"}], "budgets": {"tokenLimitPerRun": 2000},
            "instructions": "You triage tickets.\nBe firm.\n", "tags": {"deep": {"x": 1}}, "version": 1,
            "policies": [{"name": "pii", "mode": "strict"}]
        }}"#;
        let expected = "\
agent/triage
  ~ spec.budgets.tokenLimitPerRun: 1000 -> 2000 (widens)
  ~ spec.instructions:
      You triage tickets.
    - Be kind.
    + Be firm.
  ~ spec.model.name: gpt-5 -> gpt-5-mini
  + spec.policies: (narrows)
    + [pii].mode: strict
    + [pii].name: pii
  ~ spec.tags:
    - []
    + deep.x: 1
  ~ spec.tools: order b, a -> a, b
  + spec.tools[zendesk.refund] (widens)
  ~ spec.version: \"1\" -> 1
";
        assert_eq!(told(&id, old, new), expected);
    }

    #[test]
    fn a_whole_resource_is_told_without_repeating_its_heading() {
        let id = ResourceId::new(Kind::Tool, "default", "zendesk.refund");
        let body = r#"{"apiVersion": "tools.joch.dev/v1alpha1", "kind": "Tool",
            "metadata": {"name": "zendesk.refund", "namespace": "default", "labels": {"joch.dev/team": "cx"}},
            "spec": {"description": "Pays back.\nSlowly.", "sideEffects": {"level": "financial"}}}"#;
        let expected = "\
+ tool/zendesk.refund (widens)
  + metadata.labels[\"joch.dev/team\"]: cx
  + spec.description: |
    + Pays back.
    + Slowly.
  + spec.sideEffects.level: financial
";
        assert_eq!(told(&id, "", body), expected);
        assert!(told(&id, body, "").starts_with("- tool/zendesk.refund (narrows)\n  - metadata"));
    }

    #[test]
    fn a_long_text_of_one_line_shows_its_words() {
        let id = ResourceId::agent("team-a", "x");
        let old = r#"{"spec": {"instructions": "You triage the support tickets of our customers."}}"#;
        let new = r#"{"spec": {"instructions": "You triage the angry tickets of our customers."}}"#;
        let expected = "agent/team-a/x\n  ~ spec.instructions:\n    ~ You triage the [-support-]{+angry+} tickets of our customers.\n";
        assert_eq!(told(&id, old, new), expected);
    }
}
