//! What was measured decides.

use joch::eval::{Score, Trigger, Verdict};

use super::*;

#[test]
fn an_eval_that_has_not_run_blocks_and_the_command_that_runs_it_is_named() {
    let bench = Bench::staged("gate-missing");
    let next = "joch eval run quality --target staging";
    bench.stopped(REFUSED, &["MISSING", "eval:quality", "eval/quality has not run about agent/a", next]);
    let explained = bench.does("bob", "explain a --from staging --to prod");
    assert!(explained.contains(next), "{explained}");
}

#[test]
fn an_eval_that_passed_lets_the_promotion_through_and_the_record_tells_it() {
    let bench = Bench::staged("gate-pass");
    let id = bench.passes();
    bench.does("ci", "promote a --from staging --to prod");
    let record = bench.0.sh("alice", "git --git-dir .joch/ledger.git show prod:agents/default/a/record.json").stdout;
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    let told = &record["evalResults"][0];
    assert_eq!((&told["verdict"], &told["evidence"]), (&"pass".into(), &id.into()));
    assert_eq!((&told["environment"], &told["principal"]), (&"staging".into(), &"ci@example.com".into()));
    assert_eq!((&told["number"], &told["runs"]), (&1.into(), &1.into()));
    let threshold = &told["thresholds"][0];
    assert_eq!((&threshold["metric"], &threshold["threshold"]), (&"task_success".into(), &">= 0.85".into()));
    assert_eq!((&threshold["observed"], &threshold["verdict"]), (&0.9.into(), &"passed".into()));
    assert!(record["gates"][0]["reason"].to_string().contains("task_success 0.9 (>= 0.85); run 1 of 1 in `staging`"));
    bench.is_sound();
}

#[test]
fn an_eval_that_failed_says_which_metric_by_how_much_and_where_to_look() {
    let bench = Bench::served("gate-fail");
    let id = bench.records(&bench.scores(0.71));
    let show = format!("joch eval show {}", &id[..12]);
    let says = "task_success is 0.71 and must be >= 0.85, and `prod` runs 0.9 now";
    bench.stopped(REFUSED, &["FAIL", says, "worst: case-1", "run 1 of 1 in `staging`, by ci@example.com", &show]);
}

#[test]
fn the_latest_run_decides_and_all_runs_are_counted() {
    let bench = Bench::staged("gate-latest");
    bench.records(&bench.scores(0.5));
    bench.passes();
    assert!(bench.opens().contains("run 2 of 2"));
    bench.records(&bench.scores(0.6));
    bench.stopped(REFUSED, &["FAIL", "task_success is 0.6", "run 3 of 3"]);
    bench.passes();
    assert!(bench.opens().contains("run 4 of 4"));
}

#[test]
fn a_run_that_did_not_end_decides_only_where_nothing_else_does() {
    let bench = Bench::staged("gate-incomplete");
    let mut torn = bench.scores(0.9);
    (torn.counts.answered, torn.counts.missing, torn.verdict) = (2, 1, Verdict::Inconclusive);
    torn.reasons.push("1 of 3 cases has not run".into());
    bench.records(&torn);
    bench.stopped(UNDECIDED, &["UNCLEAR", "1 of 3 cases has not run"]);
    bench.passes();
    torn.run.push('x');
    bench.records(&torn);
    assert!(bench.opens().contains("run 2 of 3"));
}

#[test]
fn recorded_answers_satisfy_only_where_the_agent_itself_is_not_asked_for() {
    let bench = Bench::staged("gate-live");
    let mut replayed = bench.scores(0.9);
    replayed.reach.live = false;
    bench.records(&replayed);
    bench.stopped(REFUSED, &["MISSING", "it judges recorded answers, and `prod` wants those of the agent itself"]);
    bench.file("prod.yaml", &environment("prod", "{requireLive: false}"));
    bench.does("alice", "apply -f prod.yaml");
    bench.opens();
}

#[test]
fn a_run_after_a_release_into_the_target_can_say_no_and_never_yes() {
    let bench = Bench::staged("gate-own");
    let mut own = bench.scores(0.9);
    own.runner.trigger = Trigger::Deployment("prod/1".into());
    bench.records(&own);
    bench.stopped(REFUSED, &["MISSING", "it was measured in `prod` itself, after a release into it"]);
    bench.passes();
    bench.opens();
    let mut own = bench.scores(0.2);
    own.runner.trigger = Trigger::Deployment("prod/1".into());
    bench.records(&own);
    bench.stopped(REFUSED, &["FAIL", "task_success is 0.2"]);
}

