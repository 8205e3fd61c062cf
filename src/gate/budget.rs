//! The budget gate: what the candidate would cost where it is to run, by what its runs used, stays within every limit
//! that holds for it. What nobody knows is never free.

mod limits;
mod prices;
mod projection;
mod sentence;
#[cfg(test)]
mod tests;
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::closure::Closure;
use crate::eval::Decimal;
use crate::resource::view;
use crate::resource::{Kind, Requirement, Resource, Value};

use super::binding::Binding;
use super::eval::{Latest, badness, nothing_to_measure, wants_live, without_result};
use super::evidence::{Demand, Evidence, Subject};
use super::measured::Moved;
use super::score;
use super::terms::Terms;
use super::verdict::{GateResult, Verdict};
use limits::{Limit, foreign, limits};
use projection::project;

pub use limits::{Figure, Limit as BudgetLimit};
pub use prices::PricedModel;
pub use projection::{Held as HeldLimit, Projection};

/// What one Eval comes to about one agent. The highest rank among all decides.
struct Answer {
    rank: u8,
    verdict: Verdict,
    reason: String,
    next: Option<String>,
    observed: Option<String>,
    threshold: Option<String>,
    evidence: Vec<String>,
    projection: Option<Projection>,
}

/// An Eval that is out of date or too small does not hide what another tells; one that says no, or that shows that
/// something is not known, is not outvoted.
mod rank {
    pub(super) const MISSING: u8 = 0;
    pub(super) const STALE: u8 = 1;
    pub(super) const FEW: u8 = 2;
    pub(super) const PASS: u8 = 3;
    pub(super) const UNKNOWN: u8 = 4;
    pub(super) const FAIL: u8 = 5;
}

/// Judges the demand for `budget`, or for the one Budget of this name.
pub(super) fn judge(only: Option<&str>, demand: &Demand, subject: &Subject, evidence: &Evidence<'_>) -> GateResult {
    let mut result = GateResult::new("budget", only.unwrap_or_default(), Verdict::Pass);
    if subject.resource.kind != Kind::Agent || subject.to.is_none() {
        result.reason = nothing_to_measure(subject).to_owned();
        return result;
    }
    let Some(candidate) = evidence.candidate.filter(|closure| *closure.id() == subject.resource) else {
        result.verdict = Verdict::Missing;
        result.reason = format!("there is no closure of {} to price", subject.resource);
        return result;
    };
    let mut reasons = Vec::new();
    for (moved, closure) in agents(candidate, subject, evidence) {
        let itself = moved.agent == subject.resource;
        for answer in of_agent(only, demand, moved, closure, itself, evidence) {
            if badness(answer.verdict) > badness(result.verdict) || reasons.is_empty() {
                (result.verdict, result.next) = (answer.verdict, answer.next);
                (result.observed, result.threshold) = (answer.observed, answer.threshold);
            }
            result.evidence.extend(answer.evidence);
            reasons.push((badness(answer.verdict), answer.reason));
        }
    }
    if reasons.is_empty() {
        result.verdict = Verdict::Missing;
        result.reason = format!("{} is not among the agents that the change moves", subject.resource);
        return result;
    }
    let worst = reasons.iter().map(|(badness, _)| *badness).max().unwrap_or_default();
    let told: Vec<_> = reasons.into_iter().filter(|(badness, _)| *badness == worst).map(|(_, reason)| reason).collect();
    result.reason = told.join("; ");
    result.evidence.dedup();
    result
}

/// What every demand for a budget looked at, as it goes into the record.
#[must_use]
pub fn projections(demands: &[Demand], subject: &Subject, evidence: &Evidence<'_>) -> Vec<Projection> {
    let Some(candidate) = evidence.candidate else { return Vec::new() };
    let mut found: Vec<Projection> = Vec::new();
    for demand in demands {
        let Requirement::Budget(only) = &demand.requirement else { continue };
        for (moved, closure) in agents(candidate, subject, evidence) {
            let itself = moved.agent == subject.resource;
            let answers = of_agent(only.as_deref(), demand, moved, closure, itself, evidence);
            for projection in answers.into_iter().filter_map(|answer| answer.projection) {
                if !found.contains(&projection) {
                    found.push(projection);
                }
            }
        }
    }
    found
}

