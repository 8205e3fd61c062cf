//! `joch eval run --due`: what a scheduler calls. Runs what its schedule wants and no complete run has answered.

use anyhow::Result;
use chrono::{DateTime, Days, NaiveTime, Utc};

use crate::eval::{RunResult, Trigger};
use crate::ledger::{Environment, Reader};
use crate::resource::view::{Deployment, Eval};
use crate::resource::{Digest, Kind, Resource, ResourceId, Value};

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::find::check_environment;
use super::run::{Outcome, Ran, Request, Resume, Which, run, runs_of};

/// When `nightly` is.
const NIGHT: NaiveTime = NaiveTime::from_hms_opt(2, 0, 0).expect("a time of day");

/// An Eval that is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The Eval.
    pub eval: ResourceId,
    /// The environment.
    pub environment: String,
    /// What starts it.
    pub trigger: Trigger,
    /// The id of the run: the same whoever finds it due, so that one run answers.
    pub run: String,
}

/// What came of one that was due.
#[derive(Debug)]
pub struct Answered {
    /// What was due.
    pub due: Due,
    /// What came of it; an error where it could not begin.
    pub ran: Result<Ran>,
}

/// Runs everything that is due in an environment, or in all of them. One that cannot begin does not stop the others.
///
/// # Errors
/// The ledger cannot be read.
pub fn run_due(environment: Option<&str>, caller: &mut Caller<'_>) -> Result<Vec<Answered>> {
    let due = {
        let desk = Desk::open(caller)?;
        let reader = desk.reader()?;
        let trust = reader.trust()?;
        if let Some(name) = environment {
            check_environment(trust.ladder(), name)?;
        }
        let mut due = Vec::new();
        for rung in trust.ladder().rungs().iter().filter(|rung| environment.is_none_or(|name| name == *rung)) {
            let environment = reader.environment(rung)?;
            for eval in environment.entries(&Kind::Eval)? {
                due.extend(due_of(&eval, &environment, &reader, caller.now)?);
            }
        }
        due
    };
    Ok(answer(due, caller))
}

/// Runs what is due because this release changed these agents.
///
/// # Errors
/// The ledger cannot be read.
pub fn run_deployed(
    environment: &str,
    release: &str,
    agents: &[ResourceId],
    caller: &mut Caller<'_>,
) -> Result<Vec<Answered>> {
    let due = {
        let desk = Desk::open(caller)?;
        let reader = desk.reader()?;
        let environment = reader.environment(environment)?;
        let mut due = Vec::new();
        for eval in environment.entries(&Kind::Eval)? {
            let Some(agent) = measured(&eval, &environment)?.filter(|agent| agents.contains(agent)) else { continue };
            if wants(&eval, "onDeployment") && is_deployed(&eval, &agent, &environment)? {
                due.push(of_release(&eval, environment.name(), release));
            }
        }
        due
    };
    Ok(answer(due, caller))
}

fn answer(due: Vec<Due>, caller: &mut Caller<'_>) -> Vec<Answered> {
    let mut answered = Vec::new();
    for due in due {
        let ran = begin(&due, caller);
        let stopped = matches!(ran, Ok(Ran::Interrupted(_)));
        answered.push(Answered { due, ran });
        if stopped {
            break;
        }
    }
    answered
}

/// Begins a run, or goes on with it where somebody was stopped.
fn begin(due: &Due, caller: &mut Caller<'_>) -> Result<Ran> {
    let desk = Desk::open(caller)?;
    let begun = crate::workspace::RunDirectory::at(runs_of(&desk).join(&due.run)).is_begun();
    let request = Request {
        evals: Which::Named(due.eval.clone()),
        environment: due.environment.clone(),
        trigger: due.trigger.clone(),
        dry_run: false,
        resume: begun.then(|| Resume::Id(due.run.clone())),
        shard: None,
        run: Some(due.run.clone()),
        directory: None,
        concurrency: None,
    };
    let Outcome { mut runs } = run(&request, caller)?;
    Ok(runs.remove(0))
}

