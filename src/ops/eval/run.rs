//! `joch eval run`: measures an agent over a dataset, and signs what came of it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

use crate::eval::{Decimal, Definition, Plan, RunResult, Trigger, Usage, Verdict};
use crate::ledger::Reader;
use crate::net::Ended;
use crate::resource::{Resource, ResourceId};
use crate::workspace::RunDirectory;
use crate::workspace::dataset::Dataset;

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::super::find::{check_environment, not_found};
use super::baseline::Baseline;
use super::execute::{Execution, execute};
use super::journal::{RESULT, is_begun, result_of};
use super::prepare::{Prepared, Wanted, prepare};
use super::record::{check_before, record};

pub use super::part::Part;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which Evals.
    pub evals: Which,
    /// The environment that runs the agent.
    pub environment: String,
    /// What starts it.
    pub trigger: Trigger,
    /// Whether nothing is to be called, and only told what would be.
    pub dry_run: bool,
    /// Whether an unfinished run is to be finished: the newest of the Eval there, or the one of this id.
    pub resume: Option<Resume>,
    /// The part of the cases to run: `(i, n)`, i from 1.
    pub shard: Option<(u32, u32)>,
    /// The id of the run that the shards share.
    pub run: Option<String>,
    /// Cases at a time, instead of what the Eval says.
    pub concurrency: Option<u32>,
    /// Where the journal is kept, instead of the project's own directory.
    pub directory: Option<PathBuf>,
}

/// Which Evals.
#[derive(Debug, Clone)]
pub enum Which {
    /// The one of this name, as the environment has it.
    Named(ResourceId),
    /// Those in files.
    Files(Vec<String>),
}

/// Which unfinished run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// The newest.
    Newest,
    /// The one of this id.
    Id(String),
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// One for each Eval, in order of their names.
    pub runs: Vec<Ran>,
}

/// One run.
#[derive(Debug, Clone)]
pub enum Ran {
    /// What would be done.
    Planned(Box<Estimate>),
    /// It is done, and the result is signed.
    Finished(Box<Finished>),
    /// A part of it is done; `joch eval merge` makes a result of all parts.
    Shard(Part),
    /// Somebody asked to stop.
    Interrupted(Part),
}

/// A run that came to a result.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The result.
    pub result: RunResult,
    /// The id of the evidence item.
    pub evidence: String,
    /// Compared with what the next rung runs now, where a result of that is on record.
    pub baseline: Option<Baseline>,
}

/// What a run would do.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// What it would be bound to.
    pub plan: Plan,
    /// What would be measured, in the order of the Eval.
    pub metrics: Vec<PlannedMetric>,
    /// What the estimate goes by.
    pub basis: String,
    /// Calls of the agent.
    pub agent_calls: u64,
    /// Calls of judges.
    pub judge_calls: u64,
    /// The agent's tokens.
    pub agent_tokens: Usage,
    /// The judges' tokens.
    pub judge_tokens: Usage,
    /// US dollars, where prices are known.
    pub cost_usd: Option<Decimal>,
    /// Seconds, where an earlier run tells how long a case takes.
    pub seconds: Option<u64>,
}

/// A metric as it would be measured.
#[derive(Debug, Clone)]
pub struct PlannedMetric {
    /// Its name.
    pub name: String,
    /// How a case is scored: `judged`, `observed`, `computed`, `program`.
    pub measure: String,
    /// How cases become one.
    pub aggregate: String,
    /// What it must be.
    pub threshold: Option<String>,
    /// Which way is better.
    pub direction: Option<String>,
    /// Where the criteria come from.
    pub criteria_from: Option<String>,
    /// What a judge looks for, where that is the same for every case.
    pub criteria: Vec<String>,
}

/// Runs Evals, one after the other.
///
/// # Errors
/// Nothing was found to run, or one could not begin: nothing is paid for then. What thresholds say is an outcome.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    check_environment(trust.ladder(), &request.environment)?;
    if !request.dry_run && request.shard.is_none() {
        // Who may not sign must hear it before anything is paid for.
        check_before(&desk, &trust, caller)?;
    }
    if let Some(resume) = &request.resume {
        return super::resume::resume(resume, request, &desk, &reader, &trust, caller);
    }
    let mut prepared = Vec::new();
    for (eval, dataset) in wanted(request, &desk, &reader, caller)? {
        let environment = reader.environment(&request.environment)?;
        let wanted = Wanted {
            eval,
            dataset,
            environment: &environment,
            trigger: request.trigger.clone(),
            shard: request.shard,
            run: request.run.clone(),
            concurrency: request.concurrency,
        };
        prepared.push(prepare(wanted, &reader, &trust, &desk, caller)?);
    }
    let mut runs = Vec::new();
    for prepared in prepared {
        if request.dry_run {
            runs.push(Ran::Planned(Box::new(super::estimate::estimate(&prepared, &reader)?)));
            continue;
        }
        let directory = directory_of(request, &prepared.plan, &desk);
        if is_begun(&directory)? {
            let part = Part::of(&prepared.plan, &directory, &desk, (0, 0));
            return Err(begun(&part).into());
        }
        directory.keep(super::journal::CASES, &prepared.dataset)?;
        let ran = carry_out(prepared, directory, &desk, caller)?;
        let stopped = matches!(ran, Ran::Interrupted(_));
        runs.push(ran);
        if stopped {
            break;
        }
    }
    Ok(Outcome { runs })
}

