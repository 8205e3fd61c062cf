//! `joch rollback`.

use anyhow::Result;
use clap::Args;

use crate::gate::Outcome;
use crate::ops::{Caller, parse_target, rollback};
use crate::release::Event;
use crate::render::view::ChangeResult;

use super::exit;
use super::global::Answer;

/// Bring back a version that an environment has served before
#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    /// `KIND NAME`, `KIND/NAME`, or the `NAME` of an agent
    #[arg(value_name = "NAME", num_args = 1..=2, required = true)]
    target: Vec<String>,
    /// The version; where none is named, the newest that served before and was not itself rolled back from
    #[arg(long, value_name = "N", value_parser = version)]
    to_version: Option<u64>,
    /// Environment; the highest rung that has it where none is named
    #[arg(long, alias = "context", value_name = "ENV")]
    env: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// `7` or `v7`.
pub(super) fn version(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix('v').unwrap_or(text);
    digits.parse().map_err(|_| "a version is a number, such as 7 or v7".to_owned())
}

pub(super) fn run(args: RollbackArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let request = rollback::Request {
        resource: parse_target(&args.target)?.id(caller),
        to_version: args.to_version,
        environment: args.env,
        reason: args.reason,
        dry_run: args.dry_run,
    };
    let outcome = rollback::run(&request, caller)?;
    let mut view = ChangeResult::of(Event::Rollback, &outcome.environment, outcome.plan.as_ref());
    view.dry_run = outcome.dry_run;
    if outcome.plan.is_none() {
        view.unchanged = vec![format!("{} v{}", outcome.resource, outcome.version)];
    }
    if let Some(landed) = outcome.landed {
        view.release = Some(landed.release);
        view.commit = Some(landed.commit);
    }
    let says = outcome.plan.map_or(Outcome::Open, |plan| plan.outcome);
    Ok(Answer::with(exit::of_outcome(says), view))
}
