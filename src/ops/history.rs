//! `joch get KIND NAME --history`: the versions of one resource, or its releases in one environment.

use anyhow::Result;

use crate::ledger::Reader;
use crate::release::{Past, Word, layout};
use crate::resource::{Digest, ResourceId};
use crate::trust::Trust;

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::find::{check_environment, never_released};
use super::overridden::Marks;
use super::past::{Step, steps};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whose history.
    pub id: ResourceId,
    /// Its releases there; its versions everywhere where none is named.
    pub environment: Option<String>,
}

/// What there is, newest first.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// One for each version, or for each release in the environment.
    pub items: Vec<Past>,
}

/// Tells the history of one resource.
///
/// # Errors
/// It was never there, or the ledger cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let id = &request.id;
    if id.kind.is_trust() {
        return Ok(Outcome { items: on_trust(&reader, &trust, id)? });
    }
    let marks = Marks::read(&reader, &trust)?;
    let Some(environment) = &request.environment else {
        return Ok(Outcome { items: marked(versions(&reader, &trust, id)?, &marks, id) });
    };
    check_environment(trust.ladder(), environment)?;
    let items: Vec<_> = steps(&reader, environment, id)?.iter().map(of_step).collect();
    if items.is_empty() {
        if reader.version_tags(id)?.is_empty() {
            return Err(never_released(id, &reader)?.into());
        }
        caller.notice(format!("{id} was never released to `{environment}`"));
    }
    Ok(Outcome { items: marked(items, &marks, id) })
}

/// The same, with what was overridden beside each release.
fn marked(mut items: Vec<Past>, marks: &Marks, id: &ResourceId) -> Vec<Past> {
    for event in items.iter_mut().flat_map(|item| &mut item.events) {
        event.overridden = marks.of(Some(&event.release), id);
    }
    items
}

/// One for each version, with every release that brought it somewhere.
fn versions(reader: &Reader<'_>, trust: &Trust, id: &ResourceId) -> Result<Vec<Past>> {
    let versions = reader.versions(id)?;
    if versions.is_empty() {
        return Err(never_released(id, reader)?.into());
    }
    let mut all: Vec<Step> = Vec::new();
    for rung in trust.ladder().rungs() {
        all.extend(steps(reader, rung, id)?);
    }
    // Of two releases in the same second the one on the higher rung came later.
    all.reverse();
    all.sort_by_key(|step| std::cmp::Reverse(step.time));
    let items = versions.into_iter().map(|version| {
        let steps: Vec<_> = all.iter().filter(|step| step.version == Some(version.number)).collect();
        let first = steps.iter().find(|step| step.commit == version.commit);
        Past {
            version: Some(version.number),
            digest: Some(version.digest),
            commit: version.commit.to_string(),
            time: version.manifest.timestamp,
            operator: version.manifest.operator.principal.name.clone(),
            // One that no catalog and no agent's record tells of came as a member of a closure.
            change: first.map_or(Word::Created, |step| step.change),
            reason: version.manifest.reason.clone(),
            events: steps.into_iter().map(Step::happened).collect(),
        }
    });
    Ok(items.collect())
}

fn of_step(step: &Step) -> Past {
    Past {
        version: step.version,
        digest: step.digest,
        commit: step.commit.to_string(),
        time: step.time,
        operator: step.operator.clone(),
        change: step.change,
        reason: step.reason.clone(),
        events: vec![step.happened()],
    }
}

/// One for each change on the trust branch, which has no version numbers.
fn on_trust(reader: &Reader<'_>, trust: &Trust, id: &ResourceId) -> Result<Vec<Past>> {
    let path = layout::on_trust(id);
    let blob = |commit| reader.snapshot().entry_at(commit, &path).map(|entry| entry.map(|entry| entry.id));
    let mut items = Vec::new();
    for commit in reader.snapshot().first_parents(reader.tip(layout::TRUST)?) {
        let commit = commit?;
        let now = blob(commit.id)?;
        let before = commit.parents.first().map(|parent| blob(*parent)).transpose()?.flatten();
        if now == before {
            continue;
        }
        items.push(Past {
            version: None,
            digest: now.map(|blob| Ok::<Digest, anyhow::Error>(reader.resource(blob)?.digest())).transpose()?,
            commit: commit.id.to_string(),
            time: commit.committer.time,
            operator: commit.author.person.name,
            change: match (before, now) {
                (None, _) => Word::Created,
                (Some(_), Some(_)) => Word::Updated,
                (Some(_), None) => Word::Deleted,
            },
            reason: None,
            events: Vec::new(),
        });
    }
    if items.is_empty() {
        return Err(unknown_to_trust(id, trust).into());
    }
    Ok(items)
}

/// The failure that trust has no such resource, with the nearest that it has.
pub(super) fn unknown_to_trust(id: &ResourceId, trust: &Trust) -> Failure {
    let names = trust.resources.keys().filter(|known| known.kind == id.kind).map(|known| known.name.as_str());
    let failure = Failure::could_not("not-found", format!("trust has no {id}"));
    match crate::resource::name::nearest(&id.name, names) {
        Some(meant) => failure.next(format!("did you mean `{meant}`?")),
        None => failure.next(format!("`joch get {}` lists what there is", id.kind.plural())),
    }
}
