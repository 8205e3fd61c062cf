//! Repeated attempts and pauses, against a real endpoint: what is tried again, when, and what is counted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::stage::{
    Loopback, answer, ask, ask_with, case, credentials, json as json_answer, reach, run, setting, unit,
};
use super::{Credentials, Target};
use crate::eval::{FaultKind, Unit};

fn http(server: &Loopback) -> serde_json::Value {
    json!({"type": "http", "url": server.url})
}

#[test]
fn nothing_is_sent_before_the_pause_that_was_asked_for() {
    for (name, value, pause) in [("retry-after", "1", 1000), ("retry-after-ms", "300", 300)] {
        let server = Loopback::answering(move |asked| match asked.number {
            0 => answer(429, &[(name, value)], "slow down"),
            _ => json_answer(&json!({"output": "ok"})),
        });
        let outcome = ask(http(&server));
        assert_eq!(outcome.reply.expect("an answer").text, "ok");
        assert_eq!(outcome.attempts, 2);
        let asked = server.asked();
        assert!(asked[1].at - asked[0].at >= Duration::from_millis(pause));
        assert!(outcome.total_us >= pause * 1000 && outcome.latency_us < outcome.total_us);
    }
}

#[test]
fn a_pause_is_one_for_all() {
    let server = Loopback::answering(|asked| match asked.number {
        0 => answer(429, &[("retry-after-ms", "400")], "slow down"),
        _ => json_answer(&json!({"output": "ok"})),
    });
    let target = Target::open(&reach(http(&server)), &Credentials::default(), &setting()).expect("a target");
    run(async {
        target.call(&case("first", "hi"), &unit("first")).await.reply.expect("an answer");
    });
    let server = Loopback::answering(|asked| match asked.body["input"].as_str() {
        Some("early") => answer(503, &[("retry-after-ms", "400")], "slow down"),
        _ => json_answer(&json!({"output": "ok"})),
    });
    let mut setting = setting();
    setting.retries = 0;
    let target = Target::open(&reach(http(&server)), &Credentials::default(), &setting).expect("a target");
    run(async {
        // Once may be chance; said again and again, it is meant for all.
        for id in ["a", "b", "c", "d"] {
            target.call(&case(id, "early"), &unit(id)).await.reply.expect_err("no answer");
        }
        let outcome = target.call(&case("late", "late"), &unit("late")).await;
        // Who waits for others has not begun.
        assert!(outcome.total_us < 400_000, "{}", outcome.total_us);
    });
    let asked = server.asked();
    assert!(asked[3].at - asked[0].at < Duration::from_millis(400));
    assert!(asked[4].at - asked[3].at >= Duration::from_millis(400));
}

#[test]
fn a_pause_that_is_too_long_is_said_and_not_waited_for() {
    let server = Loopback::answering(|_| answer(429, &[("retry-after", "86400")], "tomorrow"));
    let target = Target::open(&reach(http(&server)), &Credentials::default(), &setting()).expect("a target");
    let began = Instant::now();
    run(async {
        for (id, attempts) in [("a", 1), ("b", 0)] {
            let outcome = target.call(&case(id, "hi"), &unit(id)).await;
            assert_eq!(outcome.attempts, attempts);
            assert_eq!(outcome.reply.expect_err("no answer").kind, FaultKind::Limit);
        }
    });
    assert_eq!(server.asked().len(), 1);
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_failure_that_passes_leaves_only_its_attempts() {
    let server = Loopback::answering(|asked| match asked.number {
        0 => {
            std::thread::sleep(Duration::from_millis(300));
            answer(500, &[], "oops")
        }
        _ => json_answer(&json!({"output": ""})),
    });
    let outcome = ask(http(&server));
    assert_eq!(outcome.attempts, 2);
    assert!(outcome.total_us >= 300_000 && outcome.latency_us < outcome.total_us - 250_000);
    assert_eq!(outcome.reply.expect("silence is an answer").text, "");
    let keys: Vec<_> = server.asked().iter().map(|asked| asked.header("idempotency-key").map(str::to_owned)).collect();
    assert!(keys[0].is_some() && keys[0] == keys[1]);
}

#[test]
fn every_trial_and_every_run_has_a_key_of_its_own() {
    let server = Loopback::answering(|_| json_answer(&json!({"output": "ok"})));
    for name in ["run-1", "run-2"] {
        let mut setting = setting();
        setting.run = name.into();
        let target = Target::open(&reach(http(&server)), &Credentials::default(), &setting).expect("a target");
        for trial in [1, 2] {
            drop(run(target.call(&case("a", "hi"), &Unit { case: "a".into(), trial })));
        }
    }
    let asked = server.asked();
    let mut keys: Vec<_> = asked.iter().filter_map(|asked| asked.header("idempotency-key")).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 4);
}