#[test]
fn a_run_elsewhere_is_none_about_what_runs_in_the_source() {
    let bench = Bench::staged("gate-elsewhere");
    let mut elsewhere = bench.scores(0.9);
    elsewhere.subject.environment = "dev".into();
    bench.records(&elsewhere);
    bench.stopped(REFUSED, &["MISSING", "it was measured in `dev`, and the candidate comes from `staging`"]);
}

#[test]
fn a_result_counts_only_from_those_whom_the_target_takes_results_of() {
    let bench = Bench::staged("gate-runner");
    bench.passes();
    bench.file("prod.yaml", &environment("prod", "{evalRunners: [\"alice@example.com\", \"team:ops\"]}"));
    bench.does("alice", "apply -f prod.yaml");
    bench.opens();
    bench.file("prod.yaml", &environment("prod", "{evalRunners: [\"alice@example.com\"]}"));
    bench.does("alice", "apply -f prod.yaml");
    bench.stopped(REFUSED, &["MISSING", "`ci@example.com` signed it, of whom `prod` takes no results"]);
    measure::record(&bench.0, "alice", &bench.scores(0.9)).expect("an admin");
    bench.opens();
    let refused = measure::record(&bench.0, "bob", &bench.scores(0.9)).expect_err("a viewer");
    assert!(refused.contains("is no operator here"), "{refused}");
}

#[test]
fn every_demand_counts_and_what_waits_never_hides_what_fails() {
    let bench = Bench::staged("gate-union");
    bench.file("strict.yaml", &eval("strict", "", "{task_success: 0.95}"));
    bench.does("ci", "apply -f strict.yaml --env staging");
    bench.file("prod.yaml", &environment("prod", "{gates: [\"approval:ops\"]}"));
    bench.does("alice", "apply -f prod.yaml");
    bench.passes();
    let of_strict = |value| measure::result(&bench.0, "strict", "a", "staging", &[("task_success", value)]);
    bench.records(&of_strict(0.9));
    bench.stopped(REFUSED, &["WAIT", "PASS", "eval:quality", "FAIL", "eval:strict", "must be >= 0.95"]);
    bench.records(&of_strict(0.96));
    let waiting = bench.asks();
    assert_eq!(waiting.code, PENDING, "{}", waiting.stdout);
}

#[test]
fn an_eval_that_both_sides_have_must_be_passed_as_each_has_it() {
    let bench = Bench::served("gate-both-sides");
    bench.file("quality.yaml", &eval("quality", "", "{task_success: 0.5}"));
    bench.moves("quality.yaml", "eval/quality");
    bench.records(&bench.scores(0.6));
    bench.stopped(REFUSED, &["STALE", "eval/quality as `prod` has it", "eval/quality changed since"]);
}

#[test]
fn what_is_worse_than_what_the_target_runs_is_told() {
    let bench = Bench::new("gate-regression");
    bench.file("quality.yaml", &eval("quality", "  maxRegression: {task_success: 0.02}\n", "{task_success: 0.5}"));
    bench.does("ci", "apply -f quality.yaml");
    bench.up("a");
    bench.passes();
    assert!(bench.opens().contains("`prod` runs nothing yet that could be better"));
    bench.does("ci", "promote a --from staging --to prod");
    bench.file("a.yaml", &agent("a", "be kinder"));
    bench.does("ci", "apply -f a.yaml");
    bench.up("a");
    bench.records(&bench.scores(0.87));
    let says = "task_success is 0.87, and `prod` runs 0.9 now: worse by 0.03, and 0.02 is allowed";
    bench.stopped(REFUSED, &["FAIL", says]);
    bench.records(&bench.scores(0.88));
    bench.opens();
    bench.does("ci", "promote a --from staging --to prod");
    bench.is_sound();
}

