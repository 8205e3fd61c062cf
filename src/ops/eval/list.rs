//! `joch eval ls`: Evals with their last result, and runs that can be gone on with.

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::eval::Verdict;
use crate::ledger::{Environment, Reader};
use crate::resource::view::Eval;
use crate::resource::{Kind, Resource, ResourceId, Value};
use crate::trust::Ladder;
use crate::workspace::RunDirectory;

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::find::check_environment;
use super::due::{due_of, measured};
use super::journal::{Done, RESULT, definition_of, plan_of};
use super::left::Needs;
use super::run::{Part, runs_of};

/// What there is.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Evals, by environment and name.
    pub evals: Vec<Listed>,
    /// Runs without a result, oldest first.
    pub unfinished: Vec<Unfinished>,
}

/// An Eval in an environment.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The Eval.
    pub eval: ResourceId,
    /// The environment.
    pub environment: String,
    /// The agent that it measures, if that runs there.
    pub agent: Option<ResourceId>,
    /// When it runs: `onDeployment`, `nightly`.
    pub schedule: Vec<String>,
    /// Whether it is due now.
    pub due: bool,
    /// The environments into which it gates promotions.
    pub gates: Vec<String>,
    /// The last result there.
    pub last: Option<Last>,
}

/// The last result of an Eval in an environment.
#[derive(Debug, Clone)]
pub struct Last {
    /// The run.
    pub run: String,
    /// What it came to.
    pub verdict: Verdict,
    /// When it was taken in.
    pub at: DateTime<Utc>,
    /// Its id.
    pub evidence: String,
    /// The version of the agent that it is about.
    pub version: Option<u64>,
    /// What changed since, of agent and Eval.
    pub stale: Option<String>,
}

/// A run without a result.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// What is done of it.
    pub part: Part,
    /// When it began.
    pub began: DateTime<Utc>,
}

/// Lists.
///
/// # Errors
/// The ledger, or a run, cannot be read.
pub fn run(environment: Option<&str>, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    if let Some(name) = environment {
        check_environment(trust.ladder(), name)?;
    }
    let meant = |name: &str| environment.is_none_or(|wanted| wanted == name);
    let mut outcome = Outcome::default();
    for rung in trust.ladder().rungs().iter().filter(|rung| meant(rung)) {
        let environment = reader.environment(rung)?;
        for eval in environment.entries(&Kind::Eval)? {
            outcome.evals.push(listed(&eval, &environment, trust.ladder(), &reader, caller.now)?);
        }
    }
    for directory in RunDirectory::all(&runs_of(&desk))? {
        match unfinished(&directory, &desk) {
            Ok(Some(run)) if meant(&run.part.environment) => outcome.unfinished.push(run),
            Ok(_) => {}
            Err(why) => caller.notice(format!("the run in `{}` cannot be read: {why}", directory.path().display())),
        }
    }
    outcome.unfinished.sort_by_key(|run| run.began);
    Ok(outcome)
}

fn listed(
    eval: &Resource,
    environment: &Environment<'_, '_>,
    ladder: &Ladder,
    reader: &Reader<'_>,
    now: DateTime<Utc>,
) -> Result<Listed> {
    let agent = measured(eval, environment)?;
    let schedule = eval.spec().get("schedule").and_then(Value::as_map).into_iter().flatten();
    let schedule = schedule.filter(|(_, on)| **on == Value::Bool(true)).map(|(when, _)| when.clone()).collect();
    let mut last = None;
    if let Some(agent) = &agent {
        let running = environment.closure(agent)?.map(|closure| closure.digest());
        let results = super::results::of_agent(agent, reader)?;
        let here = |result: &crate::eval::RunResult| {
            result.eval.id == *eval.id() && result.subject.environment == environment.name()
        };
        last = results.into_iter().rfind(|known| here(&known.result)).map(|known| Last {
            run: known.result.run.clone(),
            verdict: known.result.verdict,
            at: known.carried_at,
            version: known.result.subject.version,
            stale: if Some(known.result.subject.digest) != running {
                Some(format!("{agent} is another version now"))
            } else if known.result.eval.digest != eval.digest() {
                Some("the Eval or its dataset is another now".into())
            } else {
                None
            },
            evidence: known.id,
        });
    }
    let due = due_of(eval, environment, reader, now)?.is_some();
    let blocks = |rung: &&String| Eval::of(eval).is_some_and(|view| view.blocks(rung));
    Ok(Listed {
        eval: eval.id().clone(),
        environment: environment.name().to_owned(),
        agent,
        schedule,
        due,
        gates: ladder.rungs().iter().filter(blocks).cloned().collect(),
        last,
    })
}

fn unfinished(directory: &RunDirectory, desk: &Desk) -> Result<Option<Unfinished>> {
    if directory.kept(RESULT)?.is_some() {
        return Ok(None);
    }
    let path = directory.journal_path();
    let Some(plan) = plan_of(&path)? else { return Ok(None) };
    let done = Done::read(&path)?;
    let needs = Needs::of(&plan, &definition_of(&plan)?);
    if needs.is_finished_part(&done) {
        return Ok(None);
    }
    let part = Part::of(&plan, directory, desk, needs.count(&done));
    Ok(Some(Unfinished { part, began: plan.planned_at }))
}
