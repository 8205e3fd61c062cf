//! Clocks that are wrong, and times that were made up.

use crate::audit::forge::{forge, forget, sh, shared, verify};
use crate::support::needs;

use super::{MORE, names};

/// A branch whose newest commit is of another time than now, and a verb after it: time never runs backwards, and the
/// ledger stays one that verifies, or says which commit is at fault.
#[test]
fn b31_a_verb_after_a_commit_of_another_century() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    for (id, time) in [
        ("b31_after_2038", "2147483648"),
        ("b31_after_2100", "4102444801"),
        ("b31_an_hour_ahead", "$(($(date +%s) + 3600))"),
    ] {
        let world = shared(id);
        forget(&world);
        forge(
            &world,
            "mallory",
            &format!("{MORE}\nmove $(bare | sed \"/^committer/s/> [0-9]*/> {time}/\" | seal git)"),
        );
        let line = "sed -i 's/calm, short/calm, kind/' agents/support-triage.yaml; joch apply -f agents --reason later";
        let outcome = world.sh("mallory", line);
        let times = "git --git-dir .joch/ledger.git log -2 --format=%ct heads/local";
        let times: Vec<u64> =
            sh(&world, "alice", times).split_whitespace().map(|time| time.parse().expect("seconds")).collect();
        assert!(times[0] >= times[1], "{id}: {times:?}");
        if outcome.code == 0 {
            assert!(outcome.stderr.contains("clock"), "{id}: nobody is told: {}", outcome.stderr);
        }
        let (code, result) = verify(&world);
        assert!(code == 2, "{id}: a release of another time than its record says: {result:#}");
    }
}

#[test]
fn b30_a_release_dated_before_the_one_under_it() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let hour = "$(($(git show -s --format=%ct heads/local) - 3600))";
    for (id, time) in [("b30_an_hour_back", hour), ("b30_to_2001", "1000000000"), ("b30_to_1970", "1")] {
        let world = shared(id);
        forget(&world);
        forge(
            &world,
            "mallory",
            &format!("{MORE}\nmove $(bare | sed \"/^committer/s/> [0-9]*/> {time}/\" | seal git)"),
        );
        names(&world, id, "time-backwards", "$(git rev-parse heads/local)");
    }
}
