//! `joch eval`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::eval::Trigger;
use crate::ops::eval::{Baseline, due, gate, list, merge, run, show};
use crate::ops::{Caller, Failure};
use crate::release::{ManifestAgent, Plan};
use crate::render::report::{Against, Earlier, Format};
use crate::render::view::{
    Estimate, EvalCase, EvalGate, EvalList, EvalPart, EvalPlan, EvalPlans, EvalResult, EvalResults, EvalTrouble,
    LastRun, ListedEval, PartState, PlannedMetric, StartedEval, UnfinishedRun,
};
use crate::resource::{Kind, ResourceId};

use super::eval_report::ReportArgs;
use super::exit;
use super::global::Answer;

/// Measure agents, and look at what was measured
#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(RunArgs),
    Ls(LsArgs),
    Show(ShowArgs),
    Gate(GateArgs),
    Merge(MergeArgs),
}

const EXAMPLES: &str = "\
Examples:
  joch eval run support-triage-quality --target staging --dry-run
  joch eval run support-triage-quality --target staging --report junit=eval.xml
  joch eval run -f evals/ --target staging

What runs with -f counts for a gate only if the environment holds the same Eval: apply it first.";

/// Measure an agent over a dataset; exits 0 when it passed, 2 when it failed, 1 when the run cannot tell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct RunArgs {
    /// The Eval, as the target environment has it
    #[arg(value_name = "NAME", required_unless_present_any = ["files", "due"], conflicts_with = "files")]
    name: Option<String>,
    /// Files of Evals, instead of what the target environment has; may be repeated
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    files: Vec<String>,
    /// The environment that runs the agent
    #[arg(long, value_name = "ENV", required_unless_present = "due", visible_alias = "env")]
    target: Option<String>,
    /// Run everything that its schedule wants and no run has answered; for a scheduler to call
    #[arg(long, conflicts_with_all = ["name", "files", "dry_run", "resume", "shard", "run_id", "journal"])]
    due: bool,
    /// Show what would be called, and what it would cost, and call nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on with the newest unfinished run, or with this one
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "")]
    resume: Option<String>,
    /// Run one part of the cases, such as `1/4`; `joch eval merge` makes one result of all parts
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
    /// Id of the run, which all its shards share
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    /// Directory in which the journal is kept, instead of the project's own
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Cases at a time, instead of what the Eval says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    concurrency: Option<u32>,
    #[command(flatten)]
    reports: ReportArgs,
}

/// List Evals with their last result, and runs that can be gone on with
#[derive(Debug, Args)]
struct LsArgs {
    /// One environment, instead of all
    #[arg(long, value_name = "ENV", visible_alias = "env")]
    target: Option<String>,
}

/// Show a result: the latest of an Eval, or the one of this id
#[derive(Debug, Args)]
struct ShowArgs {
    /// The Eval, the id of a result or the beginning of it, or the id of a run
    #[arg(value_name = "NAME|ID")]
    what: String,
    /// The environment, where an Eval is named
    #[arg(long, value_name = "ENV", visible_alias = "env")]
    target: Option<String>,
    /// Only this case
    #[arg(long, value_name = "ID")]
    case: Option<String>,
    #[command(flatten)]
    reports: ReportArgs,
}

/// Ask what the gate of an Eval would say now
#[derive(Debug, Args)]
struct GateArgs {
    /// The Eval
    name: String,
    /// The rung that the agent comes from
    #[arg(long, value_name = "ENV")]
    from: String,
    /// The rung that it goes to
    #[arg(long, value_name = "ENV")]
    to: String,
}

/// Make one result of the journals of all shards of a run
#[derive(Debug, Args)]
struct MergeArgs {
    /// Journals, directories of runs, or directories of such
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    reports: ReportArgs,
}

impl EvalArgs {
    /// The reports that its answer has beside the formats of every command.
    pub(super) fn reports(&self) -> &'static [Format] {
        match &self.command {
            Command::Run(args) if args.dry_run || args.shard.is_some() => &[],
            Command::Run(_) | Command::Show(_) | Command::Merge(_) => &Format::ALL,
            Command::Ls(_) | Command::Gate(_) => &[],
        }
    }
}

