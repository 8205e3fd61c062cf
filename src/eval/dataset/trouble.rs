//! What is wrong with a dataset: where, what, and how to mend it.

use std::fmt;

/// A dataset that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The file, as it was named to the reader.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub next: String,
}

/// `cases.jsonl:7: what is wrong`
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl std::error::Error for Trouble {}

/// The same before it is known which file, and perhaps which line, it is about.
#[derive(Debug)]
pub(super) struct Slip {
    line: Option<usize>,
    what: String,
    next: String,
}

impl Slip {
    pub(super) fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { line: None, what: what.into(), next: next.into() }
    }

    /// On this line, unless a line is known already.
    pub(super) fn on(mut self, line: impl Into<Option<usize>>) -> Self {
        self.line = self.line.or(line.into());
        self
    }

    /// Wherever it is: the line that is known so far is not one of the file.
    pub(super) fn nowhere(mut self) -> Self {
        self.line = None;
        self
    }

    /// What is wrong, as part of something larger: `assert[0]: what is wrong`.
    pub(super) fn within(mut self, part: &str) -> Self {
        self.what = format!("{part}: {}", self.what);
        self
    }

    pub(super) fn at(self, file: &str) -> Trouble {
        Trouble { file: file.to_owned(), line: self.line, what: self.what, next: self.next }
    }
}

/// A text of a dataset for a message: in backticks, escaped, at most 60 characters.
pub(super) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect::<String>().escape_debug().to_string();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}
