//! Carries a run out: what its journal does not have yet goes to the agent and to the judges.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::eval::judge::{asked, canaries};
use crate::eval::{Checker, Leaks, Line, Measure, Metric, Plan, Protocol, Unit, shard_of};
use crate::net::{self, Ended, JudgeClient, Left, LeftOfUnit, Program, Seat, Setting, Target, Told, Work};
use crate::workspace::{RunDirectory, read_file};

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::journal::{Done, replies};
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
pub(super) fn execute(prepared: &Prepared, directory: &RunDirectory, desk: &Desk, caller: &mut Caller<'_>) -> Result<Execution> {
    let mut journal = directory.append()?;
    let path = directory.journal_path();
    let done = Done::read(&path)?;
    if super::journal::plan_of(&path)?.is_none() {
        journal.append(&Line::Plan(Box::new(prepared.plan.clone())).encode())?;
        journal.sync_soon()?;
    }
    let setting = setting(prepared, desk)?;
    let refused = |why: crate::eval::Fault| Failure::could_not("eval-target", why.message);
    let target = Target::open(&prepared.reach, &prepared.credentials, &setting).map_err(refused)?;
    let (left, of) = left(prepared, &done, &path)?;
    let before = of - left.iter().filter(|left| matches!(left, Left::Unit(_))).count() as u64;
    let metrics = &prepared.definition.metrics;
    let mut checks = Vec::new();
    let mut programs = Vec::new();
    for metric in metrics {
        let invalid = |why: String| Failure::refused("eval-invalid", format!("metric `{}`: {why}", metric.name));
        match &metric.measure {
            Measure::Checked(check) => checks.push((metric.name.clone(), Checker::new(check).map_err(invalid)?)),
            Measure::Program { command } => programs.push((metric.name.clone(), Program::new(command, &setting).map_err(invalid)?)),
            Measure::Judged(_) | Measure::Observed(_) => {}
        }
    }
    let judges = seats(prepared, &setting)?;
    let concurrency = prepared.plan.concurrency.min(setting.max_concurrency.unwrap_or(u32::MAX)).max(1);
    let work = Work {
        cases: &prepared.cases,
        left,
        target: &target,
        judges,
        checks,
        leaks: Leaks::of_metrics(metrics),
        programs,
        concurrency: concurrency as usize,
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

/// How calls are made: the limits of the run, those of the target divided among shards.
fn setting(prepared: &Prepared, desk: &Desk) -> Result<Setting> {
    let shards = prepared.plan.shard.map_or(1, |(_, shards)| shards.max(1));
    let recording = match &prepared.reach.protocol {
        Protocol::Replay { file } => Some(read_file(&desk.project.root, file)?),
        _ => None,
    };
    Ok(Setting {
        retries: prepared.definition.run.retries,
        max_concurrency: prepared.reach.max_concurrency.map(|most| (most / shards).max(1)),
        requests_per_second: prepared.definition.run.requests_per_second.map(|most| most / f64::from(shards)),
        project: desk.project.root.clone(),
        recording,
    })
}

/// The judges at work, each with the metrics of its seat.
fn seats<'a>(prepared: &'a Prepared, setting: &Setting) -> Result<Vec<Seat<'a>>> {
    let mut seats = Vec::new();
    for (seat, facts) in prepared.plan.judges.iter().zip(&prepared.judges) {
        let metrics: Vec<&Metric> =
            prepared.definition.metrics.iter().filter(|metric| seat.metrics.contains(&metric.name)).collect();
        let client = JudgeClient::open(facts, &prepared.credentials, setting)
            .map_err(|why| Failure::could_not("eval-judge", format!("{}: {}", seat.model, why.message)))?;
        seats.push(Seat { client, criteria: Box::new(move |case| asked(&metrics, case)), samples: seat.samples });
    }
    Ok(seats)
}

/// Every unit of this part.
pub(super) fn units(plan: &Plan) -> impl Iterator<Item = (usize, Unit)> + '_ {
    let here = |case: &str| plan.shard.is_none_or(|(i, n)| shard_of(case, n) == i);
    let cases = plan.cases.iter().enumerate().filter(move |(_, case)| here(&case.id));
    cases.flat_map(|(index, case)| (1..=plan.trials).map(move |trial| (index, Unit { case: case.id.clone(), trial })))
}

/// What the journal does not have yet, canaries first; and how many units there are in all.
fn left(prepared: &Prepared, done: &Done, path: &std::path::Path) -> Result<(Vec<Left>, u64)> {
    let plan = &prepared.plan;
    let programs = prepared.definition.metrics.iter().any(|metric| matches!(metric.measure, Measure::Program { .. }));
    let opinions: BTreeSet<(u32, u32)> =
        (0..).zip(&plan.judges).flat_map(|(judge, seat)| (1..=seat.samples).map(move |sample| (judge, sample))).collect();
    let mut left = Vec::new();
    for (judge, seat) in (0..).zip(&plan.judges) {
        for canary in canaries() {
            for sample in 1..=seat.samples {
                let unit = Unit { case: canary.name.to_owned(), trial: 0 };
                if done.units.get(&unit).is_none_or(|done| !done.opinions.contains(&(judge, sample))) {
                    left.push(Left::Canary { canary: canary.clone(), judge, sample });
                }
            }
        }
    }
    let mut of = 0;
    let mut unfinished = Vec::new();
    for (case, unit) in units(plan) {
        of += 1;
        let known = done.units.get(&unit).cloned().unwrap_or_default();
        let complete = match known.answered {
            None => false,
            Some(false) => true,
            Some(true) => known.opinions.is_superset(&opinions) && (known.programmed || !programs),
        };
        if !complete {
            unfinished.push((case, unit, known));
        }
    }
    let with_answers: BTreeSet<Unit> =
        unfinished.iter().filter(|(_, _, known)| known.answered == Some(true)).map(|(_, unit, _)| unit.clone()).collect();
    let mut answers = replies(path, &with_answers)?;
    for (case, unit, known) in unfinished {
        left.push(Left::Unit(Box::new(LeftOfUnit {
            case,
            trial: unit.trial,
            answered: answers.remove(&unit),
            opinions: known.opinions.into_iter().collect(),
            programmed: known.programmed,
        })));
    }
    Ok((left, of))
}
