//! Single points that matter by themselves, and what is said there.

use std::path::Path;

use crate::bypass::{Lab, agent};

use super::tracer::{Call, Errno, Fault, KILLED, Tracer, calls};
use super::verbs::served;

const APPLY: &str = "joch apply -f a.yaml";

/// A lab before its third release in `local`, and the calls that this makes.
fn third(name: &str, tracer: &Tracer) -> (Lab, Vec<Call>) {
    let lab = served(name);
    lab.file("a.yaml", &agent("a", "three"));
    let project = lab.0.project();
    lab.0.sh("alice", "cp -a . ../kept");
    let log = project.join("../calls");
    assert_eq!(lab.0.sh("ci", &format!("{} {APPLY}", tracer.watching(&project, &log))).code, 0);
    let outcome = lab.0.sh("alice", "find . -mindepth 1 -delete && cp -a ../kept/. .");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    (lab, calls(&log))
}

/// The number of the last call of this name on a path that ends so.
fn last(calls: &[Call], name: &str, path: &str) -> usize {
    let is = |call: &Call| call.name == name && call.path.ends_with(Path::new(path));
    calls.iter().rposition(is).expect("there is such a call") + 1
}

fn doctor(lab: &Lab) -> String {
    let outcome = lab.0.sh("alice", "joch doctor");
    outcome.stdout + &outcome.stderr
}

#[test]
fn a_disk_that_fails_behind_the_commit_point_is_no_success_and_no_failure() {
    let Some(tracer) = Tracer::here() else { return };
    let (lab, calls) = third("faults-unconfirmed", &tracer);
    let point = last(&calls, "sync", "ledger.git/refs");
    let before = tracer.before(point, Fault::Once(Errno::Fails), &lab.0.project());
    let outcome = lab.0.sh("ci", &format!("{before} {APPLY}"));
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    for word in [Errno::Fails.words(), "whether it outlives a power cut is not known", "next: ", "`joch doctor`"] {
        assert!(outcome.stderr.contains(word), "no `{word}`: {}", outcome.stderr);
    }
    let said = doctor(&lab);
    assert!(said.contains("the release local/3 was interrupted, and is finished now"), "{said}");
    assert!(doctor(&lab).contains("no command was interrupted"));
    assert!(lab.does("ci", "apply -f a.yaml").contains("unchanged"));
    lab.is_sound();
}

#[test]
fn what_is_settled_later_is_moved_and_synced_anew() {
    let Some(tracer) = Tracer::here() else { return };
    let (lab, calls) = third("faults-anew", &tracer);
    let project = lab.0.project();
    let point = last(&calls, "sync", "ledger.git/refs");
    lab.0.sh("ci", &format!("{} {APPLY}", tracer.before(point, Fault::Sticky(Errno::Fails), &project)));
    let log = project.join("../healing");
    let outcome = lab.0.sh("alice", &format!("{} joch get agents", tracer.watching(&project, &log)));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let healing = super::tracer::calls(&log);
    for name in ["refs/heads/local", "refs/tags/release/local/3", "refs/tags/agent/default/a/v3"] {
        let moved = last(&healing, "rename", name);
        let above = Path::new(name).parent().expect("a directory").to_str().expect("text");
        assert!(moved < last(&healing, "sync", above), "{name} is synced behind its move");
    }
}

#[test]
fn doctor_says_which_release_it_undid() {
    let Some(tracer) = Tracer::here() else { return };
    let (lab, calls) = third("faults-undone", &tracer);
    let point = last(&calls, "rename", "refs/heads/local");
    let outcome = lab.0.sh("ci", &format!("{} {APPLY}", tracer.before(point, Fault::Kill, &lab.0.project())));
    assert_eq!(outcome.code, KILLED);
    let said = doctor(&lab);
    assert!(said.contains("the release local/3 was interrupted and is undone"), "{said}");
    assert!(lab.does("ci", "apply -f a.yaml").contains("local/3"));
    lab.is_sound();
}

#[test]
fn a_full_disk_is_named_with_its_path_and_what_to_do() {
    let Some(tracer) = Tracer::here() else { return };
    let (lab, calls) = third("faults-full", &tracer);
    let point =
        calls.iter().position(|call| call.path.display().to_string().contains("joch/object-")).expect("an object") + 1;
    let outcome =
        lab.0.sh("ci", &format!("{} {APPLY}", tracer.before(point, Fault::Sticky(Errno::Full), &lab.0.project())));
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    let own = lab.path(".joch/ledger.git/joch/object-");
    for word in [own.to_str().expect("text"), Errno::Full.words(), "next: free some space on that disk"] {
        assert!(outcome.stderr.contains(word), "no `{word}`: {}", outcome.stderr);
    }
}
