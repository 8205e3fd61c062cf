//! Which agents of an environment a change reaches, and what becomes of each.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::closure::{Closure, Exchange, Touched, holds, ripple};
use crate::ledger::Environment;
use crate::release::{AgentEdit, Word};
use crate::resource::ResourceId;

use super::failure::Failure;

/// What `exchange` makes of every agent of `environment` that holds what it changes, except those in `known`.
///
/// # Errors
/// A closure cannot be read, or names what the exchange takes away.
pub(super) fn reach(
    environment: &Environment<'_, '_>,
    exchange: &Exchange,
    known: &BTreeMap<ResourceId, AgentEdit>,
) -> Result<BTreeMap<ResourceId, AgentEdit>> {
    let mut reached = BTreeMap::new();
    if exchange.resources.is_empty() && exchange.agents.is_empty() {
        return Ok(reached);
    }
    // A change of agents alone reaches only those that hold one of them.
    let agents = match exchange.resources.is_empty() {
        true => environment.parents(&exchange.agents.keys().cloned().collect())?.into_iter().collect(),
        false => environment.agents()?,
    };
    let touched = Touched::by(exchange);
    for agent in agents {
        if known.contains_key(&agent) || !environment.may_hold(&agent, &touched)? {
            continue;
        }
        let Some(held) = environment.closure(&agent)? else { continue };
        if !holds(&held, exchange) {
            continue;
        }
        let cut = ripple(&held, exchange, environment).map_err(|why| {
            Failure::refused("missing-reference", format!("in `{}`: {why}", environment.name()))
                .next(format!("change {agent} first, so that it no longer names what is taken away"))
        })?;
        if cut != held {
            let edit = edit_of(environment, &agent, Some(cut), exchange.resources.keys().cloned().collect())?;
            reached.insert(agent, edit);
        }
    }
    Ok(reached)
}

/// The change of one agent of `environment` to `after`, with what it writes beside.
///
/// # Errors
/// What runs now cannot be read.
pub(super) fn edit_of(
    environment: &Environment<'_, '_>,
    agent: &ResourceId,
    after: Option<Closure>,
    writes: BTreeSet<ResourceId>,
) -> Result<AgentEdit> {
    let before = environment.running(agent)?;
    let word = match (&before, &after) {
        (_, None) => Word::Deleted,
        (None, Some(_)) => Word::Created,
        (Some(before), Some(after)) if before.closure.agent() != after.agent() => Word::Updated,
        (Some(_), Some(_)) => Word::Affected,
    };
    let ran = if before.is_none() && after.is_some() { environment.ran_last(agent)? } else { None };
    Ok(AgentEdit {
        word,
        before,
        last: environment.record(agent)?,
        ran,
        after,
        writes,
        brings: None,
        running_in_source_since: None,
        regressions: Vec::new(),
        undoes: None,
        has_served: false,
    })
}
