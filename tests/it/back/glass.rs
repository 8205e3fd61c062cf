//! Breaking glass: who may, how it must be said, what says so afterwards, and who reviews it.

use super::*;
use crate::bypass::CREDENTIALS;

const BREAK: &str = "--override approval:rm --reason 'nobody can log in' --ticket INC-7";

/// A second version waits before `prod`.
fn waiting(name: &str) -> Lab {
    let lab = with_glass(name);
    release(&lab, "one");
    lab.file("a.yaml", &agent("a", "two"));
    lab.up("a.yaml", &["a"]);
    lab
}

#[test]
fn an_override_takes_the_role_a_reason_a_ticket_a_time_and_a_gate_by_name() {
    let lab = waiting("glass-refused");
    let promote = format!("promote a {TO_PROD}");
    let said = "--reason 'nobody can log in' --ticket INC-7";
    for (person, flags, code, reason) in [
        ("alice", BREAK.to_owned(), CREDENTIALS, "`spec.override` of its Environment names bob@example.com"),
        ("ci", BREAK.to_owned(), CREDENTIALS, "an automation overrides no gate"),
        ("mallory", BREAK.to_owned(), CREDENTIALS, "trust lists no principal for your key"),
        ("bob", "--override approval:rm --ticket INC-7".into(), USAGE, "is overridden with a reason"),
        ("bob", "--override approval:rm --reason x".into(), USAGE, "with the ticket or incident"),
        ("bob", "--override approval:rm --reason ' ' --ticket INC-7".into(), USAGE, "is overridden with a reason"),
        ("bob", format!("{BREAK} --expires 5h"), USAGE, "runs out after at most 4 hours"),
        ("bob", format!("{BREAK} --expires 0m"), USAGE, "runs out after at most 4 hours"),
        ("bob", format!("--override aproval:rm {said}"), USAGE, "did you mean `approval`?"),
        ("bob", format!("--override signature {said}"), USAGE, "is no gate that may be overridden"),
        ("bob", format!("--override weakening {said}"), USAGE, "what loosens the gates takes its own approval"),
        ("bob", format!("--override review {said}"), USAGE, "a second person reviews what was overridden before"),
        ("bob", format!("--override regression:tool/x {said}"), USAGE, "`--allow-regression KIND/NAME`"),
    ] {
        lab.stopped(person, &format!("{promote} {flags}"), code, &[reason]);
    }
    for (flags, next) in [
        (format!("{BREAK} --expires 9h"), "next: say `--expires 2h`"),
        (format!("--override nope {said}"), "next: the same command without `--override` tells the gates"),
        (format!("--override weakening {said}"), "next: the same command without `--override weakening` tells who may"),
        (format!("--override regression:tool/x {said}"), "next: say `--allow-regression tool/x`"),
    ] {
        lab.stopped("bob", &format!("{promote} {flags}"), USAGE, &[next]);
    }
    // Another gate than the one that stops it is no use.
    let other = lab.stopped("bob", &format!("{promote} --override freeze {said}"), 3, &["0 of 1 approvals of team rm"]);
    assert!(other.stderr.contains("`freeze` is not overridden: no such gate was asked"), "{}", other.stderr);
    lab.is_sound();
}

#[test]
fn nobody_gives_themselves_the_role_and_uses_it_in_one_step() {
    let lab = waiting("glass-self");
    lab.file("both.yaml", &[glass("[\"approval:rm\"]").replace("bob@", "alice@"), agent("a", "two")].join("---\n"));
    let reason = "`spec.override` of its Environment names bob@example.com";
    lab.stopped("alice", &format!("apply -f both.yaml --env prod {BREAK}"), CREDENTIALS, &[reason]);
    lab.is_sound();
}

