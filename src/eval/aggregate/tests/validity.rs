//! When a run cannot tell, and that it then never passes.

use super::stage::*;
use crate::eval::FaultKind;
use crate::eval::definition::{Aggregate, Observed};
use crate::eval::journal::{Finding, Line};
use crate::eval::result::{Canaries, RunResult, Verdict};

fn reasons(result: &RunResult) -> Vec<&str> {
    assert_eq!(result.verdict, Verdict::Inconclusive, "{:?}", result.reasons);
    assert!(
        result.metrics.iter().all(|metric| metric.verdict.is_none_or(|verdict| verdict != Verdict::Passed))
            || result.metrics.len() > 1
    );
    result.reasons.iter().map(String::as_str).collect()
}

#[test]
fn no_case_is_no_pass() {
    assert_eq!(reasons(&Stage::new(0, 1).success("0.5").result()), ["there is no case, so nothing was measured"]);
}

#[test]
fn a_missing_trial_is_no_pass() {
    let result = Stage::new(3, 1).success("0.5").all("task_success", &["1", "1"]).result();
    assert_eq!(reasons(&result), ["1 of 3 trials are missing"]);
    assert_eq!(result.metrics[0].reason.as_deref(), Some("the run cannot tell"));
    assert_eq!(result.cases[2].trials[0].message.as_deref(), Some("the journal says nothing of it"));
}

#[test]
fn an_error_is_no_pass_unless_the_eval_allows_it() {
    let mut stage = Stage::new(4, 1).success("0.7").all("task_success", &["1", "1", "1"]);
    stage.lines.push(answer(3, 1, &[]).fails(FaultKind::Refused).line());
    let said = "1 of 4 calls have no answer, and none may: 1 refused (the first: it broke)";
    assert_eq!(reasons(&stage.result()), [said]);
    stage.definition.run.max_error_rate = 250_000;
    assert_eq!(stage.result().verdict, Verdict::Passed);
    stage.definition.run.max_error_rate = 249_999;
    assert_eq!(stage.result().verdict, Verdict::Inconclusive);
}

#[test]
fn an_invalid_run_tells_what_it_measured_and_fails_nothing() {
    let mut stage = Stage::new(4, 1).success("0.9").all("task_success", &["1", "1", "0"]);
    stage.lines.push(answer(3, 1, &[]).fails(FaultKind::Connection).line());
    let result = stage.result();
    assert_eq!(result.verdict, Verdict::Inconclusive);
    let said = "the run cannot tell; as far as it goes, task_success = 0.5 < 0.9";
    assert_eq!(result.metrics[0].reason.as_deref(), Some(said));
}

#[test]
fn errors_alone_are_no_failure_of_the_agent() {
    let mut stage = Stage::new(2, 1).metric("error_rate", observed(Observed::Error), Aggregate::Mean, "<=1");
    stage.definition.run.max_error_rate = 1_000_000;
    let lines = [0, 1].map(|case| answer(case, 1, &[]).fails(FaultKind::Credentials).line());
    let said = "none of 2 calls has an answer: 2 credentials (the first: it broke)";
    assert_eq!(reasons(&stage.with(lines).result()), [said]);
}

#[test]
fn a_missing_score_is_no_pass_unless_the_eval_allows_it() {
    let mut stage = Stage::new(4, 1).success("0.5").all("task_success", &["1", "1", "1", "the check broke"]);
    let said = "task_success: 1 of 4 trials have no score, and none may: the check broke";
    assert_eq!(reasons(&stage.result()), [said]);
    assert_eq!(stage.result().counts.unscored, 1);
    stage.definition.run.max_unscored_rate = 250_000;
    let result = stage.result();
    assert_eq!((result.verdict, result.metrics[0].n), (Verdict::Passed, 3));
    assert_eq!(result.metrics[0].notes, ["1 trials have no score and do not count"]);
}

#[test]
fn a_threshold_without_a_value_is_never_skipped() {
    let stage = Stage::new(1, 1).success("0.5").metric("accuracy", exact(), Aggregate::Mean, "0.5");
    let result = stage.all("task_success", &["1"]).result();
    assert_eq!(
        reasons(&result),
        ["accuracy: 1 of 1 trials have no score, and none may: the journal has no score of it"]
    );
}

#[test]
fn what_fails_fails_although_another_metric_cannot_be_told() {
    let stage = Stage::new(1, 1).success("0.5").metric("accuracy", exact(), Aggregate::Mean, "0.5");
    let result = stage.all("task_success", &["0"]).result();
    assert_eq!((result.verdict, result.reasons.len()), (Verdict::Failed, 2));
    assert_eq!(result.reasons[0], "task_success = 0 < 0.5");
}

