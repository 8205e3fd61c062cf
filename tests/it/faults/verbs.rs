//! Every verb that writes, and how many calls it makes at least.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::OnceLock;

use crate::bypass::{Lab, agent, head};
use crate::support::world::World;

use super::sweep::Sweep;
use super::tracer::Tracer;

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

#[test]
fn init_leaves_no_ledger_or_a_whole_one() {
    let Some(tracer) = Tracer::here() else { return };
    let lab = Lab(World::new("faults-init"));
    Sweep::run(&tracer, lab, "alice", "init --operator alice@example.com", 100);
}

#[test]
fn apply_leaves_the_old_release_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    let lab = served("faults-apply");
    lab.file("a.yaml", &agent("a", "three"));
    Sweep::run(&tracer, lab, "ci", "apply -f a.yaml", 100);
}

#[test]
fn apply_to_a_packed_ledger_leaves_the_old_release_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    let lab = served("faults-packed");
    lab.does("alice", "gc");
    lab.file("a.yaml", &agent("a", "three"));
    Sweep::run(&tracer, lab, "ci", "apply -f a.yaml", 100);
}

#[test]
fn promote_leaves_the_old_release_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    let lab = served("faults-promote");
    lab.does("alice", &format!("approve {TO_PROD}"));
    Sweep::run(&tracer, lab, "ci", "promote a --from staging --to prod", 100);
}

#[test]
fn approve_leaves_no_vote_or_a_whole_one() {
    let Some(tracer) = Tracer::here() else { return };
    Sweep::run(&tracer, served("faults-approve"), "alice", "approve a --from staging --to prod", 50);
}

#[test]
fn rollback_leaves_the_old_release_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    let line = "rollback a --env staging --to-version 1 --reason worse";
    Sweep::run(&tracer, served("faults-rollback"), "ci", line, 100);
}

#[test]
fn delete_leaves_the_old_release_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    Sweep::run(&tracer, served("faults-delete"), "ci", "delete agent a --env dev", 50);
}

#[test]
fn gc_loses_nothing() {
    let Some(tracer) = Tracer::here() else { return };
    Sweep::run_unmoved(&tracer, served("faults-gc"), "alice", "gc", 300);
}

#[test]
fn a_change_of_trust_leaves_the_old_trust_or_the_new() {
    let Some(tracer) = Tracer::here() else { return };
    let lab = served("faults-trust");
    let mallory = lab.key("mallory");
    let members = format!("spec: {{members: [{{user: mallory@example.com, role: viewer, keys: [\"{mallory}\"]}}]}}\n");
    fs::write(lab.path("viewers.yaml"), head("Team", "{name: viewers}") + &members).expect("own file");
    Sweep::run(&tracer, lab, "alice", "apply -f viewers.yaml", 50);
}