#[test]
fn a_gate_that_passes_anyway_is_not_overridden() {
    let lab = waiting("glass-passes");
    lab.does("alice", &format!("approve a {TO_PROD}"));
    let outcome = lab.0.sh("bob", &format!("joch promote a {TO_PROD} {BREAK}"));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("`approval:rm` is not overridden: it passes"), "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("overridden"), "{}", outcome.stdout);
    assert!(!lab.does("bob", "get agents").contains("overridden"));
    lab.is_sound();
}

#[test]
fn a_persons_no_is_not_overridden() {
    let lab = waiting("glass-no");
    lab.does("alice", &format!("reject a {TO_PROD} --rationale 'leaks data'"));
    lab.stopped("bob", &format!("promote a {TO_PROD} {BREAK}"), REFUSED, &["rejected by alice@example.com"]);
    lab.is_sound();
}

#[test]
fn an_override_of_one_gate_leaves_the_others() {
    let lab = waiting("glass-one");
    let line = format!("promote a {TO_PROD} --require budget {BREAK}");
    lab.stopped("bob", &line, REFUSED, &["budget", "overridden by bob@example.com for INC-7"]);
    assert!(!lab.does("bob", "get agents").contains("overridden"), "nothing was released");
    lab.is_sound();
}

#[test]
fn every_listing_says_overridden_until_a_second_person_accepts_it() {
    let lab = waiting("glass-listed");
    let promoted = lab.does("bob", &format!("promote a {TO_PROD} {BREAK} --expires 2h"));
    assert!(promoted.contains("promoted as release prod/2, overridden"), "{promoted}");
    assert!(promoted.contains("(overridden by bob@example.com for INC-7: nobody can log in)"), "{promoted}");
    let listings = [
        "get agents",
        "get agents --env prod",
        "get agents --env prod -o markdown",
        "get agent a --history",
        "get agent a --history --env prod",
        "get releases --env prod",
        "get environments",
        "describe agent a",
        "audit log --env prod",
    ];
    for listing in listings {
        let told = lab.does("alice", listing);
        assert!(told.contains("overridden"), "{listing}\n{told}");
    }
    for full in ["describe release prod/2", "audit prove agent a --env prod"] {
        let told = lab.does("alice", full);
        assert!(
            told.contains("approval:rm by bob@example.com for INC-7: nobody can log in; to be reviewed by"),
            "{told}"
        );
    }
    let record = json(&lab, "alice", "describe release prod/2")["records"][0].clone();
    assert_eq!(record["verdict"], "promoted");
    assert_eq!(record["gates"][0]["verdict"], "pending", "the gate says what it said");
    assert_eq!(record["overrides"][0]["gate"], "approval:rm");
    assert_eq!(record["overrides"][0]["by"], "bob@example.com");
    assert_eq!(record["overrides"][0]["ticket"], "INC-7");
    let trailers = lab.git("log -1 '--format=%(trailers:key=Joch-Override,valueonly)' refs/heads/prod");
    assert_eq!(trailers, "approval:rm INC-7");
    lab.is_sound();

    lab.does("alice", "approvals review prod/2 --rationale 'there was no other way'");
    for listing in listings {
        let told = lab.does("alice", listing);
        assert!(!told.contains("overridden"), "{listing}\n{told}");
    }
    for full in ["describe release prod/2", "audit prove agent a --env prod"] {
        let told = lab.does("alice", full);
        assert!(told.contains("accepted by alice@example.com: there was no other way"), "{told}");
    }
    let again = lab.does("alice", "approvals review prod/2 --rationale 'there was no other way'");
    assert!(again.contains("unchanged"), "{again}");
    lab.is_sound();
}