#[test]
fn a_share_beyond_its_ends_is_no_score() {
    for strange in ["1.5", "-0.1", "85"] {
        let result = Stage::new(1, 1).success("0.5").all("task_success", &[strange]).result();
        assert!(reasons(&result)[0].contains("is not between 0 and 1"), "{strange}");
    }
}

#[test]
fn an_unknown_price_is_no_price_of_nothing() {
    let stage = Stage::new(1, 1).metric("cost_per_case", observed(Observed::Cost), Aggregate::Mean, "<1");
    let unpriced = stage.clone().with([answer(0, 1, &[]).tokens(10, 10, "x").line()]).result();
    assert!(reasons(&unpriced)[0].ends_with("the price of the model `x` is not known"), "{:?}", unpriced.reasons);
    assert_eq!(unpriced.cost.agent_usd, None);
    let uncounted = stage.with([answer(0, 1, &[]).line()]).result();
    assert!(reasons(&uncounted)[0].ends_with("the target does not count its tokens"), "{:?}", uncounted.reasons);
}

#[test]
fn a_late_runner_judges_no_latency() {
    let run = |threshold: &str, lags: &[u64]| {
        let stage = Stage::new(1, 1).metric(
            "latency_p95_ms",
            observed(Observed::Latency),
            Aggregate::Percentile(95),
            threshold,
        );
        stage.with([answer(0, 1, &[]).latency(60).line()]).with(lags.iter().map(|us| lag(*us))).result()
    };
    assert_eq!(run("<3000", &[60_000]).verdict, Verdict::Passed);
    let late = run("<3000", &[60_001]);
    assert!(
        reasons(&late)[0]
            .starts_with("latency_p95_ms: the runner itself was up to 60 ms late, and 60 ms would be fine")
    );
    assert_eq!(late.metrics[0].value, None);
    assert_eq!(run("<100", &[5_000]).verdict, Verdict::Passed);
    assert_eq!(run("<100", &[5_001]).verdict, Verdict::Inconclusive);
    assert_eq!(run("<100", &[]).verdict, Verdict::Inconclusive);
    assert_eq!(run("<100", &[1, 2, 3, 4, 9_000]).runner.lag_p99_us, Some(9_000));
}

#[test]
fn a_wrong_canary_is_no_pass() {
    let stage =
        Stage::new(1, 1).metric("task_success", judged(&[], 1), Aggregate::Mean, "0.5").judge("task_success", 1);
    let stage = stage.with([answer(0, 1, &[]).line(), spoken(opinion("c0", 1, 0, 1, &[("task_success/1", '+')]))]);
    let fine = stage.result();
    assert_eq!((fine.verdict, fine.canaries), (Verdict::Passed, Canaries { expected: 10, correct: 10 }));
    let changed = |change: &dyn Fn(&mut crate::eval::journal::Opinion)| {
        let mut stage = stage.clone();
        let Line::Opinion(first) = &mut stage.lines[0] else { panic!("a canary") };
        change(first);
        stage.result()
    };
    let wrong = changed(&|opinion| {
        opinion.found.iter_mut().flat_map(|found| found.values_mut()).for_each(|finding| *finding = Finding::NotMet);
    });
    let said = |result: &crate::eval::RunResult, why: &str| {
        let head = "the judges cannot be believed: of 10 findings about canaries, 2 are wrong or missing; ";
        assert_eq!(reasons(result), [format!("{head}{why}")]);
    };
    said(&wrong, "of `good`, canary/1 is met, and model/judge said not_met");
    let mute = changed(&|opinion| opinion.found = Err("no JSON".to_owned()));
    said(&mute, "model/judge gave no verdict on `good`: no JSON");
    assert_eq!(changed(&|opinion| opinion.found = Ok([].into())).verdict, Verdict::Inconclusive);
    assert_eq!(changed(&|opinion| opinion.unit.case = "unheard-of".to_owned()).verdict, Verdict::Inconclusive);
    let unasked = Stage { lines: stage.lines[1..].to_vec(), ..stage.clone() }.result();
    said(&unasked, "model/judge gave no verdict on `good`: it was not asked");
}

