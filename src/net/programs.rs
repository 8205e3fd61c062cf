//! Programs as targets, started for real: what they get, what they may answer, and that nothing of them stays.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::stage::{ask, ask_with, case, credentials, reach, run, setting, unit};
use super::{Credentials, Target};
use crate::eval::{Fault, FaultKind, Outcome};

fn shell(script: &str) -> Value {
    json!({"type": "command", "command": ["sh", "-c", script], "timeoutSeconds": 20})
}

fn text(outcome: Outcome) -> String {
    outcome.reply.expect("an answer").text
}

fn fault(outcome: Outcome) -> Fault {
    outcome.reply.expect_err("no answer")
}

#[test]
fn a_program_gets_the_case_and_answers_in_plain_text_or_json() {
    let asked = text(ask(shell("printf 'I got '; cat")));
    let asked = asked.strip_prefix("I got ").expect("what it got");
    assert_eq!(serde_json::from_str::<Value>(asked).expect("JSON"), json!({"id": "c-1", "input": "hi", "trial": 1}));
    assert_eq!(text(ask(shell("echo hello"))), "hello");
    assert_eq!(text(ask(shell("echo 42"))), "42");
    let answer = r#"echo '{"answer": "hello", "tool_calls": [{"name": "find", "args": {"id": 3}}]}'"#;
    let reply = ask(shell(answer)).reply.expect("an answer");
    assert_eq!((reply.text.as_str(), reply.tool_calls[0].arguments.clone()), ("hello", json!({"id": 3})));
    assert_eq!(fault(ask(shell("echo '{\"x\": 1}'"))).kind, FaultKind::Malformed);
}

#[test]
fn a_program_that_fails_is_told_with_its_last_words() {
    let invoke = json!({"type": "command", "command": ["sh", "-c", "echo hello; echo first >&2; echo \"no $KEY\" >&2; exit 3"],
        "variables": {"KEY": {"secretRef": {"name": "key"}}}});
    let fault_said = fault(ask_with(invoke, &credentials(&[("key", "sk-secret-1")]), &setting()));
    assert_eq!(fault_said.kind, FaultKind::Refused);
    assert_eq!(fault_said.message, "`sh` ended with exit code 3: no [credential]");
    assert_eq!(fault(ask(shell("kill -9 $$"))).kind, FaultKind::Connection);
    let none = fault(ask(json!({"type": "command", "command": ["./no/such/program"]})));
    assert_eq!(none.kind, FaultKind::Connection);
    assert!(none.message.contains("cannot be started"), "{}", none.message);
}

#[test]
fn a_program_sees_only_the_variables_that_it_is_given() {
    let mut invoke = shell("env | cut -d= -f1 | sort | tr '\\n' ' '");
    invoke["variables"] = json!({"MODE": "test"});
    // The shell itself adds the last two.
    let seen = text(ask(invoke));
    let seen: Vec<_> = seen.split_whitespace().filter(|name| !["_", "PWD", "SHLVL", "OLDPWD"].contains(name)).collect();
    assert_eq!(seen, ["HOME", "MODE", "PATH"]);
}

#[test]
fn a_program_that_says_too_much_is_stopped() {
    assert_eq!(fault(ask(shell("yes"))).kind, FaultKind::TooLarge);
    let loud = shell("yes >&2 & sleep 0.2; kill $!; echo hello");
    assert_eq!(text(ask(loud)), "hello");
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_of_a_program_outlives_its_time() {
    let mark = format!("4242.{}", std::process::id());
    let mut invoke = shell(&format!("sleep {mark} & sleep {mark}"));
    invoke["timeoutSeconds"] = json!(0.3);
    let outcome = ask(invoke);
    assert_eq!(outcome.latency_us, 300_000);
    assert_eq!(fault(outcome).kind, FaultKind::Timeout);
    let runs = || {
        let processes = std::fs::read_dir("/proc").expect("processes").flatten();
        let line = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).ok();
        processes.filter_map(line).any(|line| String::from_utf8_lossy(&line) == format!("sleep\0{mark}\0"))
    };
    // A process that was killed is gone as soon as the kernel comes to it.
    let began = Instant::now();
    while runs() {
        assert!(began.elapsed() < Duration::from_secs(20), "`sleep` still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A program that stays: it answers with its own process id, and does what some inputs say.
const WORKER: &str = r#"while read -r line; do
    id=$(printf %s "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
    case "$line" in
        *crash*) echo broken >&2; exit 7 ;;
        *hang*) sleep 600 ;;
        *confuse*) echo '{"id": "another", "output": "x"}' ;;
        *chatter*) echo '{"id": "'"$id"'", "output": "x"}
{"id": "'"$id"'", "output": "y"}' ;;
        *large*) yes | tr -d '\n' ;;
        *) echo '{"id": "'"$id"'", "output": "'$$'"}' ;;
    esac
