//! Where an MCP server's resource is taken from: the catalog of an environment, else the closures of its agents.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;

use crate::ledger::{Environment, Reader};
use crate::resource::{Kind, Resource, ResourceId};
use crate::trust::Ladder;

use super::super::caller::Caller;
use super::super::failure::Failure;
use super::super::find::{check_environment, not_found};

/// The resource of a server in the environment that is named, else in the lowest rung that has it.
///
/// # Errors
/// No environment has it, or one cannot be read.
pub(super) fn find<'a, 'r>(
    server: &ResourceId,
    named: Option<&str>,
    ladder: &Ladder,
    reader: &'a Reader<'r>,
    caller: &mut Caller<'_>,
) -> Result<(Environment<'a, 'r>, Arc<Resource>)> {
    let rungs = match named {
        Some(named) => {
            check_environment(ladder, named)?;
            vec![named.to_owned()]
        }
        None => ladder.rungs().to_vec(),
    };
    for rung in &rungs {
        let environment = reader.environment(rung)?;
        if let Some(found) = held(server, &environment, caller)? {
            if named.is_none() {
                caller.notice(format!(
                    "{server} is taken as `{rung}` has it, the lowest rung that does; `--env` names another"
                ));
            }
            return Ok((environment, found));
        }
    }
    match rungs.as_slice() {
        [rung] => Err(not_found(server, &reader.environment(rung)?)?.into()),
        _ => Err(Failure::could_not("not-found", format!("no environment has {server}"))
            .next(format!("`joch get {}` lists what there is", Kind::McpServer.plural()))
            .into()),
    }
}

fn held(
    server: &ResourceId,
    environment: &Environment<'_, '_>,
    caller: &mut Caller<'_>,
) -> Result<Option<Arc<Resource>>> {
    if let Some(entry) = environment.entry(server)? {
        return Ok(Some(entry));
    }
    // An agent that was promoted brings its members along, whatever the catalog has.
    let mut held = BTreeMap::new();
    for agent in environment.agents()? {
        if let Some(found) = environment.member(&agent, server)? {
            held.entry(found.digest()).or_insert((agent, found));
        }
    }
    let several = held.len() > 1;
    let Some((agent, found)) = held.into_values().next() else { return Ok(None) };
    if several {
        caller.notice(format!(
            "agents in `{}` hold {server} in several versions; it is taken as {agent} has it",
            environment.name()
        ));
    }
    Ok(Some(found))
}
