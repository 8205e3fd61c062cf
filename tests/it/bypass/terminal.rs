//! Around the terminal: dry runs, and readers that leave.

use std::fs;

use super::*;

#[test]
fn a_dry_run_needs_neither_the_lock_nor_a_ledger_it_can_write() {
    let lab = Lab::gated("dry-run");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    let lock = lab.path(".joch/ledger.git/joch/lock");
    let held = fs::File::options().create(true).truncate(false).write(true).open(lock).expect("the lock of the ledger");
    held.lock().expect("nobody else has it");
    let start = std::time::Instant::now();
    // Whoever runs the tests may be allowed to write everywhere, so it also counts that nothing was written.
    // What is kept to be quick next time is no part of the ledger.
    let all = || lab.0.sh("ci", "find .joch -type f -not -path '.joch/cache/*' -exec cksum {} + | sort").stdout;
    let before = all();
    lab.file("a.yaml", &agent("a", "two"));
    lab.stopped("ci", "apply -f a.yaml --dry-run", 0, &["a"]);
    lab.stopped("ci", &format!("promote a {TO_PROD} --dry-run"), PENDING, &["0 of 1 approvals of team rm"]);
    assert!(start.elapsed().as_secs() < 10, "it waited for the lock");
    drop(held);
    assert_eq!(lab.0.sh("ci", "chmod -R a-w .joch").code, 0);
    lab.stopped("ci", "apply -f a.yaml --dry-run", 0, &["a"]);
    lab.stopped("ci", &format!("promote a {TO_PROD} --dry-run"), PENDING, &["0 of 1 approvals of team rm"]);
    assert_eq!(lab.0.sh("ci", "chmod -R u+w .joch").code, 0);
    assert_eq!(all(), before);
    lab.is_sound();
}

#[test]
fn a_reader_that_leaves_does_not_turn_a_no_into_a_yes() {
    let lab = Lab::gated("closed-pipe");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    // A plain shell has no PIPESTATUS: the code goes the other way round the pipe.
    let code = |line: &str| {
        let outcome = lab.0.sh("ci", &format!("{{ joch {line} 2>&1; echo $? >&3; }} 3>code | head -c0; cat code"));
        outcome.stdout.trim().to_owned()
    };
    let before = lab.tips();
    assert_eq!(code(&format!("promote a {TO_PROD}")), PENDING.to_string());
    lab.does("bob", &format!("reject a {TO_PROD}"));
    assert_eq!(code(&format!("promote a {TO_PROD}")), REFUSED.to_string());
    assert_eq!(code(&format!("promote a {TO_PROD} -o json")), REFUSED.to_string());
    assert_eq!(lab.tips(), before);
    lab.is_sound();
}
