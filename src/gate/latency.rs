//! The latency gate: case by case, the candidate answers as fast as what the target runs now.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Duration;

use crate::eval::statistics::{Shift, latency_shift, nearest_rank};
use crate::eval::{Decimal, RunResult};
use crate::resource::requirement::Percent;
use crate::resource::view;
use crate::resource::{Kind, Resource};

use super::baseline::Baseline;
use super::binding::Binding;
use super::eval::{Latest, badness};
use super::evidence::{Evidence, Subject};
use super::measured::Moved;
use super::score;
use super::terms::Terms;
use super::verdict::{GateResult, Verdict};

/// How much slower it may be where the gate does not say, in hundredths of a per cent.
const DEFAULT: Percent = Percent::hundredths(1000);
/// How many cases both must have answered.
const LEAST_PAIRS: usize = 20;
/// Which part of the cases both must have answered, in per cent.
const LEAST_SHARE: usize = 80;
/// How old the result may be that it is compared with, in days.
const OLDEST_BASELINE: i64 = 30;
/// Below this many microseconds nobody feels a difference.
const FELT_US: i64 = 50_000;
/// How sure the interval is.
const LEVEL: f64 = 0.95;

/// What one Eval comes to about one agent.
struct Answer {
    verdict: Verdict,
    reason: String,
    observed: Option<String>,
    evidence: Vec<String>,
}

/// Judges the demand for `latency:+N%`.
pub(super) fn judge(most: Option<Percent>, subject: &Subject, evidence: &Evidence<'_>) -> GateResult {
    let name = most.map(|most| format!("+{most}%")).unwrap_or_default();
    let most = most.unwrap_or(DEFAULT);
    let mut result = GateResult::new("latency", name, Verdict::Pass);
    result.threshold = Some(format!("+{most}%"));
    if subject.resource.kind != Kind::Agent || subject.to.is_none() {
        result.reason = "nothing runs afterwards that could be slower".into();
        return result;
    }
    let moved = || evidence.measurements.agents.iter().filter(|moved| moved.agent == subject.resource);
    let mut answers: Vec<Answer> = Vec::new();
    for (eval, moved) in evals(evidence).iter().flat_map(|eval| moved().map(move |moved| (eval, moved))) {
        let about = view::Eval::of(eval).is_some_and(|view| view.measures(&moved.agent, &eval.id().namespace));
        if !about {
            continue;
        }
        match one(eval, moved, most, evidence) {
            Ok(answer) => answers.extend(answer),
            Err(why) => answers.push(unclear(format!("{}: {why}", eval.id()))),
        }
    }
    // One Eval that is too small to tell does not hide what another tells; one that says no is not outvoted.
    let decides = |answer: &Answer| match answer.verdict {
        Verdict::Fail => 2,
        Verdict::Pass => 1,
        _ => 0,
    };
    let Some(best) = answers.iter().map(decides).max() else {
        result.verdict = Verdict::Missing;
        result.reason = format!("no Eval has a current result about {} that could be compared", subject.resource);
        result.next = Some(format!("run one of its Evals: {}", run(evidence)));
        return result;
    };
    let mut told = Vec::new();
    for answer in answers.into_iter().filter(|answer| decides(answer) == best) {
        if badness(answer.verdict) >= badness(result.verdict) {
            result.verdict = answer.verdict;
        }
        result.observed = result.observed.or(answer.observed);
        result.evidence.extend(answer.evidence);
        told.push(answer.reason);
    }
    result.reason = told.join("; ");
    if result.verdict != Verdict::Pass {
        result.next = Some(format!("look at both with `joch eval show`, or measure again: {}", run(evidence)));
    }
    result
}

/// Every Eval, each content once.
fn evals(evidence: &Evidence<'_>) -> Vec<Arc<Resource>> {
    let records = evidence.measurements.records.iter().filter(|record| record.id().kind == Kind::Eval);
    let by_content: BTreeMap<_, _> = records.map(|eval| ((eval.id().clone(), eval.digest()), eval.clone())).collect();
    by_content.into_values().collect()
}

fn run(evidence: &Evidence<'_>) -> String {
    let place = evidence.measurements.source.map_or(evidence.environment, |(source, _)| source);
    let evals = evals(evidence);
    let measures = |eval: &&Arc<Resource>| {
        let view = view::Eval::of(eval);
        view.is_some_and(|view| {
            evidence.measurements.agents.iter().any(|moved| view.measures(&moved.agent, &eval.id().namespace))
        })
    };
    let name = evals.iter().find(measures).map_or("NAME", |eval| eval.id().name.as_str());
    format!("joch eval run {name} --target {place}")
}

/// What an Eval says of the candidate's latency; none where it has no current result about it.
fn one(eval: &Arc<Resource>, moved: &Moved, most: Percent, evidence: &Evidence<'_>) -> Result<Option<Answer>, String> {
    let terms = Terms::of(eval)?;
    let binding = Binding { eval, terms: &terms, moved, evidence, live: true };
    let latest = Latest::find(&binding)?;
    let Some(chosen) = latest.chosen else { return Ok(None) };
    let place = evidence.environment;
    let mut answer = compared(&binding, &chosen.result, most)?;
    if moved.from.is_none() && answer.verdict == Verdict::Inconclusive {
        answer.verdict = Verdict::Pass;
        answer.reason = format!("{}: `{place}` runs nothing yet that could be faster", eval.id());
    }
    answer.evidence.insert(0, chosen.id.clone());
    Ok(Some(answer))
}

