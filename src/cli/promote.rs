//! `joch promote`.

use anyhow::Result;
use clap::Args;

use crate::gate::Outcome;
use crate::ops::{Caller, Failure, Move, parse_target, promote};
use crate::release::Event;
use crate::render::view::ChangeResult;

use super::exit;
use super::global::Answer;
use super::overriding::OverrideArgs;
use super::require::RequireArgs;

/// What is promoted, from where to where: the words that `promote`, `approve` and `explain` share
#[derive(Debug, Args)]
pub(super) struct MoveArgs {
    /// `NAME` of an agent, `KIND/NAME`, or `KIND NAME`
    #[arg(value_name = "NAME", num_args = 0..=2, required_unless_present = "files", conflicts_with = "files")]
    target: Vec<String>,
    /// Files that name a set; their content comes from the source environment
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    files: Vec<String>,
    /// The rung it comes from
    #[arg(long, value_name = "ENV")]
    from: String,
    /// The rung it goes to
    #[arg(long, value_name = "ENV")]
    to: String,
}

impl MoveArgs {
    pub(super) fn wanted(self, reason: Option<String>, caller: &Caller<'_>) -> Result<Move, Failure> {
        let resource = if self.target.is_empty() { None } else { Some(parse_target(&self.target)?.id(caller)) };
        Ok(Move { resource, files: self.files, from: self.from, to: self.to, reason })
    }
}

/// Promote what one rung runs onto the next, past its gates
#[derive(Debug, Args)]
pub(super) struct PromoteArgs {
    #[command(flatten)]
    wanted: MoveArgs,
    #[command(flatten)]
    require: RequireArgs,
    /// Allow the promotion to take this back from the target; may be repeated
    #[arg(long = "allow-regression", value_name = "KIND/NAME")]
    allowed: Vec<String>,
    #[command(flatten)]
    glass: OverrideArgs,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Leave out the evals that run on deployment
    #[arg(long)]
    no_evals: bool,
}

pub(super) fn run(args: PromoteArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let allowed = args.allowed.iter().map(|named| Ok(parse_target(std::slice::from_ref(named))?.id(caller)));
    let request = promote::Request {
        required: args.require.gates()?,
        allowed_regressions: allowed.collect::<Result<_, Failure>>()?,
        wanted: args.wanted.wanted(args.reason, caller)?,
        glass: args.glass.request(),
        dry_run: args.dry_run,
    };
    let outcome = promote::run(&request, caller)?;
    let evals = match (&outcome.landed, &outcome.plan) {
        (Some(landed), Some(plan)) if !args.no_evals => super::eval::on_deployment(&landed.release, plan, caller),
        _ => Vec::new(),
    };
    let mut view = ChangeResult::of(Event::Promote, &outcome.wanted.to, outcome.plan.as_ref());
    view.source = Some(outcome.wanted.from.clone());
    view.dry_run = outcome.dry_run;
    view.evals = evals;
    view.unchanged = outcome.unchanged.iter().map(ToString::to_string).collect();
    if let Some(landed) = outcome.landed {
        view.release = Some(landed.release);
        view.commit = Some(landed.commit);
    }
    let says = outcome.plan.map_or(Outcome::Open, |plan| plan.outcome);
    Ok(Answer::with(exit::of_outcome(says), view))
}
