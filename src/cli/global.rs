//! Flags that every command has, and how an answer is printed.

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::ops::{Caller, Failure, Progress};
use crate::render::report::Format;
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
    /// For CI servers, as JUnit XML; results of evals
    Junit,
    /// For monitoring, as OpenMetrics text; results of evals
    Openmetrics,
    /// For logs of GitHub Actions, as annotations; results of evals
    Github,
    /// For browsers, as one page; results of evals
    Html,
}

impl Output {
    /// The report that it is, where it is one: a form that only some answers have.
    #[must_use]
    pub(super) fn report(self) -> Option<Format> {
        match self {
            Self::Table | Self::Wide | Self::Json | Self::Yaml | Self::Name | Self::Markdown => None,
            Self::Junit => Some(Format::Junit),
            Self::Openmetrics => Some(Format::Openmetrics),
            Self::Github => Some(Format::Github),
            Self::Html => Some(Format::Html),
        }
    }
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
    /// The format: the flag, then `JOCH_OUTPUT`, then a table. A variable is for many commands, so that a report in it
    /// counts only for those that have `reports`.
    #[must_use]
    pub(super) fn format(&self, reports: &[Format], world: &World) -> Output {
        let variable = world.variables.get("JOCH_OUTPUT").and_then(|value| value.to_str());
        let named = variable.and_then(|word| Output::from_str(word, true).ok());
        let named = named.filter(|named| named.report().is_none_or(|format| reports.contains(&format)));
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

/// Whether an answer with these reports has the format. Asked before anything is done, so that no command does its
/// work and then has no words for it.
///
/// # Errors
/// It has not.
pub(super) fn check_format(format: Output, reports: &[Format]) -> Result<()> {
    let Some(format) = format.report().filter(|format| !reports.contains(format)) else { return Ok(()) };
    let words = ["table", "wide", "json", "yaml", "name", "markdown"].into_iter();
    let has: Vec<_> = words.chain(reports.iter().map(|report| report.word())).collect();
    Err(Failure::usage(format!("this command has no form as `{}`", format.word()))
        .next(format!("it has {}", has.join(", ")))
        .into())
}

/// Prints the notices, then the answer.
///
/// # Errors
/// Standard output cannot be written, or the answer has no such form.
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
    if format == Output::Json {
        let mut stdout = std::io::BufWriter::new(&mut *world.stdout);
        if let Some(written) = answer.view.write_json(&mut stdout) {
            written.and_then(|()| stdout.flush())?;
            return Ok(());
        }
    }
    let text = match format {
        Output::Table => render::table(answer.view.as_ref(), false),
        Output::Wide => render::table(answer.view.as_ref(), true),
        Output::Json => render::json(answer.view.as_ref()),
        Output::Yaml => render::yaml(answer.view.as_ref()),
        Output::Name => render::names(answer.view.as_ref()),
        Output::Markdown => render::markdown(answer.view.as_ref()),
        Output::Junit | Output::Openmetrics | Output::Github | Output::Html => {
            match format.report().and_then(|format| answer.view.report(format)) {
                Some(text) => text,
                None => return check_format(format, answer.view.reports()),
            }
        }
    };
    world.stdout.write_all(text.as_bytes())?;
    world.stdout.flush()?;
    Ok(())
}
