//! `joch apply`: brings files into an environment. Never removes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;

use crate::closure::Exchange;
use crate::gate::Outcome as GatesSay;
use crate::ledger::{Environment, Reader};
use crate::release::{CatalogEdit, Draft, Event, Numbering, Plan, Word, layout};
use crate::resource::{Kind, Resource, ResourceId};
use crate::trust::Trust;
use crate::workspace::dataset::Dataset;
use crate::workspace::{Sources, discover};

use super::again::again;
use super::break_glass::{self, overrides, tell};
use super::caller::Caller;
use super::cut::{cut_agents, explain_missing, tell_differing_files};
use super::desk::Desk;
use super::find::check_environment;
use super::judge::{Asked, check_writer, judge};
use super::land::{Landed, commit_time, land};
pub use super::quorum::Lowered;
use super::reach::{edit_of, reach};
use super::set::{Set, check_set, known_to};
use super::tips::check_tips;
use super::trust_change::{Staged, trust_change};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Files, directories, `-`.
    pub files: Vec<String>,
    /// The environment; the first rung where none is named.
    pub environment: Option<String>,
    /// What the operator lets through in spite of its gate.
    pub glass: break_glass::Request,
    /// Why.
    pub reason: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Which.
    pub id: ResourceId,
    /// The version it has now; none on trust.
    pub version: Option<u64>,
    /// What happened to it.
    pub change: Word,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The environment.
    pub environment: String,
    /// The release, if one was made.
    pub landed: Option<Landed>,
    /// The trust commit, if trust changed.
    pub trust_commit: Option<String>,
    /// What trust asks less for, if it does.
    pub lowered: Option<Lowered>,
    /// Every resource of the set, and every agent it reached.
    pub resources: Vec<Applied>,
    /// The plan, where anything changes in the environment.
    pub plan: Option<Plan>,
    /// Whether nothing was written because nothing was to be.
    pub dry_run: bool,
}

/// Applies the files.
///
/// # Errors
/// Invalid files, references that lead nowhere, a role that does not allow it, or a ledger that cannot be
/// written. What gates say is an outcome.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let sources = discover(&request.files, &caller.directory, caller.stdin)?;
    again(caller, |caller| attempt(request, sources.clone(), &desk, caller))
}

fn attempt(request: &Request, sources: Sources, desk: &Desk, caller: &mut Caller<'_>) -> Result<Outcome> {
    let mut transaction = if request.dry_run { None } else { Some(desk.begin()?) };
    let reader = desk.reader()?;
    let mut trust = reader.trust()?;
    let name = request.environment.clone().unwrap_or_else(|| trust.ladder().first().to_owned());
    check_environment(trust.ladder(), &name)?;
    if request.environment.is_none() {
        caller.notice(format!("applying to `{name}`, the first rung of the ladder"));
    }
    check_tips(desk, &reader, &[&name])?;
    let environment = reader.environment(&name)?;
    let known = known_to(&sources.documents, &environment, &reader, &trust)?;
    let set = check_set(sources, &request.files, Some(&known), desk, caller)?;
    let operating = desk.operating(caller, &trust)?;
    for id in set.resources.keys().filter(|id| id.kind == Kind::Environment && !trust.ladder().has(&id.name)) {
        caller.notice(format!("{id} guards nothing: {}", trust.ladder().unknown(&id.name)));
    }
    let changes_trust = trust_change(&set.resources, &trust)?;
    let (draft, mut resources) = draft(request, &set, &environment, desk, caller)?;
    if !draft.is_empty() {
        check_writer(&trust, &operating, &name)?;
    }
    let branches = [layout::TRUST, layout::EVIDENCE, name.as_str()];
    let time = commit_time(desk, &reader, &branches, caller.now, &mut caller.notices)?;
    let before = trust.clone();
    let mut lowered = None;
    if !changes_trust.is_empty() {
        let why = request.reason.as_deref();
        let staged = match &mut transaction {
            Some(transaction) => changes_trust.stage(transaction, &reader, &trust, &operating, why, time)?,
            None => {
                let (after, lowered) = changes_trust.would(&reader, &trust, &operating, time)?;
                Staged::Made(after, lowered)
            }
        };
        trust = match (staged, transaction.take()) {
            (Staged::Made(after, found), open) => {
                (transaction, lowered) = (open, found);
                after
            }
            (Staged::Waits(waiting), Some(open)) => {
                // What was staged for the set is let go; the proposal stands alone.
                drop(open);
                let mut proposal = desk.begin()?;
                let missing = waiting.propose(&mut proposal, &reader, &operating, why, time)?;
                desk.finish(proposal, caller)?;
                return Err(missing.into());
            }
            (Staged::Waits(waiting), None) => return Err(waiting.refusal(None).into()),
        };
        if !draft.is_empty() {
            // What is released is judged by the trust that it leads to: nobody drops their own role on the way.
            check_writer(&trust, &operating, &name)?;
        }
    }
    resources.extend(on_trust(&set, &before));
    // Under the trust before, too: nobody names themselves and overrides in one step.
    let reason = request.reason.as_deref();
    overrides(&request.glass, reason, &name, time, &before, &operating)?;
    let overrides = overrides(&request.glass, reason, &name, time, &trust, &operating)?;
    let earlier = (!changes_trust.is_empty()).then_some(&before);
    let asked = Asked { earlier, overrides: &overrides, ..Asked::of(&trust, desk) };
    let judged = match draft.is_empty() {
        true => None,
        false => Some(judge(&draft, &asked, &reader, &operating.operator, time)?),
    };
    let mut outcome = Outcome {
        environment: name,
        landed: None,
        trust_commit: None,
        lowered,
        resources,
        plan: judged,
        dry_run: request.dry_run,
    };
    number(&mut outcome, &reader)?;
    if let Some(plan) = &outcome.plan {
        tell(&overrides, plan, &outcome.environment, &trust, caller);
    }
    let Some(mut transaction) = transaction else { return Ok(outcome) };
    let stopped = outcome.plan.as_ref().is_some_and(|plan| plan.outcome != GatesSay::Open);
    if stopped && !changes_trust.is_empty() {
        // All or nothing: trust stays too, and the decision is told under the trust that stays.
        drop(transaction);
        transaction = desk.begin()?;
        outcome.plan = outcome.plan.map(|plan| plan.under(&before.commit));
    } else if !changes_trust.is_empty() {
        outcome.trust_commit = Some(trust.commit.clone());
    }
    if stopped {
        outcome.lowered = None;
        outcome.resources = standing(outcome.resources, &environment, &reader)?;
    }
    if let Some(plan) = &outcome.plan {
        outcome.landed = land(&mut transaction, &reader, plan, &operating)?;
    }
    desk.finish(transaction, caller)?;
    Ok(outcome)
}

