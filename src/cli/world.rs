//! The process as a value: directory, environment, streams and clock. Tests bring their own; the binary has
//! no switch for any of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Read, Write};
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
    /// The width of standard error in columns, if it is a terminal.
    pub terminal: Option<usize>,
    /// The clock.
    pub now: fn() -> DateTime<Utc>,
    /// The program itself, for a demo that runs what it prints.
    pub program: PathBuf,
}

impl World {
    /// The world of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let stderr = std::io::stderr();
        let width = terminal_size::terminal_size_of(&stderr).map_or(80, |(width, _)| usize::from(width.0));
        let terminal = stderr.is_terminal().then_some(width);
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self {
            arguments: std::env::args_os().collect(),
            directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            variables: variables.collect(),
            stdin: Box::new(std::io::stdin()),
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            terminal,
            now: Utc::now,
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("joch")),
        }
    }

    /// A directory for scratch work that is not there yet.
    #[must_use]
    pub fn scratch(&self, name: &str) -> PathBuf {
        #[expect(clippy::disallowed_methods, reason = "scratch work is what that directory is for")]
        let temporary = std::env::temp_dir();
        temporary.join(format!("{name}-{}-{}", (self.now)().format("%Y%m%d-%H%M%S"), std::process::id()))
    }
}

/// A command to run.
pub struct Child {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The working directory.
    pub directory: PathBuf,
    /// Its whole environment, but for `PATH`.
    pub variables: Vec<(String, OsString)>,
}

/// How a command ended.
pub struct Ended {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it printed, on standard output and then on standard error.
    pub output: Vec<u8>,
}

impl Child {
    /// Runs the command with `PATH` and nothing else of this process's environment.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(&self, world: &World) -> std::io::Result<Ended> {
        let path = world.variables.get("PATH").cloned().unwrap_or_default();
        let output = std::process::Command::new(&self.program)
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env_clear()
            .env("PATH", path)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(std::process::Stdio::null())
            .output()?;
        let printed = [output.stdout, output.stderr].concat();
        Ok(Ended { code: output.status.code(), output: printed })
    }
}
