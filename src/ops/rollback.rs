//! `joch rollback`: brings back what an environment has served before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;

use crate::closure::{Closure, Exchange};
use crate::ledger::{Environment, ObjectId, Reader};
use crate::release::{AgentEdit, CatalogEdit, Draft, Event, Numbering, Plan, Record, Undone, layout};
use crate::resource::{Digest, Kind, Resource, ResourceId};
use crate::trust::Trust;

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::find::{check_environment, never_released};
use super::judge::{Asked, check_writer, judge};
use super::land::{Landed, commit_time, land};
use super::reach::{edit_of, reach};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// What goes back.
    pub resource: ResourceId,
    /// To which version; the newest that served before and was not itself rolled back from where none is named.
    pub to_version: Option<u64>,
    /// Where; the highest rung that has it where none is named.
    pub environment: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What went back.
    pub resource: ResourceId,
    /// Where.
    pub environment: String,
    /// To which version.
    pub version: u64,
    /// The plan; none where that version runs already.
    pub plan: Option<Plan>,
    /// The release, if one was made.
    pub landed: Option<Landed>,
    /// Whether nothing was written because nothing was to be.
    pub dry_run: bool,
}

/// One version that an environment has served.
struct Served {
    version: u64,
    digest: Digest,
    release: String,
    commit: ObjectId,
    /// Whether a rollback left it.
    left: bool,
}

/// Rolls back.
///
/// # Errors
/// The environment never served that version; the role does not allow it; the ledger cannot be written.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let transaction = if request.dry_run { None } else { Some(desk.begin()?) };
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let operating = desk.operating(caller, &trust)?;
    let name = place(request, &reader, &trust, caller)?;
    let environment = reader.environment(&name)?;
    let id = &request.resource;
    let served = if id.kind == Kind::Agent {
        agent_served(id, &environment, &reader)?
    } else {
        entry_served(id, &environment, &reader)?
    };
    let current = current_version(id, &environment, &reader)?;
    let goal = choose(request, &served, current, &name)?;
    let mut outcome = Outcome {
        resource: id.clone(),
        environment: name.clone(),
        version: goal.version,
        plan: None,
        landed: None,
        dry_run: request.dry_run,
    };
    if current == Some(goal.version) {
        return Ok(outcome);
    }
    check_writer(&trust, &operating, &name)?;
    let draft = draft(request, goal, &environment, &reader)?;
    let time = commit_time(&reader, &[layout::EVIDENCE, name.as_str()], caller.now, &mut caller.notices)?;
    let plan = judge(&draft, &Asked::of(&trust, &desk), &reader, &operating.operator, time)?;
    if let Some(mut transaction) = transaction {
        outcome.landed = land(&mut transaction, &reader, &plan, &operating)?;
        desk.finish(transaction, caller)?;
    }
    outcome.plan = Some(plan);
    Ok(outcome)
}

/// The named environment, else the highest rung that has the resource; the latter is said.
fn place(request: &Request, reader: &Reader<'_>, trust: &Trust, caller: &mut Caller<'_>) -> Result<String> {
    if let Some(name) = &request.environment {
        check_environment(trust.ladder(), name)?;
        return Ok(name.clone());
    }
    let id = &request.resource;
    for rung in trust.ladder().rungs().iter().rev() {
        let environment = reader.environment(rung)?;
        let has = if id.kind == Kind::Agent {
            environment.closure_tree(id)?.is_some()
        } else {
            environment.entry(id)?.is_some()
        };
        if has {
            caller.notice(format!("rolling back in `{rung}`, the highest rung that has {id}"));
            return Ok(rung.clone());
        }
    }
    Err(never_released(id, reader)?.into())
}

fn current_version(id: &ResourceId, environment: &Environment<'_, '_>, reader: &Reader<'_>) -> Result<Option<u64>> {
    if id.kind == Kind::Agent {
        return Ok(environment.record(id)?.and_then(|record| record.to_version));
    }
    match environment.entry(id)? {
        Some(entry) => Ok(reader.version_of(id, entry.digest())?),
        None => Ok(None),
    }
}

/// Every version of an agent that the environment has served, newest first.
fn agent_served(id: &ResourceId, environment: &Environment<'_, '_>, reader: &Reader<'_>) -> Result<Vec<Served>> {
    let mut served = Vec::new();
    let mut left = BTreeSet::new();
    let mut next: Option<Record> = environment.record(id)?;
    while let Some(record) = next {
        left.extend(record.undoes.as_ref().and_then(|undone| undone.version));
        if let (Some(version), Some(digest), Some(commit)) =
            (record.to_version, record.to_digest, reader.release(&record.release)?)
        {
            served.push(Served {
                version,
                digest,
                release: record.release.clone(),
                commit,
                left: left.contains(&version),
            });
        }
        next = record.previous_release.as_ref().map(|name| reader.record_of(id, name)).transpose()?.flatten();
    }
    Ok(served)
}

