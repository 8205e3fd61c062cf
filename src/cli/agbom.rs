//! `joch agbom`.

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::ops::Caller;

use super::agbom_ls;
use super::global::Answer;

/// What agents are made of
#[derive(Debug, Args)]
pub(super) struct AgbomArgs {
    #[command(subcommand)]
    command: AgbomCommand,
}

#[derive(Debug, Subcommand)]
enum AgbomCommand {
    Ls(agbom_ls::LsArgs),
}

pub(super) fn run(args: AgbomArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    match args.command {
        AgbomCommand::Ls(args) => agbom_ls::run(args, caller),
    }
}
