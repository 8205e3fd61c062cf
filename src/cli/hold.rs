//! `joch hold`, `joch lift` and `joch get holds`.

use anyhow::Result;
use clap::Args;

use crate::gate::HoldAction;
use crate::ops::{Caller, hold, parse_target};
use crate::render::view::{HoldList, HoldResult, ListedHold};

use super::global::Answer;

/// What `hold` and `lift` take
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub(super) struct HoldArgs {
    /// `KIND NAME`, `KIND/NAME`, or the `NAME` of an agent
    #[arg(value_name = "NAME", num_args = 1..=2, required = true)]
    target: Vec<String>,
    /// The version, or the digest of its content
    #[arg(long, value_name = "N")]
    version: String,
    /// Environment; everywhere where none is named
    #[arg(long, alias = "context", value_name = "ENV")]
    env: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(args: HoldArgs, action: HoldAction, caller: &mut Caller<'_>) -> Result<Answer> {
    let request = hold::Request {
        action,
        resource: parse_target(&args.target)?.id(caller),
        version: args.version,
        environment: args.env,
        reason: args.reason,
    };
    let outcome = hold::run(&request, caller)?;
    let verdict = match (outcome.commit.is_some(), action) {
        (false, _) => "unchanged",
        (true, HoldAction::Hold) => "held",
        (true, HoldAction::Lift) => "lifted",
    };
    Ok(Answer::done(HoldResult {
        verdict: verdict.into(),
        id: outcome.id,
        hold: outcome.hold,
        principal: outcome.principal,
        commit: outcome.commit,
        next: outcome.next,
    }))
}

/// Words that mean holds.
pub(super) const HOLDS: [&str; 2] = ["holds", "hold"];

pub(super) fn list(name: Option<&str>, environment: Option<&str>, caller: &mut Caller<'_>) -> Result<Answer> {
    let listed = hold::list(name, environment, caller)?;
    let item = |listed: hold::Listed| ListedHold {
        id: listed.id,
        hold: listed.hold,
        principal: listed.who,
        since: listed.since,
        environments: listed.environments,
        lift: listed.lift,
    };
    Ok(Answer::done(HoldList { items: listed.into_iter().map(item).collect() }))
}
