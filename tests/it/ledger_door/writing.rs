//! What a transaction writes, and what it leaves alone.

use std::time::{Duration, SystemTime};

use joch::ledger::{Edit, Error, Repository};

use crate::support::needs;

use super::bench::{Bench, at, draft, person, put, release, tag};

#[test]
fn a_new_ledger_has_the_settings_that_outlive_a_power_cut() {
    let bench = Bench::new("create");
    let ledger = bench.ledger();
    for (key, value) in [
        ("core.bare", "true"),
        ("core.fsync", "all"),
        ("core.repositoryformatversion", "1"),
        ("extensions.preciousobjects", "true"),
        ("gc.auto", "0"),
        ("gc.pruneexpire", "never"),
        ("core.logallrefupdates", "always"),
    ] {
        assert_eq!(bench.git(&["config", "--get", key]), value);
    }
    assert_eq!(bench.git(&["symbolic-ref", "HEAD"]), "refs/heads/prod");
    ledger.set_head("live").expect("a head");
    assert_eq!(bench.git(&["symbolic-ref", "HEAD"]), "refs/heads/live");
    assert!(!bench.path("ledger.git/hooks").exists());
    assert!(matches!(Repository::create(ledger.path(), "prod"), Err(Error::NotALedger { .. })));
    bench.assert_whole();
}

#[test]
fn git_finds_commits_and_tags_whole_and_well_signed() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("whole");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let second = release(&ledger, &ana, 2);
    bench.assert_whole();
    let signers = bench.path("signers");
    std::fs::write(&signers, format!("ana@example.org namespaces=\"git\" {}\n", ana.public_key())).expect("signers");
    let config = format!("gpg.ssh.allowedSignersFile={}", signers.display());
    for (verb, name) in [("verify-commit", "prod"), ("verify-commit", "prod~1"), ("verify-tag", "release/prod/2")] {
        let output = bench.try_git(&["-c", &config, verb, name]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.contains("Good \"git\" signature for ana@example.org"), "{said}");
        assert!(said.contains(&ana.public_key().fingerprint()), "{said}");
    }
    assert_eq!(bench.git(&["rev-list", "prod"]), format!("{second}\n{first}"));
    assert_eq!(bench.git(&["rev-parse", "agent/x/v1", "release/prod/2^{}"]), format!("{first}\n{second}"));
    assert_eq!(bench.git(&["cat-file", "-t", "release/prod/1"]), "tag");
    assert_eq!(bench.git(&["show", "prod:agent.yaml"]), "n: 2");
    assert_eq!(
        bench.git(&["log", "-1", "--format=%an <%ae> %at %s", "prod"]),
        "Ana Ng <ana@example.org> 1700000000 change prod"
    );
}