/// US dollars of the dearest run of the candidate with the dearest Model it may use, by the dearest of its current
/// results; none where that is not known.
#[must_use]
pub fn projected_run_cost(subject: &Subject, evidence: &Evidence<'_>) -> Option<Decimal> {
    let closure = evidence.candidate.filter(|closure| *closure.id() == subject.resource)?;
    let moved = evidence.measurements.agents.iter().find(|moved| moved.agent == subject.resource)?;
    let mut dearest = None;
    for answer in answers(&Asked { moved, closure, limits: &[], worst: false, evidence }) {
        match answer.projection {
            Some(projection) if answer.rank == rank::PASS => dearest = dearest.max(Some(projection.run_usd?)),
            Some(_) if answer.rank == rank::UNKNOWN => return None,
            _ => {}
        }
    }
    dearest
}

/// The agents whose costs are asked for: the candidate, and every child that changes with it.
fn agents<'e>(candidate: &'e Closure, subject: &Subject, evidence: &'e Evidence<'_>) -> Vec<(&'e Moved, &'e Closure)> {
    fn find<'c>(closure: &'c Closure, moved: &Moved) -> Option<&'c Closure> {
        if *closure.id() == moved.agent && Some(closure.digest()) == moved.to {
            return Some(closure);
        }
        closure.children().values().find_map(|child| find(child, moved))
    }
    let mut found = Vec::new();
    for moved in &evidence.measurements.agents {
        let closure = if moved.agent == subject.resource { Some(candidate) } else { find(candidate, moved) };
        found.extend(closure.map(|closure| (moved, closure)));
    }
    found
}

/// The answers that decide for one agent.
fn of_agent(
    only: Option<&str>,
    demand: &Demand,
    moved: &Moved,
    closure: &Closure,
    itself: bool,
    evidence: &Evidence<'_>,
) -> Vec<Answer> {
    let limits = match limits(closure, only, evidence) {
        Ok(limits) => limits,
        Err(why) => return vec![plain(Verdict::Error, why, "mend it, and apply it where it stands")],
    };
    match foreign(closure, only, evidence) {
        Ok(doubtful) if doubtful.is_empty() => {}
        Ok(doubtful) => {
            let next = "take `currency` out of it, or write `currency: USD`, with its limits in US dollars";
            return vec![plain(Verdict::Inconclusive, doubtful.join("; "), next)];
        }
        Err(why) => return vec![plain(Verdict::Error, why, "mend it, and apply it where it stands")],
    }
    if limits.is_empty() {
        // A child without limits of its own is held by those of its parent.
        return if itself { vec![no_budget(only, moved, evidence)] } else { Vec::new() };
    }
    let settings = |setting: &Value| !matches!(setting.get("worstCase"), None | Some(Value::Null | Value::Bool(false)));
    let worst = demand.settings.iter().any(settings);
    let mut answers = answers(&Asked { moved, closure, limits: &limits, worst, evidence });
    let Some(best) = answers.iter().map(|answer| answer.rank).max() else {
        let reason = format!("no Eval measures {}, so nobody knows what a run of it costs", moved.agent);
        return vec![plain(Verdict::Missing, reason, "write an Eval that measures it, apply it, and run it")];
    };
    answers.retain(|answer| answer.rank == best);
    answers
}

fn no_budget(only: Option<&str>, moved: &Moved, evidence: &Evidence<'_>) -> Answer {
    let (agent, place) = (&moved.agent, evidence.environment);
    let which = only.map_or_else(|| "a Budget".to_owned(), |name| format!("Budget `{name}`"));
    let reason = match only {
        Some(name) => format!("no Budget `{name}` with a limit holds for {agent} in `{place}`"),
        None => format!("no budget holds for {agent} in `{place}`, so there is nothing to stay below"),
    };
    let next = format!(
        "write `scope: {{agents: [{name}]}}` into {which} of `{place}`, or `budgetRefs: [{}]` into {agent}",
        only.unwrap_or("NAME"),
        name = agent.name
    );
    plain(Verdict::Missing, reason, &next)
}

