//! The agents: how many there are, and which of them run beside policies and budgets that trust has changed
//! since their last release.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::ledger::{Environment, Reader};
use crate::resource::{Digest, ResourceId};
use crate::trust::Trust;

use super::{Check, State};

/// Above this many in one namespace, hosted Git shows their directory no more.
const MANY_AGENTS: usize = 1_000;
/// How many are named before the rest is counted.
const NAMED: usize = 5;

/// The checks of all environments.
pub(super) fn check(reader: &Reader<'_>, trust: &Trust) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut counts = Vec::new();
    for rung in trust.ladder().rungs() {
        match environment(reader, trust, rung) {
            Ok((count, found)) => {
                counts.push(format!("{count} in `{rung}`"));
                checks.extend(found);
            }
            Err(why) => checks.push(Check::of_error("agents", State::Fail, &why)),
        }
    }
    checks.insert(0, Check::ok("agents", counts.join(", ")));
    checks
}

fn environment(reader: &Reader<'_>, trust: &Trust, rung: &str) -> Result<(usize, Vec<Check>)> {
    let environment = reader.environment(rung)?;
    let agents = environment.agents()?;
    let mut checks = Vec::new();
    let mut by_namespace: BTreeMap<&str, usize> = BTreeMap::new();
    let mut behind = Vec::new();
    for agent in &agents {
        *by_namespace.entry(&agent.namespace).or_default() += 1;
        if is_behind(&environment, trust, agent)? {
            behind.push(agent.to_string());
        }
    }
    for (namespace, count) in by_namespace.into_iter().filter(|(_, count)| *count > MANY_AGENTS) {
        let message = format!("`{rung}` runs {count} agents of the namespace `{namespace}`");
        checks.push(
            Check::warn("agents", message).next("divide them among namespaces: hosted Git lists 1,000 a directory"),
        );
    }
    if let Some(first) = behind.first() {
        let named = behind.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if behind.len() > NAMED { format!(" and {} more", behind.len() - NAMED) } else { String::new() };
        let message =
            format!("behind trust in `{rung}`: {named}{more}: what trust imposes has changed since their last release");
        let name = first.split_once('/').map_or(first.as_str(), |(_, name)| name);
        checks.push(Check::warn("imposed", message).next(format!(
            "release them again, so that they are judged by it; `joch describe agent {name} --env {rung}` shows what changed"
        )));
    }
    Ok((agents.len(), checks))
}

/// Whether an agent's last release resolved other policies and budgets than trust imposes now.
fn is_behind(environment: &Environment<'_, '_>, trust: &Trust, agent: &ResourceId) -> Result<bool> {
    let Some(record) = environment.record(agent)? else { return Ok(false) };
    let then: BTreeMap<ResourceId, Digest> = record.imposed.iter().map(|pinned| (pinned.id(), pinned.digest)).collect();
    let now = trust.imposed(environment.name(), &agent.namespace);
    Ok(then != now.into_iter().map(|resource| (resource.id().clone(), resource.digest())).collect())
}
