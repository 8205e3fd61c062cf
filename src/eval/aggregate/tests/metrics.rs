//! How scores become the value of a metric.

use super::stage::*;
use crate::eval::FaultKind;
use crate::eval::answer::Usage;
use crate::eval::definition::{Aggregate, Measure, Observed};
use crate::eval::result::Verdict;

fn program_of(metric: &str, threshold: &str, cases: usize) -> Stage {
    let measure = Measure::Program { command: vec!["./score".to_owned()] };
    let stage = Stage::new(cases, 1).metric(metric, measure, Aggregate::Mean, threshold);
    stage.with((0..cases).map(|case| answer(case, 1, &[]).line()))
}

#[test]
fn equal_scores_give_that_score_and_meet_a_threshold_of_it() {
    for score in ["0.9", "0.85", "0.95", "0.1"] {
        for cases in [1, 3, 7, 10, 33] {
            let result = Stage::new(cases, 1).success(score).all("task_success", &vec![score; cases]).result();
            assert_eq!((value(&result, "task_success").as_str(), result.verdict), (score, Verdict::Passed));
        }
    }
}

#[test]
fn every_failing_metric_is_told() {
    let stage = Stage::new(2, 1).success("0.85").metric("accuracy", exact(), Aggregate::Mean, "0.9");
    let scores = [("task_success", "0.82"), ("accuracy", "0.5")];
    let result = stage.with((0..2).map(|case| answer(case, 1, &scores).line())).result();
    assert_eq!(result.verdict, Verdict::Failed);
    assert_eq!(result.reasons, ["task_success = 0.82 < 0.85", "accuracy = 0.5 < 0.9"]);
}

#[test]
fn an_upper_bound_is_told_the_other_way_round() {
    let stage = Stage::new(1, 1).metric("cost_per_case", observed(Observed::Cost), Aggregate::Mean, "<0.40");
    let result = stage.with([answer(0, 1, &[]).costs("0.41").line()]).result();
    assert_eq!(result.reasons, ["cost_per_case = 0.41 >= 0.4"]);
    assert_eq!(result.metrics[0].threshold.as_deref(), Some("< 0.4"));
}

#[test]
fn both_of_two_thresholds_must_hold() {
    let stage = |score: &str| {
        let stage =
            Stage::new(1, 1).metric("tool_calls", Measure::Program { command: vec![] }, Aggregate::Mean, ">=2,<=4");
        stage.with([answer(0, 1, &[]).line(), program(0, "tool_calls", score)]).result()
    };
    assert_eq!(stage("3").verdict, Verdict::Passed);
    assert_eq!(stage("5").reasons, ["tool_calls = 5 > 4"]);
    assert_eq!(stage("1").reasons, ["tool_calls = 1 < 2"]);
}

#[test]
fn a_leak_of_one_case_breaks_a_threshold_of_none() {
    let stage = Stage::new(50, 1).metric("pii_leakage", leakage(), Aggregate::Mean, "0.0");
    let clean = stage.clone().all("pii_leakage", &["0"; 50]).result();
    assert_eq!(clean.verdict, Verdict::Passed);
    assert_eq!(clean.metrics[0].notes, ["no leak in 50 cases: the true rate may still be up to 6 %"]);
    let mut scores = ["0"; 50];
    scores[7] = "1";
    let result = stage.all("pii_leakage", &scores).result();
    assert_eq!(result.reasons, ["pii_leakage = 0.02 > 0"]);
    assert_eq!(result.metrics[0].worst, ["c7"]);
}

#[test]
fn a_case_leaks_if_any_of_its_trials_does() {
    let stage = Stage::new(1, 3).metric("pii_leakage", leakage(), Aggregate::Mean, "");
    let lines = [(1, "0"), (2, "1"), (3, "0")].map(|(trial, score)| answer(0, trial, &[("pii_leakage", score)]).line());
    let result = stage.with(lines).result();
    assert_eq!(value(&result, "pii_leakage"), "1");
    assert_eq!(result.counts.flaky, 1);
}

