//! What an admin who knows Git can write to the trust branch, and how it is seen.

use super::*;
use crate::audit::forge::{forge, found};
use crate::support::needs;

/// A lab with `prod`, in which Alice writes a weaker `prod` by hand; `message` ends her commit.
fn forged(name: &str, message: &str) -> Option<Lab> {
    if !needs(&["ssh-keygen"]) {
        return None;
    }
    let lab = Lab::new(name);
    lab.does("alice", "apply -f prod.yaml");
    by_hand(&lab, message);
    Some(lab)
}

fn by_hand(lab: &Lab, message: &str) {
    let script = format!(
        "take trust; edit environments/prod.yaml s/1h/1m/; printf '%b' 'change trust\\n\\nJoch-Event: trust\\n\
         Joch-Operator: alice@example.com\\n{message}' | add trust"
    );
    lab.0.sh("alice", "rm -f .joch/seen.json");
    forge(&lab.0, "alice", &script);
}

#[test]
fn a_weaker_commit_of_one_admin_is_found_and_nobody_writes_on_it() {
    let Some(lab) = forged("forged-alone", "") else { return };
    assert_eq!(found(&lab.0), ["trust-quorum"]);
    lab.ends(
        "alice",
        "audit verify",
        REFUSED,
        &["it asks for less, which needs 2 admins", "git update-ref refs/heads/trust"],
    );
    lab.file("a.yaml", &format!("{}spec: {{instructions: x}}\n", head("Agent", "a")));
    lab.stopped("ci", "apply -f a.yaml", REFUSED, &["the trust branch cannot be believed", "needs 2 admins"]);
}

#[test]
fn evidence_that_says_nothing_of_the_change_does_not_help() {
    let Some(lab) = forged("forged-cited", "Joch-Evidence: '\"$(git rev-parse heads/evidence)\"'\\n") else { return };
    assert_eq!(found(&lab.0), ["trust-quorum"]);
}

#[test]
fn an_approval_of_another_change_is_no_approval_of_this_one() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let lab = Lab::new("forged-replayed");
    lab.does("alice", "apply -f prod.yaml");
    lab.file("prod.yaml", &environment("prod", "gates: [\"approval:admins\"], soak: 30m"));
    lab.stopped("alice", "apply -f prod.yaml", PENDING, &[]);
    let proposal = lab.newest("requested");
    lab.does("bob", &format!("approvals decide {proposal} --decision approve"));
    lab.does("alice", "apply -f prod.yaml");
    lab.is_sound();
    // The trailers of the honest commit, on a commit that does something else.
    let said = lab.0.sh("alice", "git --git-dir .joch/ledger.git log -1 --format=%B trust").stdout;
    let trailers: Vec<_> =
        said.lines().filter(|line| line.starts_with("Joch-Change") || line.starts_with("Joch-Evidence")).collect();
    assert_eq!(trailers.len(), 2, "{said}");
    lab.0.sh("alice", "rm -f .joch/seen.json");
    let script = format!(
        "take trust; edit environments/prod.yaml s/30m/1m/; printf '%b' 'change trust\\n\\nJoch-Event: trust\\n\
         Joch-Operator: alice@example.com\\n{}\\n' | add trust",
        trailers.join("\\n")
    );
    forge(&lab.0, "alice", &script);
    assert_eq!(found(&lab.0), ["trust-quorum"]);
    lab.ends("alice", "audit verify", REFUSED, &["its trailer `Joch-Change` does not name the change"]);
}
