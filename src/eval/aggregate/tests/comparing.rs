//! A candidate beside its baseline.

use super::stage::*;
use crate::eval::definition::{Aggregate, Measure, Observed};
use crate::eval::result::{RunResult, Verdict};
use crate::eval::{Comparison, Decimal, FaultKind, compare};
use crate::resource::Digest;

const SCORES: [&str; 2] = ["1", "0"];

/// 40 cases, of which the first ones pass.
fn run(passes: usize) -> Stage {
    let scores: Vec<&str> = (0..40).map(|case| SCORES[usize::from(case >= passes)]).collect();
    Stage::new(40, 1).success("0.5").all("task_success", &scores)
}

fn compared(candidate: &Stage, baseline: &Stage) -> Comparison {
    compare(&candidate.result(), &baseline.result(), &candidate.definition).expect("comparable")
}

fn allowing(mut stage: Stage, most: &str) -> Stage {
    stage.definition.metrics[0].max_regression = Some(decimal(most));
    stage
}

#[test]
fn a_drop_is_told_with_its_cases_and_its_chance() {
    let compared = compared(&allowing(run(30), "0.05"), &run(38));
    let metric = &compared.metrics[0];
    assert_eq!((metric.change, metric.better), (Some(Decimal::ZERO - decimal("0.2")), Some(false)));
    assert_eq!((metric.verdict, metric.test.as_deref()), (Some(Verdict::Failed), Some("mcnemar-exact")));
    assert_eq!((metric.p, metric.pairs), (Some(decimal("0.0078125")), 40));
    assert_eq!((metric.improved, metric.worsened, metric.worse[0].case.as_str()), (0, 8, "c30"));
    assert_eq!(compared.latency, None, "nobody knows how late the runners were");
}

#[test]
fn a_drop_within_what_is_allowed_passes_and_a_gain_is_better() {
    let verdict = |candidate, baseline| compared(&allowing(run(candidate), "0.2"), &run(baseline)).metrics[0].verdict;
    assert_eq!(verdict(30, 38), Some(Verdict::Passed));
    assert_eq!(verdict(29, 38), Some(Verdict::Failed));
    assert_eq!(verdict(38, 30), Some(Verdict::Passed));
    assert_eq!(compared(&run(38), &run(30)).metrics[0].better, Some(true));
    assert_eq!(compared(&run(38), &run(38)).metrics[0].better, None);
}

#[test]
fn without_a_value_on_both_sides_nothing_passes() {
    let silent = Stage::new(40, 1).success("0.5").all("task_success", &["lost"; 40]);
    let compared = compared(&allowing(run(30), "0.5"), &silent);
    assert_eq!(compared.metrics[0].verdict, Some(Verdict::Inconclusive));
    assert!(compared.metrics[0].reason.is_some());
}

#[test]
fn other_cases_or_another_eval_cannot_be_compared() {
    let (candidate, baseline) = (run(30).result(), run(38).result());
    let other = |change: fn(&mut RunResult)| {
        let mut baseline = baseline.clone();
        change(&mut baseline);
        compare(&candidate, &baseline, &run(30).definition).expect_err("incomparable").to_string()
    };
    assert!(other(|run| run.dataset.digest = Digest::of("other")).contains("the runs used different datasets"));
    assert!(other(|run| run.eval.id.name = "another".to_owned()).contains("one run is of `"));
}

#[test]
fn numbers_are_compared_by_drawing_again() {
    let run = |more: usize| {
        let measure = Measure::Program { command: Vec::new() };
        let stage = Stage::new(40, 1).metric("similarity", measure, Aggregate::Mean, "");
        let scores =
            (0..40).map(|case| program(case, "similarity", &format!("0.{}", 300 + case * 7 - more * (case % 5))));
        stage.with((0..40).map(|case| answer(case, 1, &[]).line())).with(scores)
    };
    let metric = compared(&run(9), &run(0)).metrics.remove(0);
    assert_eq!(metric.test.as_deref(), Some("paired-bootstrap"));
    assert!(metric.p.is_some_and(|p| p < decimal("0.01")), "{:?}", metric.p);
    assert!(metric.ci95.is_some_and(|[low, high]| low < high && high < Decimal::ZERO), "{:?}", metric.ci95);
    assert_eq!(metric.worse.len(), 20);
    assert_eq!((metric.worse[0].case.as_str(), metric.worsened, metric.improved), ("c4", 32, 0));
}

#[test]
fn latencies_are_compared_where_the_runners_were_in_time() {
    let run = |slower: u64, late: u64| {
        let stage =
            Stage::new(40, 1).metric("latency_p95_ms", observed(Observed::Latency), Aggregate::Percentile(95), "");
        let lines = (0..40).map(|case| answer(case, 1, &[]).latency(500 + case as u64 + slower).line());
        stage.with(lines).with([lag(late)])
    };
    let shift = compared(&run(100, 10), &run(0, 10)).latency.expect("a shift");
    assert!(shift.lower > Decimal::ONE && shift.delta_p50_us == 100_000, "{shift:?}");
    assert_eq!(compared(&run(100, 20_000), &run(0, 10)).latency, None);
    let mut broken = run(0, 10);
    broken.lines[0] = answer(0, 1, &[]).latency(1).fails(FaultKind::Refused).line();
    let same = compared(&broken, &run(0, 10)).latency.expect("a shift");
    assert!(same.upper >= Decimal::ONE, "a call that broke off is no fast answer: {same:?}");
}
