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
use super::journal::{CASES, RESULT, plan_of};
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

fn find(which: &Resume, request: &Request, desk: &Desk) -> Result<(RunDirectory, Plan)> {
    let directories = match &request.directory {
        Some(path) => vec![RunDirectory::at(path.clone())],
        None => RunDirectory::all(&runs_of(desk))?,
    };
    let mut found: Vec<(RunDirectory, Plan)> = Vec::new();
    for directory in directories {
        if !directory.is_begun() || directory.kept(RESULT)?.is_some() {
            continue;
        }
        let Some(plan) = plan_of(&directory.journal_path())? else { continue };
        let meant = match (which, &request.evals) {
            (Resume::Id(id), _) => plan.run == *id,
            (Resume::Newest, Which::Named(eval)) => {
                plan.eval.id == *eval && plan.subject.environment == request.environment
            }
            (Resume::Newest, Which::Files(_)) => plan.subject.environment == request.environment,
        };
        if meant {
            found.push((directory, plan));
        }
    }
    found.sort_by_key(|(_, plan)| plan.planned_at);
    found.pop().ok_or_else(|| {
        let what = match which {
            Resume::Id(id) => format!("no unfinished run is called `{id}`"),
            Resume::Newest => "there is no unfinished run of that here".into(),
        };
        Failure::could_not("not-found", what).next("`joch eval ls` lists those that can be gone on with").into()
    })
}

fn damaged(directory: &RunDirectory, why: impl std::fmt::Display) -> Failure {
    Failure::could_not("journal", format!("the run in `{}` cannot go on: {why}", directory.path().display()))
        .next("begin a new run")
}
