//! `joch delete`.

use anyhow::Result;
use clap::Args;

use crate::gate::Outcome;
use crate::ops::{Caller, delete, parse_target};
use crate::release::Event;
use crate::render::view::ChangeResult;

use super::exit;
use super::global::Answer;

/// Take a resource out of an environment; its record and versions stay
#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    /// `KIND NAME`, `KIND/NAME`, or the `NAME` of an agent
    #[arg(value_name = "NAME", num_args = 1..=2, required = true)]
    target: Vec<String>,
    /// Environment
    #[arg(long, alias = "context", value_name = "ENV")]
    env: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: DeleteArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let request = delete::Request {
        resource: parse_target(&args.target)?.id(caller),
        environment: args.env,
        reason: args.reason,
        dry_run: args.dry_run,
    };
    let outcome = delete::run(&request, caller)?;
    let place = outcome.environment.as_deref().unwrap_or("trust");
    let mut view = ChangeResult::of(Event::Delete, place, outcome.plan.as_ref());
    view.dry_run = outcome.dry_run;
    if outcome.trust_commit.is_some() {
        view.verdict = "deleted".into();
        view.trust_commit = outcome.trust_commit;
    } else if outcome.plan.is_none() && !outcome.dry_run {
        view.unchanged = vec![format!("{} (gone)", outcome.resource)];
    }
    if let Some(landed) = outcome.landed {
        view.release = Some(landed.release);
        view.commit = Some(landed.commit);
    }
    let says = outcome.plan.map_or(Outcome::Open, |plan| plan.outcome);
    Ok(Answer::with(exit::of_outcome(says), view))
}
