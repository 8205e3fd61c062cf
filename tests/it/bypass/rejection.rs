//! A no stays a no.

use std::fs;

use crate::support::needs;

use super::*;

#[test]
fn a_rejection_is_not_dodged_by_a_change_beside_the_candidate() {
    let lab = Lab::gated("dodge");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("reject a {TO_PROD} --rationale 'leaks data'"));
    lab.does("alice", &format!("approve a {TO_PROD}"));
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["rejected by bob@example.com"]);
    lab.file("d.yaml", &deployment("d", "a", ", replicas: 1"));
    lab.does("ci", "apply -f d.yaml --env staging");
    lab.does("alice", &format!("approve a {TO_PROD}"));
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["rejected by bob@example.com"]);
    lab.stopped("ci", &format!("promote deployment d {TO_PROD}"), PENDING, &["0 of 1 approvals of team rm"]);
    lab.is_sound();
}

#[test]
fn a_rejection_blocks_where_nobody_demands_an_approval() {
    let lab = Lab::new("ungated-reject");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("reject a {TO_PROD}"));
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["rejected by bob@example.com"]);
    lab.stopped("ci", "apply -f a.yaml --env prod", REFUSED, &["rejected by bob@example.com"]);
    lab.is_sound();
}

#[test]
fn a_rejection_after_a_yes_of_the_same_person_counts() {
    let lab = Lab::gated("no-after-yes");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("approve a {TO_PROD}"));
    lab.does("bob", &format!("reject a {TO_PROD} --rationale 'changed my mind'"));
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["rejected by bob@example.com"]);
    lab.is_sound();
}

#[test]
fn a_yes_that_is_carried_again_after_a_no_does_not_take_it_back() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let lab = Lab::gated("replayed-yes");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("approve a {TO_PROD}"));
    let path = lab.git("ls-tree -r --name-only refs/heads/evidence approvals");
    let path = path.lines().find(|path| path.ends_with(".json")).expect("Bob's yes").to_owned();
    lab.does("bob", &format!("reject a {TO_PROD}"));
    let honest = lab.tip("evidence");
    let again = path.replace(".json", "0.json");
    let taken_away = format!("--force-remove {path}");
    let put_back = format!("--add --cacheinfo 100644,$blob,{path}");
    let beside = format!("--add --cacheinfo 100644,$blob,{again} --cacheinfo 100644,$signature,{again}.sig");
    for (first, second, reason) in [
        (taken_away.as_str(), put_back.as_str(), "(evidence-signature)"),
        ("--index-version 2", beside.as_str(), "(evidence-name)"),
    ] {
        let forge = format!(
            "export GIT_DIR=.joch/ledger.git GIT_WORK_TREE=. GIT_INDEX_FILE=forged; rm -f forged; git read-tree evidence && \
             blob=$(git rev-parse evidence:{path}) && signature=$(git rev-parse evidence:{path}.sig) && \
             step() {{ git update-index \"$@\" || exit 1; git update-ref refs/heads/evidence \
             $(GIT_AUTHOR_NAME=ci@example.com GIT_COMMITTER_NAME=ci@example.com git commit-tree -S $(git write-tree) -p evidence -m 'approve'); }} && step {first} && step {second}"
        );
        let forged = lab.0.sh("ci", &forge);
        assert_eq!(forged.code, 0, "{}", forged.stderr);
        lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &[reason]);
        lab.git(&format!("update-ref refs/heads/evidence {honest}"));
        // What joch remembers of the forged branch is of no use to the next round.
        fs::remove_file(lab.path(".joch/seen.json")).ok();
    }
    lab.is_sound();
}