fn compared(binding: &Binding<'_>, result: &RunResult, most: Percent) -> Result<Answer, String> {
    let (place, id) = (binding.evidence.environment, binding.eval.id());
    if let Err(why) = score::check(result, binding.terms) {
        return Err(format!("the result does not add up: {why}"));
    }
    let Some(Baseline(baseline)) = Baseline::find(binding, result, true)? else {
        return Ok(unclear(format!(
            "{id}: no result is about what `{place}` runs now, on the same dataset and in the same place"
        )));
    };
    let other = &baseline.result;
    let mut said = unclear(String::new());
    said.evidence = vec![baseline.id.clone()];
    let told = |mut answer: Answer, reason: String| {
        answer.reason = format!("{id}: {reason}");
        Ok(answer)
    };
    let since = other.runner.finished_at.map_or(baseline.carried_at, |finished| finished.min(baseline.carried_at));
    if binding.evidence.now - since > Duration::days(OLDEST_BASELINE) {
        return told(said, format!("the result about what `{place}` runs now is older than {OLDEST_BASELINE} days"));
    }
    if other.reach.protocol != result.reach.protocol {
        return told(said, format!("what `{place}` runs now was reached by another protocol"));
    }
    if other.runner.concurrency != result.runner.concurrency {
        let (then, now) = (other.runner.concurrency, result.runner.concurrency);
        return told(said, format!("one ran {then} calls at a time, and the other {now}"));
    }
    let pairs = pairs(result, other);
    let cases = result.cases.len();
    if pairs.len() < LEAST_PAIRS || pairs.len() * 100 < cases * LEAST_SHARE {
        let least = LEAST_PAIRS.max((cases * LEAST_SHARE).div_ceil(100));
        return told(said, format!("{} cases can be compared, and {least} are needed", pairs.len()));
    }
    let Some(shift) = latency_shift(&pairs, LEVEL) else {
        return told(said, "the cases cannot be compared".to_owned());
    };
    said.observed = Some(percent(shift.ratio));
    said.verdict = if slower(&shift, most) { Verdict::Fail } else { Verdict::Pass };
    let reason = sentence(&shift, &pairs, place);
    told(said, reason)
}

/// Slower for sure, by more than is allowed, and by something that is felt.
fn slower(shift: &Shift, most: Percent) -> bool {
    let allowed = Decimal::ONE + Decimal::millionths(u64::from(most.in_hundredths()) * 100);
    shift.lower > Decimal::ONE && shift.ratio > allowed && shift.delta_p50_us > FELT_US
}

fn sentence(shift: &Shift, pairs: &[(u64, u64)], place: &str) -> String {
    let p95 = |side: fn(&(u64, u64)) -> u64| {
        let mut times: Vec<u64> = pairs.iter().map(side).collect();
        times.sort_unstable();
        nearest_rank(&times, 95).unwrap_or_default()
    };
    let tail = Decimal::fraction(p95(|pair| pair.0).max(1), p95(|pair| pair.1).max(1)).unwrap_or(Decimal::ONE);
    format!(
        "{} against what `{place}` runs (95% sure: {} to {}), {} ms in the middle, p95 {}; over {} cases, which tell \
         about {} and more",
        percent(shift.ratio),
        percent(shift.lower),
        percent(shift.upper),
        shift.delta_p50_us / 1000,
        percent(tail),
        shift.pairs,
        percent(shift.minimum_detectable)
    )
}

/// The medians of each case that both ran, `(candidate, baseline)` in microseconds. A call that timed out counts at its
/// limit; any other failure says nothing of how long an answer takes.
fn pairs(candidate: &RunResult, baseline: &RunResult) -> Vec<(u64, u64)> {
    let before = medians(baseline);
    medians(candidate).into_iter().filter_map(|(id, now)| Some((now, *before.get(&id)?))).collect()
}

fn medians(result: &RunResult) -> BTreeMap<&str, u64> {
    let mut medians = BTreeMap::new();
    for case in &result.cases {
        let counts =
            |fault: Option<crate::eval::FaultKind>| fault.is_none_or(|kind| kind == crate::eval::FaultKind::Timeout);
        let mut times: Vec<u64> =
            case.trials.iter().filter(|trial| counts(trial.fault)).map(|trial| trial.latency_us).collect();
        times.sort_unstable();
        if let Some(median) = nearest_rank(&times, 50) {
            medians.insert(case.id.as_str(), median);
        }
    }
    medians
}

/// A ratio as a change: `+12.5%`.
fn percent(ratio: Decimal) -> String {
    let change = (ratio.as_f64() - 1.0) * 100.0;
    format!("{change:+.1}%")
}

fn unclear(reason: String) -> Answer {
    Answer { verdict: Verdict::Inconclusive, reason, observed: None, evidence: Vec::new() }
}
