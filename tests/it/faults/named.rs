//! Single points that matter by themselves, and what is said there.

use std::fs::{self, File};
use std::path::Path;

use crate::bypass::{Lab, agent};

use super::tracer::{Call, Errno, Fault, KILLED, Tracer, calls};
use super::verbs::{Verb, served, trust};

const APPLY: &str = "joch apply -f a.yaml";

/// A lab before its third release in `local`.
fn third(name: &str) -> Lab {
    let lab = served(name);
    lab.file("a.yaml", &agent("a", "three"));
    lab
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
    let lab = third("faults-unconfirmed");
    let before = tracer.before_first("sync", "ledger.git/refs", Fault::Once(Errno::Fails), &lab.0.project());
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
    let lab = third("faults-anew");
    let project = lab.0.project();
    let before = tracer.before_first("sync", "ledger.git/refs", Fault::Sticky(Errno::Fails), &project);
    assert_eq!(lab.0.sh("ci", &format!("{before} {APPLY}")).code, 1);
    let log = project.join("../healing");
    let outcome = lab.0.sh("alice", &format!("{} joch get agents", tracer.watching(&project, &log)));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let healing = calls(&log);
    for name in ["refs/heads/local", "refs/tags/release/local/3", "refs/tags/agent/default/a/v3"] {
        let moved = last(&healing, "rename", name);
        let above = Path::new(name).parent().expect("a directory").to_str().expect("text");
        assert!(moved < last(&healing, "sync", above), "{name} is synced behind its move");
    }
}

#[test]
fn doctor_says_which_release_it_undid() {
    let Some(tracer) = Tracer::here() else { return };
    let lab = third("faults-undone");
    let before = tracer.before_first("rename", "refs/heads/local", Fault::Kill, &lab.0.project());
    let outcome = lab.0.sh("ci", &format!("{before} {APPLY}"));
    assert_eq!(outcome.code, KILLED);
    let said = doctor(&lab);
    assert!(said.contains("the release local/3 was interrupted and is undone"), "{said}");
    assert!(lab.does("ci", "apply -f a.yaml").contains("local/3"));
    lab.is_sound();
}

#[test]
fn an_undoing_that_was_killed_is_undone() {
    let Some(tracer) = Tracer::here() else { return };
    let Verb { lab, .. } = trust("faults-undone-twice");
    lab.file("a.yaml", &agent("a", "three"));
    let project = lab.0.project();
    let before = lab.git("for-each-ref");
    let line = "apply -f viewers.yaml -f a.yaml";
    let killed = tracer.before_first("rename", "refs/heads/local", Fault::Kill, &project);
    let outcome = lab.0.sh("alice", &format!("{killed} joch {line}"));
    assert_eq!(outcome.code, KILLED, "{}{}", outcome.stdout, outcome.stderr);
    assert_ne!(lab.git("for-each-ref"), before, "trust has moved");
    let killed = tracer.before_first("rename", "refs/heads/trust", Fault::Kill, &project);
    assert_eq!(lab.0.sh("alice", &format!("{killed} joch get agents")).code, KILLED);
    assert!(lab.path(".joch/ledger.git/refs/heads/trust.lock").exists(), "the undoing was about to put it back");
    assert!(doctor(&lab).contains("the release local/3 was interrupted and is undone"));
    assert_eq!(lab.git("for-each-ref"), before);
    assert!(lab.does("alice", line).contains("local/3"));
    lab.is_sound();
}

#[test]
fn a_full_disk_is_named_with_its_path_and_what_to_do() {
    let Some(tracer) = Tracer::here() else { return };
    let lab = third("faults-full");
    let before = tracer.before_first("write", "joch/object-", Fault::Sticky(Errno::Full), &lab.0.project());
    let outcome = lab.0.sh("ci", &format!("{before} {APPLY}"));
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    let own = lab.path(".joch/ledger.git/joch/object-");
    for word in [own.to_str().expect("text"), Errno::Full.words(), "next: free some space on that disk"] {
        assert!(outcome.stderr.contains(word), "no `{word}`: {}", outcome.stderr);
    }
}

#[test]
fn a_pack_whose_index_is_on_its_way_is_not_damaged() {
    let Some(tracer) = Tracer::here() else { return };
    let lab = served("faults-half-a-pack");
    let before = tracer.before_first("rename", ".idx", Fault::Kill, &lab.0.project());
    assert_eq!(lab.0.sh("alice", &format!("{before} joch gc")).code, KILLED);
    let index =
        lab.0.sh("alice", "ls .joch/ledger.git/joch/packing/pack/*.idx; ls .joch/ledger.git/objects/pack").stdout;
    assert!(
        index.contains(".idx\n") && index.ends_with(".pack\n"),
        "the pack has its name, its index has not: {index}"
    );
    lab.is_sound();
    // Of Git the same, and neither is a reason not to see that one is gone.
    lab.does("alice", "gc");
    let away = "cd .joch/ledger.git/objects/pack; mv pack-*.idx \"$(ls pack-*.idx | sed s/^/.tmp-1-/)\"";
    lab.0.sh("alice", away);
    let outcome = lab.0.sh("alice", "joch audit verify");
    assert!(!outcome.stdout.contains("which belongs to it"), "{}", outcome.stdout);
    lab.0.sh("alice", "cd .joch/ledger.git/objects/pack; rm .tmp-1-*");
    let outcome = lab.0.sh("alice", "joch audit verify");
    assert!(outcome.stdout.contains(".idx`, which belongs to it, is gone"), "{}", outcome.stdout);
}

#[test]
fn what_a_killed_process_left_beside_a_file_goes_and_what_is_at_work_stays() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults-beside");
    drop(fs::remove_dir_all(&directory));
    fs::create_dir_all(&directory).expect("a directory");
    for left in [".x.1.new", ".x.2.new", ".x.1.old", ".x.y.1.new", "x"] {
        fs::write(directory.join(left), "left").expect("a file");
    }
    let busy = File::open(directory.join(".x.2.new")).expect("a draft");
    busy.lock().expect("a lock");
    joch::workspace::write_over(&directory.join("x"), b"new").expect("it is written");
    let mut names: Vec<_> =
        fs::read_dir(&directory).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, [".x.1.old", ".x.2.new", ".x.y.1.new", "x"]);
    assert_eq!(fs::read(directory.join("x")).expect("a file"), b"new");
}