/// The same resources as they stand, where nothing was changed.
fn standing(resources: Vec<Applied>, environment: &Environment<'_, '_>, reader: &Reader<'_>) -> Result<Vec<Applied>> {
    let mut standing = resources;
    for applied in &mut standing {
        applied.change = Word::Unchanged;
        applied.version = standing_version(&applied.id, environment, reader)?;
    }
    Ok(standing)
}

fn standing_version(id: &ResourceId, environment: &Environment<'_, '_>, reader: &Reader<'_>) -> Result<Option<u64>> {
    if id.kind == Kind::Agent {
        return Ok(environment.record(id)?.and_then(|record| record.to_version));
    }
    match environment.entry(id)? {
        Some(entry) => Ok(reader.version_of(id, entry.digest())?),
        None => Ok(None),
    }
}

/// What becomes of the set's records of trust, which stood there as in `before`.
fn on_trust(set: &Set, before: &Trust) -> Vec<Applied> {
    let change = |id: &ResourceId, resource: &Arc<Resource>| match before.resources.get(id) {
        None => Word::Created,
        Some(standing) if standing == resource => Word::Unchanged,
        Some(_) => Word::Updated,
    };
    let records = set.resources.iter().filter(|(id, _)| id.kind.is_trust());
    records.map(|(id, record)| Applied { id: id.clone(), version: None, change: change(id, record) }).collect()
}

/// What the set would change in the environment, and what it would leave as it is.
fn draft(
    request: &Request,
    set: &Set,
    environment: &Environment<'_, '_>,
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<(Draft, Vec<Applied>)> {
    let mut draft = Draft {
        event: Event::Apply,
        environment: environment.name().to_owned(),
        source: None,
        reason: request.reason.clone(),
        catalog: BTreeMap::new(),
        agents: BTreeMap::new(),
    };
    let mut applied = Vec::new();
    for (id, resource) in set.resources.iter().filter(|(id, _)| id.kind != Kind::Agent && !id.kind.is_trust()) {
        let before = environment.entry(id)?;
        let edit = CatalogEdit {
            before,
            after: Some(resource.clone()),
            cases: set.datasets.get(id).and_then(Dataset::travels),
        };
        applied.push(Applied { id: id.clone(), version: None, change: edit.word() });
        if edit.word() != Word::Unchanged {
            draft.catalog.insert(id.clone(), edit);
        }
    }
    let cut = cut_agents(set, environment).map_err(|missing| explain_missing(missing, desk))??;
    tell_differing_files(&cut, set, desk, caller);
    let mut exchange = Exchange::default();
    for (id, edit) in &draft.catalog {
        exchange.resources.insert(id.clone(), edit.after.clone());
    }
    for (agent, closure) in cut {
        if environment.closure(&agent)?.as_ref() == Some(&closure) {
            applied.push(Applied { id: agent, version: None, change: Word::Unchanged });
            continue;
        }
        exchange.agents.insert(agent.clone(), closure.clone());
        let writes = draft.catalog.keys().filter(|id| closure.find(id).is_some()).cloned().collect();
        let edit = edit_of(environment, &agent, Some(closure), writes)?;
        draft.agents.insert(agent, edit);
    }
    let mut known = draft.agents.clone();
    for unchanged in applied.iter().filter(|applied| applied.id.kind == Kind::Agent) {
        // An agent of the set that came out the same is not cut again by a ripple.
        known.insert(unchanged.id.clone(), edit_of(environment, &unchanged.id, None, BTreeSet::new())?);
    }
    draft.agents.extend(reach(environment, &exchange, &known)?);
    applied.extend(draft.agents.iter().map(|(id, edit)| Applied { id: id.clone(), version: None, change: edit.word }));
    Ok((draft, applied))
}

/// Gives every listed resource its number.
fn number(outcome: &mut Outcome, reader: &Reader<'_>) -> Result<()> {
    let environment = reader.environment(&outcome.environment)?;
    for applied in &mut outcome.resources {
        if applied.id.kind.is_trust() {
            continue;
        }
        let planned = outcome.plan.as_ref().and_then(|plan| {
            let agent =
                plan.manifest.agents.iter().find(|agent| agent.id() == applied.id).map(|agent| agent.to_version);
            agent.or_else(|| plan.manifest.resources.iter().find(|r| r.id() == applied.id).map(|r| r.to_version))
        });
        applied.version = match planned {
            Some(version) => version,
            None => standing_version(&applied.id, &environment, reader)?,
        };
    }
    outcome.resources.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(())
}