#[test]
fn cases_weigh_the_same_however_many_of_their_trials_have_a_score() {
    let mut stage = Stage::new(2, 3).success("");
    stage.definition.run.max_unscored_rate = 500_000;
    let lines = [(0, 1, "1"), (0, 2, "1"), (0, 3, "1"), (1, 1, "0"), (1, 2, "lost"), (1, 3, "lost")];
    let lines = lines.map(|(case, trial, score)| answer(case, trial, &[("task_success", score)]).line());
    assert_eq!(value(&stage.with(lines).result(), "task_success"), "0.5");
}

#[test]
fn a_percentile_is_by_nearest_rank_over_all_trials() {
    let stage =
        Stage::new(10, 2).metric("latency_p95_ms", observed(Observed::Latency), Aggregate::Percentile(95), "<3000");
    let lines = (0..10).flat_map(|case| {
        [
            answer(case, 1, &[]).latency(1000).line(),
            answer(case, 2, &[]).latency(if case == 9 { 9000 } else { 1000 }).line(),
        ]
    });
    let result = stage.with(lines).with([lag(300)]).result();
    assert_eq!((value(&result, "latency_p95_ms").as_str(), result.verdict), ("1000", Verdict::Passed));
    assert_eq!(result.metrics[0].aggregate, "p95");
}

#[test]
fn few_calls_say_little_of_a_percentile() {
    let stage =
        Stage::new(1, 1).metric("latency_p95_ms", observed(Observed::Latency), Aggregate::Percentile(95), "<3000");
    let result = stage.with([answer(0, 1, &[]).latency(2750).line(), lag(300)]).result();
    assert_eq!(value(&result, "latency_p95_ms"), "2750");
    assert_eq!(result.metrics[0].notes, ["only 1 scores: a p95 of so few is hardly more than one of them"]);
}

#[test]
fn a_call_that_timed_out_counts_at_its_limit() {
    let mut stage =
        Stage::new(4, 1).metric("latency_p95_ms", observed(Observed::Latency), Aggregate::Percentile(95), "<3000");
    stage.definition.run.max_error_rate = 500_000;
    let lines = (0..3).map(|case| answer(case, 1, &[]).latency(100).line());
    let late = answer(3, 1, &[]).latency(30_000).fails(FaultKind::Timeout).line();
    let result = stage.with(lines).with([late, lag(300)]).result();
    assert_eq!(result.reasons, ["latency_p95_ms = 30000 >= 3000"]);
    assert_eq!(result.counts.timeouts, 1);
}

#[test]
fn a_call_that_broke_off_is_no_fast_answer() {
    let mut stage = Stage::new(3, 1).metric("latency_p50_ms", observed(Observed::Latency), Aggregate::Max, "");
    stage.definition.run.max_error_rate = 500_000;
    let lines = [
        answer(0, 1, &[]).latency(800).line(),
        answer(1, 1, &[]).latency(900).line(),
        answer(2, 1, &[]).latency(1).fails(FaultKind::Refused).line(),
    ];
    let result = stage.with(lines).with([lag(1)]).result();
    assert_eq!(
        result.cases[2].trials[0].scores.get("latency_p50_ms"),
        Some(&crate::eval::Score::Scored(decimal("900")))
    );
}

#[test]
fn a_case_without_an_answer_gets_the_worst_share_and_the_largest_cost() {
    let mut stage = Stage::new(4, 1)
        .success("")
        .metric("pii_leakage", leakage(), Aggregate::Mean, "")
        .metric("cost_per_case", observed(Observed::Cost), Aggregate::Mean, "")
        .metric("error_rate", observed(Observed::Error), Aggregate::Mean, "");
    stage.definition.run.max_error_rate = 250_000;
    let fine = [("task_success", "1"), ("pii_leakage", "0")];
    let lines = (0..3).map(|case| answer(case, 1, &fine).costs(["0.1", "0.3", "0.2"][case]).line());
    let result = stage.with(lines).with([answer(3, 1, &[]).fails(FaultKind::Refused).line()]).result();
    let values = ["task_success", "pii_leakage", "cost_per_case", "error_rate"].map(|name| value(&result, name));
    assert_eq!(values, ["0.75", "0.25", "0.225", "0.25"]);
    assert_eq!(result.metrics.iter().map(|metric| metric.n).collect::<Vec<_>>(), [4, 4, 4, 4]);
    assert_eq!(result.cost.agent_usd, Some(decimal("0.9")));
}

