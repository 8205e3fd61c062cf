//! Carries a run out: what its journal does not have yet goes to the agent and to the judges.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::eval::judge::asked;
use crate::eval::{Check, Checker, Line, Measure, Metric, Plan, Reach, Sort, Unit};
use crate::net::{
    self, Client, Ended, JudgeClient, Left, LeftOfUnit, Limits, Program, Proxy, Seat, Setting, Target, Told, Work,
};
use crate::workspace::RunDirectory;

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::journal::{Done, replies};
use super::left::{Ask, Needs, units};
use super::prepare::Prepared;
use super::progress::Meter;

/// How a run went.
pub(super) struct Execution {
    /// How it ended.
    pub(super) ended: Ended,
    /// Units that are done now.
    pub(super) done: u64,
    /// All units of this part.
    pub(super) of: u64,
}

/// Does what is left.
///
/// # Errors
/// The journal cannot be written; a target or judge cannot be opened.
pub(super) fn execute(
    prepared: &Prepared,
    directory: &RunDirectory,
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<Execution> {
    let mut journal = directory.append()?;
    let path = directory.journal_path();
    let done = Done::read(&path)?;
    if super::journal::plan_of(&path)?.is_none() {
        journal.append(&Line::Plan(Box::new(prepared.plan.clone())).encode())?;
        journal.sync_soon()?;
    }
    let setting = setting(prepared, desk, caller)?;
    let refused = |why: crate::eval::Fault| Failure::could_not("eval-target", why.message);
    let reach = divided(&prepared.reach, &prepared.plan);
    let target = Target::open(&reach, &prepared.credentials, &setting).map_err(refused)?;
    let (left, of) = left(prepared, &done, &path)?;
    let before = of - left.iter().filter(|left| matches!(left, Left::Unit(_))).count() as u64;
    let metrics = &prepared.definition.metrics;
    let mut checks = Vec::new();
    let mut leaks = Vec::new();
    let mut programs = Vec::new();
    for metric in metrics {
        let invalid = |why: String| Failure::refused("eval-invalid", format!("metric `{}`: {why}", metric.name));
        match &metric.measure {
            Measure::Checked(Check::PiiLeakage(settings)) => {
                leaks.push((metric.name.clone(), settings.clone(), Sort::Pii));
            }
            Measure::Checked(Check::SecretLeakage(settings)) => {
                leaks.push((metric.name.clone(), settings.clone(), Sort::Secret));
            }
            Measure::Checked(check) => checks.push((metric.name.clone(), Checker::new(check).map_err(invalid)?)),
            Measure::Program { command } => {
                programs.push((metric.name.clone(), Program::new(command, &setting).map_err(invalid)?))
            }
            Measure::Judged(_) | Measure::Observed(_) => {}
        }
    }
    let judges = seats(prepared, &setting)?;
    let work = Work {
        cases: &prepared.cases,
        left,
        target: &target,
        judges,
        checks,
        leaks,
        programs,
        concurrency: setting.concurrency.min(reach.max_concurrency.unwrap_or(u32::MAX)) as usize,
        now: caller.progress.clock,
    };
    let mut meter = Meter::new(&mut caller.progress, &prepared.plan, of, before);
    let mut finished = before;
    let ended = net::measure(&work, &mut |told| match told {
        Told::Line(line) => {
            journal.append(&line.encode())?;
            meter.take(&line);
            Ok::<(), anyhow::Error>(())
        }
        Told::Unit => {
            finished += 1;
            Ok(())
        }
        Told::Tick => {
            meter.tell();
            Ok(())
        }
    })?;
    drop(meter);
    journal.finish()?;
    Ok(Execution { ended, done: finished, of })
}

/// How calls are made: what limits requests is divided among shards.
fn setting(prepared: &Prepared, desk: &Desk, caller: &Caller<'_>) -> Result<Setting> {
    let plan = &prepared.plan;
    let root = &desk.project.root;
    let per_second = |minute: u32| f64::from(minute) / 60.0 / f64::from(shards(plan));
    let own = |name: &str| Some((name.into(), caller.variables.get(name)?.clone()));
    Ok(Setting {
        run: plan.run.clone(),
        client: Client::new(proxy(caller)),
        concurrency: plan.concurrency.max(1),
        retries: prepared.definition.run.retries,
        per_second: prepared.definition.run.requests_per_minute.map(per_second),
        seed: plan.planned_at.timestamp_micros().unsigned_abs(),
        limits: Limits::default(),
        project: root.clone(),
        variables: ["PATH", "HOME"].into_iter().filter_map(own).collect(),
        recording: prepared.recording.clone(),
    })
}

/// Where https goes through, by the variables that programs take it from.
pub(in crate::ops) fn proxy(caller: &Caller<'_>) -> Proxy {
    let text = |name: &str| caller.variable(name).map(str::to_owned);
    Proxy {
        https: text("HTTPS_PROXY").or_else(|| text("https_proxy")),
        except: text("NO_PROXY").or_else(|| text("no_proxy")),
    }
}

/// How the agent is reached by one of several shards: what it takes at a time is divided among them.
fn divided(reach: &Reach, plan: &Plan) -> Reach {
    let part = |most: u32| (most / shards(plan)).max(1);
    Reach { max_concurrency: reach.max_concurrency.map(part), ..reach.clone() }
}

fn shards(plan: &Plan) -> u32 {
    plan.shard.map_or(1, |(_, shards)| shards.max(1))
}

/// The judges at work, each with the metrics of its seat.
fn seats<'a>(prepared: &'a Prepared, setting: &Setting) -> Result<Vec<Seat<'a>>> {
    let time = Duration::from_millis(prepared.definition.run.timeout_ms);
    let mut seats = Vec::new();
    for (seat, facts) in prepared.plan.judges.iter().zip(&prepared.judges) {
        let metrics: Vec<&Metric> =
            prepared.definition.metrics.iter().filter(|metric| seat.metrics.contains(&metric.name)).collect();
        let client = JudgeClient::open(facts, &prepared.credentials, setting, time)
            .map_err(|why| Failure::could_not("eval-judge", format!("{}: {}", seat.model, why.message)))?;
        seats.push(Seat { client, criteria: Box::new(move |case| asked(&metrics, case)), samples: seat.samples });
    }
    Ok(seats)
}

/// What the journal does not have yet, canaries first; and how many units there are in all.
fn left(prepared: &Prepared, done: &Done, path: &Path) -> Result<(Vec<Left>, u64)> {
    let needs = Needs::of(&prepared.plan, &prepared.definition);
    let canaries = needs.canaries(done).into_iter();
    let mut left: Vec<Left> = canaries
        .map(|Ask { canary, judge, sample }| Left::Canary { canary: Box::new(canary), judge, sample })
        .collect();
    let mut of = 0;
    let mut unfinished = Vec::new();
    for (case, unit) in units(&prepared.plan) {
        of += 1;
        let known = done.units.get(&unit).cloned().unwrap_or_default();
        if !needs.is_met(&known) {
            unfinished.push((case, unit, known));
        }
    }
    let with_answers: BTreeSet<Unit> = unfinished
        .iter()
        .filter(|(_, _, known)| known.answered == Some(true))
        .map(|(_, unit, _)| unit.clone())
        .collect();
    let mut answers = replies(path, &with_answers)?;
    for (case, unit, known) in unfinished {
        left.push(Left::Unit(LeftOfUnit {
            case,
            trial: unit.trial,
            answered: answers.remove(&unit).map(Box::new),
            opinions: known.opinions.into_iter().collect(),
            programmed: known.programmed,
        }));
    }
    Ok((left, of))
}
