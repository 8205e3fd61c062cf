//! What answers more slowly than what the target runs is told from what only seems to.

use super::*;

/// Two versions of `a`, of which `prod` runs the first; each case of the first took this many milliseconds.
fn served(name: &str, cases: usize, before: impl Fn(usize) -> u64) -> Bench {
    let bench = Bench::new(name);
    bench.file("cases.jsonl", &(1..=cases).map(|n| format!("{{\"input\":\"case {n}\"}}\n")).collect::<String>());
    bench.does("ci", "apply -f quality.yaml");
    bench.up("a");
    bench.records(&took(&bench, before));
    bench.does("ci", "promote a --from staging --to prod");
    bench.file("a.yaml", &agent("a", "be kinder"));
    bench.does("ci", "apply -f a.yaml");
    bench.up("a");
    bench
}

/// A run that passes, in which each case took this many milliseconds.
fn took(bench: &Bench, milliseconds: impl Fn(usize) -> u64) -> RunResult {
    let mut result = bench.scores(0.9);
    for (at, case) in result.cases.iter_mut().enumerate() {
        case.trials[0].latency_us = milliseconds(at) * 1000;
    }
    result
}

/// What the promotion comes to if the latency gate is asked, and what it says.
fn asked(bench: &Bench, gate: &str) -> (i32, String) {
    let line = format!("joch promote a --from staging --to prod --dry-run --require {gate}");
    let outcome = bench.0.sh("ci", &line);
    (outcome.code, format!("{}{}", outcome.stdout, outcome.stderr))
}

/// Cases differ from each other by more than versions do.
fn usual(case: usize) -> u64 {
    800 + 60 * (case as u64 % 7)
}

#[test]
fn what_is_slower_case_by_case_fails_and_what_is_not_passes() {
    let bench = served("latency", 40, usual);
    let (code, said) = asked(&bench, "latency");
    assert_eq!(code, REFUSED, "{said}");
    assert!(said.contains("no Eval has a current result about agent/a"), "{said}");
    bench.records(&took(&bench, |case| usual(case) * 13 / 10));
    let (code, said) = asked(&bench, "latency:+10%");
    assert_eq!(code, REFUSED, "{said}");
    assert!(said.contains("FAIL") && said.contains("+30.0% against what `prod` runs"), "{said}");
    assert_eq!(asked(&bench, "latency:+40%").0, 0);
    bench.records(&took(&bench, |case| usual(case) + case as u64 % 3));
    let (code, said) = asked(&bench, "latency");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("over 40 cases, which tell about"), "{said}");
    bench.does("ci", "promote a --from staging --to prod --require latency:+10%");
    bench.is_sound();
}

#[test]
fn a_few_slow_cases_are_not_a_slower_agent_and_neither_is_what_nobody_feels() {
    let bench = served("latency-tail", 40, usual);
    bench.records(&took(&bench, |case| if case % 10 == 0 { usual(case) * 5 } else { usual(case) }));
    assert_eq!(asked(&bench, "latency").0, 0);
    let bench = served("latency-felt", 40, |_| 20);
    bench.records(&took(&bench, |_| 60));
    assert_eq!(asked(&bench, "latency").0, 0, "40 ms more");
}

#[test]
fn too_few_cases_cannot_tell() {
    let bench = served("latency-few", 19, usual);
    bench.records(&took(&bench, usual));
    let (code, said) = asked(&bench, "latency");
    assert_eq!(code, UNDECIDED, "{said}");
    assert!(said.contains("19 cases can be compared, and 20 are needed"), "{said}");
}

#[test]
fn what_was_measured_otherwise_cannot_be_compared() {
    let bench = served("latency-otherwise", 24, usual);
    let mut crowded = took(&bench, usual);
    crowded.runner.concurrency = 32;
    bench.records(&crowded);
    let (code, said) = asked(&bench, "latency");
    assert_eq!(code, UNDECIDED, "{said}");
    assert!(said.contains("one ran 4 calls at a time, and the other 32"), "{said}");
    let mut replayed = took(&bench, usual);
    replayed.reach.live = false;
    bench.records(&replayed);
    bench.file("prod.yaml", &environment("prod", "{requireLive: false}"));
    bench.does("alice", "apply -f prod.yaml");
    let (_, said) = asked(&bench, "latency");
    assert!(said.contains("one ran 4 calls at a time"), "recorded answers take no time: {said}");
}

#[test]
fn an_environment_that_runs_nothing_can_be_served_by_nothing_slower() {
    let bench = Bench::staged("latency-first");
    bench.passes();
    let (code, said) = asked(&bench, "latency");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("`prod` runs nothing yet that could be faster"), "{said}");
}
