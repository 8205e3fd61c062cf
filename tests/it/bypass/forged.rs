//! A ledger that somebody wrote to with Git alone.

use std::fs;

use super::*;

/// Every verb that writes, on a project where `a` is on all rungs and another `a` waits before `prod`.
fn writing_verbs(attempt: &str) -> Vec<String> {
    vec![
        "apply -f a.yaml".into(),
        format!("promote a {TO_PROD}"),
        "rollback a --env prod".into(),
        "delete agent a --env prod".into(),
        format!("approve a {TO_PROD}"),
        format!("reject a {TO_PROD}"),
        format!("approvals request a {TO_PROD}"),
        format!("approvals decide {attempt} --decision approve"),
    ]
}

/// Two versions of `a` are on all rungs, and a third waits before `prod`. The evidence before the no is returned.
fn a_third_that_waits(lab: &Lab) -> String {
    for words in ["one", "two"] {
        lab.file("a.yaml", &agent("a", words));
        lab.up("a.yaml", &["a"]);
        lab.does("alice", &format!("approve a {TO_PROD}"));
        lab.does("ci", &format!("promote a {TO_PROD}"));
    }
    lab.file("a.yaml", &agent("a", "three"));
    lab.up("a.yaml", &["a"]);
    lab.stopped("ci", &format!("promote a {TO_PROD}"), PENDING, &["0 of 1 approvals of team rm"]);
    lab.file("a.yaml", &agent("a", "four"));
    lab.waiting("a")
}

#[test]
fn nothing_is_written_on_a_trust_that_no_admin_signed() {
    let lab = Lab::gated("forged-trust");
    let attempt = a_third_that_waits(&lab);
    let honest = lab.tip("trust");
    let team = lab.git("show refs/heads/trust:teams/admins.yaml");
    let team = team.replace("name: admins", "name: zz").replace("alice@", "mallory@");
    lab.file("zz.yaml", &(team.replace(&lab.key("alice"), &lab.key("mallory")) + "\n"));
    let forge = "export GIT_DIR=.joch/ledger.git GIT_INDEX_FILE=forged; git read-tree trust && \
                 blob=$(git hash-object -w zz.yaml) && git update-index --add --cacheinfo 100644,$blob,teams/zz.yaml && \
                 commit=$(git commit-tree $(git write-tree) -p trust -m 'change trust: zz') && \
                 git update-ref refs/heads/trust $commit";
    let forged = lab.0.sh("mallory", forge);
    assert_eq!(forged.code, 0, "{}", forged.stderr);
    for verb in writing_verbs(&attempt) {
        for person in ["mallory", "alice"] {
            lab.stopped(person, &format!("{verb} -o json"), REFUSED, &["\"trust-chain\"", "cannot be believed"]);
        }
    }
    assert_eq!(lab.0.sh("alice", "joch audit verify").code, REFUSED);
    lab.git(&format!("update-ref refs/heads/trust {honest}"));
    lab.is_sound();
}

#[test]
fn a_rejection_is_not_lost_by_rewinding_evidence() {
    for remembered in [true, false] {
        let lab = Lab::gated("rewound");
        let attempt = a_third_that_waits(&lab);
        lab.does("alice", &format!("approve a {TO_PROD}"));
        let before = lab.tip("evidence");
        lab.does("bob", &format!("reject a {TO_PROD}"));
        lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["rejected by bob@example.com"]);
        // Another release is decided under the rejection, so that the ledger itself remembers it.
        lab.file("b.yaml", &agent("b", "one"));
        lab.up("b.yaml", &["b"]);
        lab.does("alice", &format!("approve b {TO_PROD}"));
        lab.does("ci", &format!("promote b {TO_PROD}"));
        let honest = lab.tip("evidence");
        lab.git(&format!("update-ref refs/heads/evidence {before}"));
        if !remembered {
            fs::remove_file(lab.path(".joch/seen.json")).expect("the memory of this checkout");
        }
        for verb in writing_verbs(&attempt) {
            lab.stopped("alice", &format!("{verb} -o json"), REFUSED, &["\"rewound-branch\"", "evidence"]);
        }
        assert_eq!(lab.tip("evidence"), before);
        lab.git(&format!("update-ref refs/heads/evidence {honest}"));
        lab.is_sound();
    }
}
