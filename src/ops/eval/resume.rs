//! Goes on with a run that was stopped: with the dataset and the Eval that it began with, whatever has become of them.

use std::sync::Arc;

use anyhow::Result;

use crate::eval::Plan;
use crate::ledger::Reader;
use crate::resource::{Digest, Resource};
use crate::trust::Trust;
use crate::workspace::RunDirectory;

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::journal::{CASES, Done, RESULT, definition_of, plan_of};
use super::left::Needs;
use super::part::Part;
use super::prepare::{Wanted, prepare};
use super::run::{Outcome, Request, Resume, Which, carry_out, runs_of};

/// Goes on with an unfinished run.
///
/// # Errors
/// There is none; what it measures has changed since; it cannot be read.
pub(super) fn resume(
    which: &Resume,
    request: &Request,
    desk: &Desk,
    reader: &Reader<'_>,
    trust: &Trust,
    caller: &mut Caller<'_>,
) -> Result<Outcome> {
    let (directory, plan) = find(which, request, desk)?;
    let eval = Resource::from_canonical(&plan.definition).map_err(|why| damaged(&directory, &why))?;
    let bytes = directory.kept(CASES)?.ok_or_else(|| damaged(&directory, "its dataset is not there"))?;
    let dataset = super::dataset::of_bytes(&eval, bytes)?;
    if Digest::of(&dataset.bytes) != plan.dataset.digest {
        return Err(damaged(&directory, "its dataset is another than it began with").into());
    }
    let environment = reader.environment(&plan.subject.environment)?;
    if environment.entry(eval.id())?.is_some_and(|now| now.digest() != eval.digest()) {
        caller.notice(format!(
            "{} has changed in `{}` since this run began; it goes on as it began, and a gate there will not count it",
            eval.id(),
            environment.name()
        ));
    }
    let wanted = Wanted {
        eval: Arc::new(eval),
        dataset,
        environment: &environment,
        trigger: plan.trigger.clone(),
        shard: plan.shard,
        run: Some(plan.run.clone()),
        concurrency: Some(plan.concurrency),
    };
    let mut prepared = prepare(wanted, reader, trust, desk, caller)?;
    if let Some(what) = moved(&plan, &prepared.plan) {
        let message = format!("{what} changed since the run `{}` began: its answers would be those of two", plan.run);
        return Err(Failure::refused("run-changed", message)
            .next(format!("begin anew: `joch eval run {} --target {}`", plan.eval.id.name, plan.subject.environment))
            .into());
    }
    prepared.plan = plan;
    Ok(Outcome { runs: vec![carry_out(prepared, directory, desk, caller)?] })
}

/// What a run is bound to and that is another now.
fn moved(began: &Plan, now: &Plan) -> Option<String> {
    if began.subject.digest != now.subject.digest {
        return Some(format!("{} in `{}`", began.subject.agent, began.subject.environment));
    }
    if began.reach.digest != now.reach.digest {
        return Some(format!("how {} is reached, as {} says it,", began.subject.agent, now.reach.by));
    }
    if began.reach.recording != now.reach.recording {
        return Some(format!("the recording that answers for {}", began.subject.agent));
    }
    if began.joch != now.joch {
        return Some(format!("joch itself (it was {})", began.joch));
    }
    let judge = began.judges.iter().zip(&now.judges).find(|(then, now)| then != now);
    match judge {
        Some((then, _)) => Some(format!("the judge {}", then.model)),
        None if began.judges.len() != now.judges.len() => Some("who judges".into()),
        None => None,
    }
}

/// The unfinished run that is meant. An id alone does not choose it: whoever names an Eval, an environment or a part
/// means that one and no other.
fn find(which: &Resume, request: &Request, desk: &Desk) -> Result<(RunDirectory, Plan)> {
    let runs = request.directory.clone().unwrap_or_else(|| runs_of(desk));
    let mut found: Vec<(RunDirectory, Plan)> = Vec::new();
    let mut near = None;
    for directory in RunDirectory::all(&runs)? {
        if directory.kept(RESULT)?.is_some() {
            continue;
        }
        let Some(plan) = plan_of(&directory.journal_path())? else { continue };
        if matches!(which, Resume::Id(id) if plan.run != *id) {
            continue;
        }
        let is_eval = match &request.evals {
            Which::Named(eval) => plan.eval.id == *eval,
            Which::Files(_) => true,
        };
        let is_part = request.shard.is_none_or(|part| plan.shard == Some(part));
        if !is_eval || plan.subject.environment != request.environment || !is_part {
            let part = Part::of(&plan, &directory, desk, (0, 0));
            near.get_or_insert((format!("the run `{}` is {}", plan.run, told(&plan)), part.command()));
        } else if is_finished_part(&directory, &plan)? {
            let message = format!("nothing is left of the run `{}`, {}", plan.run, told(&plan));
            near = Some((message, "`joch eval merge` makes one result of all its parts".to_owned()));
        } else {
            found.push((directory, plan));
        }
    }
    found.sort_by_key(|(_, plan)| plan.planned_at);
    found.pop().ok_or_else(|| {
        let next = match request.directory {
            Some(_) => "`--journal` names the directory that was given when the run began",
            None => "`joch eval ls` lists those that can be gone on with",
        };
        let (what, next) = match (which, near) {
            (Resume::Id(_), Some(near)) => near,
            (Resume::Id(id), None) => {
                (format!("no unfinished run in `{}` is called `{id}`", runs.display()), next.to_owned())
            }
            (Resume::Newest, _) => {
                (format!("there is no unfinished run of that in `{}`", runs.display()), next.to_owned())
            }
        };
        Failure::could_not("not-found", what).next(next).into()
    })
}

/// What a run is of: `shard 1/3 of eval/quality in `staging``.
fn told(plan: &Plan) -> String {
    let part = plan.shard.map_or_else(String::new, |(i, n)| format!("shard {i}/{n} "));
    format!("{part}of {} in `{}`", plan.eval.id, plan.subject.environment)
}

fn is_finished_part(directory: &RunDirectory, plan: &Plan) -> Result<bool> {
    if plan.shard.is_none() {
        return Ok(false);
    }
    let definition = definition_of(plan)?;
    Ok(Needs::of(plan, &definition).is_finished_part(&Done::read(&directory.journal_path())?))
}

fn damaged(directory: &RunDirectory, why: impl std::fmt::Display) -> Failure {
    Failure::could_not("journal", format!("the run in `{}` cannot go on: {why}", directory.path().display()))
        .next("begin a new run")
}