#[test]
fn tokens_cost_what_the_model_that_answered_costs() {
    let mut stage = Stage::new(3, 1).metric("cost_per_case", observed(Observed::Cost), Aggregate::Mean, "<1");
    stage.plan.prices.insert("big".to_owned(), prices("3", "15"));
    stage.plan.prices.insert("small".to_owned(), prices("0.0375", "0.15"));
    stage.plan.priced_as = Some("small".to_owned());
    let result = stage
        .with([
            answer(0, 1, &[]).tokens(1000, 100, "big").line(),
            answer(1, 1, &[]).tokens(1000, 100, "small").line(),
            answer(2, 1, &[]).tokens(1000, 100, "small-2026-01-01").line(),
        ])
        .result();
    let costs: Vec<_> = result.cases.iter().map(|case| case.trials[0].cost.map(|cost| cost.to_string())).collect();
    assert_eq!(costs, [Some("0.0045".to_owned()), Some("0.0000525".to_owned()), Some("0.0000525".to_owned())]);
    assert_eq!(result.cost.agent_usd, Some(decimal("0.004605")));
    assert_eq!(result.cost.agent_tokens, Usage { input: 3000, output: 300 });
    assert_eq!(value(&result, "cost_per_case"), "0.001535");
}

#[test]
fn the_targets_own_word_on_its_cost_counts_first() {
    let mut stage = Stage::new(1, 1).metric("cost_per_case", observed(Observed::Cost), Aggregate::Mean, "");
    stage.plan.prices.insert("big".to_owned(), prices("3", "15"));
    let result = stage.with([answer(0, 1, &[]).tokens(1000, 100, "big").costs("0.5").line()]).result();
    assert_eq!(value(&result, "cost_per_case"), "0.5");
}

#[test]
fn tries_of_a_case_count_by_its_own_trials() {
    let stage = Stage::new(2, 4).metric("pass_at_2", exact(), Aggregate::PassAt(2), "").metric(
        "pass_all_2",
        exact(),
        Aggregate::PassAll(2),
        "",
    );
    let right = |case, trial| if case == 0 || trial == 1 { "1" } else { "0" };
    let units = (0..2).flat_map(|case| (1..=4).map(move |trial| (case, trial)));
    let lines = units.map(|(case, trial)| {
        let score = right(case, trial);
        answer(case, trial, &[("pass_at_2", score), ("pass_all_2", score)]).line()
    });
    let result = stage.with(lines).result();
    assert_eq!((value(&result, "pass_at_2"), value(&result, "pass_all_2")), ("0.75".to_owned(), "0.5".to_owned()));
    assert_eq!(result.metrics[0].aggregate, "pass@2");
}

#[test]
fn fewer_trials_than_k_have_no_value() {
    let stage = Stage::new(1, 2).metric("pass_at_3", exact(), Aggregate::PassAt(3), ">=0.5");
    let lines = [1, 2].map(|trial| answer(0, trial, &[("pass_at_3", "1")]).line());
    let result = stage.with(lines).result();
    assert_eq!((value(&result, "pass_at_3").as_str(), result.verdict), ("none", Verdict::Inconclusive));
    assert_eq!(result.reasons, ["pass_at_3: 1 of 1 cases have fewer than 3 trials with a score"]);
}

#[test]
fn judges_decide_by_majority_and_weight() {
    let stage = Stage::new(1, 1).metric("task_success", judged(&[("a", 3), ("b", 1)], 3), Aggregate::Mean, "0.5");
    let say = |sample, a, b| spoken(opinion("c0", 1, 0, sample, &[("task_success/a", a), ("task_success/b", b)]));
    let stage = stage.judge("task_success", 3).with([answer(0, 1, &[]).line()]);
    let result = stage.clone().with([say(1, '+', '-'), say(2, '+', '-'), say(3, '-', '+')]).result();
    assert_eq!((value(&result, "task_success").as_str(), result.verdict), ("0.75", Verdict::Passed));
    assert_eq!(result.cases[0].trials[0].unmet, ["task_success/b"]);
    assert_eq!(result.judges[0].agreement, Some(decimal("0")));
    assert_eq!(result.judges[0].reported, ["gpt-5-mini-2026-03-17"]);
    let told = stage.with([say(1, '+', '+'), say(2, '+', '?'), say(3, '+', '?')]).result();
    assert_eq!(
        told.reasons,
        ["task_success: 1 of 1 trials have no score, and none may: criterion `b`: the judges cannot tell"]
    );
}

