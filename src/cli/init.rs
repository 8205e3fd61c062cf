//! `joch init`.

use anyhow::Result;
use clap::Args;

use crate::ops::{Caller, init};
use crate::render::view::InitResult;

use super::global::Answer;

/// Make a ledger for this project, with your key as its first admin
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Environments, lowest rung first
    #[arg(long, value_delimiter = ',', value_name = "A,B,…")]
    ladder: Option<Vec<String>>,
    /// Who you are, else Git's `user.email`
    #[arg(long, value_name = "EMAIL")]
    operator: Option<String>,
}

pub(super) fn run(args: InitArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let request = init::Request { ladder: args.ladder, operator: args.operator };
    let init::Outcome { already, ledger, trust_root, admin, fingerprint, ladder } = init::run(&request, caller)?;
    Ok(Answer::done(InitResult { already, ledger, trust_root, admin, fingerprint, ladder }))
}