/// Executes what is left of a run, and makes a signed result of it if that was all.
pub(super) fn carry_out(
    prepared: Prepared,
    directory: RunDirectory,
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<Ran> {
    let execution = execute(&prepared, &directory, desk, caller)?;
    let part = |execution: &Execution| Part::of(&prepared.plan, &directory, desk, (execution.done, execution.of));
    if execution.ended == Ended::Interrupted && execution.done < execution.of {
        return Ok(Ran::Interrupted(part(&execution)));
    }
    if prepared.plan.shard.is_some_and(|(_, shards)| shards > 1) {
        return Ok(Ran::Shard(part(&execution)));
    }
    // The cases are many, and from here on the journal says all that is needed of them.
    let definition = prepared.into_definition();
    let result = result_of(&definition, &[directory.journal_path()])?;
    let finished = conclude(result, &definition, caller)?;
    directory.keep(RESULT, finished.evidence.as_bytes())?;
    Ok(Ran::Finished(Box::new(finished)))
}

/// Signs a result and compares it with what the next rung runs.
pub(super) fn conclude(result: RunResult, definition: &Definition, caller: &mut Caller<'_>) -> Result<Finished> {
    // A run may take hours, and what is signed now is signed now.
    caller.now = (caller.progress.clock)();
    let recorded = record(&result, caller)?;
    let baseline = super::baseline::compared(&result, definition, caller)?;
    Ok(Finished { result, evidence: recorded.id, baseline })
}

/// The Evals that are meant, each with its dataset.
fn wanted(
    request: &Request,
    desk: &Desk,
    reader: &Reader<'_>,
    caller: &mut Caller<'_>,
) -> Result<Vec<(Arc<Resource>, Dataset)>> {
    let environment = reader.environment(&request.environment)?;
    match &request.evals {
        Which::Named(id) => {
            let eval = environment.entry(id)?;
            let Some(eval) = eval else { return Err(not_found(id, &environment)?.into()) };
            let dataset = super::dataset::in_ledger(&eval, &environment, reader, desk)?;
            super::dataset::tell_edited(&eval, &dataset, &environment, desk, caller);
            Ok(vec![(eval, dataset)])
        }
        Which::Files(files) => {
            let mut evals = Vec::new();
            for (eval, dataset) in super::dataset::in_files(files, desk, caller)? {
                if environment.entry(eval.id())?.as_ref() != Some(&eval) {
                    caller.notice(format!(
                        "{} in the files is not what `{1}` has, so no gate counts this run; `joch apply -f PATH --env {1}` brings it there",
                        eval.id(),
                        request.environment
                    ));
                }
                evals.push((eval, dataset));
            }
            Ok(evals)
        }
    }
}

/// Where runs are kept.
pub(super) fn runs_of(desk: &Desk) -> PathBuf {
    desk.project.config.runs.as_ref().map_or_else(|| desk.own().join("runs"), |runs| desk.project.root.join(runs))
}

fn directory_of(request: &Request, plan: &Plan, desk: &Desk) -> RunDirectory {
    let name = match plan.shard {
        Some((i, n)) => format!("{}-{i}-of-{n}", plan.run),
        None => plan.run.clone(),
    };
    RunDirectory::at(request.directory.clone().unwrap_or_else(|| runs_of(desk)).join(name))
}

fn begun(part: &Part) -> Failure {
    Failure::could_not("run-begun", format!("the run in `{}` was begun before", part.directory.display()))
        .next(format!("go on with it: `{}`, or begin another with `--run-id`", part.command()))
}

/// What all runs come to: failed before inconclusive before passed. None for a part of a run.
impl Outcome {
    /// The worst verdict; none where nothing came to a result.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.runs
            .iter()
            .filter_map(|ran| match ran {
                Ran::Finished(finished) => Some(finished.result.verdict),
                Ran::Planned(_) | Ran::Shard(_) | Ran::Interrupted(_) => None,
            })
            .max()
    }
}
