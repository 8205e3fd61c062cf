//! Versions on hold: what is stopped, by whose word, and who lets it go.

use super::*;
use crate::bypass::CREDENTIALS;

#[test]
fn what_was_rolled_back_from_stays_out_until_somebody_lifts_it() {
    let lab = Lab::gated("hold-back");
    release(&lab, "one");
    release(&lab, "two");
    lab.does("ci", "rollback a --env prod --reason 'v2 leaks'");
    let held = json(&lab, "alice", "get holds");
    assert_eq!(held["items"][0]["hold"]["version"], 2);
    assert_eq!(held["items"][0]["hold"]["release"], "prod/3");
    assert_eq!(held["items"][0]["principal"], "ci@example.com");
    lab.does("alice", &format!("approve a {TO_PROD}"));
    let lift = "joch lift agent a --version 2 --env prod --reason TEXT";
    let reasons =
        ["FAIL  hold", "agent/a v2 is on hold in `prod`", "ci@example.com, rolled back by prod/3: v2 leaks", lift];
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &reasons);
    lab.stopped("ci", "apply -f a.yaml --env prod", REFUSED, &reasons);
    let machine = "`ci@example.com` is an automation: it may hold a version, and a person lets it go";
    lab.stopped("ci", "lift a --version 2 --env prod --reason x", CREDENTIALS, &[machine]);
    lab.does("bob", "lift a --version v2 --env prod --reason 'it was the proxy'");
    assert!(lab.does("bob", "lift a --version 2 --env prod --reason x").contains("unchanged"));
    lab.does("alice", &format!("approve a {TO_PROD}"));
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.does("bob", "hold a --version 2 --env prod --reason 'once more'");
    assert_eq!(json(&lab, "alice", "get holds")["items"].as_array().map(Vec::len), Some(1), "the newest word counts");
    lab.is_sound();
}

#[test]
fn a_hold_by_hand_takes_somebody_with_a_say_and_stops_one_version_in_one_place() {
    let lab = Lab::gated("hold-hand");
    release(&lab, "one");
    lab.file("a.yaml", &agent("a", "two"));
    lab.up("a.yaml", &["a"]);
    let mallory = lab.key("mallory");
    let viewers = format!(
        "{}spec: {{members: [{{user: mallory@example.com, role: viewer, keys: [\"{mallory}\"]}}]}}\n",
        head("Team", "{name: viewers}")
    );
    lab.file("viewers.yaml", &viewers);
    lab.does("alice", "apply -f viewers.yaml");
    let reason = "`mallory@example.com` may not hold anything in `prod`";
    lab.stopped("mallory", "hold a --version 2 --env prod --reason x", CREDENTIALS, &[reason]);
    lab.stopped("bob", "hold a --version 9 --env prod --reason x", 1, &["there is no agent/a v9", "there is v1, v2"]);
    lab.stopped("bob", "hold a --version 2 --env prdo --reason x", 1, &["prdo"]);
    for line in ["hold a --version 2 --env prod --reason ''", "lift a --version 2 --env prod --reason ' - '"] {
        lab.stopped("bob", line, USAGE, &["`--reason` takes a reason", "say why: --reason TEXT"]);
    }
    lab.does("ci", "hold a --version 2 --env prod --reason 'looks odd'");
    assert!(lab.does("ci", "hold a --version 2 --env prod --reason x").contains("unchanged"));
    lab.does("alice", &format!("approve a {TO_PROD}"));
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["on hold in `prod`", "looks odd"]);
    lab.stopped("mallory", "lift a --version 2 --env prod --reason x", CREDENTIALS, &["may not lift anything"]);
    lab.file("a.yaml", &agent("a", "three"));
    release(&lab, "three");
    lab.does("alice", "hold a --version 3 --reason 'everywhere'");
    lab.file("a.yaml", &agent("a", "four"));
    lab.does("ci", "apply -f a.yaml");
    lab.file("a.yaml", &agent("a", "three"));
    lab.stopped("ci", "apply -f a.yaml", REFUSED, &["agent/a v3 is on hold in every environment"]);
    lab.does("alice", "lift a --version 3 --env local --reason 'to look at it'");
    lab.does("ci", "apply -f a.yaml");
    lab.is_sound();
}