pub(super) fn run(args: EvalArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    match args.command {
        Command::Run(args) if args.due => run_due(&args, caller),
        Command::Run(args) => run_some(args, caller),
        Command::Ls(args) => ls(&args, caller),
        Command::Show(args) => show_one(args, caller),
        Command::Gate(args) => ask_gate(&args, caller),
        Command::Merge(args) => {
            args.reports.check()?;
            let outcome = merge::run(&merge::Request { paths: args.paths }, caller)?;
            told(outcome, Vec::new(), &args.reports, caller)
        }
    }
}

fn run_some(args: RunArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let evals = match &args.name {
        Some(name) => run::Which::Named(eval_id(name, caller)?),
        None => run::Which::Files(args.files),
    };
    let resume = args.resume.map(|id| if id.is_empty() { run::Resume::Newest } else { run::Resume::Id(id) });
    let request = run::Request {
        evals,
        environment: args.target.unwrap_or_default(),
        trigger: Trigger::Manual,
        dry_run: args.dry_run,
        resume,
        shard: args.shard.as_deref().map(shard).transpose()?,
        run: args.run_id.map(run_id).transpose()?,
        directory: args.journal.map(|path| caller.directory.join(path)),
        concurrency: args.concurrency,
    };
    args.reports.check()?;
    let outcome = run::run(&request, caller)?;
    told(outcome, Vec::new(), &args.reports, caller)
}

fn run_due(args: &RunArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    args.reports.check()?;
    let answered = due::run_due(args.target.as_deref(), caller)?;
    let (mut runs, mut troubles) = (Vec::new(), Vec::new());
    for due::Answered { due, ran } in answered {
        match ran {
            Ok(ran) => runs.push(ran),
            Err(why) => troubles.push(trouble(due, &why)),
        }
    }
    told(run::Outcome { runs }, troubles, &args.reports, caller)
}

/// Why one that was due could not begin.
pub(super) fn trouble(due: due::Due, why: &anyhow::Error) -> EvalTrouble {
    let next = why.downcast_ref::<Failure>().and_then(|failure| failure.next.clone());
    EvalTrouble { eval: due.eval, environment: due.environment, message: format!("{why:#}"), next }
}

/// Runs the evals that a release wants at once. Whatever comes of them, the release stands.
pub(super) fn on_deployment(release: &str, plan: &Plan, caller: &mut Caller<'_>) -> Vec<StartedEval> {
    let agents: Vec<_> =
        plan.manifest.agents.iter().filter(|agent| agent.digest.is_some()).map(ManifestAgent::id).collect();
    let answered = match due::run_deployed(&plan.manifest.environment, release, &agents, caller) {
        Ok(answered) => answered,
        Err(why) => {
            caller.notice(format!("evals that run on deployment could not be looked up: {why:#}"));
            return Vec::new();
        }
    };
    let mut started = Vec::new();
    for due::Answered { due, ran } in answered {
        let mut one = StartedEval { eval: due.eval.clone(), verdict: None, evidence: None, message: None };
        match ran {
            Ok(run::Ran::Finished(finished)) => {
                one.verdict = Some(finished.result.verdict);
                one.evidence = Some(finished.evidence);
            }
            Ok(run::Ran::Interrupted(part)) => {
                let message = format!("stopped after {} of {} cases", part.done, part.of);
                caller.notice(format!("{}: {message}; `joch eval run --due` goes on", due.eval));
                one.message = Some(message);
            }
            Ok(run::Ran::Planned(_) | run::Ran::Shard(_)) => {}
            Err(why) => {
                let message = format!("{why:#}");
                caller.notice(format!("{} runs on deployment, and did not: {message}", due.eval));
                one.message = Some(message);
            }
        }
        started.push(one);
    }
    started
}