#[test]
fn an_opinion_that_is_missing_leaves_no_score_where_it_could_decide() {
    let stage = Stage::new(1, 1).metric("task_success", judged(&[("a", 1)], 3), Aggregate::Mean, "0.5");
    let stage = stage.judge("task_success", 3).with([answer(0, 1, &[]).line()]);
    let say = |sample, sign| spoken(opinion("c0", 1, 0, sample, &[("task_success/a", sign)]));
    let mut mute = opinion("c0", 1, 0, 3, &[]);
    mute.found = Err("it refused".to_owned());
    let agreed = stage.clone().with([say(1, '+'), say(2, '+'), spoken(mute.clone())]).result();
    assert_eq!(agreed.verdict, Verdict::Passed);
    for lines in
        [vec![say(1, '+'), say(2, '-'), spoken(mute)], vec![say(1, '+'), say(2, '-')], vec![say(1, '+')], vec![]]
    {
        assert_eq!(stage.clone().with(lines).result().verdict, Verdict::Inconclusive);
    }
}

#[test]
fn an_agent_that_changes_during_the_run_is_no_pass() {
    let stage = Stage::new(2, 1).success("0.5");
    let lines = ["7", "8"].into_iter().enumerate();
    let lines = lines.map(|(case, version)| answer(case, 1, &[("task_success", "1")]).version(version).line());
    let result = stage.with(lines).result();
    assert_eq!(reasons(&result), ["the agent changed during the run: it answered as `7`, `8`"]);
}

#[test]
fn an_eval_without_thresholds_passes_nothing() {
    let result = Stage::new(1, 1).success("").all("task_success", &["1"]).result();
    assert_eq!(reasons(&result), ["no metric has a threshold, so nothing can pass"]);
}

#[test]
fn answers_that_could_be_better_are_shown_and_what_they_leak_is_not() {
    let mut stage = Stage::new(3, 1).success("0.5").all("task_success", &["1", "0", "0"]);
    if let Line::Answer(answered) = &mut stage.lines[2] {
        let leak = crate::eval::Leak {
            detector: "email".to_owned(),
            place: "output".to_owned(),
            start: 0,
            end: 3,
            echoed: false,
            excerpt: "j***".to_owned(),
        };
        answered.leaks.push(leak);
        if let Ok(reply) = &mut answered.outcome.reply {
            reply.text = format!("Write to joe@acme.com. {}", "x".repeat(5_000));
        }
    }
    let result = stage.result();
    let shown: Vec<_> = result.cases.iter().map(|case| case.trials[0].output.as_deref()).collect();
    assert_eq!(shown[..2], [None, Some("answer 1/1")]);
    let masked = shown[2].expect("an answer");
    assert!(masked.starts_with("Write to [email]. xxx") && masked.ends_with("x…"), "{masked}");
    assert_eq!(masked.chars().count(), 2_001);
}

#[test]
fn an_opinion_counts_for_the_answer_that_it_was_shown_and_for_no_other() {
    let stage =
        Stage::new(1, 1).metric("task_success", judged(&[], 1), Aggregate::Mean, "0.5").judge("task_success", 1);
    let other = |line: Line| match line {
        Line::Answer(mut answered) => {
            if let Ok(reply) = &mut answered.outcome.reply {
                reply.text = "RUBBISH".to_owned();
            }
            Line::Answer(answered)
        }
        other => other,
    };
    // The first answer is rubbish and nobody judged it; the judge was shown a second one, of another run of the shard.
    let first = other(answer(0, 1, &[]).line());
    let second = answer(0, 1, &[]).later(60).line();
    let opinion = spoken(opinion("c0", 1, 0, 1, &[("task_success/1", '+')]));
    let result = stage.clone().with([first.clone(), opinion.clone(), second.clone()]).result();
    assert_eq!((result.verdict, result.metrics[0].value), (Verdict::Inconclusive, None));
    assert_eq!(stage.with([second, opinion]).result().verdict, Verdict::Passed);
}

#[test]
fn another_model_than_the_one_that_was_asked_has_another_price() {
    let stage = |protocol: &str| {
        let mut stage = Stage::new(1, 1).metric("cost_per_case", observed(Observed::Cost), Aggregate::Mean, "<1");
        stage.plan.reach.protocol = protocol.to_owned();
        let price = decimal("2");
        stage.plan.prices.insert("small-1".into(), crate::eval::Prices { input: price, output: price });
        stage.plan.priced_as = Some("small-1".into());
        stage
    };
    let verdict = |protocol: &str, model: &str| {
        stage(protocol).with([answer(0, 1, &[]).tokens(10, 10, model).line()]).result().verdict
    };
    assert_eq!(verdict("openai", "small-1-2026-03-17"), Verdict::Passed);
    assert_eq!(verdict("openai", ""), Verdict::Passed);
    assert_eq!(verdict("openai", "giant-9-2026"), Verdict::Inconclusive);
    assert_eq!(verdict("http", "support-bot"), Verdict::Passed);
}
