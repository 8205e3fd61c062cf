//! What a killed process leaves, state by state, and how the next one settles it.

use std::fs;
use std::path::PathBuf;

use joch::ledger::{ObjectId, Repository};

use super::bench::{Bench, draft, put, release};

/// A ledger as it stands when a release is interrupted: all objects are there, and the references can be put in any state.
struct Crash {
    bench: Bench,
    ledger: Repository,
    /// `prod` before, and after.
    old: ObjectId,
    new: ObjectId,
    evidence: ObjectId,
}

const TAGS: [&str; 2] = ["refs/tags/agent/x/v2", "refs/tags/release/prod/2"];

impl Crash {
    /// The journal moves two tags, then `evidence`, then `prod`.
    fn new(name: &str) -> Self {
        let bench = Bench::new(name);
        let (ledger, ana) = (bench.ledger(), bench.ana());
        let old = release(&ledger, &ana, 1);
        let new = release(&ledger, &ana, 2);
        let mut tx = ledger.begin().expect("a turn");
        let evidence = tx.commit(&ana, &draft("evidence", None, vec![put("item.json", "{}")])).expect("a commit").id;
        tx.finish().expect("it is written");
        for name in TAGS.into_iter().chain(["refs/heads/evidence"]) {
            bench.git(&["update-ref", "-d", name]);
        }
        bench.git(&["update-ref", "refs/heads/prod", &old.to_string()]);
        let crash = Self { bench, ledger, old, new, evidence };
        crash.write("joch/txn", &crash.journal());
        crash
    }

