//! `joch rollback`: brings back what an environment has served before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;

use crate::closure::{Closure, Exchange};
use crate::gate::{HOLD_SCHEMA, Hold, HoldAction};
use crate::ledger::{Environment, Reader};
use crate::release::{AgentEdit, CatalogEdit, Draft, Event, Plan, Undone, layout};
use crate::resource::{Digest, Kind, Resource, ResourceId};
use crate::trust::Trust;

use super::again::again;
use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::find::{check_environment, never_released};
use super::judge::{Asked, check_writer, judge};
use super::land::{Landed, commit_time, land_holding};
use super::reach::{edit_of, reach};
use super::rollback_check::{Scales, Weighed};
use super::served::{Served, agent_served};
use super::tips::check_tips;

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
    /// Whether it goes back although a Secret that it names is gone.
    pub despite_missing: bool,
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

/// Rolls back.
///
/// # Errors
/// The environment never served that version, somebody rejected it, or it cannot run any more; the role does not allow
/// it; the ledger cannot be written.
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
    let name = place(id, request.environment.as_deref(), "rolling back in", &reader, &trust, caller)?;
    check_tips(&desk, &reader, &[&name])?;
    let environment = reader.environment(&name)?;
    let scales = Scales::new(id, &environment, &reader, &trust)?;
    let goal = choose(request, &scales, &name, caller)?;
    let mut outcome = Outcome {
        resource: id.clone(),
        environment: name.clone(),
        version: goal.version,
        plan: None,
        landed: None,
        dry_run: request.dry_run,
    };
    if scales.current == Some(goal.version) {
        return Ok(outcome);
    }
    check_writer(&trust, &operating, &name)?;
    let draft = draft(id, request.reason.as_ref(), goal, &environment, &reader)?;
    let time = commit_time(&desk, &reader, &[layout::EVIDENCE, name.as_str()], caller.now, &mut caller.notices)?;
    let plan = judge(&draft, &Asked::of(&trust, &desk), &reader, &operating.operator, time)?;
    for lack in plan.records.iter().flat_map(|record| &record.warnings).filter(|lack| lack.rule.starts_with("policy-"))
    {
        caller
            .notice(format!("{} comes back, and the policies in force speak against it: {}", lack.about, lack.message));
    }
    if let Some(mut transaction) = transaction {
        let holds: Vec<_> = hold(request, &plan, &draft, &trust).into_iter().collect();
        outcome.landed = land_holding(&mut transaction, &reader, &plan, &operating, &holds)?;
        desk.finish(transaction, caller)?;
    }
    outcome.plan = Some(plan);
    Ok(outcome)
}

/// The named environment, else the highest rung that has the resource; the latter is said.
pub(super) fn place(
    id: &ResourceId,
    named: Option<&str>,
    doing: &str,
    reader: &Reader<'_>,
    trust: &Trust,
    caller: &mut Caller<'_>,
) -> Result<String> {
    if let Some(name) = named {
        check_environment(trust.ladder(), name)?;
        return Ok(name.to_owned());
    }
    for rung in trust.ladder().rungs().iter().rev() {
        let environment = reader.environment(rung)?;
        let has = if id.kind == Kind::Agent {
            environment.closure_tree(id)?.is_some()
        } else {
            environment.entry(id)?.is_some()
        };
        if has {
            caller.notice(format!("{doing} `{rung}`, the highest rung that has {id}"));
            return Ok(rung.clone());
        }
    }
    Err(never_released(id, reader)?.into())
}

/// The version to go back to. What nobody named is the newest that is not on hold, was not rejected and can run; what
/// somebody named is refused only where a person's no stands against it, or where it certainly cannot run.
fn choose<'s>(
    request: &Request,
    scales: &'s Scales<'_, '_>,
    environment: &str,
    caller: &mut Caller<'_>,
) -> Result<&'s Served> {
    let id = &request.resource;
    let Some(wanted) = request.to_version else {
        let mut passed = Vec::new();
        for served in scales.versions() {
            let weighed = scales.weigh(served)?;
            if weighed.is_eligible() {
                for over in passed.iter().filter(|over: &&Weighed| !over.is_only_left()) {
                    caller.notice(format!("v{} is passed over: {}", over.version, passed_over(over)));
                }
                warn(id, &weighed, caller);
                return Ok(served);
            }
            passed.push(weighed);
        }
        return Err(nothing_left(id, &passed, environment).into());
    };
    let served = scales.served.iter().find(|served| served.version == wanted);
    let served = served.ok_or_else(|| scales.never_served(wanted))?;
    if scales.current == Some(wanted) {
        return Ok(served);
    }
    let weighed = scales.weigh(served)?;
    let instead = || -> Result<String> {
        Ok(match scales.choice()? {
            Some(other) => format!("joch rollback {} --to-version {} --env {environment}", id.words(), other.version),
            None => format!("`joch rollback {} --check --env {environment}` tells of every version", id.words()),
        })
    };
    if let Some(who) = &weighed.rejected {
        let message = format!("{id} v{wanted} does not come back to `{environment}`: rejected by {who}");
        let next = format!("{}; or {who} says yes to it after all", instead()?);
        return Err(Failure::refused("rejected", message).next(next).into());
    }
    let certain = weighed.gone.iter().any(|lack| lack.rule == "environment-key-missing");
    if !weighed.gone.is_empty() && (certain || !request.despite_missing) {
        let what: Vec<_> = weighed.gone.iter().map(|lack| lack.message.as_str()).collect();
        let message = format!("{id} v{wanted} cannot run in `{environment}` any more: {}", what.join("; "));
        let anyway = if certain { "" } else { "; or go back all the same with `--despite-missing`" };
        let next = format!("{}; or apply what is missing first{anyway}", instead()?);
        return Err(Failure::refused("cannot-run", message).next(next).into());
    }
    if let Some(held) = &weighed.held {
        caller.notice(format!("{held}; it comes back because you named it, and stays on hold"));
    }
    warn(id, &weighed, caller);
    Ok(served)
}

