//! A clean verdict on the whole ledger is believed while nothing that it depends on is another, and never else.

use std::borrow::Cow;
use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use joch::ops::audit_verify::{self, Outcome, Request};
use joch::ops::{Caller, Progress};
use joch::workspace::Cache;

use super::forge::{sh, shared};
use crate::support::world::World;

/// What an audit by Alice comes to at a time.
pub(crate) fn audited(world: &World, now: DateTime<Utc>, request: &Request) -> Outcome {
    let (mut stdin, mut stream) = (std::io::empty(), std::io::sink());
    let mut caller = Caller {
        directory: world.project(),
        variables: std::iter::once(("HOME".to_owned(), world.home("alice").into())).collect(),
        now,
        stdin: &mut stdin,
        key: None,
        namespace: None,
        progress: Progress { stream: &mut stream, terminal: None, clock: Utc::now },
        notices: Vec::new(),
    };
    audit_verify::run(request, &mut caller).expect("an outcome")
}

/// How many releases were believed, with nothing but the verdict on the whole to believe.
pub(crate) fn believed(world: &World, now: DateTime<Utc>, request: &Request) -> usize {
    drop(fs::remove_file(world.project().join(".joch/cache/verified")));
    let outcome = audited(world, now, request);
    assert_eq!(outcome.findings, []);
    outcome.checked.remembered
}

/// Alice's sealed files of this project.
fn cache(world: &World) -> Cache {
    let state = world.home("alice").join(".local/state");
    Cache::new(world.project().join(".joch/cache"), Some(state), || panic!("there is a key"))
}

const FILE: &str = "clean";

#[test]
fn an_unchanged_ledger_is_believed_to_be_clean() {
    let (world, now, all) = (shared("whole"), Utc::now(), Request::default());
    let first = audited(&world, now, &all);
    assert_eq!(believed(&world, now, &all), 5);
    let again = audited(&world, now, &all);
    assert_eq!(again.checked, audit_verify::Checked { remembered: 5, ..first.checked });
    // Whatever else is asked, and whoever believes nothing, gets no answer from it.
    let afresh = Request { afresh: true, ..all.clone() };
    assert_eq!(believed(&world, now, &afresh), 0);
    let prod = Request { environment: Some("prod".into()), ..all.clone() };
    assert_eq!(believed(&world, now, &prod), 0);
    // What is not as old as the verdict may lie ahead of the clock.
    assert_eq!(believed(&world, now, &all), 5);
    assert_eq!(believed(&world, now - TimeDelta::seconds(1), &all), 0, "the clock was set back");
    assert_eq!(believed(&world, now, &all), 5);
    assert_eq!(believed(&world, now + TimeDelta::days(3650), &all), 5);
}

#[test]
fn another_byte_another_pin_and_another_past_are_judged() {
    let (world, now, all) = (shared("whole-other"), Utc::now(), Request::default());
    audited(&world, now, &all);
    for change in [
        "echo more >> .joch/ledger.git/description",
        "touch .joch/ledger.git/objects/info/nothing",
        "git -C .joch/ledger.git pack-refs --all",
        "git -C .joch/ledger.git repack -q",
        "rm .joch/seen.json",
        "echo '{}' > .joch/seen.json",
        "sed -i '/trustRoot/d' joch.yaml",
    ] {
        assert_eq!(believed(&world, now, &all), 5, "before {change}");
        sh(&world, "alice", change);
        assert_eq!(believed(&world, now, &all), 0, "{change}");
    }
    assert_eq!(believed(&world, now, &all), 5);
}

#[test]
fn only_what_this_joch_sealed_is_believed() {
    let (world, now, all) = (shared("whole-sealed"), Utc::now(), Request::default());
    audited(&world, now, &all);
    let path = world.project().join(".joch/cache").join(FILE);
    let kept = fs::read_to_string(&path).expect("it is kept");
    let text = String::from_utf8(cache(&world).load(FILE).expect("the seal holds")).expect("text");
    let store = |text: &str| cache(&world).store(FILE, &[Cow::Owned(text.as_bytes().to_vec())]);
    // The seal is what is believed: with it, any number is.
    store(&text.replace(" 5\n", " 77\n"));
    assert_eq!(believed(&world, now, &all), 77);
    fs::write(&path, kept.replace(" 5\n", " 88\n")).expect("own file");
    assert_eq!(believed(&world, now, &all), 0, "a file that somebody edited");
    let version = concat!(" ", env!("CARGO_PKG_VERSION"), "\n");
    assert!(text.contains(version), "{text}");
    store(&text.replace(version, " 0.0.9\n"));
    assert_eq!(believed(&world, now, &all), 0, "a file of another joch");
    store(&text);
    assert_eq!(believed(&world, now, &all), 5);
    // The verdict on another ledger, under the same seal.
    let other = shared("whole-sealed-other");
    sh(&other, "alice", "joch apply -f . --env dev --reason 'another ledger'");
    fs::create_dir_all(other.home("alice").join(".local/state/joch")).expect("own directory");
    let key = ".local/state/joch/cache-key";
    fs::copy(world.home("alice").join(key), other.home("alice").join(key)).expect("own file");
    fs::create_dir_all(other.project().join(".joch/cache")).expect("own directory");
    fs::copy(&path, other.project().join(".joch/cache").join(FILE)).expect("own file");
    assert_eq!(believed(&other, now + TimeDelta::seconds(60), &all), 0);
}

#[test]
fn what_is_not_clean_is_not_kept() {
    let (world, now, all) = (shared("whole-dirty"), Utc::now(), Request::default());
    sh(&world, "alice", "git -C .joch/ledger.git tag stray HEAD");
    for _ in 0..2 {
        assert_ne!(audited(&world, now, &all).findings, []);
        assert!(!world.project().join(".joch/cache").join(FILE).exists());
    }
    sh(&world, "alice", "git -C .joch/ledger.git tag -d stray");
    audited(&world, now, &all);
    assert_eq!(believed(&world, now, &all), 5);
    // What comes back after a clean verdict is found.
    sh(&world, "alice", "git -C .joch/ledger.git tag stray HEAD");
    assert_ne!(audited(&world, now, &all).findings, []);
}
