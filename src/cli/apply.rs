//! `joch apply`.

use anyhow::Result;
use clap::Args;

use crate::gate::Outcome;
use crate::ops::{Caller, apply};
use crate::render::view::{ApplyResult, AsksForLess, ResourceChange};

use super::exit;
use super::global::Answer;
use super::overriding::OverrideArgs;

/// Bring resources into an environment; never removes any
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// File, directory, or `-` for standard input; may be repeated
    #[arg(short = 'f', long = "filename", required = true, value_name = "PATH")]
    files: Vec<String>,
    /// Environment; the first rung of the ladder where none is named
    #[arg(long, alias = "context", value_name = "ENV")]
    env: Option<String>,
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

pub(super) fn run(args: ApplyArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let request = apply::Request {
        files: args.files,
        environment: args.env,
        glass: args.glass.request(),
        reason: args.reason,
        dry_run: args.dry_run,
    };
    let outcome = apply::run(&request, caller)?;
    let evals = match (&outcome.landed, &outcome.plan) {
        (Some(landed), Some(plan)) if !args.no_evals => super::eval::on_deployment(&landed.release, plan, caller),
        _ => Vec::new(),
    };
    let says = outcome.plan.as_ref().map_or(Outcome::Open, |plan| plan.outcome);
    let verdict = match outcome.plan.as_ref().and_then(|plan| plan.records.first()) {
        Some(record) => record.verdict.clone(),
        None if outcome.plan.is_some() || outcome.trust_commit.is_some() => "applied".into(),
        None => "unchanged".into(),
    };
    let resources = outcome.resources.into_iter().map(|applied| ResourceChange {
        kind: applied.id.kind,
        namespace: applied.id.namespace,
        name: applied.id.name,
        version: applied.version,
        change: applied.change,
    });
    let records = outcome.plan.map(|plan| plan.records).unwrap_or_default();
    let view = ApplyResult {
        verdict,
        environment: outcome.environment,
        release: outcome.landed.as_ref().map(|landed| landed.release.clone()),
        commit: outcome.landed.map(|landed| landed.commit),
        trust_commit: outcome.trust_commit,
        asks_for_less: outcome.lowered.map(|lowered| AsksForLess {
            steps: lowered.steps,
            agreed: lowered.agreed,
            needed: lowered.needed,
        }),
        dry_run: outcome.dry_run,
        resources: resources.collect(),
        records: records.into_iter().filter(|record| !record.gates.is_empty()).collect(),
        evals,
        outcome: says,
    };
    Ok(Answer::with(exit::of_outcome(says), view))
}
