//! `joch trust`.

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::ops::{Caller, trust_quorum};
use crate::render::view::TrustResult;

use super::global::Answer;

/// What holds for the ledger as a whole
#[derive(Debug, Args)]
pub(super) struct TrustArgs {
    #[command(subcommand)]
    command: TrustCommand,
}

#[derive(Debug, Subcommand)]
enum TrustCommand {
    /// Tell, or set, how many admins must agree to a change that makes a control weaker
    Quorum {
        /// How many, from 1 to the number of admins; only told where none is given
        #[arg(value_name = "N")]
        quorum: Option<u32>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

pub(super) fn run(args: TrustArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let TrustCommand::Quorum { quorum, reason } = args.command;
    let outcome = trust_quorum::run(&trust_quorum::Request { quorum, reason }, caller)?;
    let verdict = if outcome.trust_commit.is_some() { "changed" } else { "unchanged" };
    Ok(Answer::done(TrustResult {
        verdict: verdict.into(),
        quorum: outcome.quorum,
        admins: outcome.admins,
        trust_commit: outcome.trust_commit,
    }))
}
