//! `joch eval gate`: what the gates that measure would say of a promotion now.

use anyhow::Result;

use crate::gate::{GateResult, Outcome as Says};
use crate::resource::{Requirement, ResourceId};

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::super::find::not_found;
use super::super::promote;
use super::super::promotion::Move;
use super::due::measured;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The Eval.
    pub eval: ResourceId,
    /// The rung that the agent comes from.
    pub from: String,
    /// The rung that it goes to.
    pub to: String,
}

/// What they say.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The agent.
    pub agent: ResourceId,
    /// The version of it that would be promoted.
    pub version: Option<u64>,
    /// The gates that measure.
    pub gates: Vec<GateResult>,
    /// What these come to.
    pub says: Says,
    /// Whether the target has all of it already, so that there is nothing to judge.
    pub unchanged: bool,
}

/// Asks, and writes nothing.
///
/// # Errors
/// There is no such Eval, or no such promotion.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let agent = {
        let desk = Desk::open(caller)?;
        let reader = desk.reader()?;
        let environment = reader.environment(&request.from)?;
        let Some(eval) = environment.entry(&request.eval)? else {
            return Err(not_found(&request.eval, &environment)?.into());
        };
        measured(&eval, &environment)?.ok_or_else(|| {
            let message = format!("{} measures no agent that runs in `{}`", request.eval, request.from);
            Failure::could_not("not-found", message)
                .next(format!("`joch eval ls --target {}` lists what it measures", request.from))
        })?
    };
    let wanted =
        Move { resource: Some(agent.clone()), from: request.from.clone(), to: request.to.clone(), ..Move::default() };
    let required = vec![Requirement::Eval(request.eval.name.clone())];
    let asked = promote::Request { wanted, required, dry_run: true, ..promote::Request::default() };
    let plan = promote::run(&asked, caller)?.plan;
    let unchanged = plan.is_none();
    let records = plan.iter().flat_map(|plan| &plan.records).filter(|record| record.agent_ref == agent);
    let records: Vec<_> = records.collect();
    let version = records.iter().find_map(|record| record.to_version);
    let measuring = |gate: &&GateResult| matches!(gate.gate.as_str(), "eval" | "latency");
    let gates: Vec<_> = records.iter().flat_map(|record| &record.gates).filter(measuring).cloned().collect();
    Ok(Outcome { says: Says::of(&gates), agent, version, gates, unchanged })
}