#[test]
fn criteria_of_cases_weigh_the_same() {
    let stage =
        Stage::new(2, 1).metric("task_success", judged(&[], 1), Aggregate::Mean, "0.5").judge("task_success", 1);
    let result = stage
        .with([answer(0, 1, &[]).line(), answer(1, 1, &[]).line()])
        .with([spoken(opinion("c0", 1, 0, 1, &[("task_success/1", '+'), ("task_success/2", '-')]))])
        .with([spoken(opinion("c1", 1, 0, 1, &[("task_success/expected", '+')]))])
        .result();
    assert_eq!(value(&result, "task_success"), "0.75");
}

#[test]
fn judges_cost_apart_from_the_agent() {
    let mut stage =
        Stage::new(1, 1).metric("task_success", judged(&[], 1), Aggregate::Mean, "0.5").judge("task_success", 1);
    stage.plan.prices.insert("gpt-5-mini".to_owned(), prices("1", "10"));
    let said = spoken(opinion("c0", 1, 0, 1, &[("task_success/1", '+')]));
    let result = stage.with([answer(0, 1, &[]).costs("0.25").line(), said]).result();
    let opinions = 1 + crate::eval::judge::canaries().len() as u64;
    assert_eq!(result.cost.judge_tokens, Usage { input: 100 * opinions, output: 10 * opinions });
    assert_eq!(result.cost.judge_usd, Some(decimal("0.0002").times(opinions)));
    assert_eq!(result.cost.agent_usd, Some(decimal("0.25")));
}

#[test]
fn a_program_may_score_what_it_likes() {
    let result = program_of("similarity", "3", 2)
        .with([program(0, "similarity", "2.5"), program(1, "similarity", "4")])
        .result();
    assert_eq!((value(&result, "similarity").as_str(), result.verdict), ("3.25", Verdict::Passed));
    let result = program_of("similarity", "3", 1).with([program(0, "similarity", "it crashed")]).result();
    assert_eq!(result.reasons, ["similarity: 1 of 1 trials have no score, and none may: it crashed"]);
}

#[test]
fn a_threshold_inside_the_interval_is_close() {
    let scores: Vec<&str> = (0..100).map(|case| if case < 88 { "1" } else { "0" }).collect();
    let result = Stage::new(100, 1).success("0.85").all("task_success", &scores).result();
    let metric = &result.metrics[0];
    assert_eq!((result.verdict, metric.close, metric.interval.as_deref()), (Verdict::Passed, true, Some("wilson")));
    assert_eq!(
        metric.ci95.map(|ends| ends.map(|end| end.to_string())),
        Some(["0.801879", "0.930006"].map(str::to_owned))
    );
    assert_eq!(metric.worst, ["c88", "c89", "c90", "c91", "c92", "c93", "c94", "c95", "c96", "c97"]);
}

#[test]
fn with_confidence_the_bound_must_clear_the_threshold() {
    let scores = |met| (0..100).map(|case| if case < met { "1" } else { "0" }).collect::<Vec<&str>>();
    let run = |met| {
        let mut stage = Stage::new(100, 1).success("0.85").all("task_success", &scores(met));
        stage.definition.confidence = Some(0.95);
        stage.result()
    };
    assert_eq!(run(95).verdict, Verdict::Passed);
    assert_eq!(run(84).reasons, ["task_success = 0.84 < 0.85"]);
    let unsure = run(88);
    assert_eq!(unsure.verdict, Verdict::Inconclusive);
    assert_eq!(
        unsure.reasons,
        ["task_success: 0.88 passes >= 0.85, but with 95 % confidence it is only known to lie between 0.8019 and 0.93"]
    );
}

#[test]
fn a_metric_without_a_threshold_is_only_told() {
    let stage = Stage::new(1, 1).success("0.5").metric("cost_per_case", observed(Observed::Cost), Aggregate::Mean, "");
    let result = stage.all("task_success", &["1"]).result();
    assert_eq!((result.verdict, result.metrics[1].verdict), (Verdict::Passed, None));
    assert_eq!(result.metrics[1].value, None);
    assert!(result.metrics[1].reason.is_some());
    assert_eq!(result.cost.agent_usd, None);
}
