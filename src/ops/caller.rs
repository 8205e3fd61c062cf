//! Who calls a verb: from where, with what environment, and when.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::resource::name::DEFAULT_NAMESPACE;

/// The surroundings of one command.
pub struct Caller<'w> {
    /// The working directory.
    pub directory: PathBuf,
    /// The environment variables.
    pub variables: BTreeMap<String, OsString>,
    /// The clock, read once.
    pub now: DateTime<Utc>,
    /// Standard input, for `-f -`.
    pub stdin: &'w mut dyn Read,
    /// `--key`.
    pub key: Option<String>,
    /// `-n`.
    pub namespace: Option<String>,
    /// Where progress is told while something takes long.
    pub progress: Progress<'w>,
    /// What a person should know and no result holds.
    pub notices: Vec<String>,
}

/// Where progress is told.
pub struct Progress<'w> {
    /// Standard error.
    pub stream: &'w mut dyn Write,
    /// Its width in columns, if it is a terminal, where one line is drawn over and over.
    pub terminal: Option<usize>,
    /// The clock, for what takes long.
    pub clock: fn() -> DateTime<Utc>,
}

impl Caller<'_> {
    /// A variable that is set, not empty, and text.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).and_then(|value| value.to_str()).filter(|value| !value.is_empty())
    }

    /// The namespace that names without one are in.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().or_else(|| self.variable("JOCH_NAMESPACE")).unwrap_or(DEFAULT_NAMESPACE)
    }

    /// Tells a person something beside the result.
    pub fn notice(&mut self, notice: impl Into<String>) {
        self.notices.push(notice.into());
    }
}
