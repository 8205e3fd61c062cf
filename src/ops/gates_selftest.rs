//! `joch gates selftest`: plants bad versions and weaker controls into a copy of an environment in memory, and tells
//! which of them its gates would not have caught. Nothing is written, and no key is needed.
//!
//! A hold is no block: a change that only waits for somebody, or for evidence, was not caught.

mod edits;
mod harvest;
mod plant;
mod trial;

use anyhow::Result;

use crate::release::layout;
use crate::resource::{Requirement, ResourceId};

use self::plant::of_trust;
use self::trial::Field;
use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::find::{check_environment, not_found};
use super::land::commit_time;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The agent to plant into; every one of the environment where none is named.
    pub agent: Option<ResourceId>,
    /// The environment whose gates are tried; the last rung where none is named.
    pub environment: Option<String>,
    /// Gates that are tried beside what the environment demands.
    pub required: Vec<Requirement>,
}

/// What became of one planted change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// What it was planted into.
    pub resource: ResourceId,
    /// What it does, in a few words.
    pub seed: String,
    /// What must see it: `agbom AGB-MCP-001`, `eval`, `weakening`; nothing for a harmless change.
    pub expected: Option<String>,
    /// What came of it.
    pub fate: Fate,
    /// What the gates said.
    pub said: String,
    /// What would catch it, where it was missed.
    pub next: Option<String>,
}

/// What came of a planted change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// What had to see it said no; or, of a harmless change, no gate that looks at content did.
    Right,
    /// It would have got through, or only waited.
    Missed,
    /// A harmless change was stopped.
    Stopped,
    /// There is nothing into which it could be planted.
    Absent,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The environment whose gates were tried.
    pub environment: String,
    /// Every planted change.
    pub planted: Vec<Planted>,
}

impl Outcome {
    /// How many of them had this fate.
    #[must_use]
    pub fn count(&self, fate: Fate) -> usize {
        self.planted.iter().filter(|planted| planted.fate == fate).count()
    }

    /// Whether every bad change was caught and every harmless one got through.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.count(Fate::Missed) + self.count(Fate::Stopped) == 0
    }
}

/// Plants all of it.
///
/// # Errors
/// There is no such environment or agent, nothing runs there, or the ledger cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let name = request.environment.clone().unwrap_or_else(|| trust.ladder().last().to_owned());
    check_environment(trust.ladder(), &name)?;
    let rungs = trust.ladder().rungs();
    let place = rungs.iter().position(|rung| *rung == name).unwrap_or_default();
    let Some(below) = place.checked_sub(1).map(|at| rungs[at].clone()) else {
        return Err(Failure::usage(format!("`{name}` is the first rung, which demands nothing"))
            .next(format!("try the gates of another: --env {}", trust.ladder().last()))
            .into());
    };
    let (target, source) = (reader.environment(&name)?, reader.environment(&below)?);
    let agents = match &request.agent {
        Some(agent) => vec![agent.clone()],
        None => match target.agents()? {
            none if none.is_empty() => source.agents()?,
            agents => agents,
        },
    };
    let time = commit_time(&reader, &[layout::EVIDENCE, name.as_str()], caller.now, &mut caller.notices)?;
    let mut outcome = Outcome { environment: name.clone(), planted: Vec::new() };
    for agent in &agents {
        let Some(running) = target.running(agent)?.map_or_else(|| source.running(agent), |found| Ok(Some(found)))?
        else {
            return Err(not_found(agent, &source)?.into());
        };
        let field = Field {
            reader: &reader,
            trust: &trust,
            desk: &desk,
            target: &target,
            source: &source,
            required: &request.required,
            time,
        };
        outcome.planted.extend(field.versions(agent, &running)?);
        outcome.planted.extend(field.controls(agent, &running)?);
    }
    outcome.planted.extend(of_trust(&trust, &name));
    if agents.is_empty() {
        return Err(Failure::could_not("not-found", format!("nothing runs in `{name}` or in `{below}`"))
            .next("bring an agent there first; then there is something to plant into")
            .into());
    }
    Ok(outcome)
}
