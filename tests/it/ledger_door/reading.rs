//! What a snapshot sees, and how it names what it cannot believe.

use std::fs;

use joch::ledger::{ChangedPath, EntryKind, Error, ObjectKind, RefTarget, Repository, changed_paths};

use super::bench::{Bench, draft, put, release};

#[test]
fn branches_stay_as_they_were_when_the_snapshot_was_taken() {
    let bench = Bench::new("instant");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let before = ledger.snapshot().expect("a read");
    let second = release(&ledger, &ana, 2);
    assert_eq!(before.branch("prod"), Some(first));
    assert_eq!(ledger.snapshot().expect("a read").branch("prod"), Some(second));
    assert_eq!(before.branch("dev"), None);
}

#[test]
fn tags_are_found_loose_and_packed_by_name_and_by_prefix() {
    let bench = Bench::new("tags");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let early = ledger.snapshot().expect("a read");
    bench.git(&["pack-refs", "--all", "--prune"]);
    let second = release(&ledger, &ana, 2);
    assert_eq!(early.tag("agent/x/v1").expect("a read"), Some(first), "packed since the snapshot");
    let snapshot = ledger.snapshot().expect("a read");
    assert_eq!(snapshot.tag("agent/x/v2").expect("a read"), Some(second));
    assert_eq!(snapshot.tag("agent/x/v3").expect("a read"), None);
    let versions = vec![("agent/x/v1".to_owned(), first), ("agent/x/v2".to_owned(), second)];
    assert_eq!(snapshot.tags("agent/x/v").expect("a read"), versions);
    assert_eq!(snapshot.tags("agent/x/").expect("a read"), versions);
    assert_eq!(snapshot.tags("agent/y/").expect("a read"), []);
    let tag = snapshot.tag("release/prod/1").expect("a read").expect("a tag");
    let object = snapshot.tag_object(tag).expect("a tag object");
    assert_eq!(
        (object.target, object.target_kind, object.name.as_str()),
        (first, ObjectKind::Commit, "release/prod/1")
    );
    let names: Vec<_> = snapshot.all_refs().expect("a read").keys().cloned().collect();
    assert_eq!(names.len(), 5);
    assert_eq!(snapshot.all_refs().expect("a read")["refs/heads/prod"], RefTarget::Object(second));
}

#[test]
fn a_tag_cannot_answer_for_a_branch() {
    let bench = Bench::new("shadow");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let mut tx = ledger.begin().expect("a turn");
    tx.tag_light("refs/heads/dev", first).expect("a tag");
    tx.tag_light("prod", first).expect("a tag");
    tx.finish().expect("it is written");
    let second = release(&ledger, &ana, 2);
    let snapshot = ledger.snapshot().expect("a read");
    assert_eq!(snapshot.branch("prod"), Some(second));
    assert_eq!(snapshot.branch("dev"), None);
    assert_eq!(snapshot.tag("release/prod").expect("a read"), None);
}

#[test]
fn files_are_read_below_trees_commits_and_tags() {
    let bench = Bench::new("files");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let mut tx = ledger.begin().expect("a turn");
    let files = vec![put("a/b", "1"), put("a.b", "2"), put("a/b.c/d", "3"), put("a/b-c", "4")];
    let made = tx.commit(&ana, &draft("prod", None, files)).expect("a commit");
    tx.finish().expect("it is written");
    let snapshot = ledger.snapshot().expect("a read");
    let paths: Vec<_> = snapshot.files_under(made.tree).expect("a read").into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["a.b", "a/b", "a/b-c", "a/b.c/d"]);
    assert_eq!(snapshot.blob_at(made.id, "a/b.c/d").expect("a read").as_deref(), Some(b"3".as_slice()));
    assert_eq!(snapshot.blob_at(made.tree, "a/nothing").expect("a read"), None);
    assert_eq!(snapshot.blob_at(made.id, "a.b/below").expect("a read"), None);
    assert_eq!(snapshot.entry_at(made.id, "a").expect("a read").map(|entry| entry.kind), Some(EntryKind::Directory));
    assert_eq!(snapshot.entry_at(made.id, "").expect("a read").map(|entry| entry.id), Some(made.tree));
}

#[test]
fn first_parents_lead_back_to_the_first_of_all() {
    let bench = Bench::new("parents");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let commits: Vec<_> = (1..=4).map(|n| release(&ledger, &ana, n)).collect();
    let snapshot = ledger.snapshot().expect("a read");
    let walked: Result<Vec<_>, _> =
        snapshot.first_parents(commits[3]).map(|commit| commit.map(|commit| commit.id)).collect();
    assert_eq!(walked.expect("a read"), commits.iter().rev().copied().collect::<Vec<_>>());
    assert!(snapshot.is_ancestor(commits[0], commits[3]).expect("a read"));
    assert!(snapshot.is_ancestor(commits[3], commits[3]).expect("a read"));
    assert!(!snapshot.is_ancestor(commits[3], commits[0]).expect("a read"));
}