#[test]
fn the_same_key_and_time_give_the_same_ids() {
    let ids = ["same-1", "same-2"].map(|name| {
        let bench = Bench::new(name);
        release(&bench.ledger(), &bench.ana(), 1);
        bench.git(&["for-each-ref"])
    });
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn edits_put_graft_and_remove() {
    let bench = Bench::new("edits");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let mut tx = ledger.begin().expect("a turn");
    let files = vec![put("a/b/one", "1"), put("a/b/two", "2"), put("a.b", "x"), put("z/deep/er", "d")];
    let first = tx.commit(&ana, &draft("staging", None, files)).expect("a commit");
    tx.finish().expect("it is written");

    let mut tx = ledger.begin().expect("a turn");
    let subtree = tx.snapshot().entry_at(first.id, "a/b").expect("a read").expect("a tree").id;
    let edits = vec![
        ("copy/of".to_owned(), Edit::Graft(subtree)),
        put("copy/of/three", "3"),
        ("copy/of/one".to_owned(), Edit::Remove),
        ("z/deep/er".to_owned(), Edit::Remove),
        ("not/there".to_owned(), Edit::Remove),
    ];
    let second = tx.commit(&ana, &draft("staging", Some(first.id), edits)).expect("a commit");
    tx.finish().expect("it is written");
    let listed = bench.git(&["ls-tree", "-r", "--name-only", "staging"]);
    assert_eq!(listed, "a.b\na/b/one\na/b/two\ncopy/of/three\ncopy/of/two");
    assert_eq!(bench.git(&["rev-parse", "staging^{tree}"]), second.tree.to_string());

    let mut tx = ledger.begin().expect("a turn");
    let all = ["a", "a.b", "copy"].map(|path| (path.to_owned(), Edit::Remove)).to_vec();
    let third = tx.commit(&ana, &draft("staging", Some(second.id), all)).expect("a commit");
    tx.finish().expect("it is written");
    assert_eq!(third.tree.to_string(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    bench.assert_whole();
}

#[test]
fn what_git_must_not_hold_is_refused_and_nothing_is_written() {
    let bench = Bench::new("invalid");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let before = bench.git(&["for-each-ref"]);
    let mut tx = ledger.begin().expect("a turn");
    let parent = Some(first);
    let refused = |result: Result<_, Error>| assert!(matches!(result, Err(Error::Invalid { .. })), "{result:?}");
    for path in ["../x", ".git/config", "a//b", "agent.yaml/below"] {
        refused(tx.commit(&ana, &draft("prod", parent, vec![put(path, "x")])));
    }
    for branch in ["a..b", "x.lock", "", "-\u{7f}"] {
        refused(tx.commit(&ana, &draft(branch, None, vec![])));
    }
    let mut forged = draft("prod", parent, vec![]);
    forged.message = "fine\n-----BEGIN SSH SIGNATURE-----\n".to_owned();
    refused(tx.commit(&ana, &forged));
    assert!(tx.tag_light("x", first.to_string().replace(|_: char| true, "1").parse().expect("an id")).is_err());
    drop(tx);
    assert_eq!(bench.git(&["for-each-ref"]), before);
    bench.assert_whole();
}

#[test]
fn commits_of_one_transaction_follow_each_other() {
    let bench = Bench::new("chain");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let mut tx = ledger.begin().expect("a turn");
    let one = tx.commit(&ana, &draft("prod", Some(first), vec![put("one", "1")])).expect("a commit");
    let two = tx.commit(&ana, &draft("prod", Some(first), vec![put("two", "2")])).expect("a commit");
    let three = tx.commit(&ana, &draft("prod", Some(two.id), vec![put("three", "3")])).expect("a commit");
    tx.point_branch("dev", one.id).expect("a branch");
    tx.finish().expect("it is written");
    let history = bench.git(&["rev-list", "prod"]);
    assert_eq!(history, format!("{}\n{}\n{}\n{first}", three.id, two.id, one.id));
    assert_eq!(bench.git(&["ls-tree", "--name-only", "prod"]), "agent.yaml\none\nthree\ntwo");
    assert_eq!(bench.git(&["rev-parse", "dev"]), one.id.to_string());
    let mut tx = ledger.begin().expect("a turn");
    assert!(matches!(tx.point_branch("prod", one.id), Err(Error::Invalid { .. })), "a branch never goes back");
    tx.point_branch("dev", three.id).expect("it goes forward");
    tx.finish().expect("it is written");
    bench.assert_whole();
}

#[test]
fn time_never_runs_backwards() {
    let bench = Bench::new("clamp");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let mut tx = ledger.begin().expect("a turn");
    let mut early = draft("prod", Some(first), vec![]);
    early.time = at(-600);
    let made = tx.commit(&ana, &early).expect("a commit");
    assert_eq!(made.clamped_by, Some(Duration::from_secs(600)));
    tx.finish().expect("it is written");
    assert_eq!(ledger.snapshot().expect("a read").commit(made.id).expect("a commit").committer.time, at(0));
}

#[test]
fn a_plan_made_on_an_older_tip_is_refused() {
    let bench = Bench::new("moved");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let second = release(&ledger, &ana, 2);
    let mut tx = ledger.begin().expect("a turn");
    let stale = tx.commit(&ana, &draft("prod", Some(first), vec![]));
    assert!(matches!(stale, Err(Error::Moved { found: Some(found), .. }) if found == second));
    assert!(matches!(tx.tag_light("agent/x/v1", second), Err(Error::Moved { .. })));
    let taken = tx.tag_signed(&ana, &tag("release/prod/1", second));
    assert!(matches!(taken, Err(Error::Moved { expected: None, .. })));
}

#[test]
fn a_plain_git_that_writes_meanwhile_wins() {
    let bench = Bench::new("race");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    release(&ledger, &ana, 2);
    for packed in [false, true] {
        let mut tx = ledger.begin().expect("a turn");
        let tip = tx.snapshot().branch("prod");
        let made = tx.commit(&ana, &draft("prod", tip, vec![put("agent.yaml", "n: 3\n")])).expect("a commit");
        tx.tag_light("agent/x/v3", made.id).expect("a tag");
        bench.git(&["update-ref", "refs/heads/prod", &first.to_string()]);
        if packed {
            bench.git(&["pack-refs", "--all"]);
        }
        let lost = tx.finish();
        assert!(matches!(lost, Err(Error::Moved { found, .. }) if found == Some(first)), "{lost:?}");
        assert!(!bench.try_git(&["rev-parse", "--verify", "-q", "agent/x/v3"]).status.success());
        bench.assert_whole();
        bench.git(&["update-ref", "refs/heads/prod", &tip.expect("a tip").to_string()]);
    }
}

#[test]
fn one_writer_at_a_time_and_the_other_is_told() {
    let bench = Bench::new("lock");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let tx = ledger.begin().expect("a turn");
    let other = Repository::open(ledger.path()).expect("a ledger");
    let error = other.begin_within(Duration::from_millis(50)).err().expect("it is locked");
    assert!(matches!(error, Error::Locked { .. }));
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(tx);
    release(&other, &ana, 1);
    bench.assert_whole();
}

#[test]
fn writers_that_crowd_lose_nothing_and_write_nothing_twice() {
    const WRITERS: usize = 6;
    const EACH: usize = 5;
    let bench = Bench::new("crowd");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let ledger = Repository::open(bench.path("ledger.git")).expect("a ledger");
                for _ in 0..EACH {
                    let mut tx = ledger.begin().expect("a turn");
                    let parent = tx.snapshot().branch("prod");
                    let next = tx.snapshot().tags("n/").expect("a read").len() + 1;
                    let edits = vec![put("n", &format!("{next}\n"))];
                    let made = tx.commit(&ana, &draft("prod", parent, edits)).expect("a commit");
                    tx.tag_light(&format!("n/{next}"), made.id).expect("the name is free");
                    tx.finish().expect("it is written");
                }
            });
        }
    });
    let snapshot = ledger.snapshot().expect("a read");
    assert_eq!(snapshot.tags("n/").expect("a read").len(), WRITERS * EACH);
    let tip = snapshot.branch("prod").expect("a tip");
    assert_eq!(snapshot.first_parents(tip).count(), WRITERS * EACH);
    assert_eq!(bench.git(&["show", "prod:n"]), (WRITERS * EACH).to_string());
    bench.assert_whole();
}

