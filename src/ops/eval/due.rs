//! `joch eval run --due`: what a scheduler calls. Runs what its schedule wants and no complete run has answered.

use anyhow::Result;
use chrono::{DateTime, Days, NaiveTime, Utc};

use crate::eval::{Counts, Reach, RunResult, Trigger};
use crate::ledger::{Environment, Reader};
use crate::resource::name::DEFAULT_NAMESPACE;
use crate::resource::view::{Deployment, Eval};
use crate::resource::{Digest, Kind, Resource, ResourceId, Value};
use crate::trust::Trust;
use crate::workspace::RunDirectory;

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::super::find::check_environment;
use super::journal::{RESULT, is_begun};
use super::prepare::{fill, invoke};
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
        let trust = reader.trust()?;
        let environment = reader.environment(environment)?;
        let mut due = Vec::new();
        for eval in environment.entries(&Kind::Eval)? {
            let Some(agent) = measured(&eval, &environment)?.filter(|agent| agents.contains(agent)) else { continue };
            if wants(&eval, "onDeployment") && is_deployed(&eval, &agent, &environment)? {
                let Some(closure) = environment.closure(&agent)? else { continue };
                let bound = bound(&eval, &agent, closure.digest(), &environment, &trust);
                due.push(of_release(&eval, environment.name(), release, bound));
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

/// Begins a run, or goes on with it where somebody was stopped. Where one of that id came to its end and is due all the
/// same, or what it measured has changed since, another begins.
fn begin(due: &Due, caller: &mut Caller<'_>) -> Result<Ran> {
    let mut again = 1;
    loop {
        let id = if again == 1 { due.run.clone() } else { format!("{}-{again}", due.run) };
        let directory = {
            let desk = Desk::open(caller)?;
            RunDirectory::at(runs_of(&desk).join(&id))
        };
        again += 1;
        if directory.kept(RESULT)?.is_some() {
            continue;
        }
        let begun = is_begun(&directory)?;
        let request = Request {
            evals: Which::Named(due.eval.clone()),
            environment: due.environment.clone(),
            trigger: due.trigger.clone(),
            dry_run: false,
            resume: begun.then(|| Resume::Id(id.clone())),
            shard: None,
            run: Some(id),
            directory: None,
            concurrency: None,
        };
        match run(&request, caller) {
            Err(why) if begun && is_changed(&why) => {}
            ran => return ran.map(|Outcome { mut runs }| runs.remove(0)),
        }
    }
}

fn is_changed(why: &anyhow::Error) -> bool {
    why.downcast_ref::<Failure>().is_some_and(|failure| failure.code == "run-changed")
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
        here(result)
            && result.subject.digest == digest
            && result.eval.digest == eval.digest()
            && is_complete(&result.counts)
    };
    let digest = running.closure.digest();
    let trust = reader.trust()?;
    let bound = || bound(eval, &agent, digest, environment, &trust);
    if wants(eval, "onDeployment") && !results.iter().any(|known| about(&known.result, digest)) {
        return Ok(Some(of_release(eval, environment.name(), &running.record.release, bound())));
    }
    let night = last_night(now);
    let since = |result: &RunResult| {
        here(result) && result.runner.finished_at.is_some_and(|at| at >= night) && is_complete(&result.counts)
    };
    if wants(eval, "nightly") && !results.iter().any(|known| since(&known.result)) {
        let when = format!("{}-nightly-{}", environment.name(), night.format("%Y%m%d"));
        let run = run_id(eval.id(), &when, bound());
        let environment = environment.name().to_owned();
        return Ok(Some(Due { eval: eval.id().clone(), environment, trigger: Trigger::Nightly, run }));
    }
    Ok(None)
}

/// Whether every trial of a run was run. What it came to does not matter here: one that is complete and inconclusive
/// answers the night as well. The night was measured, people are told that it cannot be told, and running it again at
/// every call of the scheduler would pay until somebody mends what is broken.
fn is_complete(counts: &Counts) -> bool {
    counts.missing == 0
}

/// What a run is about, as one digest: a change of the agent, of the Eval, of how the agent is reached, or of joch makes
/// another run of it, for the one that was begun before cannot go on.
fn bound(
    eval: &Resource,
    agent: &ResourceId,
    closure: Digest,
    environment: &Environment<'_, '_>,
    trust: &Trust,
) -> Digest {
    let reached = invoke(eval, agent, environment).and_then(|(invoke, _)| fill(&invoke, trust, environment.name()));
    // Where nothing says how, the run itself will say so.
    let reached = reached.map_or_else(|_| String::new(), |invoke| Reach::digest_of(&invoke).hex());
    let joch = env!("CARGO_PKG_VERSION");
    Digest::of(format!("{} {agent} {} {} {reached} {joch}", eval.id(), closure.hex(), eval.digest().hex()))
}

/// The id of a run: `quality-staging-nightly-20260501-5f3a9c01`, with the namespace before it where that is not the
/// default.
fn run_id(eval: &ResourceId, when: &str, bound: Digest) -> String {
    let namespace = if eval.namespace == DEFAULT_NAMESPACE { String::new() } else { format!("{}.", eval.namespace) };
    format!("{namespace}{}-{when}-{}", eval.name, &bound.hex()[..8])
}

fn of_release(eval: &Resource, environment: &str, release: &str, bound: Digest) -> Due {
    Due {
        eval: eval.id().clone(),
        environment: environment.to_owned(),
        trigger: Trigger::Deployment(release.to_owned()),
        run: run_id(eval.id(), &release.replace('/', "-"), bound),
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
        if view.deploys(agent, environment.name(), &record.id().namespace) {
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
    fn runs_of_two_evals_never_share_an_id() {
        let id = |namespace: &str, text: &str| {
            run_id(&ResourceId::new(Kind::Eval, namespace, "quality"), "staging-nightly-20260501", Digest::of(text))
        };
        let plain = id(DEFAULT_NAMESPACE, "a");
        assert_eq!(plain, format!("quality-staging-nightly-20260501-{}", &Digest::of("a").hex()[..8]));
        assert_eq!(id("team", "a"), format!("team.{plain}"));
        assert_ne!(id(DEFAULT_NAMESPACE, "b"), plain, "what changed is another run");
    }

    #[test]
    fn a_run_is_complete_when_every_trial_was_run_whatever_it_came_to() {
        let counts = |missing, errors| Counts { missing, errors, ..Counts::default() };
        assert!(is_complete(&counts(0, 7)));
        assert!(!is_complete(&counts(1, 0)));
    }

    #[test]
    fn a_night_begins_at_two() {
        let night = |now: &str| last_night(now.parse().expect("a time")).to_rfc3339();
        assert_eq!(night("2026-05-02T02:00:00Z"), "2026-05-02T02:00:00+00:00");
        assert_eq!(night("2026-05-02T01:59:59Z"), "2026-05-01T02:00:00+00:00");
        assert_eq!(night("2026-01-01T00:00:00Z"), "2025-12-31T02:00:00+00:00");
    }
}
