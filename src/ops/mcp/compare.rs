//! `joch mcp diff`: what is different about an MCP server between two observations.

use anyhow::Result;

use crate::bom::reworded;
use crate::diff::Change;
use crate::gate::Observed;
use crate::resource::ResourceId;

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::{counting, never_observed};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The server.
    pub server: ResourceId,
    /// The id of the old observation or the beginning of it; else the newest that said something else.
    pub from: Option<String>,
    /// The id of the new one or the beginning of it; else the newest.
    pub to: Option<String>,
}

/// What there is.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The old one; none where every earlier one says the same.
    pub from: Option<Observed>,
    /// The new one.
    pub to: Observed,
    /// What is different.
    pub changes: Vec<Change>,
}

/// Compares.
///
/// # Errors
/// There is no such observation, or the ledger cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let known = counting(&request.server, &reader, &reader.trust()?)?;
    let to = match &request.to {
        Some(id) => by_id(&known, id, request)?,
        None => known.len().checked_sub(1).ok_or_else(|| never_observed(&request.server))?,
    };
    let from = match &request.from {
        Some(id) => Some(by_id(&known, id, request)?),
        None => {
            known[..to].iter().rposition(|older| !reworded(Some(&older.observation), &known[to].observation).is_empty())
        }
    };
    let from = from.map(|at| known[at].clone());
    let changes = match &from {
        Some(from) => reworded(Some(&from.observation), &known[to].observation),
        None => Vec::new(),
    };
    Ok(Outcome { from, to: known[to].clone(), changes })
}

fn by_id(known: &[Observed], id: &str, request: &Request) -> Result<usize, Failure> {
    let mut found = known.iter().enumerate().filter(|(_, observed)| observed.id.starts_with(id)).map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (Some(_), Some(_)) => {
            Err(Failure::usage(format!("`{id}` is the beginning of several ids")).next("give more of it"))
        }
        (None, _) => {
            let ids: Vec<_> = known.iter().rev().take(5).map(|observed| &observed.id[..12]).collect();
            let message = format!("no observation of {} begins with `{id}`", request.server);
            let next = if ids.is_empty() {
                format!("joch mcp record {}", request.server.name)
            } else {
                format!("the newest are {}", ids.join(", "))
            };
            Err(Failure::could_not("not-found", message).next(next))
        }
    }
}