#[test]
fn another_programs_lock_is_named_and_left() {
    let bench = Bench::new("foreign-lock");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let lock = bench.path("ledger.git/refs/heads/prod.lock");
    std::fs::write(&lock, "").expect("a lock");
    let long_ago = SystemTime::now() - Duration::from_secs(7 * 60);
    std::fs::File::open(&lock).and_then(|file| file.set_modified(long_ago)).expect("own file");
    let mut tx = ledger.begin().expect("a turn");
    let made = tx.commit(&ana, &draft("prod", Some(first), vec![])).expect("a commit");
    tx.tag_light("agent/x/v2", made.id).expect("a tag");
    let error = tx.finish().expect_err("it is locked");
    assert!(matches!(&error, Error::Locked { path, .. } if *path == lock));
    assert!(error.to_string().contains("a Git program that was killed, it seems, 7 minutes ago holds"), "{error}");
    assert_eq!(error.next(), Some(format!("if no Git program is at work, rm {}", lock.display())));
    assert!(lock.exists());
    std::fs::remove_file(lock).expect("it is free");
    assert_eq!(ledger.snapshot().expect("a read").branch("prod"), Some(first));
    assert!(!bench.try_git(&["rev-parse", "--verify", "-q", "agent/x/v2"]).status.success());
    bench.assert_whole();
}

#[test]
fn a_reference_cannot_lie_below_another() {
    let bench = Bench::new("below");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    for packed in [false, true] {
        if packed {
            bench.git(&["pack-refs", "--all", "--prune"]);
        }
        for name in ["agent/x", "agent/x/v1/more"] {
            let mut tx = ledger.begin().expect("a turn");
            tx.tag_light(name, first).expect("a tag");
            let made = tx.commit(&ana, &draft("prod", Some(first), vec![])).expect("a commit");
            let refused = tx.finish();
            assert!(matches!(refused, Err(Error::Invalid { .. })), "{name} {packed} {refused:?} {made:?}");
            bench.assert_whole();
        }
    }
}