/// What is due of one Eval: at most one run, which answers the night as well as the deployment.
pub(super) fn due_of(
    eval: &Resource,
    environment: &Environment<'_, '_>,
    reader: &Reader<'_>,
    now: DateTime<Utc>,
) -> Result<Option<Due>> {
    let Some(agent) = measured(eval, environment)? else { return Ok(None) };
    if !is_deployed(eval, &agent, environment)? {
        return Ok(None);
    }
    let Some(running) = environment.running(&agent)? else { return Ok(None) };
    let results = super::results::of_agent(&agent, reader)?;
    let here = |result: &RunResult| result.eval.id == *eval.id() && result.subject.environment == environment.name();
    let about = |result: &RunResult, digest: Digest| {
        here(result) && result.subject.digest == digest && result.eval.digest == eval.digest()
    };
    let digest = running.closure.digest();
    if wants(eval, "onDeployment") && !results.iter().any(|known| about(&known.result, digest)) {
        return Ok(Some(of_release(eval, environment.name(), &running.record.release)));
    }
    let night = last_night(now);
    let since = |result: &RunResult| here(result) && result.runner.finished_at.is_some_and(|at| at >= night);
    if wants(eval, "nightly") && !results.iter().any(|known| since(&known.result)) {
        let run = format!("{}-{}-nightly-{}", eval.id().name, environment.name(), night.format("%Y%m%d"));
        let environment = environment.name().to_owned();
        return Ok(Some(Due { eval: eval.id().clone(), environment, trigger: Trigger::Nightly, run }));
    }
    Ok(None)
}

fn of_release(eval: &Resource, environment: &str, release: &str) -> Due {
    Due {
        eval: eval.id().clone(),
        environment: environment.to_owned(),
        trigger: Trigger::Deployment(release.to_owned()),
        run: format!("{}-{}", eval.id().name, release.replace('/', "-")),
    }
}

/// Whether anything deploys the agent there: an environment of which no Deployment and no Eval says how the agent is
/// reached only holds its versions, and nothing can be due in it.
fn is_deployed(eval: &Resource, agent: &ResourceId, environment: &Environment<'_, '_>) -> Result<bool> {
    if eval.spec().at(&["target", "invoke"]).is_some_and(|invoke| *invoke != Value::Null) {
        return Ok(true);
    }
    for record in environment.entries(&Kind::Deployment)? {
        let Some(view) = Deployment::of(&record) else { continue };
        let here = view.environment.is_some_and(|named| named.name == environment.name());
        if here && view.agent.is_some_and(|named| named.candidates(&record.id().namespace).contains(agent)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn wants(eval: &Resource, when: &str) -> bool {
    eval.spec().at(&["schedule", when]) == Some(&Value::Bool(true))
}

/// The agent that an Eval measures, if the environment runs it.
pub(super) fn measured(eval: &Resource, environment: &Environment<'_, '_>) -> Result<Option<ResourceId>> {
    let Some(target) = Eval::of(eval).and_then(|view| view.target).filter(|target| target.kind == Kind::Agent) else {
        return Ok(None);
    };
    for agent in target.candidates(&eval.id().namespace) {
        if environment.closure_tree(&agent)?.is_some() {
            return Ok(Some(agent));
        }
    }
    Ok(None)
}

/// The latest 02:00 UTC.
fn last_night(now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.date_naive().and_time(NIGHT).and_utc();
    if today <= now { today } else { today - Days::new(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_begins_at_two() {
        let night = |now: &str| last_night(now.parse().expect("a time")).to_rfc3339();
        assert_eq!(night("2026-05-02T02:00:00Z"), "2026-05-02T02:00:00+00:00");
        assert_eq!(night("2026-05-02T01:59:59Z"), "2026-05-01T02:00:00+00:00");
        assert_eq!(night("2026-01-01T00:00:00Z"), "2025-12-31T02:00:00+00:00");
    }
}