done"#;

#[test]
fn a_program_that_stays_answers_line_by_line_and_is_started_anew_when_it_fails() {
    let invoke = json!({"type": "command", "command": ["sh", "-c", WORKER], "lines": true, "timeoutSeconds": 2});
    let target = Target::open(&reach(invoke), &Credentials::default(), &setting()).expect("a target");
    run(async {
        let ask = async |id: &str, input: &str| target.call(&case(id, input), &unit(id)).await;
        let first = text(ask("a", "hi").await);
        assert_eq!(text(ask("b", "hi").await), first);
        let crashed = fault(ask("c", "crash").await);
        assert_eq!(
            (crashed.kind, crashed.message.as_str()),
            (FaultKind::Refused, "`sh` ended with exit code 7: broken")
        );
        let second = text(ask("d", "hi").await);
        assert_ne!(first, second);
        assert_eq!(fault(ask("e", "confuse").await).kind, FaultKind::Malformed);
        assert_eq!(fault(ask("f", "large").await).kind, FaultKind::TooLarge);
        assert_eq!(fault(ask("g", "chatter").await).kind, FaultKind::Malformed);
        let hung = ask("h", "hang").await;
        assert_eq!(hung.latency_us, 2_000_000);
        assert_eq!(fault(hung).kind, FaultKind::Timeout);
        let third = text(ask("i", "hi").await);
        assert!(third != first && third != second);
    });
}

fn stays(script: &str) -> Target {
    let invoke = json!({"type": "command", "command": ["sh", "-c", script], "lines": true, "timeoutSeconds": 20});
    Target::open(&reach(invoke), &Credentials::default(), &setting()).expect("a target")
}

fn trial(trial: u32) -> crate::eval::Unit {
    crate::eval::Unit { case: "a".into(), trial }
}

#[test]
fn a_line_that_was_not_asked_for_is_no_answer_to_the_next_trial() {
    let done = std::env::current_exe().expect("a program").with_file_name(format!("late-{}", std::process::id()));
    // One line too many, after the answer was heard.
    let script = format!(
        r#"read -r line; echo '{{"id": "a", "output": "'$$'"}}'
        sleep 0.2; echo '{{"id": "a", "output": "late"}}'; : > '{}'; read -r line; sleep 600"#,
        done.display()
    );
    let target = stays(&script);
    run(async {
        let first = text(target.call(&case("a", "hi"), &trial(1)).await);
        let began = Instant::now();
        while !done.exists() {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing was said");
            std::thread::sleep(Duration::from_millis(5));
        }
        let outcome = target.call(&case("a", "hi"), &trial(2)).await;
        assert_eq!(outcome.attempts, 1);
        let second = text(outcome);
        assert!(second != "late" && second != first, "{second}");
    });
    drop(std::fs::remove_file(done));
}

#[test]
fn a_line_that_answers_another_trial_is_no_answer() {
    let script = r#"while read -r line; do echo '{"id": "a", "trial": 1, "output": "x"}'; done"#;
    let target = stays(script);
    run(async {
        assert_eq!(text(target.call(&case("a", "hi"), &trial(1)).await), "x");
        let fault = fault(target.call(&case("a", "hi"), &trial(2)).await);
        assert_eq!(fault.kind, FaultKind::Malformed);
        assert!(fault.message.contains("another trial than 2"), "{}", fault.message);
    });
}
