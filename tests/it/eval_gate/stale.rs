//! One changed byte of anything that a result was made for makes it stale, and what changed is named.

use chrono::TimeDelta;

use super::*;

/// A result passes; after `change` it is stale, and says so.
#[track_caller]
fn stale_after(name: &str, change: impl FnOnce(&Bench), says: &str) {
    let bench = Bench::staged(name);
    bench.passes();
    bench.opens();
    change(&bench);
    bench.stopped(REFUSED, &["STALE", says]);
    bench.passes();
    bench.opens();
}

#[test]
fn a_changed_prompt_is_named() {
    let change = |bench: &Bench| {
        bench.file("a.yaml", &agent("a", "be kinD"));
        bench.does("ci", "apply -f a.yaml");
        bench.up("a");
    };
    stale_after("stale-prompt", change, "the agent, its prompt or a member of it changed");
}

#[test]
fn a_changed_policy_is_named() {
    let change = |bench: &Bench| {
        bench.file("policy.yaml", &policy("calN"));
        bench.moves("policy.yaml", "policy/p");
    };
    stale_after("stale-policy", change, "the agent, its prompt or a member of it changed");
}

#[test]
fn a_changed_dataset_is_named() {
    let change = |bench: &Bench| {
        bench.file("cases.jsonl", &CASES.replace("one", "onE"));
        bench.moves("quality.yaml", "eval/quality");
    };
    stale_after("stale-dataset", change, "the dataset of eval/quality changed since");
}

#[test]
fn a_changed_threshold_is_named() {
    let change = |bench: &Bench| {
        bench.file("quality.yaml", &eval("quality", "", "{task_success: 0.86}"));
        bench.moves("quality.yaml", "eval/quality");
    };
    let says = "eval/quality changed since: `task_success` had to be >= 0.85 and has to be >= 0.86";
    stale_after("stale-threshold", change, says);
}

#[test]
fn a_changed_eval_is_named() {
    let change = |bench: &Bench| {
        bench.file("quality.yaml", &eval("quality", "  description: x\n", "{task_success: 0.85}"));
        bench.moves("quality.yaml", "eval/quality");
    };
    stale_after("stale-eval", change, "eval/quality changed since");
}

#[test]
fn a_changed_judge_is_named() {
    let change = |bench: &Bench| {
        bench.file("models.yaml", &model("j", "judge-2"));
        bench.moves("models.yaml", "model/j");
    };
    stale_after("stale-judge", change, "the judge model/j changed since");
}

#[test]
fn a_judge_that_is_gone_is_named() {
    let bench = Bench::staged("stale-judge-gone");
    bench.passes();
    bench.does("ci", "delete model j --env staging");
    bench.stopped(
        REFUSED,
        &["STALE", "its judge model/j is not in `staging` any more", "joch apply -f FILE --env staging"],
    );
}

#[test]
fn another_judge_of_the_project_is_named() {
    let bench = Bench::staged("stale-default-judge");
    let mut result = bench.scores(0.9);
    result.judges[0].asked.by_default = true;
    bench.records(&result);
    bench.opens();
    bench.0.sh("alice", "printf 'judge: {modelRef: {name: j}}\\n' >> joch.yaml");
    bench.opens();
    bench.0.sh("alice", "sed -i 's/name: j/name: m/' joch.yaml");
    bench.stopped(REFUSED, &["STALE", "the judge changed since: model/j judged, and the project's judge is model/m"]);
}

#[test]
fn a_changed_address_of_the_agent_is_named() {
    let change = |bench: &Bench| {
        bench.file("staging.yaml", &deployment("a-staging", "staging", "http://staging.example.com/A"));
        bench.moves("staging.yaml", "deployment/a-staging");
    };
    stale_after("stale-reach", change, "how agent/a is reached in `staging` changed since, in deployment/a-staging");
}

#[test]
fn a_result_is_too_old_by_whichever_clock_says_so() {
    let bench = Bench::staged("stale-age");
    let mut old = bench.scores(0.9);
    (old.runner.started_at, old.runner.finished_at) = (Some(measure::ago(9)), Some(measure::ago(8)));
    bench.records(&old);
    bench.stopped(REFUSED, &["STALE", "it is too old", "counts for 7 days"]);
    bench.passes();
    bench.opens();
    bench.file("quality.yaml", &eval("quality", "  run: {maxAge: 1s}\n", "{task_success: 0.85}"));
    bench.moves("quality.yaml", "eval/quality");
    let mut young = bench.scores(0.9);
    young.runner.finished_at = young.runner.finished_at.map(|time| time + TimeDelta::minutes(4));
    bench.records(&young);
    bench.0.sh("alice", "sleep 2.1");
    bench.stopped(REFUSED, &["STALE", "it is too old"]);
}

#[test]
fn a_result_from_the_future_does_not_count() {
    let bench = Bench::staged("stale-future");
    let mut future = bench.scores(0.9);
    future.runner.finished_at = future.runner.finished_at.map(|time| time + TimeDelta::days(30));
    bench.records(&future);
    bench.stopped(REFUSED, &["STALE", "later than the ledger took it in"]);
}
