//! Changes of trust: what asks for more needs one admin, what asks for less the quorum of the state before.

use super::*;

#[test]
fn what_asks_for_more_or_for_the_same_needs_one_admin() {
    let lab = Lab::new("trust-stronger");
    lab.does("alice", "apply -f prod.yaml");
    lab.file("prod.yaml", &environment("prod", "gates: [\"approval:admins:2\", policy], soak: 2h, region: eu"));
    lab.does("bob", "apply -f prod.yaml");
    lab.is_sound();
}

#[test]
fn what_asks_for_less_waits_for_the_quorum_and_completes_when_it_is_there() {
    let lab = Lab::new("trust-weaker");
    lab.does("alice", "apply -f prod.yaml");
    lab.file("prod.yaml", &environment("prod", "gates: [\"approval:admins\"], soak: 1m"));
    let dry = &["1 of 2 admins agree (alice@example.com)", "`spec.soak` was 1h and is 1m", "without `--dry-run`"];
    lab.stopped("alice", "apply -f prod.yaml --dry-run", PENDING, dry);
    lab.stopped("alice", "apply -f prod.yaml", PENDING, &["bob@example.com agrees with `joch approvals decide"]);
    lab.stopped("alice", "apply -f prod.yaml", PENDING, &["as proposal"]);
    let list = lab.does("alice", "approvals ls -o json");
    assert_eq!(list.matches("\"requested\"").count(), 1, "the same proposal is not made twice: {list}");
    let proposal = lab.newest("requested");
    lab.stopped("ci", &format!("approvals decide {proposal} --decision approve"), CREDENTIALS, &["only admins decide"]);
    lab.does("bob", &format!("approvals decide {proposal} --decision approve"));
    lab.does("alice", "apply -f prod.yaml");
    lab.does("alice", "apply -f prod.yaml");
    lab.is_sound();
    // Taken back, it needs everybody again: what was said of it is used up.
    lab.file("prod.yaml", &environment("prod", "gates: [\"approval:admins\"], soak: 1h"));
    lab.does("alice", "apply -f prod.yaml");
    lab.file("prod.yaml", &environment("prod", "gates: [\"approval:admins\"], soak: 1m"));
    lab.stopped("alice", "apply -f prod.yaml", PENDING, &["it was used for this change before", "1 of 2 admins agree"]);
    lab.is_sound();
}

#[test]
fn whoever_approved_can_complete_it_and_a_no_stops_it() {
    let lab = Lab::new("trust-complete");
    lab.does("alice", "apply -f prod.yaml");
    lab.file("prod.yaml", &environment("prod", "gates: []"));
    lab.stopped("alice", "apply -f prod.yaml", PENDING, &["`spec.gates"]);
    let proposal = lab.newest("requested");
    lab.does("bob", &format!("approvals decide {proposal} --decision reject --rationale no"));
    lab.stopped("alice", "apply -f prod.yaml", REFUSED, &["the admin `bob@example.com` rejected this change of trust"]);
    lab.does("bob", &format!("approvals decide {proposal} --decision approve --rationale 'after all'"));
    lab.does("bob", "apply -f prod.yaml");
    lab.is_sound();
}

#[test]
fn the_other_admin_reads_what_would_change_before_agreeing() {
    let lab = Lab::new("trust-read");
    lab.does("alice", "apply -f prod.yaml");
    lab.file("prod.yaml", &environment("prod", "gates: [], soak: 1m"));
    lab.stopped("alice", "apply -f prod.yaml --reason 'the gates are slow'", PENDING, &[]);
    let proposal = lab.newest("requested");
    let shown = lab.does("bob", &format!("approvals show {proposal}"));
    let decide = format!("decide: joch approvals decide {} --decision approve", &proposal[..12]);
    for said in ["~ spec.soak", "what asks for less:", "`spec.soak` was 1h and is 1m", "the gates are slow", &decide] {
        assert!(shown.contains(said), "no `{said}` in:\n{shown}");
    }
    assert!(lab.does("bob", "approvals ls --waiting").contains(&proposal[..12]));
    // Trust moves on: nothing can come of it, and nobody can agree to it.
    lab.file("prod.yaml", &environment("prod", "gates: [\"approval:admins\", policy], soak: 2h"));
    lab.does("bob", "apply -f prod.yaml");
    assert!(!lab.does("bob", "approvals ls --waiting").contains(&proposal[..12]));
    let why = "trust has changed since: environment/prod is not what it was";
    lab.ends("bob", &format!("approvals show {proposal}"), 0, &[why, "void"]);
    lab.stopped("bob", &format!("approvals decide {proposal} --decision approve"), REFUSED, &[why]);
}

