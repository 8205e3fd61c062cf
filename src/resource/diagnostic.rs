//! What is found wrong with a file, and where: one shape for every check.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::envelope::Resource;
use super::path;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The resource cannot be applied.
    Error,
    /// Likely a slip; nothing is refused.
    Warning,
    /// Worth knowing.
    Notice,
}

/// One finding. The order is that of a reader: file, line, column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Id of the rule, one of `docs/reference/rules.md`.
    pub rule: &'static str,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// The file, as it was named to the reader.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Path of the value in its document; empty for the document as a whole.
    pub path: String,
    /// The likely fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A place in a file; both count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Where every value of one document stands in its file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spans(BTreeMap<String, Position>);

/// One resource and the place it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it says.
    pub resource: Resource,
    /// The file, as it was named to the reader.
    pub file: String,
    /// The first line of the document, from 1.
    pub line: usize,
    /// Where its values stand.
    pub spans: Spans,
}

impl Position {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl Spans {
    /// Notes where the value at `path` stands.
    pub(super) fn note(&mut self, path: &str, position: Position) {
        self.0.insert(path.to_owned(), position);
    }

    /// Where the value at `path` stands, or the nearest value around it that is there.
    ///
    /// A map or list under a key stands where its key does, a leaf where it is written.
    #[must_use]
    pub fn position(&self, path: &str) -> Option<Position> {
        let mut at = Some(path);
        while let Some(path) = at {
            if let Some(position) = self.0.get(path) {
                return Some(*position);
            }
            at = path::parent(path);
        }
        None
    }
}

/// Marks the place of a key, next to that of its value: no path ends so.
const KEY: &str = ".";

impl Spans {
    /// Notes where the key of the entry at `path` stands.
    pub(super) fn note_key(&mut self, path: &str, position: Position) {
        self.0.insert(format!("{path}{KEY}"), position);
    }

    /// Where the key of the entry at `path` stands; else as [`Spans::position`].
    #[must_use]
    pub fn key_position(&self, path: &str) -> Option<Position> {
        self.0.get(&format!("{path}{KEY}")).copied().or_else(|| self.position(path))
    }
}

impl Document {
    /// Where the value at `path` stands, or the nearest value around it that is there.
    #[must_use]
    pub fn position(&self, path: &str) -> Position {
        self.spans.position(path).unwrap_or(Position { line: self.line, column: 1 })
    }

    /// Where the key of the entry at `path` stands.
    #[must_use]
    pub fn key_position(&self, path: &str) -> Position {
        self.spans.key_position(path).unwrap_or_else(|| self.position(path))
    }

    /// A finding about the value at `path`.
    #[must_use]
    pub fn finding(&self, severity: Severity, rule: &'static str, path: &str, message: impl Into<String>) -> Finding {
        let Position { line, column } = self.position(path);
        let (file, path) = (self.file.clone(), path.to_owned());
        Finding { severity, rule, message: message.into(), file, line, column, path, help: None }
    }
}

impl Finding {
    /// The same, with the likely fix.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether it stands in the way.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl Ord for Finding {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |finding: &Self| (finding.line, finding.column, finding.severity, finding.rule);
        self.file
            .cmp(&other.file)
            .then_with(|| key(self).cmp(&key(other)))
            .then_with(|| (&self.path, &self.message, &self.help).cmp(&(&other.path, &other.message, &other.help)))
    }
}

impl PartialOrd for Finding {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// `agents/x.yaml:7:21: error: message [rule]`, and below it the path's help: for tests and plain logs.
impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Notice => "notice",
        };
        write!(f, "{}:{}:{}: {severity}: {} [{}]", self.file, self.line, self.column, self.message, self.rule)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}
