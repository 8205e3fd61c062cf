//! What others do at any call of a verb: a plain Git that packs, readers, and a mirror that fetches. Nobody is refused,
//! nobody is alarmed, and everybody sees the old state or the new.

use std::fs;

use super::tracer::{MEANWHILE_FAILED, NEVER_REACHED, Tracer};
use super::trial::{Trial, many, report, spread};
use super::verbs::{self, Verb};

/// What a plain Git does on its own or when asked. It need not succeed, for joch holds locks; so it does not wait for them.
pub(super) const GIT: &str = "(
    cd .joch/ledger.git; export GIT_CONFIG_COUNT=2
    export GIT_CONFIG_KEY_0=core.filesRefLockTimeout GIT_CONFIG_VALUE_0=0
    export GIT_CONFIG_KEY_1=core.packedRefsTimeout GIT_CONFIG_VALUE_1=0
    git pack-refs --all --prune; git repack -d -l -q; git prune-packed -q; git gc -q; true
) >>../meanwhile 2>&1; echo >>../times";

/// Readers, who must succeed, and a mirror, which must be whole.
const READERS: &str = "(
    joch get releases -o json >../seen && { tr -d \"\\n\" <../seen; echo; } >>../all-seen &&
    joch audit verify >&2 &&
    git -C ../mirror.git fetch -q origin >&2 && git -C ../mirror.git fsck --connectivity-only --no-dangling >&2
) 2>>../meanwhile && echo >>../times";

/// In how many runs Git comes once, at how many calls of one run, and at how many calls of one run the others come: by
/// default, and with `JOCH_TEST_LONG=1`.
const ONCE: (usize, usize) = (2, 20);
const OFTEN: (usize, usize) = (12, 60);
const LOOKS: (usize, usize) = (8, 60);

/// Runs the verb with a line of shell at its `first` call and every `step`-th from there on, and gives at how many.
fn beside(tracer: &Tracer, trial: &Trial, first: usize, step: usize, line: &str) -> usize {
    let (project, log) = (trial.lab.0.project(), trial.lab.path("../calls"));
    trial.shell("rm -f ../times ../meanwhile ../all-seen");
    let outcome = trial.joch(&tracer.meanwhile(first, step, line, &project, &log));
    let text = |name: &str| fs::read_to_string(trial.lab.path(name)).unwrap_or_default();
    let about = format!("joch {} at call {first} and every {step}", trial.line);
    let said = || format!("{}{}\nbeside it: {}", outcome.stdout, outcome.stderr, text("../meanwhile"));
    if outcome.code == NEVER_REACHED {
        return 0;
    }
    assert_ne!(outcome.code, MEANWHILE_FAILED, "{about}: who was beside it was alarmed\n{}", said());
    assert_eq!(outcome.code, 0, "{about}: it was refused\n{}", said());
    if let Err(why) = trial.is_done() {
        panic!("{about}: {why}\n{}", said());
    }
    text("../times").lines().count()
}

/// The step that comes to `wanted` of so many calls.
fn step(calls: usize, wanted: usize) -> usize {
    (calls / wanted.min(calls)).max(1)
}

/// Where runs of this step begin: in its middle, or all over it.
fn firsts(step: usize) -> Vec<usize> {
    match many(1, 4) {
        1 => vec![step.div_ceil(2)],
        more => spread(&Vec::from_iter(1..=step), more),
    }
}

fn git_packs(verb: impl Fn(&str) -> Verb, name: &str) {
    let Some(tracer) = Tracer::here() else { return };
    let trial = Trial::begin(&tracer, verb(name));
    let (count, mut points) = (trial.calls.len(), 0);
    // At every second call Git would come between any two, and no empty directory would ever last.
    let step = step(count, many(OFTEN.0, OFTEN.1)).max(3);
    for first in firsts(step) {
        trial.bring_back();
        points += beside(&tracer, &trial, first, step, GIT);
    }
    // What Git packed is nothing that `gc` packs.
    let alone = if trial.moves() { ONCE.0 } else { OFTEN.0 };
    for point in spread(&Vec::from_iter(1..=count), many(alone, ONCE.1)) {
        trial.bring_back();
        points += beside(&tracer, &trial, point, 0, GIT);
    }
    assert!(points >= OFTEN.0, "{points} points");
    report(&format!("joch {}: a plain Git at {points} points of {count} calls", trial.line));
}

fn others_look(verb: impl Fn(&str) -> Verb, name: &str) {
    let Some(tracer) = Tracer::here() else { return };
    let trial = Trial::begin(&tracer, verb(name));
    let count = trial.calls.len();
    let step = step(count, many(LOOKS.0, LOOKS.1));
    let mut points = 0;
    for first in firsts(step) {
        trial.bring_back();
        trial.shell("rm -rf ../mirror.git && git clone -q --mirror .joch/ledger.git ../mirror.git");
        let releases = || trial.lab.does("alice", "get releases -o json").replace('\n', "");
        let before = releases();
        points += beside(&tracer, &trial, first, step, READERS);
        let after = releases();
        let seen = fs::read_to_string(trial.lab.path("../all-seen")).expect("somebody looked");
        let new = seen.lines().skip_while(|seen| *seen == before).find(|seen| *seen != after);
        assert_eq!(new, None, "joch {}: neither old nor new, or old again", trial.line);
        trial.shell("git -C ../mirror.git fetch -q origin");
        let mirrored = trial.lab.0.sh("alice", "git -C ../mirror.git for-each-ref").stdout;
        assert_eq!(mirrored.trim(), trial.lab.git("for-each-ref"), "what was fetched on the way comes out right");
    }
    assert!(points >= LOOKS.0, "{points} points");
    report(&format!("joch {}: readers and a mirror at {points} points of {count} calls", trial.line));
}

#[test]
fn a_plain_git_packs_at_any_call_of_apply() {
    git_packs(verbs::apply, "foreign-apply");
}

#[test]
fn others_look_at_any_call_of_apply() {
    others_look(verbs::apply, "look-apply");
}

#[test]
fn a_plain_git_packs_at_any_call_of_apply_to_a_packed_ledger() {
    git_packs(verbs::apply_packed, "foreign-apply-packed");
}

#[test]
fn others_look_at_any_call_of_apply_to_a_packed_ledger() {
    others_look(verbs::apply_packed, "look-apply-packed");
}

#[test]
fn a_plain_git_packs_at_any_call_of_promote() {
    git_packs(verbs::promote, "foreign-promote");
}

#[test]
fn others_look_at_any_call_of_promote() {
    others_look(verbs::promote, "look-promote");
}

#[test]
fn a_plain_git_packs_at_any_call_of_rollback() {
    git_packs(verbs::rollback, "foreign-rollback");
}

#[test]
fn others_look_at_any_call_of_rollback() {
    others_look(verbs::rollback, "look-rollback");
}

#[test]
fn a_plain_git_packs_at_any_call_of_delete() {
    git_packs(verbs::delete, "foreign-delete");
}

#[test]
fn others_look_at_any_call_of_delete() {
    others_look(verbs::delete, "look-delete");
}

#[test]
fn a_plain_git_packs_at_any_call_of_approve() {
    git_packs(verbs::approve, "foreign-approve");
}

#[test]
fn others_look_at_any_call_of_approve() {
    others_look(verbs::approve, "look-approve");
}

#[test]
fn a_plain_git_packs_at_any_call_of_gc() {
    git_packs(verbs::gc, "foreign-gc");
}

#[test]
fn others_look_at_any_call_of_gc() {
    others_look(verbs::gc, "look-gc");
}
