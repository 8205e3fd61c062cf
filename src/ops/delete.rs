//! `joch delete`: takes a resource out of an environment. Its record and versions stay.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::closure::{Closure, Exchange};
use crate::gate::secrets_named;
use crate::ledger::{Environment, Reader};
use crate::release::{CatalogEdit, Draft, Event, Plan, layout};
use crate::resource::{Kind, ResourceId, Target, Tie};
use crate::trust::Trust;

use super::again::again;
use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::find::{check_environment, not_found};
use super::judge::{Asked, check_writer, judge};
use super::land::{Landed, commit_time, land};
use super::reach::{edit_of, reach};
use super::tips::check_tips;
use super::trust_change::{Staged, TrustChange};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// What goes.
    pub resource: ResourceId,
    /// From where; records of trust stand in no environment.
    pub environment: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What went.
    pub resource: ResourceId,
    /// From where.
    pub environment: Option<String>,
    /// The plan; none for a record of trust, or where it was gone already.
    pub plan: Option<Plan>,
    /// The release, if one was made.
    pub landed: Option<Landed>,
    /// The trust commit, if trust changed.
    pub trust_commit: Option<String>,
    /// Whether nothing was written because nothing was to be.
    pub dry_run: bool,
}

/// Deletes.
///
/// # Errors
/// There never was such a resource there; a closure still names it; the role does not allow it.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    again(caller, |caller| attempt(request, caller))
}

fn attempt(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let transaction = if request.dry_run { None } else { Some(desk.begin()?) };
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let operating = desk.operating(caller, &trust)?;
    let id = &request.resource;
    let mut outcome = Outcome {
        resource: id.clone(),
        environment: request.environment.clone(),
        plan: None,
        landed: None,
        trust_commit: None,
        dry_run: request.dry_run,
    };
    if id.kind.is_trust() {
        let change = from_trust(id, &trust)?;
        let time = commit_time(&desk, &reader, &[layout::TRUST], caller.now, &mut caller.notices)?;
        let Some(mut transaction) = transaction else {
            let (_, lowered) = change.would(&reader, &trust, &operating, time)?;
            lowered.into_iter().for_each(|lowered| caller.notice(lowered.told()));
            return Ok(outcome);
        };
        let why = request.reason.as_deref();
        match change.stage(&mut transaction, &reader, &trust, &operating, why, time)? {
            Staged::Made(after, lowered) => {
                outcome.trust_commit = Some(after.commit);
                lowered.into_iter().for_each(|lowered| caller.notice(lowered.told()));
            }
            Staged::Waits(waiting) => {
                let missing = waiting.propose(&mut transaction, &reader, &operating, why, time)?;
                desk.finish(transaction, caller)?;
                return Err(missing.into());
            }
        }
        desk.finish(transaction, caller)?;
        return Ok(outcome);
    }
    let Some(name) = &request.environment else {
        return Err(Failure::usage(format!("from which environment is {id} to go?"))
            .next(format!("add `--env {}`, say", trust.ladder().first()))
            .into());
    };
    check_environment(trust.ladder(), name)?;
    check_tips(&desk, &reader, &[name])?;
    let environment = reader.environment(name)?;
    check_writer(&trust, &operating, name)?;
    let Some(draft) = draft(request, &environment, &reader)? else { return Ok(outcome) };
    let time = commit_time(&desk, &reader, &[layout::EVIDENCE, name.as_str()], caller.now, &mut caller.notices)?;
    let plan = judge(&draft, &Asked::of(&trust, &desk), &reader, &operating.operator, time)?;
    if let Some(mut transaction) = transaction {
        outcome.landed = land(&mut transaction, &reader, &plan, &operating)?;
        desk.finish(transaction, caller)?;
    }
    outcome.plan = Some(plan);
    Ok(outcome)
}

