//! Votes that were given, and that something happened to before they were to be counted.

use crate::support::needs;

use super::*;

/// The first version of `a` waits before `prod`, and Bob has approved it.
fn approved(name: &str) -> Lab {
    let lab = Lab::gated(name);
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("approve a {TO_PROD}"));
    lab
}

#[test]
fn a_yes_of_somebody_who_lost_the_role_since_does_not_count() {
    let lab = approved("vote-role");
    let teams = std::fs::read_to_string(lab.path("teams.yaml")).expect("written");
    lab.file("teams.yaml", &teams.replace("bob@example.com, role: approver", "bob@example.com, role: viewer"));
    lab.does("alice", "apply -f teams.yaml");
    let reason = "bob@example.com: not an approving member of team rm";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), PENDING, &["0 of 1 approvals of team rm", reason]);
    lab.is_sound();
}

#[test]
fn a_yes_by_a_key_that_was_taken_off_the_list_since_does_not_count() {
    let lab = approved("vote-key");
    let teams = std::fs::read_to_string(lab.path("teams.yaml")).expect("written");
    let bob = lab.key("bob");
    lab.file("teams.yaml", &teams.replace(&format!(", keys: [\"{bob}\"]"), ""));
    lab.does("alice", "apply -f teams.yaml");
    let reason = "signed by a key that trust does not list";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), PENDING, &["0 of 1 approvals of team rm", reason]);
    lab.is_sound();
}

#[test]
fn a_yes_to_other_rules_does_not_count() {
    let lab = approved("vote-rules");
    lab.file("prod.yaml", &environment("prod", "[\"approval:rm\", {gate: budget, mode: advisory}]"));
    lab.does("alice", "apply -f prod.yaml");
    let reason = "bob@example.com: stale, the gate rules are different";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), PENDING, &[reason]);
    lab.is_sound();
}

/// The name that joch would give whoever commits.
fn named(who: &str) -> String {
    let person = |role: &str| format!("export GIT_{role}_NAME={who}@example.com GIT_{role}_EMAIL={who}@example.com");
    [person("AUTHOR"), person("COMMITTER")].join("; ")
}

#[test]
fn a_yes_to_one_agent_is_none_to_another_wherever_it_is_copied() {
    let lab = approved("vote-copied");
    lab.file("b.yaml", &agent("b", "one"));
    lab.up("b.yaml", &["b"]);
    lab.stopped("ci", &format!("promote b {TO_PROD}"), PENDING, &["0 of 1 approvals of team rm"]);
    let forge = "export GIT_DIR=.joch/ledger.git GIT_INDEX_FILE=forged; rm -f forged; git read-tree evidence && \
                 item=$(git ls-files 'approvals/default/a/*.json') && to=$(echo $item | sed s,default/a/,default/b/,) && \
                 git update-index --add --cacheinfo 100644,$(git rev-parse evidence:$item),$to && \
                 git update-index --add --cacheinfo 100644,$(git rev-parse evidence:$item.sig),$to.sig && \
                 git update-ref refs/heads/evidence $(git commit-tree -S $(git write-tree) -p evidence -m approve)";
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let forged = lab.0.sh("ci", &format!("{}; {forge}", named("ci")));
    assert_eq!(forged.code, 0, "{}", forged.stderr);
    let reason = "it belongs at `approvals/default/a/";
    lab.stopped("ci", &format!("promote b {TO_PROD}"), REFUSED, &["`evidence` is not built on", reason]);
    let verified = lab.0.sh("alice", "joch audit verify");
    assert_eq!(verified.code, REFUSED);
    assert!(verified.stdout.contains("evidence-name: "), "{}", verified.stdout);
}

#[test]
fn a_yes_that_was_signed_for_another_purpose_is_none() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let lab = approved("vote-purpose");
    // Bob's own words, and his own signature; made for Git, and not for evidence. Nobody remembers another.
    let forge = "export GIT_DIR=.joch/ledger.git GIT_INDEX_FILE=forged; rm -f forged .joch/seen.json; \
                 git read-tree evidence && \
                 item=$(git ls-files 'approvals/default/a/*.json') && git cat-file blob evidence:$item > own && \
                 ssh-keygen -q -Y sign -f \"$JOCH_SIGNING_KEY\" -n git own && \
                 git update-index --cacheinfo 100644,$(git hash-object -w own.sig),$item.sig && \
                 git update-ref refs/heads/evidence $(git commit-tree -S $(git write-tree) -p evidence~1 -m approve)";
    let forged = lab.0.sh("bob", &format!("{}; {forge}", named("bob")));
    assert_eq!(forged.code, 0, "{}", forged.stderr);
    lab.stopped(
        "ci",
        &format!("promote a {TO_PROD}"),
        REFUSED,
        &["it was made for `git` and not for `joch-evidence@v1`"],
    );
}

#[test]
fn two_people_who_say_the_same_within_a_second_both_count() {
    let lab = Lab::gated("vote-second");
    lab.file("prod.yaml", &environment("prod", "[\"approval:rm:2\"]"));
    lab.does("alice", "apply -f prod.yaml");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    std::thread::sleep(std::time::Duration::from_nanos(1_000_000_000 - u64::from(now.subsec_nanos())));
    for person in ["alice", "bob"] {
        lab.does(person, &format!("approve a {TO_PROD}"));
    }
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.is_sound();
}