#[test]
fn many_objects_become_one_pack_and_many_tags_one_file() {
    let bench = Bench::new("pack");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let mut tx = ledger.begin().expect("a turn");
    let files =
        (0..500).map(|n| put(&format!("agents/default/a{n}/closure/agent.yaml"), &format!("n: {n}\n"))).collect();
    let made = tx.commit(&ana, &draft("prod", None, files)).expect("a commit");
    for n in 0..500 {
        tx.tag_light(&format!("agent/default/a{n}/v1"), made.id).expect("a tag");
    }
    tx.tag_signed(&ana, &tag("release/prod/1", made.id)).expect("a tag");
    tx.finish().expect("it is written");
    bench.assert_whole();
    let counted = bench.git(&["count-objects", "-v"]);
    assert!(counted.contains("count: 0\n") && counted.contains("packs: 1\n"), "{counted}");
    assert!(counted.contains("in-pack: 1505\n"), "{counted}");
    assert_eq!(bench.git(&["tag", "-l"]).lines().count(), 501);
    let snapshot = ledger.snapshot().expect("a read");
    assert_eq!(
        snapshot.blob_at(made.id, "agents/default/a7/closure/agent.yaml").expect("a read"),
        Some(b"n: 7\n".to_vec())
    );
}

#[test]
fn an_object_that_a_power_cut_emptied_is_written_again() {
    let bench = Bench::new("emptied-object");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let mut tx = ledger.begin().expect("a turn");
    tx.commit(&ana, &draft("prod", None, vec![put("agent.yaml", "n: 1\n")])).expect("a commit");
    tx.finish().expect("it is written");
    let blob = bench.git(&["rev-parse", "prod:agent.yaml"]);
    let path = bench.path("ledger.git/objects").join(&blob[..2]).join(&blob[2..]);
    std::fs::remove_file(&path).expect("it is gone");
    std::fs::write(&path, "").expect("it is empty");
    let ledger = Repository::open(ledger.path()).expect("a ledger");
    let mut tx = ledger.begin().expect("a turn");
    tx.commit(&ana, &draft("dev", None, vec![put("other.yaml", "n: 1\n")])).expect("a commit");
    tx.finish().expect("it is written");
    bench.assert_whole();
}

#[test]
fn a_name_cannot_forge_a_header() {
    let bench = Bench::new("forge");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let mut tx = ledger.begin().expect("a turn");
    let mut forged = draft("prod", None, vec![]);
    forged.author.name = "Eve>\ngpgsig x".to_owned();
    let made = tx.commit(&ana, &forged).expect("a commit");
    tx.finish().expect("it is written");
    bench.assert_whole();
    let commit = ledger.snapshot().expect("a read").commit(made.id).expect("a commit");
    assert_eq!(commit.author.person.name, "Evegpgsig x");
    assert_eq!(commit.other_headers, ["gpgsig"]);
    assert_ne!(person().name, commit.author.person.name);
}

#[test]
fn another_programs_lock_is_waited_for_while_it_is_young() {
    let bench = Bench::new("young-lock");
    let (ledger, ana) = (bench.ledger(), bench.ana());
    let first = release(&ledger, &ana, 1);
    let lock = bench.path("ledger.git/refs/heads/prod.lock");
    std::fs::write(&lock, "").expect("a lock");
    let mut tx = ledger.begin().expect("a turn");
    let made = tx.commit(&ana, &draft("prod", Some(first), vec![])).expect("a commit").id;
    let held = Duration::from_millis(700);
    let other = std::thread::spawn(move || {
        std::thread::sleep(held);
        std::fs::remove_file(&lock).expect("it is free");
    });
    let since = std::time::Instant::now();
    tx.finish().expect("it is written");
    assert!(since.elapsed() >= held - Duration::from_millis(100), "it waits");
    other.join().expect("no panic");
    assert_eq!(ledger.snapshot().expect("a read").branch("prod"), Some(made));
    bench.assert_whole();
}
