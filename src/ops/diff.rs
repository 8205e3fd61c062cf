//! `joch diff KIND NAME`: what differs between two contents of one resource, everything that an agent drags
//! along included.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::bom::{self, AbomDelta};
use crate::diff::{self, Change};
use crate::ledger::Reader;
use crate::release::Word;
use crate::resource::{Kind, Pinned, ResourceId};
use crate::trust::Ladder;

use super::agbom::difference_of;
use super::caller::Caller;
use super::content::Content;
use super::desk::Desk;
use super::failure::Failure;
use super::find::never_released;
use super::revision::{Revision, Side, parse, resolve};

/// What is compared.
#[derive(Debug, Clone)]
pub struct Request {
    /// The resource.
    pub id: ResourceId,
    /// The old side; the version before the new one where none is named.
    pub from: Option<String>,
    /// The new side; the newest version where none is named.
    pub to: Option<String>,
}

/// What differs.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The old side.
    pub from: Side,
    /// The new side.
    pub to: Side,
    /// What was compared, and what becomes of each.
    pub resources: Vec<Compared>,
    /// Every change of every resource.
    pub changes: Vec<Change>,
    /// Agents that the changes reach though nobody named them.
    pub affected: Vec<Affected>,
    /// Components that came, went, or moved.
    pub abom: AbomDelta,
    /// What the two environments impose, as far as it differs.
    pub imposed: AbomDelta,
}

/// One resource that was compared.
#[derive(Debug, Clone)]
pub struct Compared {
    /// Which.
    pub id: ResourceId,
    /// What becomes of it on the way from the old side to the new.
    pub change: Word,
    /// What the old side has.
    pub from: Option<Pinned>,
    /// What the new side has.
    pub to: Option<Pinned>,
}

/// An agent that a change reaches.
#[derive(Debug, Clone)]
pub struct Affected {
    /// Which agent.
    pub agent: ResourceId,
    /// Where.
    pub environment: String,
    /// The version that runs there.
    pub version: Option<u64>,
    /// What it holds of what changes.
    pub through: BTreeSet<ResourceId>,
}

impl Outcome {
    /// Whether anything differs.
    #[must_use]
    pub fn differs(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// Compares two contents of one resource.
///
/// # Errors
/// A side that names nothing; neither side has the resource; the ledger cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let id = &request.id;
    check(id, &reader)?;
    let command = format!("joch diff {}", id.words());
    let [from, to] = sides(id, &command, request.from.as_deref(), request.to.as_deref(), trust.ladder(), &reader)?;
    if from.content.is_none() && to.content.is_none() {
        let places: BTreeSet<_> =
            from.environment.iter().chain(&to.environment).map(|name| format!("`{name}`")).collect();
        let places: Vec<_> = places.into_iter().collect();
        return Err(Failure::could_not("not-found", format!("there is no {id} in {}", places.join(" or in ")))
            .next(format!("`joch get {}` tells where it is", id.words()))
            .into());
    }
    let changes = changes(id, from.content.as_ref(), to.content.as_ref());
    let named: Vec<_> = from.environment.iter().chain(&to.environment).cloned().collect();
    let rungs = if named.is_empty() { trust.ladder().rungs() } else { &named };
    let affected = affected(id, &changes, rungs, &reader)?;
    let abom = difference_of(&from, &to, &reader)?;
    let imposed = match (&from.environment, &to.environment) {
        (Some(_), Some(_)) => bom::delta(&from.imposed, &to.imposed),
        _ => AbomDelta::default(),
    };
    let resources = vec![compared(id, from.content.as_ref(), to.content.as_ref())];
    Ok(Outcome { from, to, resources, changes, affected, abom, imposed })
}

/// What becomes of a resource between two contents.
pub(super) fn compared(id: &ResourceId, from: Option<&Content>, to: Option<&Content>) -> Compared {
    let pin = |content: &Content| Pinned::new(id, content.version, content.digest);
    let change = match (from, to) {
        (None, _) => Word::Created,
        (Some(_), None) => Word::Deleted,
        (Some(old), Some(new)) if old.digest == new.digest => Word::Unchanged,
        (Some(old), Some(new)) if old.resource() == new.resource() => Word::Affected,
        (Some(_), Some(_)) => Word::Updated,
    };
    Compared { id: id.clone(), change, from: from.map(pin), to: to.map(pin) }
}

/// What differs between two contents.
pub(super) fn changes(id: &ResourceId, from: Option<&Content>, to: Option<&Content>) -> Vec<Change> {
    if id.kind == Kind::Agent {
        return crate::diff::between_closures(from.and_then(Content::closure), to.and_then(Content::closure));
    }
    let body = |content: &Content| content.resource().body().clone();
    diff::between(id, from.map(body).as_ref(), to.map(body).as_ref())
}

/// Refuses a resource that has no versions.
fn check(id: &ResourceId, reader: &Reader<'_>) -> Result<()> {
    if id.kind.is_trust() {
        return Err(Failure::usage(format!("{id} stands on trust and has no versions"))
            .next(format!("compare files with it: `joch diff -f PATH`; or see `joch get {} --history`", id.words()))
            .into());
    }
    if reader.version_tags(id)?.is_empty() {
        return Err(never_released(id, reader)?.into());
    }
    Ok(())
}

/// Both sides, the old one first. What nobody named is the newest version, and the one before the new side;
/// `command` is what a person wrote before them.
pub(super) fn sides(
    id: &ResourceId,
    command: &str,
    from: Option<&str>,
    to: Option<&str>,
    ladder: &Ladder,
    reader: &Reader<'_>,
) -> Result<[Side; 2]> {
    let numbers: Vec<_> = reader.version_tags(id)?.into_iter().map(|(number, _)| number).collect();
    let read = |text: &str| parse(text, id, ladder, reader);
    let to = match to {
        Some(text) => read(text)?,
        None => Revision::Version(numbers.first().copied().unwrap_or(1)),
    };
    let to = resolve(&to, id, reader)?;
    let from = match from {
        Some(text) => read(text)?,
        None => {
            let before = to.version().and_then(|version| numbers.iter().find(|number| **number < version));
            let number = before.ok_or_else(|| {
                Failure::usage(format!("{id} has no version to compare with")).next(format!(
                    "name one: `{command} --from R --to R`, where R is a version, an environment, or `{}@2026-05-10`",
                    ladder.last()
                ))
            })?;
            Revision::Version(*number)
        }
    };
    Ok([resolve(&from, id, reader)?, to])
}

/// Other agents that hold what changes, in these environments.
fn affected(id: &ResourceId, changes: &[Change], rungs: &[String], reader: &Reader<'_>) -> Result<Vec<Affected>> {
    let changed: BTreeSet<_> = changes.iter().map(|change| &change.resource).collect();
    let mut found: BTreeMap<(String, ResourceId), Affected> = BTreeMap::new();
    if changed.iter().all(|resource| resource.kind == Kind::Agent && *resource == id) {
        return Ok(Vec::new());
    }
    for rung in rungs {
        let environment = reader.environment(rung)?;
        for agent in environment.agents()?.into_iter().filter(|agent| agent != id) {
            let Some(record) = environment.record(&agent)? else { continue };
            let held = record.members.iter().map(Pinned::id).filter(|member| changed.contains(member));
            let through: BTreeSet<_> = held.collect();
            if !through.is_empty() {
                let affected =
                    Affected { agent: agent.clone(), environment: rung.clone(), version: record.to_version, through };
                found.insert((rung.clone(), agent), affected);
            }
        }
    }
    Ok(found.into_values().collect())
}