#[test]
fn what_was_rejected_or_made_no_longer_waits() {
    let lab = Lab::new("trust-over");
    lab.does("alice", "apply -f prod.yaml");
    lab.file("prod.yaml", &environment("prod", "gates: []"));
    lab.stopped("alice", "apply -f prod.yaml", PENDING, &[]);
    let proposal = lab.newest("requested");
    lab.does("bob", &format!("approvals decide {proposal} --decision reject"));
    assert!(!lab.does("bob", "approvals ls --waiting").contains(&proposal[..12]));
    lab.ends("bob", &format!("approvals show {proposal}"), 0, &["void", "the admin bob@example.com rejected it"]);
    lab.does("bob", &format!("approvals decide {proposal} --decision approve"));
    assert!(lab.does("bob", "approvals ls --waiting").contains(&proposal[..12]));
    lab.does("alice", "apply -f prod.yaml");
    assert!(!lab.does("bob", "approvals ls --waiting").contains(&proposal[..12]));
    lab.ends("bob", &format!("approvals show {proposal}"), 0, &["done", "the change was made"]);
}

#[test]
fn one_admin_alone_is_told_what_asks_for_less_and_so_is_who_reads_the_ledger() {
    let lab = Lab::of("trust-told", 1);
    lab.does("alice", "apply -f prod.yaml");
    lab.file("prod.yaml", &environment("prod", "gates: [\"approval:admins\"], soak: 1m"));
    let said = ["asks for less: environment/prod: `spec.soak` was 1h and is 1m", "nothing was released"];
    lab.ends("alice", "apply -f prod.yaml --dry-run", 0, &said[..1]);
    lab.ends("alice", "apply -f prod.yaml", 0, &[said[0], said[1], "agreed by alice@example.com, 1 of 1 admins"]);
    let message = lab.0.sh("alice", "git --git-dir .joch/ledger.git log -1 --format=%B trust").stdout;
    assert!(message.contains("- environment/prod: `spec.soak` was 1h and is 1m"), "{message}");
    lab.file("prod.yaml", &environment("prod", "gates: [\"approval:admins\"]"));
    let json: serde_json::Value = serde_json::from_str(&lab.does("alice", "apply -f prod.yaml -o json")).expect("JSON");
    assert_eq!(json["asksForLess"]["agreed"][0], "alice@example.com", "{json}");
    lab.is_sound();
}

#[test]
fn a_proposal_is_about_exactly_one_change() {
    let lab = Lab::new("trust-exact");
    lab.does("alice", "apply -f prod.yaml");
    lab.file("prod.yaml", &environment("prod", "gates: [\"approval:admins\"], soak: 30m"));
    lab.stopped("alice", "apply -f prod.yaml", PENDING, &[]);
    let proposal = lab.newest("requested");
    lab.does("bob", &format!("approvals decide {proposal} --decision approve"));
    lab.file("prod.yaml", &environment("prod", "gates: [], soak: 30m"));
    let why =
        "not counted: alice@example.com: it was about another change; bob@example.com: it was about another change";
    lab.stopped("alice", "apply -f prod.yaml", PENDING, &[why]);
    lab.file("prod.yaml", &environment("prod", "gates: [\"approval:admins\"], soak: 30m"));
    lab.does("alice", "apply -f prod.yaml");
    lab.is_sound();
}