#[test]
fn a_verdict_is_believed_only_where_its_numbers_say_the_same() {
    let bench = Bench::staged("gate-numbers");
    type Lie = fn(&mut RunResult);
    let lies: [(&str, Lie, i32, &str); 8] = [
        ("a pass below its threshold", |r| r.metrics[0].value = "0.3".parse().ok(), REFUSED, "must be >= 0.85"),
        ("a metric without a value", |r| r.metrics[0].value = None, UNDECIDED, "it has no value"),
        ("a metric left out", |r| r.metrics.clear(), UNDECIDED, "it was not measured"),
        ("a case left out", |r| drop(r.cases.pop()), UNDECIDED, "the dataset has 3 cases"),
        ("a case twice", |r| r.cases[1].id = r.cases[0].id.clone(), UNDECIDED, "it holds a case twice"),
        ("answers that never came", |r| r.counts.answered = 2, UNDECIDED, "3 trials were to run"),
        ("judges that were wrong", |r| r.canaries.correct = 3, UNDECIDED, "3 of 4 canaries"),
        (
            "a value that no case has",
            |r| {
                for case in &mut r.cases {
                    case.trials[0].scores.insert("task_success", Score::Scored("0.1".parse().unwrap()));
                }
            },
            REFUSED,
            "task_success is 0.1 and must be >= 0.85",
        ),
    ];
    for (name, lie, code, says) in lies {
        let mut result = bench.scores(0.9);
        lie(&mut result);
        bench.records(&result);
        let outcome = bench.asks();
        assert_eq!(outcome.code, code, "{name}: {}", outcome.stdout);
        assert!(outcome.stdout.contains(says), "{name}: {}", outcome.stdout);
    }
}

#[test]
fn an_eval_that_exists_nowhere_is_a_slip_of_the_pen() {
    let bench = Bench::staged("gate-nowhere");
    let outcome = bench.0.sh("ci", "joch promote a --from staging --to prod --require eval:qualtiy");
    assert_eq!(outcome.code, 64, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("did you mean `eval:quality`?"), "{}", outcome.stderr);
    bench.passes();
    bench.file(
        "d.yaml",
        &deployment("a-prod", "prod", "http://x").replace("invoke:", "promotion: {requiresEval: other}, invoke:"),
    );
    bench.file("other.yaml", &eval("other", "", "{task_success: 0.1}").replace("[prod]", "[dev]"));
    bench.does("ci", "apply -f d.yaml -f other.yaml --env staging");
    bench.does("ci", "delete eval other --env staging");
    bench.stopped(REFUSED, &["MISSING", "eval:other", "there is no Eval `other`"]);
}

#[test]
fn in_a_set_an_eval_is_asked_of_what_it_measures() {
    let bench = Bench::staged("gate-set");
    bench.up("b");
    bench.passes();
    let set = "joch promote -f a.yaml -f b.yaml --from staging --to prod --dry-run";
    let outcome = bench.0.sh("ci", &format!("{set} --require eval:quality"));
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("measures agent/a, and not agent/b; it is judged there"), "{}", outcome.stdout);
    let alone = bench.0.sh("ci", "joch promote b --from staging --to prod --dry-run --require eval:quality");
    assert_eq!(alone.code, REFUSED, "{}", alone.stdout);
    bench.file("prod.yaml", &environment("prod", "{gates: [\"eval:quality\"]}"));
    bench.does("alice", "apply -f prod.yaml");
    let outcome = bench.0.sh("ci", set);
    assert_eq!(outcome.code, REFUSED, "what an environment demands, it demands of all: {}", outcome.stdout);
}

#[test]
fn what_weakens_an_eval_needs_the_admins_and_no_measurement() {
    let bench = Bench::served("gate-loosened");
    bench.file("quality.yaml", &eval("quality", "", "{task_success: 0.5}"));
    bench.moves("quality.yaml", "eval/quality");
    let loosened = bench.0.sh("ci", "joch promote eval/quality --from staging --to prod --dry-run");
    assert_eq!(loosened.code, 3, "{}", loosened.stdout);
    assert!(loosened.stdout.contains("it weakens a control: eval/quality"), "{}", loosened.stdout);
    bench.file("quality.yaml", &eval("quality", "", "{task_success: 0.95}"));
    bench.moves("quality.yaml", "eval/quality");
    bench.does("ci", "promote eval/quality --from staging --to prod");
    bench.is_sound();
}

#[test]
fn the_judge_travels_with_its_eval() {
    let bench = Bench::staged("gate-travel");
    bench.passes();
    bench.does("ci", "promote a --from staging --to prod");
    let held = bench.0.sh("alice", "git --git-dir .joch/ledger.git ls-tree -r --name-only prod").stdout;
    assert!(held.contains("catalog/models/default/j.yaml"), "{held}");
    bench.is_sound();
}
