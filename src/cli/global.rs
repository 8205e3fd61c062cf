//! Flags that every command has, and how an answer is printed.

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::ops::{Caller, Progress};
use crate::render::{self, View};

use super::world::World;

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub(super) struct Global {
    /// How the result is printed
    #[arg(short = 'o', long = "output", global = true, value_name = "FORMAT", help_heading = "Every command")]
    pub output: Option<Output>,
    /// Namespace of resources that are named without one
    #[arg(short = 'n', long, global = true, value_name = "NAMESPACE", help_heading = "Every command")]
    pub namespace: Option<String>,
    /// SSH key to sign with, else `JOCH_SIGNING_KEY`, else Git's `user.signingKey`
    #[arg(long, global = true, value_name = "FILE", help_heading = "Every command")]
    pub key: Option<String>,
}

/// The formats of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    Table,
    /// For people, with more columns
    Wide,
    /// For machines
    Json,
    /// For machines, as YAML
    Yaml,
    /// Names only, one a line
    Name,
    /// For pull requests
    Markdown,
}

/// What a command came to.
pub(super) struct Answer {
    /// The exit code.
    pub exit: u8,
    /// What is printed on standard output.
    pub view: Box<dyn View>,
}

impl Answer {
    /// It is done.
    pub(super) fn done(view: impl View + 'static) -> Self {
        Self { exit: super::exit::DONE, view: Box::new(view) }
    }

    /// It came to this code.
    pub(super) fn with(exit: u8, view: impl View + 'static) -> Self {
        Self { exit, view: Box::new(view) }
    }
}

impl Global {
    /// The format: the flag, then `JOCH_OUTPUT`, then a table.
    #[must_use]
    pub(super) fn format(&self, world: &World) -> Output {
        let variable = world.variables.get("JOCH_OUTPUT").and_then(|value| value.to_str());
        let named = variable.and_then(|word| Output::from_str(word, true).ok());
        self.output.or(named).unwrap_or(Output::Table)
    }

    /// Who calls the verb.
    pub(super) fn caller<'w>(&self, world: &'w mut World) -> Caller<'w> {
        Caller {
            directory: world.directory.clone(),
            variables: world.variables.clone(),
            now: (world.now)(),
            stdin: &mut *world.stdin,
            key: self.key.clone(),
            namespace: self.namespace.clone(),
            progress: Progress { stream: &mut *world.stderr, terminal: world.terminal, clock: world.now },
            notices: Vec::new(),
        }
    }
}

/// Prints the notices, then the answer.
///
/// # Errors
/// Standard output cannot be written.
pub(super) fn print(answer: &Answer, notices: &[String], format: Output, world: &mut World) -> Result<()> {
    for notice in notices {
        for (at, line) in notice.lines().enumerate() {
            let lead = if at == 0 { "note: " } else { "" };
            writeln!(world.stderr, "{lead}{}", render::escape(line))?;
        }
    }
    if let Some(text) = answer.view.verbatim() {
        world.stdout.write_all(text.as_bytes())?;
        world.stdout.flush()?;
        return Ok(());
    }
    let text = match format {
        Output::Table => render::table(answer.view.as_ref(), false),
        Output::Wide => render::table(answer.view.as_ref(), true),
        Output::Json => render::json(answer.view.as_ref()),
        Output::Yaml => render::yaml(answer.view.as_ref()),
        Output::Name => render::names(answer.view.as_ref()),
        Output::Markdown => render::markdown(answer.view.as_ref()),
    };
    world.stdout.write_all(text.as_bytes())?;
    world.stdout.flush()?;
    Ok(())
}
