//! A run that was killed goes on: nothing that was journalled is paid for again, and nothing that changed meanwhile
//! gets in.

use std::collections::BTreeMap;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::stage::{Stage, agent, case, dataset, judge};
use crate::support::server::{Answer, Request};

const CASES: usize = 60;

/// How often each case was asked.
type Asked = Arc<Mutex<BTreeMap<u64, u32>>>;

/// An agent that takes its time, is wrong in every tenth case, and counts what it is asked.
fn slow(asked: &Asked) -> impl Fn(&Request) -> Answer + Send + Sync + 'static {
    let asked = Arc::clone(asked);
    move |request| {
        if request.path == "/agent" {
            *asked.lock().expect("nobody panics here").entry(case(request)).or_default() += 1;
            let says = |n: u64| if n.is_multiple_of(10) { "Dunno.".to_owned() } else { format!("Answer {n}.") };
            return Answer::After(Duration::from_millis(40), Box::new(agent(request, says)));
        }
        judge(request, |_, output| if output == "Dunno." { "not_met" } else { "met" })
    }
}

/// What a result says but for when, how fast, and which run it was.
fn timeless(result: &Value) -> Value {
    let mut result = result.clone();
    for key in ["run", "runner", "evidence", "next"] {
        result.as_object_mut().expect("a result").remove(key);
    }
    let metrics = result["metrics"].as_array_mut().expect("metrics");
    metrics.retain(|metric| !metric["name"].as_str().is_some_and(|name| name.starts_with("latency")));
    for case in result["cases"].as_array_mut().expect("cases") {
        for trial in case["trials"].as_array_mut().expect("trials") {
            let trial = trial.as_object_mut().expect("a trial");
            trial.remove("latencyUs");
            trial["scores"].as_object_mut().expect("scores").remove("latency_p95_ms");
        }
    }
    result
}

/// Starts a run and kills it when about half of it is done.
fn killed(stage: &Stage, asked: &Asked) {
    killed_while(stage, asked, "support-triage-quality --target staging --concurrency 4");
}

/// Starts a run with these words and kills it when about half of it is done.
fn killed_while(stage: &Stage, asked: &Asked, words: &str) {
    let mut command = stage.world.command("alice", "joch");
    command.args(["eval", "run"]).args(words.split(' '));
    let mut child: Child = command.env(super::stage::KEY.0, super::stage::KEY.1).spawn().expect("started");
    let began = Instant::now();
    while asked.lock().expect("nobody panics here").len() < CASES / 2 {
        assert!(began.elapsed() < Duration::from_secs(60), "it never came half-way");
        sleep(Duration::from_millis(5));
    }
    child.kill().expect("alive");
    child.wait().expect("ended");
}

#[test]
fn a_killed_run_goes_on_and_comes_to_the_same() {
    let asked = Asked::default();
    let stage = Stage::new("resume", CASES, slow(&asked));
    let (code, whole) = stage.eval("--concurrency 4");
    assert_eq!((code, whole["metrics"][0]["value"].as_f64()), (0, Some(0.9)), "{whole:#}");
    let lines: Vec<String> = dataset(CASES).lines().map(str::to_owned).collect();
    let edited = dataset(CASES).replace("Question 7?", "Question seven?");
    let changes = [
        ("nothing", dataset(CASES)),
        ("reversed", lines.iter().rev().map(|line| format!("{line}\n")).collect()),
        ("edited", edited),
        ("truncated", lines[..10].join("\n")),
    ];
    for (name, now) in changes {
        asked.lock().expect("nobody panics here").clear();
        killed(&stage, &asked);
        stage.write("evals/support-cases.jsonl", &now);
        let listed = stage.done("joch eval ls --target staging");
        assert!(listed.stdout.contains("--resume"), "{name}: {}", listed.stdout);
        let (code, resumed) = stage.eval("--resume");
        assert_eq!(code, 0, "{name}");
        assert_eq!(timeless(&resumed), timeless(&whole), "{name}");
        let twice: u32 = asked.lock().expect("nobody panics here").values().map(|count| count - 1).sum();
        assert!(twice <= 4, "{name}: {twice} cases were asked twice, with four at a time");
        stage.write("evals/support-cases.jsonl", &dataset(CASES));
    }
    assert_eq!(stage.sh("joch eval run support-triage-quality --target staging --resume").code, 1, "nothing is left");
}