#[test]
fn what_will_not_pass_is_asked_once() {
    for (status, kind) in [
        (400, FaultKind::Refused),
        (401, FaultKind::Credentials),
        (403, FaultKind::Credentials),
        (404, FaultKind::Refused),
        (422, FaultKind::Refused),
    ] {
        let server = Loopback::answering(move |_| answer(status, &[], json!({"detail": "no such thing"}).to_string()));
        let outcome = ask(http(&server));
        assert_eq!((outcome.attempts, server.asked().len()), (1, 1), "{status}");
        let fault = outcome.reply.expect_err("no answer");
        assert_eq!(fault.kind, kind);
        assert!(fault.message.ends_with(&format!("answered {status}: no such thing")), "{}", fault.message);
    }
    let used_up = json!({"error": {"type": "insufficient_quota", "message": "You exceeded your current quota"}});
    let server = Loopback::answering(move |_| answer(429, &[("retry-after", "1")], used_up.to_string()));
    let outcome = ask(http(&server));
    assert_eq!(outcome.attempts, 1);
    let fault = outcome.reply.expect_err("no answer");
    assert_eq!(fault.kind, FaultKind::Limit);
    assert!(fault.message.contains("the quota is used up"), "{}", fault.message);
}

#[test]
fn what_never_passes_ends_with_the_retries() {
    let server = Loopback::answering(|_| answer(503, &[], "down"));
    let mut setting = setting();
    setting.retries = 2;
    let outcome = ask_with(http(&server), &credentials(&[]), &setting);
    assert_eq!((outcome.attempts, server.asked().len()), (3, 3));
    assert_eq!(outcome.reply.expect_err("no answer").kind, FaultKind::Refused);
}

#[test]
fn failures_that_pass_cost_no_answer_and_no_early_request() {
    let server = Loopback::answering(|asked| match asked.number % 50 {
        7 | 23 => answer(429, &[("retry-after-ms", "30")], "slow down"),
        40 => answer(500, &[], "oops"),
        _ => json_answer(&json!({"output": asked.body["input"]})),
    });
    let target = Target::open(&reach(http(&server)), &Credentials::default(), &setting()).expect("a target");
    let outcomes: Vec<_> = run(stream::iter(0..300)
        .map(|number| {
            let target = &target;
            async move {
                let id = number.to_string();
                (id.clone(), target.call(&case(&id, &id), &unit(&id)).await)
            }
        })
        .buffer_unordered(8)
        .collect());
    assert_eq!(outcomes.len(), 300);
    let mut attempts = 0;
    for (id, outcome) in outcomes {
        attempts += outcome.attempts as usize;
        assert_eq!(outcome.reply.expect("an answer").text, id);
    }
    assert_eq!(attempts, server.asked().len());
    assert!(attempts > 300);
}

#[test]
fn no_more_calls_are_under_way_than_the_agent_takes() {
    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let server = Loopback::answering(|_| {
        MOST.fetch_max(UNDER_WAY.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(10));
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        json_answer(&json!({"output": "ok"}))
    });
    let invoke = json!({"type": "http", "url": server.url, "maxConcurrency": 3});
    let target = Target::open(&reach(invoke), &Credentials::default(), &setting()).expect("a target");
    let calls = (0..30).map(|number| {
        let (target, id) = (&target, number.to_string());
        async move { target.call(&case(&id, "hi"), &unit(&id)).await }
    });
    let outcomes = run(futures_util::future::join_all(calls));
    assert!(outcomes.iter().all(|outcome| outcome.reply.is_ok()));
    assert!((1..=3).contains(&MOST.load(Ordering::SeqCst)));
    // Who waits for a turn has not begun: thirty calls in threes take ten rounds, and no call is told more than its own.
    let shortest = outcomes.iter().map(|outcome| outcome.total_us).min().expect("some");
    assert!(shortest < 90_000, "{shortest}");
}

#[test]
fn requests_keep_their_distance_where_a_rate_is_set() {
    let server = Loopback::answering(|_| json_answer(&json!({"output": "ok"})));
    let mut setting = setting();
    setting.per_second = Some(50.0);
    let target = Target::open(&reach(http(&server)), &Credentials::default(), &setting).expect("a target");
    let began = Instant::now();
    let (case, unit) = (case("a", "hi"), unit("a"));
    let calls = (0..6).map(|_| target.call(&case, &unit));
    drop(run(futures_util::future::join_all(calls)));
    assert!(began.elapsed() >= Duration::from_millis(100));
}