#[test]
fn neither_a_second_key_nor_an_admin_who_comes_with_the_change_is_another_admin() {
    let lab = Lab::new("trust-keys");
    lab.0.sh("alice", "ssh-keygen -q -t ed25519 -N '' -C '' -f second");
    let second = lab.key_at("second.pub");
    let with = lab.teams("").replacen("role: admin, keys: [", &format!("role: admin, keys: [\"{second}\", "), 1);
    lab.file("teams.yaml", &with);
    lab.stopped("alice", "apply -f teams.yaml", PENDING, &["keys"]);
    let proposal = lab.newest("requested");
    lab.does("bob", &format!("approvals decide {proposal} --decision approve"));
    lab.does("alice", "apply -f teams.yaml");
    // Alice has two keys now, and stays one admin.
    let mallory = lab.key("mallory");
    let more = format!("  - {{user: mallory@example.com, role: admin, keys: [\"{mallory}\"]}}\n");
    lab.file("teams.yaml", &format!("{with}{more}"));
    lab.stopped("alice", "apply -f teams.yaml", PENDING, &["1 of 2 admins agree"]);
    let proposal = lab.newest("requested");
    lab.does("alice", &format!("approvals decide {proposal} --decision approve --key second"));
    lab.stopped("alice", "apply -f teams.yaml", PENDING, &["1 of 2 admins agree (alice@example.com)"]);
    let stranger = lab.0.sh("mallory", &format!("joch approvals decide {proposal} --decision approve"));
    assert_eq!(stranger.code, CREDENTIALS, "{}", stranger.stderr);
    lab.does("bob", &format!("approvals decide {proposal} --decision approve"));
    lab.does("alice", "apply -f teams.yaml");
    lab.is_sound();
}

#[test]
fn the_quorum_is_raised_by_one_admin_and_lowered_by_all_that_it_needs() {
    let lab = Lab::new("trust-quorum");
    lab.stopped("alice", "trust quorum 3", 64, &["it is from 1 to 2, the admins"]);
    lab.stopped("ci", "trust quorum 1", CREDENTIALS, &["is no admin"]);
    lab.stopped("alice", "trust quorum 1", PENDING, &["`quorum` was 2 and is 1", "1 of 2 admins agree"]);
    let proposal = lab.newest("requested");
    lab.does("bob", &format!("approvals decide {proposal} --decision approve"));
    lab.does("alice", "trust quorum 1");
    lab.does("alice", "trust quorum 2");
    lab.stopped("alice", "trust quorum 1", PENDING, &["it was used for this change before"]);
    lab.is_sound();
}

#[test]
fn an_admin_does_not_get_rid_of_the_other_alone() {
    let lab = Lab::new("trust-alone");
    let bob = lab.key("bob");
    let without: String =
        lab.teams("").lines().filter(|line| !line.contains(&bob)).map(|line| format!("{line}\n")).collect();
    lab.file("teams.yaml", &without);
    lab.stopped("alice", "apply -f teams.yaml", PENDING, &["2 admins had to agree, and 1 would"]);
    lab.stopped("alice", "delete team admins", REFUSED, &["nobody could change trust again"]);
    lab.is_sound();
}

#[test]
fn a_set_with_a_weaker_record_of_trust_stops_whole() {
    let lab = Lab::new("trust-set");
    lab.does("alice", "apply -f prod.yaml");
    lab.file("prod.yaml", &environment("prod", "gates: []"));
    lab.file("a.yaml", &format!("{}spec: {{instructions: x}}\n", head("Agent", "a")));
    lab.stopped("alice", "apply -f prod.yaml -f a.yaml", PENDING, &["nothing was changed, as proposal"]);
    let proposal = lab.newest("requested");
    lab.does("bob", &format!("approvals decide {proposal} --decision approve"));
    lab.does("alice", "apply -f prod.yaml -f a.yaml");
    lab.does("alice", "get agent a --env local");
    lab.is_sound();
}