#[test]
fn a_run_does_not_go_on_with_another_agent() {
    let asked = Asked::default();
    let stage = Stage::new("resume-drift", CASES, slow(&asked));
    killed(&stage, &asked);
    let agent = std::fs::read_to_string(stage.world.project().join("agent.yaml")).expect("written");
    stage.write("agent.yaml", &agent.replace("Answer briefly.", "Answer at length."));
    stage.done("joch apply -f . --no-evals");
    stage.up();
    let outcome = stage.sh("joch eval run support-triage-quality --target staging --resume");
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("agent/support-triage in `staging` changed since"), "{}", outcome.stderr);
}

#[test]
fn a_signal_lets_what_is_under_way_finish() {
    let asked = Asked::default();
    let stage = Stage::new("resume-signal", CASES, slow(&asked));
    let line = "joch eval run support-triage-quality --target staging --concurrency 2 & run=$!; \
                sleep 0.5; kill -TERM $run; wait $run; echo code $?";
    let outcome = stage.sh(line);
    assert!(outcome.stdout.ends_with("code 130\n"), "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("next: joch eval run support-triage-quality --target staging --resume"));
    let before: u32 = asked.lock().expect("nobody panics here").values().sum();
    let (code, _) = stage.eval("--resume");
    assert_eq!(code, 0);
    let after: u32 = asked.lock().expect("nobody panics here").values().sum();
    assert_eq!(u64::from(after), CASES as u64, "{before} before the signal, none of them twice");
}

#[test]
fn two_cannot_be_at_one_run() {
    let asked = Asked::default();
    let stage = Stage::new("resume-two", CASES, slow(&asked));
    let line = "joch eval run support-triage-quality --target staging --concurrency 2 --run-id one >/dev/null & \
                sleep 0.5; joch eval run support-triage-quality --target staging --resume one; echo code $?; wait";
    let outcome = stage.sh(line);
    assert!(outcome.stdout.ends_with("code 1\n"), "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stderr.contains("another joch is at the run"), "{}", outcome.stderr);
}

#[test]
fn a_disk_that_takes_no_more_ends_a_run_at_once_and_it_goes_on_later() {
    let asked = Asked::default();
    let stage = Stage::new("resume-full", CASES, slow(&asked));
    let before = stage.done("git -C .joch/ledger.git rev-parse evidence").stdout;
    // No file may grow beyond 24 KiB; the signal that comes with it is ignored, as a service has it.
    let limited = "trap '' XFSZ; ulimit -f 48; joch eval run support-triage-quality --target staging --concurrency 2";
    let outcome = stage.sh(limited);
    assert_eq!(outcome.code, 1, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stderr.contains("File too large"), "{}", outcome.stderr);
    let so_far = asked.lock().expect("nobody panics here").len();
    assert!((1..CASES).contains(&so_far), "{so_far} cases were asked");
    assert_eq!(stage.done("git -C .joch/ledger.git rev-parse evidence").stdout, before, "no result came of it");
    let (code, _) = stage.eval("--resume");
    assert_eq!(code, 0);
    let twice: u32 = asked.lock().expect("nobody panics here").values().map(|count| count - 1).sum();
    assert!(twice <= 3, "{twice} cases were asked twice");
}

#[test]
fn a_run_that_goes_on_asks_again_whom_only_the_way_to_it_kept_from_answering() {
    let asked = Asked::default();
    let broken = Arc::new(AtomicBool::new(true));
    let (answers, is_broken) = (slow(&asked), Arc::clone(&broken));
    let stage = Stage::new("resume-mended", CASES, move |request| {
        let refused = is_broken.load(Ordering::Relaxed) && (request.path != "/agent" || case(request) % 5 == 1);
        let answer = answers(request);
        if refused { Answer::Json(401, serde_json::json!({"error": "who are you?"})) } else { answer }
    });
    killed(&stage, &asked);
    let before = std::mem::take(&mut *asked.lock().expect("nobody panics here"));
    broken.store(false, Ordering::Relaxed);
    let (code, result) = stage.eval("--resume");
    assert_eq!((code, result["verdict"].as_str()), (0, Some("passed")), "{result:#}");
    assert_eq!(result["metrics"][0]["value"].as_f64(), Some(0.9), "{result:#}");
    let after = asked.lock().expect("nobody panics here");
    let refused = before.keys().filter(|n| *n % 5 == 1);
    assert!(refused.clone().count() > 0 && refused.clone().all(|n| after.contains_key(n)), "{before:?} {after:?}");
    let twice = before.keys().filter(|n| *n % 5 != 1 && after.contains_key(n)).count();
    assert!(twice <= 4, "{twice} cases that were answered were asked again");
}

#[test]
fn a_run_does_not_go_on_with_another_recording() {
    let stage = Stage::new("resume-recording", 12, |_| Answer::Json(401, serde_json::json!({"error": "who are you?"})));
    let recorded = |says: &str| -> String {
        (1..=12).map(|n| format!("{{\"id\":\"c-{n:04}\",\"output\":\"{says} {n}.\"}}\n")).collect()
    };
    stage.write("recorded.jsonl", &recorded("Answer"));
    let deployment = std::fs::read_to_string(stage.world.project().join("deployments.yaml")).expect("written");
    let deployment = deployment.split("  invoke:").next().expect("a beginning").to_owned();
    stage.write("deployments.yaml", &format!("{deployment}  invoke: {{type: replay, file: recorded.jsonl}}\n"));
    stage.done("joch apply -f deployments.yaml --env staging --no-evals");
    let run = "joch eval run support-triage-quality --target staging --shard 1/2";
    // No judge spoke, so there is something left of it.
    stage.done(&format!("{run} --run-id r1"));
    stage.write("recorded.jsonl", &recorded("Another answer"));
    let other = stage.sh(&format!("{run} --resume r1"));
    assert_eq!(other.code, 2, "{}{}", other.stdout, other.stderr);
    assert!(
        other.stderr.contains("the recording that answers for agent/support-triage changed since"),
        "{}",
        other.stderr
    );
    stage.write("recorded.jsonl", &recorded("Answer"));
    stage.done(&format!("{run} --resume r1"));
}

#[test]
fn what_is_due_begins_anew_once_the_eval_is_another() {
    let asked = Asked::default();
    let stage = Stage::new("resume-due", CASES, slow(&asked));
    killed_while(&stage, &asked, "--due");
    let listed = stage.done("joch eval ls --target staging");
    assert!(listed.stdout.contains("--resume support-triage-quality-staging-"), "{}", listed.stdout);
    let path = "evals/support-triage-quality.yaml";
    let eval = std::fs::read_to_string(stage.world.project().join(path)).expect("written");
    stage.write(path, &eval.replace("task_success: 0.85", "task_success: 0.8"));
    stage.done("joch apply -f . --no-evals");
    stage.done("joch promote eval/support-triage-quality --from local --to dev --no-evals");
    stage.done("joch promote eval/support-triage-quality --from dev --to staging --no-evals");
    stage.done("joch eval run --due");
    let listed = stage.done("joch eval ls --target staging");
    assert!(listed.stdout.contains("current"), "{}", listed.stdout);
    let nothing = stage.done("joch eval run --due");
    assert!(nothing.stdout.contains("there was nothing to run"), "{}", nothing.stdout);
}