#[test]
fn a_shared_resource_that_was_rolled_back_is_held_in_whatever_closure_it_comes() {
    let lab = Lab::new("hold-shared");
    let on_model = |name: &str, words: &str| {
        head("Agent", &format!("{{name: {name}}}")) + &format!("spec: {{model: m, instructions: {words}}}\n")
    };
    let model = |name: &str| head("Model", "{name: m}") + &format!("spec: {{provider: openai, model: {name}}}\n");
    lab.file("a.yaml", &[on_model("a", "one"), model("good")].join("---\n"));
    lab.up("a.yaml", &["a"]);
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.file("m.yaml", &model("bad"));
    for rung in ["local", "dev", "staging", "prod"] {
        lab.does("ci", &format!("apply -f m.yaml --env {rung}"));
    }
    lab.does("bob", "rollback model m --env prod --reason 'it is slow'");
    assert!(lab.does("bob", "get holds").contains("model/m"));
    lab.stopped("ci", &format!("promote model m {TO_PROD}"), REFUSED, &["model/m v2 is on hold in `prod`"]);
    // It comes as a member of another agent, too.
    lab.file("b.yaml", &on_model("b", "one"));
    lab.up("b.yaml", &["b"]);
    lab.stopped("ci", &format!("promote b {TO_PROD}"), REFUSED, &["model/m v2 is on hold in `prod`", "it is slow"]);
    lab.does("bob", "lift model m --version 2 --env prod --reason 'it was the network'");
    lab.does("ci", &format!("promote b {TO_PROD}"));
    lab.is_sound();
}

#[test]
fn a_child_on_hold_keeps_its_parent_out() {
    let lab = Lab::new("hold-child");
    lab.file("kid.yaml", &agent("kid", "one"));
    lab.file("dad.yaml", &crate::bypass::parent("dad", "kid"));
    lab.does("ci", "apply -f kid.yaml");
    lab.up("dad.yaml", &["dad"]);
    lab.does("bob", "hold kid --version 1 --env prod --reason 'tells secrets'");
    lab.stopped("ci", &format!("promote dad {TO_PROD}"), REFUSED, &["agent/kid v1 is on hold", "tells secrets"]);
    lab.is_sound();
}

#[test]
fn the_hold_of_somebody_who_may_not_say_so_does_not_count_and_is_found() {
    let lab = Lab::new("hold-forged");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    let mallory = lab.key("mallory");
    let team = |role: &str| {
        format!(
            "{}spec: {{members: [{{user: mallory@example.com, role: {role}, keys: [\"{mallory}\"]}}]}}\n",
            head("Team", "{name: others}")
        )
    };
    lab.file("others.yaml", &team("approver"));
    lab.does("alice", "apply -f others.yaml");
    assert_eq!(lab.0.sh("alice", "cp -r .joch/ledger.git ../elsewhere.git").code, 0);
    lab.file("others.yaml", &team("viewer"));
    lab.does("alice", "apply -f others.yaml");
    let line = "rm -f .joch/seen.json; JOCH_LEDGER=../elsewhere.git joch hold a --version 1 --env prod --reason mine";
    let outcome = lab.0.sh("mallory", line);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    lab.git("fetch -q ../elsewhere.git refs/heads/evidence:refs/heads/evidence");
    let verified = lab.0.sh("alice", "rm -f .joch/seen.json; joch audit verify");
    assert_eq!(verified.code, REFUSED, "{}", verified.stdout);
    let why = "`mallory@example.com` signed it, who may not say so of agent/a";
    assert!(verified.stdout.contains("role: ") && verified.stdout.contains(why), "{}", verified.stdout);
    lab.does("ci", &format!("promote a {TO_PROD}"));
}
