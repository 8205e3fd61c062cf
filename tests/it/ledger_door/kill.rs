//! A writer killed at every call that changes a file: afterwards the ledger is as before or as after, and works.
//!
//! It takes half a minute: `JOCH_TEST_ALL=1 cargo test --test it kill`, with `strace` installed.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use joch::ledger::{Repository, Signer};

use crate::support::{all, needs};

use super::bench::{Bench, draft, put, release, tag};

/// The calls at which the writer is killed, one kind at a time because `strace` counts each kind and thread for itself.
const CALLS: [&str; 7] = [
    "link,linkat",
    "rename,renameat,renameat2",
    "unlink,unlinkat",
    "mkdir,mkdirat",
    "write",
    "fsync,fdatasync",
    "openat",
];

/// Below this many points the sweep has stopped early and proves nothing.
const POINTS_AT_LEAST: usize = 150;

const SIGKILL: i32 = 9;

const LEDGER: &str = "JOCH_TEST_LEDGER";

#[test]
fn a_killed_writer_leaves_the_old_state_or_the_new() {
    if !all() || !needs(&["strace"]) {
        return;
    }
    let bench = Bench::new("kill");
    let (fixture, ana) = (bench.ledger(), bench.ana());
    release(&fixture, &ana, 1);
    let kept = bench.path("kept.git");
    for packed in [false, true] {
        if packed {
            copy(&bench, &kept, fixture.path());
            bench.git(&["pack-refs", "--all", "--prune"]);
        }
        copy(&bench, fixture.path(), &kept);
        let old = bench.git(&["for-each-ref"]);
        let (mut points, mut finished) = (0, 0);
        for calls in CALLS {
            for nth in 1.. {
                copy(&bench, &kept, fixture.path());
                let alive = write_until(&bench, calls, nth);
                if alive {
                    break;
                }
                points += 1;
                let ledger = Repository::open(fixture.path()).expect("a ledger");
                ledger.heal().expect("it heals");
                let state = bench.git(&["for-each-ref"]);
                let names = bench.git(&["for-each-ref", "--format=%(refname)"]);
                let is_new = names.lines().count() == 6;
                assert!(state == old || is_new, "{calls} {nth}: {state}");
                finished += usize::from(is_new);
                drop(ledger.begin().expect("nothing is in the way"));
                let mut left = bench.left_behind();
                // Drafts of objects are nobody's; `git prune` knows them.
                left.retain(|path| !path.to_string_lossy().contains("/tmp_"));
                assert_eq!(left, Vec::<PathBuf>::new(), "{calls} {nth}");
                release(&ledger, &ana, 3);
                assert_eq!(bench.git(&["fsck", "--strict", "--no-dangling"]), "", "{calls} {nth}");
            }
        }
        assert!(points >= POINTS_AT_LEAST, "{points} points");
        assert!(finished > 0 && finished < points, "{finished} of {points} came out new");
    }
}

/// The process that is killed, which the test above starts on a ledger: a release with two tags and two branches.
#[test]
fn writer() {
    let Some(path) = std::env::var_os(LEDGER) else { return };
    let path = Path::new(&path);
    let ledger = Repository::open(path).expect("a ledger");
    let key = path.with_file_name("ana");
    let ana =
        Signer::open(key.to_str().expect("UTF-8"), &joch::ledger::SignerEnvironment::default()).expect("a signer");
    let mut tx = ledger.begin().expect("a turn");
    let parent = tx.snapshot().branch("prod");
    let made = tx.commit(&ana, &draft("prod", parent, vec![put("agent.yaml", "n: 2\n")])).expect("a commit");
    tx.commit(&ana, &draft("evidence", None, vec![put("item.json", "{}")])).expect("a commit");
    tx.tag_light("agent/x/v2", made.id).expect("a tag");
    tx.tag_signed(&ana, &tag("release/prod/2", made.id)).expect("a tag");
    tx.finish().expect("it is written");
}

/// Whether the writer lived to see its end.
fn write_until(bench: &Bench, calls: &str, nth: usize) -> bool {
    let writer = std::env::current_exe().expect("this program");
    let mut command = bench.command("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}")]);
    command.args(["-e", &format!("inject={calls}:signal=KILL:when={nth}")]);
    command.arg(writer).args(["ledger_door::kill::writer", "--exact", "--quiet"]);
    command.env(LEDGER, bench.path("ledger.git"));
    let output = command.output().expect("strace runs");
    let (status, said) = (output.status, String::from_utf8_lossy(&output.stdout));
    assert!(status.success() || status.signal() == Some(SIGKILL), "{calls} {nth}: {status} {said}");
    status.success()
}

fn copy(bench: &Bench, from: &Path, to: &Path) {
    drop(fs::remove_dir_all(to));
    let output = bench.command("cp").arg("-a").arg(from).arg(to).output().expect("cp runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