fn from_trust(id: &ResourceId, trust: &Trust) -> Result<TrustChange, Failure> {
    if !trust.resources.contains_key(id) {
        return Err(Failure::could_not("not-found", format!("trust has no {id}"))
            .next(format!("`joch get {}` lists what there is", id.kind.plural())));
    }
    Ok(TrustChange { remove: BTreeSet::from([id.clone()]), ..TrustChange::default() })
}

/// What the deletion changes; `None` where it is gone already.
fn draft(request: &Request, environment: &Environment<'_, '_>, reader: &Reader<'_>) -> Result<Option<Draft>> {
    let id = &request.resource;
    let mut draft = Draft {
        event: Event::Delete,
        environment: environment.name().to_owned(),
        source: None,
        reason: request.reason.clone(),
        catalog: BTreeMap::new(),
        agents: BTreeMap::new(),
    };
    if id.kind == Kind::Agent {
        if environment.closure_tree(id)?.is_none() {
            return if environment.record(id)?.is_some() { Ok(None) } else { Err(not_found(id, environment)?.into()) };
        }
        refuse_if_child(id, environment)?;
        draft.agents.insert(id.clone(), edit_of(environment, id, None, BTreeSet::new())?);
        return Ok(Some(draft));
    }
    let Some(before) = environment.entry(id)? else {
        let known = !reader.version_tags(id)?.is_empty();
        return if known { Ok(None) } else { Err(not_found(id, environment)?.into()) };
    };
    refuse_if_named(id, environment)?;
    let exchange = Exchange { resources: BTreeMap::from([(id.clone(), None)]), agents: BTreeMap::new() };
    draft.catalog.insert(id.clone(), CatalogEdit { before: Some(before), after: None, cases: None });
    draft.agents = reach(environment, &exchange, &draft.agents)?;
    Ok(Some(draft))
}

fn refuse_if_child(id: &ResourceId, environment: &Environment<'_, '_>) -> Result<()> {
    let mut parents = Vec::new();
    for agent in environment.agents()? {
        if environment.closure(&agent)?.is_some_and(|closure| closure.children().contains_key(id)) {
            parents.push(agent.to_string());
        }
    }
    refuse(id, &parents, environment)
}

/// A resource that a closure names stays; one that is only selected leaves by ripple.
fn refuse_if_named(id: &ResourceId, environment: &Environment<'_, '_>) -> Result<()> {
    let mut naming = Vec::new();
    for agent in environment.agents()? {
        let Some(closure) = environment.closure(&agent)? else { continue };
        if id.kind == Kind::Secret && names_secret(id, &closure, environment)? {
            naming.push(agent.to_string());
            continue;
        }
        if closure.find(id).is_none() {
            continue;
        }
        let names = |resource: &&std::sync::Arc<crate::resource::Resource>| {
            resource.mentions().iter().any(|mention| {
                mention.tie == Tie::Member
                    && match &mention.target {
                        Target::Resource(reference) => reference.candidates(&resource.id().namespace).contains(id),
                        Target::Candidate(_) => id.kind == Kind::Model,
                    }
            })
        };
        if closure.everything().iter().any(names) {
            naming.push(agent.to_string());
        }
    }
    refuse(id, &naming, environment)
}

/// Whether a closure names this Secret, which is no member of it, and finds no other of that name first.
fn names_secret(id: &ResourceId, closure: &Closure, environment: &Environment<'_, '_>) -> Result<bool> {
    for resource in closure.everything() {
        for named in secrets_named(resource) {
            for candidate in named.candidates(&resource.id().namespace) {
                if environment.entry(&candidate)?.is_some() {
                    if candidate == *id {
                        return Ok(true);
                    }
                    break;
                }
            }
        }
    }
    Ok(false)
}

fn refuse(id: &ResourceId, naming: &[String], environment: &Environment<'_, '_>) -> Result<()> {
    if naming.is_empty() {
        return Ok(());
    }
    let message =
        format!("{id} stays in `{}`: it is named by the closure of {}", environment.name(), naming.join(", "));
    Err(Failure::refused("still-named", message).next("change or delete these agents first").into())
}
