//! The process as a value: directory, environment, streams and clock. Tests bring their own; the binary has
//! no switch for any of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;

use chrono::{DateTime, Utc};

/// Everything a command may know of the process it runs in.
pub struct World {
    /// The words of the command, the program's own name first.
    pub arguments: Vec<OsString>,
    /// The working directory.
    pub directory: PathBuf,
    /// The environment variables.
    pub variables: BTreeMap<String, OsString>,
    /// Standard input.
    pub stdin: Box<dyn Read>,
    /// Standard output: results.
    pub stdout: Box<dyn Write>,
    /// Standard error: everything else.
    pub stderr: Box<dyn Write>,
    /// The clock.
    pub now: fn() -> DateTime<Utc>,
    /// The program itself, for a demo that runs what it prints.
    pub program: PathBuf,
}

impl World {
    /// The world of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self {
            arguments: std::env::args_os().collect(),
            directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            variables: variables.collect(),
            stdin: Box::new(std::io::stdin()),
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            now: Utc::now,
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("joch")),
        }
    }
}
