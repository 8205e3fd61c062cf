//! `joch completion`.

use anyhow::Result;
use clap::{Args, ValueEnum};
use clap_complete::Shell;

use crate::render::view::Verbatim;

use super::global::Answer;

/// Print a script that lets a shell complete the commands and flags of joch
///
/// For example in `~/.bashrc`: `source <(joch completion bash)`.
#[derive(Debug, Args)]
pub(super) struct CompletionArgs {
    /// The shell
    shell: KnownShell,
    /// The program that is completed
    #[arg(long, value_name = "PROGRAM", default_value = "joch", value_parser = ["joch", "git-joch"])]
    program: String,
}

/// The shells that scripts are made for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum KnownShell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
}

pub(super) fn run(args: &CompletionArgs) -> Result<Answer> {
    let shell = match args.shell {
        KnownShell::Bash => Shell::Bash,
        KnownShell::Zsh => Shell::Zsh,
        KnownShell::Fish => Shell::Fish,
        KnownShell::Powershell => Shell::PowerShell,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), &args.program, &mut script);
    Ok(Answer::done(Verbatim(String::from_utf8(script)?)))
}
