//! What a run would do and cost, before any of it is done.

use anyhow::Result;

use crate::eval::judge::{Question, asked, canaries, criteria_for, request};
use crate::eval::{Bounds, Case, Decimal, JudgeRef, Measure, Metric, Reply, RunResult, Usage};
use crate::ledger::Reader;
use crate::resource::Direction;

use super::left::units;
use super::prepare::{Prepared, unclear};
use super::results;
use super::run::{Estimate, PlannedMetric};

/// About so many bytes of text are a token.
const BYTES_A_TOKEN: u64 = 4;
/// How long an answer is taken to be where no earlier run tells, in bytes.
const ANSWER: usize = 1200;
/// How many tokens a judge writes for one criterion.
const VERDICT: u64 = 40;

/// Tells what a run would do.
///
/// # Errors
/// A case says nothing that a judge could look for, or the evidence cannot be read.
pub(super) fn estimate(prepared: &Prepared, reader: &Reader<'_>) -> Result<Estimate> {
    let plan = &prepared.plan;
    let earlier =
        results::of_agent(&plan.subject.agent, reader)?.into_iter().rfind(|known| known.result.eval.id == plan.eval.id);
    let earlier = earlier.map(|known| known.result).filter(|result| result.counts.answered > 0);
    let mut estimate = Estimate {
        plan: plan.clone(),
        metrics: prepared.definition.metrics.iter().map(|metric| planned(metric, prepared)).collect(),
        basis: if earlier.is_some() { "an earlier run" } else { "the length of the cases" }.to_owned(),
        agent_calls: 0,
        judge_calls: plan.judges.iter().map(|seat| u64::from(seat.samples) * canaries().len() as u64).sum(),
        agent_tokens: Usage::default(),
        judge_tokens: Usage::default(),
        cost_usd: None,
        seconds: None,
    };
    let reply = Reply { text: "x".repeat(ANSWER), ..Reply::default() };
    for (index, _) in units(plan) {
        let case = &prepared.cases[index];
        estimate.agent_calls += 1;
        estimate.agent_tokens.input += tokens(&case.input.text());
        estimate.agent_tokens.output += ANSWER as u64 / BYTES_A_TOKEN;
        for seat in &plan.judges {
            let criteria = asked(&metrics_of(seat, prepared), case).map_err(|why| unclear(&plan.eval.id, &[why]))?;
            let written = criteria.len() as u64 * VERDICT;
            let words = request(&Question::of(case, &reply, criteria), "00000000000000000000000000000000");
            let samples = u64::from(seat.samples);
            estimate.judge_calls += samples;
            estimate.judge_tokens.input += samples * (tokens(&words.system) + tokens(&words.user));
            estimate.judge_tokens.output += samples * written;
        }
    }
    if let Some(earlier) = &earlier {
        let each = |tokens: u64| tokens * estimate.agent_calls / earlier.counts.answered;
        let seen = earlier.cost.agent_tokens;
        estimate.agent_tokens = Usage { input: each(seen.input), output: each(seen.output) };
        estimate.seconds = seconds(earlier, &estimate);
    }
    estimate.cost_usd = cost(&estimate);
    Ok(estimate)
}

fn metrics_of<'d>(seat: &JudgeRef, prepared: &'d Prepared) -> Vec<&'d Metric> {
    prepared.definition.metrics.iter().filter(|metric| seat.metrics.contains(&metric.name)).collect()
}

fn planned(metric: &Metric, prepared: &Prepared) -> PlannedMetric {
    let measure = match &metric.measure {
        Measure::Judged(_) => "judged",
        Measure::Observed(_) => "observed",
        Measure::Checked(_) => "computed",
        Measure::Program { .. } => "program",
    };
    let (criteria_from, criteria) = criteria(metric, prepared);
    PlannedMetric {
        name: metric.name.clone(),
        measure: measure.to_owned(),
        aggregate: metric.aggregate.to_string(),
        threshold: metric.threshold.as_ref().map(told),
        direction: metric.direction.map(|direction| match direction {
            Direction::Higher => "higher".to_owned(),
            Direction::Lower => "lower".to_owned(),
        }),
        criteria_from,
        criteria,
    }
}

/// Where the criteria of a metric come from, and which they are where all cases share them.
fn criteria(metric: &Metric, prepared: &Prepared) -> (Option<String>, Vec<String>) {
    let Measure::Judged(judged) = &metric.measure else { return (None, Vec::new()) };
    let texts = |criteria: Vec<crate::eval::Criterion>| criteria.into_iter().map(|criterion| criterion.text).collect();
    if !judged.criteria.is_empty() {
        return (Some("the metric".into()), texts(judged.criteria.clone()));
    }
    let (mut from, mut sets) = (Vec::new(), Vec::new());
    for case in &prepared.cases {
        let Ok(set) = criteria_for(metric, case) else { continue };
        let bare = Case { expected: None, rubric: Vec::new(), ..case.clone() };
        let source = match criteria_for(metric, &bare) {
            Ok(named) if named == set => "its name",
            _ if case.rubric.is_empty() => "the case's expected answer",
            _ => "each case's rubric",
        };
        if !from.contains(&source) {
            from.push(source);
        }
        if !sets.contains(&set) {
            sets.push(set);
        }
        // More would be as unlike each other.
        sets.truncate(2);
    }
    let shared = if sets.len() == 1 { texts(sets.remove(0)) } else { Vec::new() };
    ((!from.is_empty()).then(|| from.join(" or ")), shared)
}

fn told(bounds: &Bounds) -> String {
    bounds.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// As long as the earlier run took, for as many calls at a time.
fn seconds(earlier: &RunResult, estimate: &Estimate) -> Option<u64> {
    let took = (earlier.runner.finished_at? - earlier.runner.started_at?).num_milliseconds().unsigned_abs();
    let work = took * u64::from(earlier.runner.concurrency) / earlier.counts.answered.max(1);
    Some((work * estimate.agent_calls / u64::from(estimate.plan.concurrency.max(1))).div_ceil(1000))
}

fn cost(estimate: &Estimate) -> Option<Decimal> {
    let plan = &estimate.plan;
    let priced = |model: &str, usage: Usage| {
        let prices = plan.prices.get(model)?;
        Some(prices.input.per_million().times(usage.input) + prices.output.per_million().times(usage.output))
    };
    let mut sum = priced(plan.priced_as.as_ref()?, estimate.agent_tokens)?;
    let seats = (plan.judges.len() as u64).max(1);
    let each = Usage { input: estimate.judge_tokens.input / seats, output: estimate.judge_tokens.output / seats };
    for seat in &plan.judges {
        sum = sum + priced(&seat.requested, each)?;
    }
    Some(sum)
}

fn tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(BYTES_A_TOKEN)
}