/// Every version of a catalog entry that the environment has held, newest first.
fn entry_served(id: &ResourceId, environment: &Environment<'_, '_>, reader: &Reader<'_>) -> Result<Vec<Served>> {
    let mut served: Vec<Served> = Vec::new();
    let mut left = BTreeSet::new();
    for commit in reader.snapshot().first_parents(environment.head()) {
        let commit = commit?.id;
        let Some(manifest) = reader.manifest(commit)? else { continue };
        let Some(resource) = manifest.resources.iter().find(|resource| resource.id() == *id) else { continue };
        if manifest.event == Event::Rollback {
            left.extend(resource.from_version);
        }
        if let (Some(version), Some(digest)) = (resource.to_version, resource.digest) {
            served.push(Served { version, digest, release: manifest.name(), commit, left: left.contains(&version) });
        }
    }
    Ok(served)
}

fn choose<'a>(
    request: &Request,
    served: &'a [Served],
    current: Option<u64>,
    environment: &str,
) -> Result<&'a Served, Failure> {
    let id = &request.resource;
    let list = || {
        let mut versions: Vec<_> = served.iter().map(|served| served.version).collect();
        versions.sort_unstable();
        versions.dedup();
        versions.iter().map(|version| format!("v{version}")).collect::<Vec<_>>().join(", ")
    };
    match request.to_version {
        Some(wanted) => served.iter().find(|served| served.version == wanted).ok_or_else(|| {
            let message =
                format!("`{environment}` never served {id} v{wanted}, and a rollback takes only what it has served");
            let failure = Failure::refused("never-served", message);
            if served.is_empty() {
                failure.next(format!("`joch get {} {} --history` shows where it ran", id.kind.plural(), id.name))
            } else {
                failure.next(format!("it has served {}; anything else comes by promotion", list()))
            }
        }),
        None => served.iter().find(|served| Some(served.version) != current && !served.left).ok_or_else(|| {
            Failure::refused(
                "nothing-before",
                format!("`{environment}` has served no other version of {id} that was not rolled back from"),
            )
            .next(format!("name one with `--to-version`: {}", list()))
        }),
    }
}

fn draft(request: &Request, goal: &Served, environment: &Environment<'_, '_>, reader: &Reader<'_>) -> Result<Draft> {
    let id = &request.resource;
    let mut draft = Draft {
        event: Event::Rollback,
        environment: environment.name().to_owned(),
        source: None,
        reason: request.reason.clone(),
        catalog: BTreeMap::new(),
        agents: BTreeMap::new(),
    };
    let then = reader.environment_at(environment.name(), goal.commit);
    if id.kind == Kind::Agent {
        let closure = then.closure(id)?;
        let mut edit = edit_of(environment, id, closure, BTreeSet::new())?;
        edit.undoes = edit.last.as_ref().map(|last| Undone { release: last.release.clone(), version: last.to_version });
        edit.has_served = edit.after.as_ref().map(Closure::digest) == Some(goal.digest);
        let agents = edit.after.iter().map(|closure| (id.clone(), closure.clone())).collect();
        draft.agents.insert(id.clone(), edit);
        let parents = reach(environment, &Exchange { resources: BTreeMap::new(), agents }, &draft.agents)?;
        draft.agents.extend(weighed(parents, environment, reader)?);
        return Ok(draft);
    }
    let Some(entry) = then.entry(id)? else {
        return Err(Failure::could_not("not-found", format!("{} does not hold {id}", goal.release)).into());
    };
    let cases = reader.snapshot().blob_at(goal.commit, &layout::cases(id))?;
    add_entry(&mut draft, id, entry, cases, environment, reader)?;
    Ok(draft)
}

/// A shared resource goes back, and with it every closure that holds it; one that the environment has not
/// served in that form before is judged like any other change.
fn add_entry(
    draft: &mut Draft,
    id: &ResourceId,
    entry: Arc<Resource>,
    cases: Option<Vec<u8>>,
    environment: &Environment<'_, '_>,
    reader: &Reader<'_>,
) -> Result<()> {
    let exchange = Exchange { resources: BTreeMap::from([(id.clone(), Some(entry.clone()))]), agents: BTreeMap::new() };
    draft.catalog.insert(id.clone(), CatalogEdit { before: environment.entry(id)?, after: Some(entry), cases });
    let reached = reach(environment, &exchange, &draft.agents)?;
    draft.agents = weighed(reached, environment, reader)?;
    Ok(())
}

/// What a rollback of something else makes of agents: what each undoes, and whether it has served in that form.
fn weighed(
    reached: BTreeMap<ResourceId, AgentEdit>,
    environment: &Environment<'_, '_>,
    reader: &Reader<'_>,
) -> Result<BTreeMap<ResourceId, AgentEdit>> {
    let mut weighed = reached;
    for (agent, edit) in &mut weighed {
        edit.undoes = edit.last.as_ref().map(|last| Undone { release: last.release.clone(), version: last.to_version });
        let digest = edit.after.as_ref().map(Closure::digest);
        edit.has_served = agent_served(agent, environment, reader)?.iter().any(|served| Some(served.digest) == digest);
    }
    Ok(weighed)
}