    fn journal(&self) -> String {
        let absent = "0".repeat(40);
        let tags: String = TAGS.iter().map(|tag| format!("{tag} {absent} {}\n", self.new)).collect();
        let evidence = format!("refs/heads/evidence {absent} {}\n", self.evidence);
        format!("joch transaction 1\n{tags}{evidence}refs/heads/prod {} {}\nend\n", self.old, self.new)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.ledger.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    fn set(&self, name: &str, id: ObjectId) {
        self.write(name, &format!("{id}\n"));
    }

    fn moved(&self, rows: usize) {
        let rows_of = [
            (TAGS[0], self.new),
            (TAGS[1], self.new),
            ("refs/heads/evidence", self.evidence),
            ("refs/heads/prod", self.new),
        ];
        for (index, (name, id)) in rows_of.into_iter().enumerate() {
            if index < rows {
                self.set(name, id);
            } else {
                self.set(&format!("{name}.lock"), id);
            }
        }
        self.set(&format!("joch/value-{}", self.new), self.new);
    }

    fn references(&self) -> Vec<String> {
        let listed = self.bench.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        listed.lines().filter(|line| !line.contains("v1 ") && !line.contains("prod/1 ")).map(str::to_owned).collect()
    }

    fn assert_undone(&self) {
        assert_eq!(self.references(), [format!("refs/heads/prod {}", self.old)]);
        self.assert_works();
    }

    fn assert_finished(&self, prod: ObjectId) {
        let mut expected = vec![format!("refs/heads/evidence {}", self.evidence), format!("refs/heads/prod {prod}")];
        expected.extend(TAGS.iter().map(|tag| format!("{tag} {}", self.new)));
        assert_eq!(self.references(), expected);
        self.assert_works();
    }

    /// Nothing is left behind, and the next release finds nothing in its way.
    fn assert_works(&self) {
        self.bench.assert_whole();
        release(&self.ledger, &self.bench.ana(), 3);
        self.bench.assert_whole();
    }
}

#[test]
fn before_the_commit_point_everything_is_undone() {
    for rows in 0..=3 {
        let crash = Crash::new(&format!("undo-{rows}"));
        crash.moved(rows);
        crash.ledger.heal().expect("it heals");
        crash.assert_undone();
    }
}

#[test]
fn after_the_commit_point_everything_is_finished() {
    let crash = Crash::new("finish");
    crash.moved(4);
    crash.ledger.heal().expect("it heals");
    crash.assert_finished(crash.new);
}

#[test]
fn references_that_are_links_to_their_values_are_moved_again() {
    // As a killed process leaves them: a rename between two links of one file would do nothing, and leave the lock.
    let crash = Crash::new("links");
    crash.moved(4);
    let value = crash.path(&format!("joch/value-{}", crash.new));
    for name in [TAGS[0], TAGS[1], "refs/heads/prod"] {
        fs::remove_file(crash.path(name)).expect("a file");
        fs::hard_link(&value, crash.path(name)).expect("a link");
    }
    crash.ledger.heal().expect("it heals");
    crash.assert_finished(crash.new);
}

#[test]
fn a_rename_that_a_power_cut_lost_is_done_again() {
    let crash = Crash::new("lost-rename");
    crash.moved(4);
    fs::remove_file(crash.path(TAGS[0])).expect("it is lost");
    crash.write(TAGS[1], "");
    crash.write("refs/heads/evidence", "");
    crash.ledger.heal().expect("it heals");
    crash.assert_finished(crash.new);
}

#[test]
fn a_branch_that_a_power_cut_emptied_is_put_back() {
    let crash = Crash::new("emptied-branch");
    crash.moved(2);
    crash.write("refs/heads/prod", "");
    crash.ledger.heal().expect("it heals");
    crash.assert_undone();

    let crash = Crash::new("emptied-packed");
    crash.bench.git(&["pack-refs", "--all", "--prune"]);
    crash.moved(2);
    crash.write("refs/heads/prod", "");
    crash.ledger.heal().expect("it heals");
    crash.assert_undone();
}

#[test]
fn a_branch_that_plain_git_moved_on_counts_as_committed() {
    let crash = Crash::new("moved-on");
    crash.moved(4);
    let identity = ["-c", "user.name=Bob", "-c", "user.email=bob@example.org"];
    let new = crash.new.to_string();
    let next = crash.bench.git(&[&identity[..], &["commit-tree", "-p", &new, "-m", "on", "prod^{tree}"]].concat());
    crash.bench.git(&["update-ref", "refs/heads/prod", &next]);
    crash.ledger.heal().expect("it heals");
    crash.assert_finished(next.parse().expect("an id"));
}

#[test]
fn tags_that_plain_git_packed_meanwhile_are_undone_too() {
    let crash = Crash::new("packed");
    crash.moved(3);
    fs::remove_file(crash.path("refs/heads/prod.lock")).expect("it is free");
    crash.bench.git(&["pack-refs", "--all", "--prune"]);
    crash.ledger.heal().expect("it heals");
    crash.assert_undone();
}

#[test]
fn a_journal_that_was_torn_never_counted() {
    let crash = Crash::new("torn");
    let journal = crash.journal();
    for end in [0, 10, 30, journal.len() - 4, journal.len() - 1] {
        crash.write("joch/txn", &journal[..end]);
        crash.ledger.heal().expect("it heals");
        assert!(!crash.path("joch/txn").exists());
        assert_eq!(crash.references(), [format!("refs/heads/prod {}", crash.old)]);
    }
    crash.assert_works();
}

#[test]
fn another_programs_lock_survives_recovery() {
    let crash = Crash::new("foreign");
    crash.moved(1);
    let lock = crash.path("refs/heads/prod.lock");
    fs::write(&lock, "").expect("another's");
    crash.ledger.heal().expect("it heals");
    assert!(lock.exists());
    fs::remove_file(lock).expect("it is free");
    crash.assert_undone();
}

#[test]
fn the_next_writer_settles_it_unasked() {
    let crash = Crash::new("unasked");
    crash.moved(2);
    let mut tx = crash.ledger.begin().expect("a turn");
    assert_eq!(tx.snapshot().branch("prod"), Some(crash.old));
    assert_eq!(tx.snapshot().tag("agent/x/v2").expect("a read"), None);
    tx.tag_light("agent/x/v2", crash.old).expect("the name is free");
    tx.finish().expect("it is written");
    crash.bench.assert_whole();
}

#[test]
fn a_reader_neither_waits_nor_complains_while_another_writes() {
    let crash = Crash::new("reader");
    fs::remove_file(crash.path("joch/txn")).expect("no journal yet");
    let tx = crash.ledger.begin().expect("a turn");
    crash.write("joch/txn", &crash.journal());
    let reader = Repository::open(crash.ledger.path()).expect("a ledger");
    reader.heal().expect("it leaves that to the writer");
    assert!(crash.path("joch/txn").exists());
    assert_eq!(reader.snapshot().expect("a read").branch("prod"), Some(crash.old));
    drop(tx);
    reader.heal().expect("it heals");
    crash.assert_undone();
}

#[test]
fn whoever_cannot_settle_a_journal_sees_what_settling_would_make() {
    for (rows, packed) in (0..=4).flat_map(|rows| [(rows, false), (rows, true)]) {
        let crash = Crash::new(&format!("through-{rows}-{packed}"));
        fs::remove_file(crash.path("joch/txn")).expect("no journal yet");
        let tx = crash.ledger.begin().expect("a turn");
        crash.write("joch/txn", &crash.journal());
        crash.moved(rows);
        if packed {
            // What is locked stays a file of its own.
            crash.bench.try_git(&["pack-refs", "--all", "--prune"]);
        }
        let reader = Repository::open(crash.ledger.path()).expect("a ledger");
        reader.heal().expect("it leaves that to the writer");
        let seen = [reader.snapshot().expect("a read"), reader.whole_snapshot().expect("a read")];
        let seen = seen.map(|snapshot| {
            let tags = snapshot.tags("").expect("a read");
            for (name, id) in &tags {
                assert_eq!(snapshot.tag(name).expect("a read"), Some(*id), "{name}");
            }
            let one = TAGS.map(|tag| snapshot.tag(&tag["refs/tags/".len()..]).expect("a read").is_some());
            assert_eq!(one, [rows == 4; 2], "after {rows} moves");
            let branches = snapshot.branches().iter().map(|(name, id)| format!("refs/heads/{name} {id}"));
            let tags = tags.iter().map(|(name, id)| format!("refs/tags/{name} {id}"));
            let all: Vec<_> = branches.chain(tags).collect();
            let named: Vec<_> = snapshot.all_refs().expect("a read").keys().cloned().collect();
            assert_eq!(named, all.iter().map(|line| line.split(' ').next().expect("a name")).collect::<Vec<_>>());
            all
        });
        assert!(crash.path("joch/txn").exists(), "nobody settled it");
        drop(tx);
        reader.heal().expect("it heals");
        let after: Vec<_> = crash
            .bench
            .git(&["for-each-ref", "--format=%(refname) %(objectname)"])
            .lines()
            .map(str::to_owned)
            .collect();
        for seen in seen {
            assert_eq!(seen, after, "after {rows} moves");
        }
    }
}
