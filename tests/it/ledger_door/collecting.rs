//! What `gc` packs and removes, and what it leaves alone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use joch::ledger::{Collected, Draft, Error, ObjectId, Repository};

use super::bench::{Bench, release};

fn filled(name: &str) -> (Bench, Repository, Vec<ObjectId>) {
    let bench = Bench::new(name);
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let commits = (1..=3).map(|n| release(&ledger, &ana, n)).collect();
    (bench, ledger, commits)
}

fn age(path: &Path, hours: u64) {
    let then = SystemTime::now() - Duration::from_secs(hours * 3600 + 60);
    File::open(path).and_then(|file| file.set_modified(then)).expect("own file");
}

fn loose_files(bench: &Bench) -> usize {
    bench.git(&["count-objects"]).split(' ').next().and_then(|count| count.parse().ok()).expect("a number")
}

#[test]
fn everything_is_packed_and_says_the_same() {
    let (bench, ledger, commits) = filled("gc");
    let early = ledger.snapshot().expect("a reader who began before");
    let other = Repository::open(ledger.path()).expect("another process");
    let later = other.snapshot().expect("a reader");
    let (refs, loose) = (bench.git(&["show-ref", "-d", "--head"]), loose_files(&bench));
    let expected = Collected { objects: loose, references: 7, ..Collected::default() };
    assert_eq!(ledger.collectable().expect("it is counted"), expected);
    let collected = ledger.collect().expect("it collects");
    assert!(collected.pack.is_some());
    assert_eq!(Collected { pack: None, ..collected }, expected);
    assert_eq!(loose_files(&bench), 0);
    assert_eq!(bench.git(&["show-ref", "-d", "--head"]), refs);
    assert!(!ledger.path().join("refs/heads/prod").exists());
    for reader in [early, later] {
        let seen: Vec<_> = reader.first_parents(commits[2]).map(|commit| commit.expect("it reads on").id).collect();
        assert_eq!(seen, [commits[2], commits[1], commits[0]]);
    }
    bench.assert_whole();
    assert_eq!(ledger.collect().expect("it collects"), Collected::default(), "there is nothing left to do");
    release(&ledger, &bench.ana(), 4);
    assert_eq!(ledger.collect().expect("it collects").references, 3);
    bench.assert_whole();
}

#[test]
fn what_no_reference_names_is_packed_too() {
    let (bench, ledger, _) = filled("gc-unreachable");
    fs::write(bench.path("item"), "nobody names it").expect("own file");
    let id = bench.git(&["hash-object", "-w", "../item"]);
    ledger.collect().expect("it collects");
    assert_eq!(loose_files(&bench), 0);
    assert_eq!(bench.git(&["cat-file", "blob", &id]), "nobody names it");
}

#[test]
fn a_damaged_object_is_told_and_left_as_it_is() {
    let (bench, ledger, commits) = filled("gc-damaged");
    let hex = commits[0].to_string();
    let path = ledger.path().join("objects").join(&hex[..2]).join(&hex[2..]);
    let bytes = fs::read(&path).expect("a loose object");
    super::bench::set_mode(&path, 0o600);
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("it is cut");
    let collected = ledger.collect().expect("it collects the others");
    assert_eq!(collected.damaged.len(), 1);
    assert!(collected.damaged[0].contains(&hex) && collected.damaged[0].contains("ends in the middle"));
    assert_eq!(loose_files(&bench), 1);
    assert!(path.exists() && collected.objects > 5);
    assert_eq!(collected.references, 0, "what a tag names may not be told");
}

#[test]
fn a_lock_of_plain_git_is_respected() {
    let (bench, ledger, _) = filled("gc-locked");
    let lock = ledger.path().join("packed-refs.lock");
    fs::write(&lock, "").expect("another's");
    let refs = bench.git(&["show-ref", "-d"]);
    let refused = ledger.collect();
    assert!(matches!(&refused, Err(Error::Locked { path, .. }) if *path == lock), "{refused:?}");
    assert!(lock.exists());
    fs::remove_file(lock).expect("it is free");
    let lock = ledger.path().join("refs/heads/prod.lock");
    fs::write(&lock, "").expect("another's");
    assert_eq!(ledger.collect().expect("it collects").references, 0, "they stay as they are");
    fs::remove_file(lock).expect("it is free");
    assert_eq!(bench.git(&["show-ref", "-d"]), refs);
    bench.assert_whole();
}

#[test]
fn only_old_drafts_are_swept() {
    let (bench, ledger, _) = filled("gc-drafts");
    let fan = ledger.path().join("objects/00");
    fs::create_dir_all(&fan).expect("a directory");
    let draft = bench.path(".ledger.git.999999");
    fs::create_dir_all(draft.join("objects")).expect("a directory");
    let files = ["tmp_obj_old", "tmp_obj_new"].map(|name| fan.join(name));
    let pack = ledger.path().join("objects/pack/tmp_pack_old");
    for file in files.iter().chain([&pack]) {
        fs::write(file, "half").expect("own file");
    }
    for path in [&files[0], &pack, &draft] {
        age(path, 1);
    }
    let mut swept: Vec<PathBuf> = ledger.collect().expect("it collects").swept;
    swept.sort();
    let mut expected = [draft, files[0].clone(), pack].map(|path| path.canonicalize().unwrap_or(path)).to_vec();
    expected.sort();
    assert_eq!(swept.len(), expected.len(), "{swept:?}");
    assert!(swept.iter().all(|path| !path.exists()));
    assert!(files[1].exists());
}

#[test]
fn a_ledger_in_the_making_is_none_and_leaves_nothing() {
    let bench = Bench::new("draft");
    let place = bench.path("a/b/ledger.git");
    let draft = Draft::begin(&place, "prod").expect("a draft");
    release(draft.repository(), &bench.ana(), 1);
    assert!(!place.exists());
    drop(draft);
    assert_eq!(fs::read_dir(bench.path("a/b")).expect("a directory").count(), 0);

    let left = bench.path("a/b/.ledger.git.999999");
    fs::create_dir_all(left.join("objects/pack")).expect("a dead process's");
    let draft = Draft::begin(&place, "prod").expect("a draft");
    assert!(!left.exists());
    let commit = release(draft.repository(), &bench.ana(), 1);
    let ledger = draft.publish().expect("it is put in its place");
    assert_eq!(ledger.snapshot().expect("a read").branch("prod"), Some(commit));
    assert_eq!(fs::read_dir(bench.path("a/b")).expect("a directory").count(), 1);
    assert!(matches!(Draft::begin(&place, "prod"), Err(Error::NotALedger { .. })));
}