#[test]
fn only_a_second_person_with_a_say_reviews() {
    let lab = with_glass("glass-review");
    release(&lab, "one");
    // Alice makes the second version, so she is its author; Mallory only reads, until she approves.
    lab.file("a.yaml", &agent("a", "two"));
    lab.does("alice", "apply -f a.yaml");
    lab.does("alice", "promote a --from local --to dev");
    lab.does("alice", "promote a --from dev --to staging");
    let mallory = lab.key("mallory");
    let readers = |role: &str| {
        format!(
            "{}spec: {{members: [{{user: mallory@example.com, role: {role}, keys: [\"{mallory}\"]}}]}}\n",
            head("Team", "{name: readers}")
        )
    };
    lab.file("readers.yaml", &readers("viewer"));
    lab.does("alice", "apply -f readers.yaml");
    lab.does("bob", &format!("promote a {TO_PROD} {BREAK}"));
    let review = "approvals review prod/2 --rationale fine";
    let silent = "approvals review prod/2 --rationale ' '";
    lab.stopped("mallory", silent, USAGE, &["`--rationale` takes a reason", "say why: --rationale TEXT"]);
    for (person, reason) in [
        ("bob", "`bob@example.com` overrode the gate: a second person reviews it"),
        ("ci", "an automation reviews no override"),
        ("alice", "`alice@example.com` is an author of what the release brought: somebody else reviews it"),
        ("mallory", "`mallory@example.com` is no approver, no admin"),
    ] {
        lab.stopped(person, review, CREDENTIALS, &[reason]);
    }
    // Another key of the same person is the same person.
    let teams = std::fs::read_to_string(lab.path("teams.yaml")).expect("written");
    let second = "ssh-keygen -q -t ed25519 -N '' -f ../home/bob/.ssh/second";
    if crate::support::needs(&["ssh-keygen"]) {
        assert_eq!(lab.0.sh("bob", second).code, 0);
        let public = std::fs::read_to_string(lab.0.home("bob").join(".ssh/second.pub")).expect("made");
        let public = public.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let bob = lab.key("bob");
        lab.file("teams.yaml", &teams.replace(&format!("[\"{bob}\"]"), &format!("[\"{bob}\", \"{public}\"]")));
        lab.does("alice", "apply -f teams.yaml");
        let line = format!("--key ../home/bob/.ssh/second {review}");
        lab.stopped("bob", &line, CREDENTIALS, &["`bob@example.com` overrode the gate"]);
    }
    assert!(lab.does("bob", "get agents --env prod").contains("overridden"));
    lab.file("readers.yaml", &readers("approver"));
    lab.does("alice", "apply -f readers.yaml");
    lab.does("mallory", review);
    assert!(!lab.does("bob", "get agents --env prod").contains("overridden"));
    lab.stopped(
        "mallory",
        "approvals review prod/1 --rationale fine",
        1,
        &["no gate was overridden in release prod/1"],
    );
    lab.is_sound();
}

#[test]
fn the_only_person_that_trust_knows_reviews_her_own() {
    let lab = Lab(crate::support::world::World::new("glass-alone"));
    lab.does("alice", "init --operator alice@example.com");
    lab.file("prod.yaml", &glass("[\"agbom:low\", budget]").replace("bob@", "alice@"));
    lab.does("alice", "apply -f prod.yaml");
    lab.file("a.yaml", &agent("a", "one"));
    lab.does("alice", "apply -f a.yaml");
    let broken = "--override budget --override agbom --reason 'at night' --ticket INC-1";
    let line = format!("joch apply -f a.yaml --env prod {broken}");
    let outcome = lab.0.sh("alice", &line);
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    assert!(lab.does("alice", "get agents --env prod").contains("overridden"));
    lab.does("alice", "approvals review prod/1 --rationale 'nobody else is there'");
    assert!(!lab.does("alice", "get agents --env prod").contains("overridden"));
    lab.is_sound();
}

#[test]
fn explain_says_last_who_could_override_and_how() {
    let lab = waiting("glass-explain");
    let told = lab.does("alice", &format!("explain a {TO_PROD}"));
    let last = told.lines().last().expect("lines");
    assert_eq!(last, "in an emergency bob@example.com may add --override approval:rm --reason TEXT --ticket ID");
    lab.does("alice", &format!("reject a {TO_PROD}"));
    let told = lab.does("alice", &format!("explain a {TO_PROD}"));
    assert!(!told.contains("--override"), "a person's no is not overridden\n{told}");
}
