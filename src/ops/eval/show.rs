//! `joch eval show`: a result that is on record.

use std::sync::Arc;

use anyhow::Result;

use crate::eval::RunResult;
use crate::gate::Measured as Known;
use crate::ledger::Reader;
use crate::resource::{Kind, ResourceId};

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::super::find::{check_environment, not_found};
use super::baseline::Baseline;
use super::due::measured;
use super::results;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The name of an Eval, or the id of a result or the beginning of it.
    pub what: String,
    /// The environment, where an Eval is named.
    pub environment: Option<String>,
}

/// What there is.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The result.
    pub result: Arc<RunResult>,
    /// Its id.
    pub evidence: String,
    /// Who signed it, if trust lists the key.
    pub principal: Option<String>,
    /// Compared with what the next rung runs now.
    pub baseline: Option<Baseline>,
    /// Earlier results of the same Eval about the same agent, oldest first.
    pub earlier: Vec<(String, Arc<RunResult>)>,
}

/// Shows.
///
/// # Errors
/// There is no such result.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let known = match &request.environment {
        Some(environment) => {
            let id = ResourceId::new(Kind::Eval, caller.namespace(), request.what.trim_start_matches("eval/"));
            latest(&id, environment, &reader)?
        }
        None => by_id(&request.what, &reader)?,
    };
    let baseline = super::baseline::of(&known.result, &reader)?;
    let about = results::of_agent(&known.result.subject.agent, &reader)?;
    let earlier = about.into_iter().take_while(|other| other.id != known.id);
    let earlier = earlier.filter(|other| {
        other.result.eval.id == known.result.eval.id
            && other.result.subject.environment == known.result.subject.environment
    });
    Ok(Outcome {
        earlier: earlier.map(|other| (other.id, other.result)).collect(),
        evidence: known.id,
        principal: known.principal.map(|principal| principal.name),
        result: known.result,
        baseline,
    })
}

fn latest(id: &ResourceId, name: &str, reader: &Reader<'_>) -> Result<Known> {
    check_environment(reader.trust()?.ladder(), name)?;
    let environment = reader.environment(name)?;
    let Some(eval) = environment.entry(id)? else { return Err(not_found(id, &environment)?.into()) };
    let agent = measured(&eval, &environment)?;
    let results = agent.map(|agent| results::of_agent(&agent, reader)).transpose()?.unwrap_or_default();
    let here = |known: &Known| known.result.eval.id == *id && known.result.subject.environment == name;
    results.into_iter().rfind(here).ok_or_else(|| {
        let message = format!("no run of {id} in `{name}` is on record");
        Failure::could_not("not-found", message).next(format!("joch eval run {} --target {name}", id.name)).into()
    })
}

/// The result whose id begins so.
fn by_id(id: &str, reader: &Reader<'_>) -> Result<Known> {
    let next = "`joch eval ls` lists the last results; an Eval is shown with `--target ENV`";
    let is_id = id.len() >= 6 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut found: Vec<Known> = if is_id { results::beginning_with(id, reader)? } else { Vec::new() };
    if found.is_empty() {
        found = results::beginning_with("", reader)?;
        found.retain(|known| known.result.run == id);
        // A run that was merged again is on record with each of its results; the last counts.
        found = found.pop().into_iter().collect();
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Failure::could_not("not-found", format!("no result begins with `{id}`, and no run is called so"))
            .next(next)
            .into()),
        _ => Err(Failure::usage(format!("`{id}` is the beginning of several ids")).next("give more of it").into()),
    }
}
