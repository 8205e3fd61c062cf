//! What a run would do and cost, before any of it is done.

use anyhow::Result;

use crate::eval::judge::{Question, asked, canaries, criteria_for, request};
use crate::eval::{Bounds, Case, Decimal, Measure, Metric, Reply};

use super::execute::units;
use super::prepare::Prepared;
use super::run::Estimate;

/// About so many bytes of text are a token.
const BYTES_A_TOKEN: usize = 4;
/// The answer of which a judge's cost is told, in bytes: nobody knows yet how long answers are.
const ANSWER: usize = 1200;

/// Tells what a run would do.
///
/// # Errors
/// A case says nothing that a judge could look for.
pub(super) fn estimate(prepared: &Prepared) -> Result<Estimate> {
    let plan = &prepared.plan;
    let judged = |seat: &crate::eval::JudgeRef| -> Vec<&Metric> {
        prepared.definition.metrics.iter().filter(|metric| seat.metrics.contains(&metric.name)).collect()
    };
    let mut estimate = Estimate {
        plan: plan.clone(),
        metrics: Vec::new(),
        agent_calls: 0,
        judge_calls: plan.judges.iter().map(|seat| u64::from(seat.samples) * canaries().len() as u64).sum(),
        agent_tokens: 0,
        judge_tokens: 0,
        cost_usd: None,
    };
    for (index, _) in units(plan) {
        let case = &prepared.cases[index];
        estimate.agent_calls += 1;
        estimate.agent_tokens += tokens(&case.input.text());
        for seat in &plan.judges {
            let reply = Reply { text: "x".repeat(ANSWER), ..Reply::default() };
            let criteria = asked(&judged(seat), case).map_err(|why| super::prepare::unclear(&plan.eval.id, &[why]))?;
            let words = request(&Question::of(case, &reply, criteria), "00000000000000000000000000000000");
            estimate.judge_calls += u64::from(seat.samples);
            estimate.judge_tokens += u64::from(seat.samples) * (tokens(&words.system) + tokens(&words.user));
        }
    }
    estimate.cost_usd = cost(&estimate);
    for metric in &prepared.definition.metrics {
        let threshold = metric.threshold.as_ref().map_or_else(|| "told only".to_owned(), told);
        estimate.metrics.push((metric.name.clone(), threshold, looks_for(metric, prepared.cases.first())));
    }
    Ok(estimate)
}

fn told(bounds: &Bounds) -> String {
    bounds.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// What a judge looks for, as the first case has it.
fn looks_for(metric: &Metric, case: Option<&Case>) -> Vec<String> {
    let criteria = match (&metric.measure, case) {
        (Measure::Judged(_), Some(case)) => criteria_for(metric, case).unwrap_or_default(),
        _ => Vec::new(),
    };
    criteria.into_iter().map(|criterion| criterion.text).collect()
}

/// At the least: what is read, and as much written as the sample answer has.
fn cost(estimate: &Estimate) -> Option<Decimal> {
    let plan = &estimate.plan;
    let written = (ANSWER / BYTES_A_TOKEN) as u64;
    let agent = plan.prices.get(plan.priced_as.as_ref()?)?;
    let mut sum = agent.input.per_million().times(estimate.agent_tokens)
        + agent.output.per_million().times(estimate.agent_calls * written);
    let seats = plan.judges.len() as u64;
    for seat in &plan.judges {
        let judge = plan.prices.get(&seat.requested)?;
        sum = sum
            + judge.input.per_million().times(estimate.judge_tokens / seats)
            + judge.output.per_million().times(estimate.judge_calls / seats * 120);
    }
    Some(sum)
}

fn tokens(text: &str) -> u64 {
    text.len().div_ceil(BYTES_A_TOKEN) as u64
}