/// Tells what speaks against a version that comes back.
fn warn(id: &ResourceId, weighed: &Weighed, caller: &mut Caller<'_>) {
    for lack in weighed.gone.iter().chain(&weighed.warnings) {
        caller.notice(format!("{id} v{} comes back, and may not run: {}", weighed.version, lack.message));
    }
}

/// Why a version that nobody named is not taken.
fn passed_over(weighed: &Weighed) -> String {
    let rejected = || weighed.rejected.as_ref().map(|who| format!("rejected by {who}"));
    let gone = || weighed.gone.first().map(|lack| lack.message.clone());
    weighed.held.clone().or_else(rejected).or_else(gone).unwrap_or_else(|| "a rollback left it".to_owned())
}

/// The failure that no version comes back by itself: which were passed over and why, and how the newest of them comes
/// back all the same.
fn nothing_left(id: &ResourceId, passed: &[Weighed], environment: &str) -> Failure {
    let message = format!("`{environment}` has served no other version of {id} that comes back unless it is named");
    let Some(newest) = passed.first() else {
        return Failure::refused("nothing-before", format!("`{environment}` has served no other version of {id}"))
            .next(format!(
                "`joch get {} --history` shows what ran where; what never ran here is promoted",
                id.words()
            ));
    };
    let told = passed.iter().map(|weighed| format!("v{} is passed over: {}", weighed.version, passed_over(weighed)));
    let failure = Failure::refused("nothing-before", format!("{message}: {}", told.collect::<Vec<_>>().join("; ")));
    // One that can be named as it is comes before one that takes more.
    let plain = passed.iter().find(|weighed| weighed.rejected.is_none() && weighed.gone.is_empty()).unwrap_or(newest);
    let (number, words) = (plain.version, id.words());
    let named = format!("joch rollback {words} --to-version {number} --env {environment}");
    let mut ways = Vec::new();
    if let Some(who) = &plain.rejected {
        ways.push(format!("{who} says yes to v{number} after all"));
    }
    if plain.gone.iter().any(|lack| lack.rule == "environment-key-missing") {
        ways.push(format!("say the missing value in `spec.defaults` of Environment `{environment}`"));
    } else if plain.rejected.is_none() {
        ways.push(if plain.gone.is_empty() { named } else { format!("{named} --despite-missing") });
    }
    for lack in plain.gone.iter().filter(|lack| lack.rule == "secret-missing") {
        let name = lack.about.trim_start_matches("secret/");
        ways.push(format!("joch rollback secret {name} --env {environment}"));
    }
    if plain.held.is_some() {
        ways.push(format!("joch lift {words} --version {number} --env {environment} --reason TEXT"));
    }
    failure.next(ways.join("; or "))
}

/// The hold on what is rolled back from; none where nothing ran.
fn hold(request: &Request, plan: &Plan, draft: &Draft, trust: &Trust) -> Option<Hold> {
    let id = &request.resource;
    let (digest, version): (Digest, Option<u64>) = match (draft.agents.get(id), draft.catalog.get(id)) {
        (Some(edit), _) => {
            let before = edit.before.as_ref()?;
            (before.closure.digest(), before.record.to_version)
        }
        (None, Some(edit)) => {
            let entry = plan.manifest.resources.iter().find(|entry| entry.id() == *id)?;
            (edit.before.as_ref()?.digest(), entry.from_version)
        }
        (None, None) => return None,
    };
    Some(Hold {
        schema: HOLD_SCHEMA.into(),
        action: HoldAction::Hold,
        resource: id.clone(),
        digest,
        version,
        environment: Some(draft.environment.clone()),
        reason: request.reason.clone(),
        release: Some(plan.manifest.name()),
        stated_at: plan.manifest.timestamp,
        ledger: Some(trust.settings.uuid.clone()),
    })
}

/// What going back to `goal` changes.
pub(super) fn draft(
    id: &ResourceId,
    reason: Option<&String>,
    goal: &Served,
    environment: &Environment<'_, '_>,
    reader: &Reader<'_>,
) -> Result<Draft> {
    let mut draft = Draft {
        event: Event::Rollback,
        environment: environment.name().to_owned(),
        source: None,
        reason: reason.cloned(),
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
