//! Every verb that writes, and how many calls it makes at least: fewer, and it is not what it was.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::OnceLock;

use crate::bypass::{Lab, agent, head};
use crate::support::world::World;

use super::sweep::sweep;
use super::tracer::Tracer;

/// A verb before it is run.
pub(super) struct Verb {
    pub(super) lab: Lab,
    pub(super) person: &'static str,
    /// `joch LINE`.
    pub(super) line: &'static str,
    /// How many calls that change a file it makes at least.
    pub(super) at_least: usize,
    /// Whether it moves a reference; else old and new are the same.
    pub(super) moves: bool,
}

const TO_PROD: &str = "a --from staging --to prod";

/// A project whose agent `a` serves in `prod` as its first version and waits in `staging` as its second. It is made
/// once, and copied.
pub(super) fn served(name: &str) -> Lab {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let lab = Lab::gated("faults");
        lab.file("a.yaml", &agent("a", "one"));
        lab.up("a.yaml", &["a"]);
        lab.does("alice", &format!("approve {TO_PROD}"));
        lab.does("ci", &format!("promote {TO_PROD}"));
        lab.file("a.yaml", &agent("a", "two"));
        lab.up("a.yaml", &["a"]);
        lab.0.command("alice", "tar").args(["-c", "."]).output().expect("an archive").stdout
    });
    let world = World::new(name);
    let mut tar = world.command("alice", "tar").arg("-x").stdin(Stdio::piped()).spawn().expect("tar");
    tar.stdin.take().expect("a pipe").write_all(made).expect("tar reads");
    assert!(tar.wait().expect("tar ends").success());
    Lab(world)
}

pub(super) fn init(name: &str) -> Verb {
    let line = "init --operator alice@example.com";
    Verb { lab: Lab(World::new(name)), person: "alice", line, at_least: 100, moves: true }
}

pub(super) fn apply(name: &str) -> Verb {
    let lab = served(name);
    lab.file("a.yaml", &agent("a", "three"));
    Verb { lab, person: "ci", line: "apply -f a.yaml", at_least: 100, moves: true }
}

/// As [`apply`], to a ledger that was packed.
pub(super) fn apply_packed(name: &str) -> Verb {
    let verb = apply(name);
    verb.lab.does("alice", "gc");
    verb
}

pub(super) fn promote(name: &str) -> Verb {
    let lab = served(name);
    lab.does("alice", &format!("approve {TO_PROD}"));
    Verb { lab, person: "ci", line: "promote a --from staging --to prod", at_least: 100, moves: true }
}

pub(super) fn approve(name: &str) -> Verb {
    let line = "approve a --from staging --to prod";
    Verb { lab: served(name), person: "alice", line, at_least: 50, moves: true }
}

pub(super) fn rollback(name: &str) -> Verb {
    let line = "rollback a --env staging --to-version 1 --reason worse";
    Verb { lab: served(name), person: "ci", line, at_least: 100, moves: true }
}

pub(super) fn delete(name: &str) -> Verb {
    Verb { lab: served(name), person: "ci", line: "delete agent a --env dev", at_least: 50, moves: true }
}

pub(super) fn gc(name: &str) -> Verb {
    Verb { lab: served(name), person: "alice", line: "gc", at_least: 300, moves: false }
}

pub(super) fn trust(name: &str) -> Verb {
    let lab = served(name);
    let mallory = lab.key("mallory");
    let members = format!("spec: {{members: [{{user: mallory@example.com, role: viewer, keys: [\"{mallory}\"]}}]}}\n");
    fs::write(lab.path("viewers.yaml"), head("Team", "{name: viewers}") + &members).expect("own file");
    Verb { lab, person: "alice", line: "apply -f viewers.yaml", at_least: 50, moves: true }
}

#[test]
fn init_leaves_no_ledger_or_a_whole_one() {
    let Some(tracer) = Tracer::here() else { return };
    sweep(&tracer, init("faults-init"));
}

#[test]
fn apply_leaves_the_old_release_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    sweep(&tracer, apply("faults-apply"));
}

#[test]
fn apply_to_a_packed_ledger_leaves_the_old_release_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    sweep(&tracer, apply_packed("faults-apply-packed"));
}

#[test]
fn promote_leaves_the_old_release_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    sweep(&tracer, promote("faults-promote"));
}

#[test]
fn approve_leaves_no_vote_or_a_whole_one() {
    let Some(tracer) = Tracer::here() else { return };
    sweep(&tracer, approve("faults-approve"));
}

#[test]
fn rollback_leaves_the_old_release_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    sweep(&tracer, rollback("faults-rollback"));
}

#[test]
fn delete_leaves_the_old_release_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    sweep(&tracer, delete("faults-delete"));
}

#[test]
fn gc_loses_nothing() {
    let Some(tracer) = Tracer::here() else { return };
    sweep(&tracer, gc("faults-gc"));
}

#[test]
fn a_change_of_trust_leaves_the_old_trust_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    sweep(&tracer, trust("faults-trust"));
}