/// What runs came to, in the words of the one or of all.
fn told(
    outcome: run::Outcome,
    troubles: Vec<EvalTrouble>,
    reports: &ReportArgs,
    caller: &mut Caller<'_>,
) -> Result<Answer> {
    let (mut results, mut parts, mut plans) = (Vec::new(), Vec::new(), Vec::new());
    for ran in outcome.runs {
        match ran {
            run::Ran::Finished(finished) => results.push(finished_view(*finished)),
            run::Ran::Planned(estimate) => plans.push(plan_view(*estimate)),
            run::Ran::Shard(part) => parts.push(part_view(part, PartState::Shard)),
            run::Ran::Interrupted(part) => parts.push(part_view(part, PartState::Interrupted)),
        }
    }
    if let [_, ..] = plans.as_slice() {
        return Ok(if plans.len() == 1 {
            Answer::done(plans.remove(0))
        } else {
            Answer::done(EvalPlans { items: plans })
        });
    }
    let interrupted = parts.iter().any(|part| part.state == PartState::Interrupted);
    let all = EvalResults::new(results, parts, troubles);
    let code = match (interrupted, all.verdict) {
        (true, _) => exit::INTERRUPTED,
        // A shard that is done is done: what it comes to is judged with the others.
        (false, _) if all.items.is_empty() && all.troubles.is_empty() => exit::DONE,
        (false, verdict) => verdict.map_or(exit::DONE, exit::of_verdict),
    };
    reports.write(&all, caller)?;
    let EvalResults { mut items, mut parts, troubles, verdict } = all;
    Ok(match (items.len(), parts.len(), troubles.len()) {
        (1, 0, 0) => Answer::with(code, items.remove(0)),
        (0, 1, 0) => Answer::with(code, parts.remove(0)),
        _ => Answer::with(code, EvalResults { verdict, items, parts, troubles }),
    })
}

fn finished_view(finished: run::Finished) -> EvalResult {
    let next = super::eval_report::next_of(&finished.result, &finished.evidence);
    let against = finished.baseline.map(against);
    EvalResult { evidence: Some(finished.evidence), against, next, ..EvalResult::new(finished.result) }
}

/// Beside what the next rung runs now.
fn against(baseline: Baseline) -> Against {
    Against::of(baseline.environment, baseline.comparison)
}

fn part_view(part: run::Part, state: PartState) -> EvalPart {
    let shard = part.shard.map(|(i, n)| format!("{i}/{n}"));
    let next = match state {
        PartState::Interrupted => part.command(),
        PartState::Shard => "joch eval merge PATH…, with the journals of all shards".to_owned(),
    };
    EvalPart {
        state,
        run: part.run,
        eval: part.eval,
        environment: part.environment,
        shard,
        directory: part.directory.display().to_string(),
        done: part.done,
        planned: part.of,
        next: Some(next),
    }
}

fn plan_view(estimate: run::Estimate) -> EvalPlan {
    let plan = estimate.plan;
    let metric = |metric: run::PlannedMetric| PlannedMetric {
        name: metric.name,
        measure: metric.measure,
        aggregate: metric.aggregate,
        threshold: metric.threshold,
        direction: metric.direction,
        criteria_from: metric.criteria_from,
        criteria: metric.criteria,
    };
    let next = Some(format!("joch eval run {} --target {}", plan.eval.id.name, plan.subject.environment));
    EvalPlan {
        cases: estimate.agent_calls / u64::from(plan.trials.max(1)),
        subject: plan.subject,
        eval: plan.eval,
        dataset: plan.dataset,
        reach: plan.reach,
        judges: plan.judges,
        metrics: estimate.metrics.into_iter().map(metric).collect(),
        shard: plan.shard.map(|(i, n)| format!("{i}/{n}")),
        trials: plan.trials,
        concurrency: plan.concurrency,
        agent_calls: estimate.agent_calls,
        judge_calls: estimate.judge_calls,
        estimate: Estimate {
            basis: Some(estimate.basis),
            agent_tokens: Some(estimate.agent_tokens),
            judge_tokens: Some(estimate.judge_tokens),
            usd: estimate.cost_usd,
            seconds: estimate.seconds,
        },
        notices: Vec::new(),
        next,
    }
}