#[test]
fn changed_paths_are_files_with_both_their_contents() {
    let bench = Bench::new("compare");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let mut tx = ledger.begin().expect("a turn");
    let files = vec![put("same/x", "1"), put("dir/changed", "1"), put("gone/deep/er", "1"), put("turned", "1")];
    let one = tx.commit(&ana, &draft("prod", None, files)).expect("a commit");
    let files = vec![put("dir/changed", "2"), put("new/deep/er", "2"), put("turned/into", "1")];
    let removed = ["gone", "turned"].map(|path| (path.to_owned(), joch::ledger::Edit::Remove));
    let two = tx.commit(&ana, &draft("prod", None, removed.to_vec())).expect("a commit");
    let two = tx.commit(&ana, &draft("prod", Some(two.id), files)).expect("a commit");
    tx.finish().expect("it is written");
    let snapshot = ledger.snapshot().expect("a read");
    let id = |tree, path: &str| snapshot.entry_at(tree, path).expect("a read").map(|entry| entry.id);
    let change = |path: &str, old: bool, new: bool| ChangedPath {
        path: path.to_owned(),
        old: old.then(|| id(one.tree, path)).flatten(),
        new: new.then(|| id(two.tree, path)).flatten(),
    };
    let expected = vec![
        change("dir/changed", true, true),
        change("gone/deep/er", true, false),
        change("new/deep/er", false, true),
        change("turned", true, false),
        change("turned/into", false, true),
    ];
    assert_eq!(changed_paths(&snapshot, Some(one.tree), Some(two.tree)).expect("a read"), expected);
    assert_eq!(changed_paths(&snapshot, Some(one.tree), Some(one.tree)).expect("a read"), []);
    let all: Vec<_> =
        changed_paths(&snapshot, None, Some(one.tree)).expect("a read").into_iter().map(|c| c.path).collect();
    assert_eq!(all, ["dir/changed", "gone/deep/er", "same/x", "turned"]);
    assert_eq!(changed_paths(&snapshot, Some(one.tree), None).expect("a read").len(), 4);
}

#[test]
fn missing_and_damaged_objects_are_named() {
    let bench = Bench::new("damaged");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let blob = bench.git(&["rev-parse", "prod:agent.yaml"]);
    let other = bench.git(&["rev-parse", "prod^{tree}"]);
    let path = |id: &str| bench.path("ledger.git/objects").join(&id[..2]).join(&id[2..]);
    let swap = |bytes: &[u8]| {
        drop(fs::remove_file(path(&blob)));
        fs::write(path(&blob), bytes).expect("it is swapped");
    };
    for bytes in [fs::read(path(&other)).expect("a file"), b"".to_vec(), b"garbage".to_vec()] {
        swap(&bytes);
        let ledger = Repository::open(ledger.path()).expect("a ledger");
        let error = ledger.snapshot().expect("a read").blob_at(first, "agent.yaml").expect_err("it is damaged");
        assert!(matches!(&error, Error::Damaged { object, .. } if object.contains(&blob)), "{error}");
    }
    fs::remove_file(path(&blob)).expect("it is gone");
    let ledger = Repository::open(ledger.path()).expect("a ledger");
    let snapshot = ledger.snapshot().expect("a read");
    let error = snapshot.blob_at(first, "agent.yaml").expect_err("it is missing");
    assert!(matches!(&error, Error::Missing { what } if what.contains(&blob)), "{error}");
    let error = snapshot.tree(first).expect_err("it is a commit");
    assert!(error.to_string().contains("it is a commit where a tree belongs"), "{error}");
}

#[test]
fn a_link_is_no_content() {
    let bench = Bench::new("link");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    release(&ledger, &ana, 1);
    let blob = bench.git(&["rev-parse", "prod:agent.yaml"]);
    fs::write(bench.path("listing"), format!("120000 blob {blob}\tescape\n")).expect("a listing");
    let mut command = bench.command("git");
    let listing = fs::File::open(bench.path("listing")).expect("a listing");
    let tree = command.arg("-C").arg(ledger.path()).arg("mktree").stdin(listing).output().expect("git runs").stdout;
    let tree = String::from_utf8_lossy(&tree).trim().parse().expect("an id");
    let snapshot = ledger.snapshot().expect("a read");
    assert!(matches!(snapshot.files_under(tree), Err(Error::Damaged { object, .. }) if object == "`escape`"));
    assert!(snapshot.blob_at(tree, "escape").is_err());
    assert_eq!(snapshot.tree(tree).expect("a tree")[0].kind, EntryKind::Link);
}

#[test]
fn references_that_cannot_be_believed_are_named() {
    let bench = Bench::new("bad-refs");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    release(&ledger, &ana, 1);
    let dev = bench.path("ledger.git/refs/heads/dev");
    for text in ["ref: refs/heads/prod\n", "garbage\n", ""] {
        fs::write(&dev, text).expect("a reference");
        let error = ledger.snapshot().err().expect("it is not believed");
        let named = match &error {
            Error::Damaged { object, .. } => object,
            Error::BrokenReference { reference, .. } => reference,
            _ => "",
        };
        assert!(named.contains("refs/heads/"), "{text:?} {error}");
    }
}
