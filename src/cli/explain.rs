//! `joch explain`.

use anyhow::Result;
use clap::Args;

use crate::ops::{Caller, explain};
use crate::render::view::{AlsoMissing, Explanation, MissingFact};

use super::global::Answer;
use super::promote::MoveArgs;
use super::require::RequireArgs;

/// Say what a promotion is missing, who can supply it, and with which command
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    wanted: MoveArgs,
    #[command(flatten)]
    require: RequireArgs,
}

pub(super) fn run(args: ExplainArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let required = args.require.gates()?;
    let outcome = explain::run(&explain::Request { wanted: args.wanted.wanted(None, caller)?, required }, caller)?;
    let records = outcome.plan.as_ref().map(|plan| plan.records.as_slice()).unwrap_or_default();
    let version = |version: Option<u64>| version.map_or_else(|| "none".to_owned(), |version| format!("v{version}"));
    let told = records.iter().map(|record| {
        format!("{}  {} -> {}", record.agent_ref, version(record.from_version), version(record.to_version))
    });
    let fact = |fact: explain::Fact| MissingFact {
        resource: fact.resource.to_string(),
        gate: fact.gate,
        also: fact
            .also
            .into_iter()
            .map(|(resource, gate)| AlsoMissing { resource: resource.to_string(), gate })
            .collect(),
        who: fact.who,
        command: fact.command,
    };
    let explanation = Explanation {
        verdict: records.first().map_or_else(|| "unchanged".to_owned(), |record| record.verdict.clone()),
        from: outcome.wanted.from,
        to: outcome.wanted.to,
        changes: told.collect(),
        missing: outcome.missing.into_iter().map(fact).collect(),
        break_glass: outcome.break_glass,
        text: String::new(),
    };
    Ok(Answer::done(explanation.told()))
}