fn plain(verdict: Verdict, reason: String, next: &str) -> Answer {
    Answer {
        rank: rank::MISSING,
        verdict,
        reason,
        next: Some(next.to_owned()),
        observed: None,
        threshold: None,
        evidence: Vec::new(),
        projection: None,
    }
}

/// One agent, and what its results are held against.
struct Asked<'a> {
    moved: &'a Moved,
    closure: &'a Closure,
    limits: &'a [Limit],
    worst: bool,
    evidence: &'a Evidence<'a>,
}

/// What each Eval that measures the agent comes to.
fn answers(asked: &Asked<'_>) -> Vec<Answer> {
    let records = asked.evidence.measurements.records.iter();
    let measures = |record: &&Arc<Resource>| {
        view::Eval::of(record).is_some_and(|view| view.measures(&asked.moved.agent, &record.id().namespace))
    };
    let evals: BTreeMap<_, _> =
        records.filter(measures).map(|eval| ((eval.id().clone(), eval.digest()), eval.clone())).collect();
    let told = |eval: &Arc<Resource>| {
        one(eval, asked).unwrap_or_else(|why| Answer {
            rank: rank::FEW,
            ..plain(Verdict::Error, format!("{}: {why}", eval.id()), "mend the Eval, or run it again")
        })
    };
    evals.values().map(told).collect()
}

fn one(eval: &Arc<Resource>, asked: &Asked<'_>) -> Result<Answer, String> {
    let Asked { moved, closure, limits, worst, evidence } = *asked;
    let terms = Terms::of(eval)?;
    let binding = Binding { eval, terms: &terms, moved, evidence, live: wants_live(evidence)? };
    let latest = Latest::find(&binding)?;
    let Some(chosen) = latest.chosen else {
        let none = without_result(&binding, latest.nearest);
        let rank = if none.verdict == Verdict::Stale { rank::STALE } else { rank::MISSING };
        let next = none.next.unwrap_or_default();
        return Ok(Answer { rank, evidence: none.evidence, ..plain(none.verdict, none.reason, &next) });
    };
    score::check(&chosen.result, &terms).map_err(|why| format!("the result does not add up: {why}"))?;
    if chosen.result.counts.missing > 0 {
        return Err(format!("{} of its runs are missing", chosen.result.counts.missing));
    }
    let (projection, unknown) =
        project(closure, (eval.id(), &chosen.id, &chosen.result), limits.to_vec(), worst, evidence);
    let verdict = projection.limits.iter().map(|held| held.verdict).max_by_key(|verdict| badness(*verdict));
    let mut verdict = verdict.unwrap_or(Verdict::Pass);
    let uncounted = limits.is_empty() && unknown.cost.is_some();
    let few = unknown.few.is_some() && unknown.cost.is_none();
    // Measured after a release into the target itself, it can say no and never yes.
    let only_no = !binding.problems(&chosen)?.is_empty();
    if only_no && verdict == Verdict::Pass {
        verdict = Verdict::Inconclusive;
    }
    let rank = match verdict {
        Verdict::Fail => rank::FAIL,
        _ if uncounted => rank::UNKNOWN,
        _ if few || only_no => rank::FEW,
        Verdict::Pass => rank::PASS,
        _ => rank::UNKNOWN,
    };
    let said = sentence::of(&projection, &unknown, verdict, evidence);
    Ok(Answer {
        rank,
        verdict,
        reason: said.reason,
        next: said.next,
        observed: said.observed,
        threshold: said.threshold,
        evidence: vec![chosen.id.clone()],
        projection: Some(projection),
    })
}
