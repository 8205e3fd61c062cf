//! What an override that nobody accepts comes to, and overrides that were not to be had.

use chrono::{TimeDelta, Utc};
use joch::ops::audit_verify::Request;

use super::*;
use crate::audit::whole::{audited, believed};
use crate::bypass::PENDING;

const BREAK: &str = "--override approval:rm --reason 'nobody can log in' --ticket INC-7";

/// The second version came into `prod` past its gate, and a third waits.
fn broken(name: &str, expires: &str) -> Lab {
    let lab = with_glass(name);
    release(&lab, "one");
    lab.file("a.yaml", &agent("a", "two"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("promote a {TO_PROD} {BREAK} --expires {expires}"));
    lab.file("a.yaml", &agent("a", "three"));
    lab.up("a.yaml", &["a"]);
    lab
}

#[test]
fn an_override_that_nobody_reviewed_in_time_stops_what_comes_after_it() {
    let lab = broken("glass-late", "1s");
    std::thread::sleep(std::time::Duration::from_secs(2));
    lab.does("alice", &format!("approve a {TO_PROD}"));
    let reason = "bob@example.com overrode approval:rm in prod/2, and nobody reviewed it by";
    let next = "alice@example.com: joch approvals review prod/2 --decision accept --rationale TEXT";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["FAIL  review", reason, next]);
    let over = format!("promote a {TO_PROD} {BREAK}");
    lab.stopped("bob", &over, REFUSED, &[reason]);
    let verified = lab.0.sh("alice", "joch audit verify");
    assert_eq!(verified.code, 0, "what is late contradicts no rule: {}", verified.stdout);
    let warned = format!("{}{}", verified.stdout, verified.stderr);
    assert!(warned.contains("bob@example.com overrode approval:rm in prod/2"), "{warned}");
    lab.does("alice", "approvals review prod/2 --rationale 'seen it now'");
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.is_sound();
}

#[test]
fn what_is_late_is_told_of_a_ledger_that_was_clean_before() {
    let lab = broken("glass-remembered", "4h");
    let (now, all) = (Utc::now(), Request::default());
    assert_eq!(audited(&lab.0, now, &all).warnings, [""; 0]);
    let releases = believed(&lab.0, now + TimeDelta::hours(3), &all);
    assert!(releases > 0, "a review that is not due yet keeps nothing from being believed");
    for _ in 0..2 {
        let late = audited(&lab.0, now + TimeDelta::hours(5), &all);
        assert!(late.warnings.iter().any(|warning| warning.contains("nobody reviewed it by")), "{:?}", late.warnings);
    }
}

#[test]
fn another_agent_is_not_stopped_by_it() {
    let lab = broken("glass-other", "1s");
    std::thread::sleep(std::time::Duration::from_secs(2));
    lab.file("b.yaml", &agent("b", "one"));
    lab.up("b.yaml", &["b"]);
    lab.does("alice", &format!("approve b {TO_PROD}"));
    lab.does("ci", &format!("promote b {TO_PROD}"));
    lab.is_sound();
}

#[test]
fn a_rejected_override_stops_what_comes_after_it_until_it_is_rolled_back() {
    let lab = broken("glass-reject", "4h");
    lab.stopped("ci", &format!("promote a {TO_PROD}"), PENDING, &["0 of 1 approvals of team rm"]);
    let told = lab.does("alice", "approvals review prod/2 --decision reject --rationale 'it could have waited'");
    assert!(told.contains("next: joch rollback agent a --env prod"), "{told}");
    assert!(lab.does("bob", "get releases --env prod").contains("prod/2 (overridden, rejected by alice@example.com)"));
    lab.does("alice", &format!("approve a {TO_PROD}"));
    let reason = "bob@example.com overrode approval:rm in prod/2, and alice@example.com rejected that";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["FAIL  review", reason]);
    lab.does("bob", "rollback a --env prod");
    lab.does("alice", &format!("approve a {TO_PROD}"));
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.is_sound();
}

#[test]
fn what_goes_forward_from_a_rejected_override_stands_on_it_until_it_is_rolled_back() {
    let lab = broken("glass-stands", "4h");
    lab.does("alice", &format!("approve a {TO_PROD}"));
    lab.does("ci", &format!("promote a {TO_PROD}"));
    assert!(lab.does("bob", "get agents").contains("overridden"), "what stands on it says so");
    lab.does("alice", "approvals review prod/2 --decision reject --rationale 'it could have waited'");
    lab.file("a.yaml", &agent("a", "four"));
    lab.up("a.yaml", &["a"]);
    lab.does("alice", &format!("approve a {TO_PROD}"));
    let reason = "bob@example.com overrode approval:rm in prod/2, and alice@example.com rejected that";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["FAIL  review", reason]);
    lab.does("bob", "rollback a --env prod --to-version 1");
    for version in [2, 3] {
        let back = format!("rollback a --env prod --to-version {version}");
        lab.stopped("bob", &back, REFUSED, &["rejected by alice@example.com (the override in prod/2)"]);
    }
    lab.does("alice", &format!("approve a {TO_PROD}"));
    lab.does("ci", &format!("promote a {TO_PROD}"));
    assert!(!lab.does("bob", "get agents").contains("overridden"), "past its gates");
    lab.is_sound();
}

#[test]
fn what_nothing_served_before_a_rejected_override_is_deleted() {
    let lab = with_glass("glass-first");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("promote a {TO_PROD} {BREAK}"));
    lab.does("alice", "approvals review prod/1 --decision reject --rationale no");
    lab.file("a.yaml", &agent("a", "two"));
    lab.up("a.yaml", &["a"]);
    lab.does("alice", &format!("approve a {TO_PROD}"));
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["FAIL  review", "joch delete agent a --env prod"]);
    let delete = "delete agent a --env prod --reason rejected";
    let told = lab.0.sh("bob", &format!("joch {delete}"));
    assert!(!told.stdout.contains("FAIL  review"), "{}", told.stdout);
    lab.is_sound();
}

#[test]
fn an_override_by_somebody_who_lost_the_role_meanwhile_is_found() {
    let lab = with_glass("glass-lost");
    release(&lab, "one");
    lab.file("a.yaml", &agent("a", "two"));
    lab.up("a.yaml", &["a"]);
    assert_eq!(lab.0.sh("alice", "cp -r .joch/ledger.git ../elsewhere.git").code, 0);
    lab.file("prod.yaml", &glass("[\"approval:rm\"]").replace("bob@", "alice@"));
    lab.does("alice", "apply -f prod.yaml");
    let line = format!("rm -f .joch/seen.json; JOCH_LEDGER=../elsewhere.git joch promote a {TO_PROD} {BREAK}");
    let outcome = lab.0.sh("bob", &line);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    lab.git("fetch -q ../elsewhere.git refs/heads/prod:refs/heads/prod refs/heads/evidence:refs/heads/evidence refs/tags/*:refs/tags/*");
    let verified = lab.0.sh("alice", "rm -f .joch/seen.json; joch audit verify");
    assert_eq!(verified.code, REFUSED, "{}", verified.stdout);
    assert!(verified.stdout.contains("stale-trust: "), "{}", verified.stdout);
    assert!(verified.stdout.contains("role: "), "{}", verified.stdout);
    let why = "`bob@example.com` may not override a gate of `prod`";
    assert!(verified.stdout.contains(why), "{}", verified.stdout);
}
