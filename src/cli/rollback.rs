//! `joch rollback`.

use anyhow::Result;
use clap::Args;

use crate::gate::Outcome;
use crate::ops::{Caller, parse_target, rollback, rollback_check};
use crate::release::Event;
use crate::render::view::{ChangeResult, CheckedVersion, RollbackCheck};

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
    /// Look only: which of the last versions could come back, and what each would miss
    #[arg(long, conflicts_with_all = ["dry_run", "reason", "despite_missing"])]
    check: bool,
    /// Go back to a version although a Secret that it names is gone from the catalog
    #[arg(long, requires = "to_version")]
    despite_missing: bool,
}

/// `7` or `v7`.
pub(super) fn version(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix('v').unwrap_or(text);
    digits.parse().map_err(|_| "a version is a number, such as 7 or v7".to_owned())
}

pub(super) fn run(args: RollbackArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    if args.check {
        return check(args, caller);
    }
    let request = rollback::Request {
        resource: parse_target(&args.target)?.id(caller),
        to_version: args.to_version,
        environment: args.env,
        reason: args.reason,
        dry_run: args.dry_run,
        despite_missing: args.despite_missing,
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

/// Tells which versions could come back. Of a version that was named, what speaks against it is an answer too.
fn check(args: RollbackArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let resource = parse_target(&args.target)?.id(caller);
    let named = args.to_version;
    let request = rollback_check::Request { resource, to_version: named, environment: args.env };
    let outcome = rollback_check::run(&request, caller)?;
    let versions: Vec<_> = outcome.items.into_iter().map(checked).collect();
    let fine = match named {
        Some(_) => versions.iter().all(|version| version.can_run == "yes"),
        None => outcome.choice.is_some(),
    };
    let view = RollbackCheck {
        resource: outcome.resource,
        environment: outcome.environment,
        choice: outcome.choice,
        versions,
    };
    Ok(Answer::with(if fine { exit::DONE } else { exit::REFUSED }, view))
}

fn checked(weighed: rollback_check::Weighed) -> CheckedVersion {
    let can_run = if weighed.rejected.is_some() || !weighed.gone.is_empty() {
        "no"
    } else if weighed.warnings.is_empty() {
        "yes"
    } else {
        "warned"
    };
    CheckedVersion {
        version: weighed.version,
        digest: weighed.digest,
        release: weighed.release,
        served_at: weighed.time,
        can_run: can_run.into(),
        held: weighed.held,
        rejected_by: weighed.rejected,
        left: weighed.left,
        missing: weighed.gone,
        warnings: weighed.warnings,
    }
}