fn ls(args: &LsArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let outcome = list::run(args.target.as_deref(), caller)?;
    let item = |listed: list::Listed| ListedEval {
        eval: listed.eval,
        environment: listed.environment,
        agent: listed.agent,
        schedule: listed.schedule,
        due: listed.due,
        gates: listed.gates,
        last: listed.last.map(|last| LastRun {
            run: last.run,
            verdict: last.verdict,
            time: Some(last.at),
            version: last.version,
            current: last.stale.is_none(),
            stale: last.stale,
            evidence: Some(last.evidence),
        }),
    };
    let unfinished = |run: list::Unfinished| {
        let time = run.began;
        let part = part_view(run.part, PartState::Interrupted);
        UnfinishedRun {
            run: part.run,
            eval: part.eval,
            shard: part.shard,
            time,
            done: part.done,
            planned: part.planned,
            command: part.next.unwrap_or_default(),
        }
    };
    Ok(Answer::done(EvalList {
        items: outcome.evals.into_iter().map(item).collect(),
        unfinished: outcome.unfinished.into_iter().map(unfinished).collect(),
    }))
}

fn show_one(args: ShowArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    args.reports.check()?;
    let outcome = show::run(&show::Request { what: args.what, environment: args.target }, caller)?;
    let mut result = (*outcome.result).clone();
    if let Some(id) = &args.case {
        result.cases.retain(|case| case.id == *id);
        if result.cases.is_empty() {
            let message = format!("the result has no case `{id}`");
            return Err(Failure::could_not("not-found", message)
                .next("`joch eval show` without `--case` lists them")
                .into());
        }
    }
    let earlier = outcome.earlier.iter().map(|(_, result)| Earlier::of(result));
    let view = EvalResult {
        evidence: Some(outcome.evidence),
        against: outcome.baseline.map(against),
        earlier: earlier.collect(),
        ..EvalResult::new(result)
    };
    args.reports.write(&EvalResults::new(vec![view.clone()], Vec::new(), Vec::new()), caller)?;
    Ok(if args.case.is_some() { Answer::done(EvalCase(view)) } else { Answer::done(view) })
}

fn ask_gate(args: &GateArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let request = gate::Request { eval: eval_id(&args.name, caller)?, from: args.from.clone(), to: args.to.clone() };
    let outcome = gate::run(&request, caller)?;
    if outcome.unchanged {
        caller.notice(format!("`{}` has all of it already, so there is nothing to judge", args.to));
    }
    let view = EvalGate::new(outcome.agent, outcome.version, &args.from, &args.to, outcome.gates);
    Ok(Answer::with(exit::of_outcome(outcome.says), view))
}

/// `NAME`, or `eval/NAME` as other commands write it.
fn eval_id(name: &str, caller: &Caller<'_>) -> Result<ResourceId, Failure> {
    let bare = match name.split_once('/') {
        Some((kind, name)) if Kind::from_word(kind) == Some(Kind::Eval) => name,
        _ => name,
    };
    crate::resource::name::check_name(bare)
        .map_err(|rule| Failure::usage(format!("`{name}` names no Eval: {rule}")))?;
    Ok(ResourceId::new(Kind::Eval, caller.namespace(), bare))
}

/// `2/4`.
fn shard(text: &str) -> Result<(u32, u32), Failure> {
    let read = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    read.filter(|(i, n): &(u32, u32)| (1..=*n).contains(i) && *n <= 10_000)
        .ok_or_else(|| Failure::usage(format!("`{text}` is no part: write `I/N` with I from 1 to N, such as `1/4`")))
}

/// An id that can name a directory.
fn run_id(id: String) -> Result<String, Failure> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || id.len() > 100 || id.starts_with('.') || !id.chars().all(good) {
        return Err(Failure::usage(format!("`{id}` is no id of a run: letters, digits, `-`, `_` and `.`")));
    }
    Ok(id)
}
