//! Whose yes counts, on what, and how long.

use super::*;

#[test]
fn an_author_does_not_approve_what_an_automation_applies_for_them() {
    let lab = Lab::gated("author-apply");
    lab.file("a.yaml", &agent("a", "one"));
    lab.does("bob", "apply -f a.yaml");
    lab.stopped("ci", "apply -f a.yaml --env prod", PENDING, &["0 of 1 approvals of team rm"]);
    lab.does("bob", &format!("approvals decide {} --decision approve", lab.waiting("a")));
    let reason = "bob@example.com: an author of the change does not approve it";
    lab.stopped("ci", "apply -f a.yaml --env prod", PENDING, &[reason, "alice@example.com can approve"]);
    lab.does("alice", &format!("approvals decide {} --decision approve", lab.waiting("a")));
    lab.does("ci", "apply -f a.yaml --env prod");
    lab.is_sound();
}

#[test]
fn an_author_does_not_approve_what_an_automation_promotes_for_them() {
    let lab = Lab::gated("author-promote");
    lab.file("a.yaml", &agent("a", "one"));
    lab.does("bob", "apply -f a.yaml");
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("approve a {TO_PROD}"));
    let reason = "bob@example.com: an author of the change does not approve it";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), PENDING, &[reason]);
    lab.is_sound();
}

#[test]
fn an_author_of_a_deployment_or_an_eval_alone_does_not_approve_it() {
    let lab = Lab::gated("author-record");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    let eval = head("Eval", "{name: d}")
        + "spec: {target: {kind: Agent, name: a}, dataset: {type: file, uri: ./c.jsonl}, \
           metrics: [{name: success, type: llm_judge}], thresholds: {success: 0.85}}\n";
    lab.file("c.jsonl", "{\"input\":\"x\"}\n");
    for (kind, text) in [("deployment", deployment("d", "a", ", replicas: 1")), ("eval", eval)] {
        lab.file("record.yaml", &text);
        lab.does("bob", "apply -f record.yaml --env staging");
        lab.does("bob", &format!("approve {kind} d {TO_PROD}"));
        let reason = "bob@example.com: an author of the change does not approve it";
        lab.stopped("ci", &format!("promote {kind} d {TO_PROD}"), PENDING, &[reason]);
    }
    lab.is_sound();
}

#[test]
fn an_author_of_a_child_does_not_approve_its_parent() {
    let lab = Lab::gated("author-child");
    lab.file("kid.yaml", &agent("kid", "one"));
    lab.file("dad.yaml", &parent("dad", "kid"));
    lab.does("bob", "apply -f kid.yaml");
    lab.up("dad.yaml", &["dad"]);
    lab.does("bob", &format!("approve dad {TO_PROD}"));
    let reason = "bob@example.com: an author of the change does not approve it";
    lab.stopped("ci", &format!("promote dad {TO_PROD}"), PENDING, &[reason]);
    lab.is_sound();
}

#[test]
fn a_word_of_somebody_who_may_not_speak_is_not_written() {
    let lab = Lab::gated("no-voice");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    let before = lab.tip("evidence");
    lab.stopped("ci", &format!("approve a {TO_PROD}"), CREDENTIALS, &["is an automation, and its word never counts"]);
    for verb in ["approve", "reject", "promote"] {
        let reason = "trust lists no principal for your key";
        lab.stopped("mallory", &format!("{verb} a {TO_PROD}"), CREDENTIALS, &[reason]);
    }
    assert_eq!(lab.tip("evidence"), before);
    lab.is_sound();
}

#[test]
fn a_decision_on_one_attempt_is_none_on_another_of_the_same_second() {
    let lab = Lab::gated("same-second");
    lab.file("ab.yaml", &[agent("a", "one"), agent("b", "two")].join("---\n"));
    lab.up("ab.yaml", &["a", "b"]);
    // Begun with a second, both attempts end in it, unless the machine is very busy.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    std::thread::sleep(std::time::Duration::from_nanos(1_000_000_000 - u64::from(now.subsec_nanos())));
    lab.0.sh("ci", &format!("joch promote a {TO_PROD} & joch promote b {TO_PROD}; wait"));
    lab.does("bob", &format!("approvals decide {} --decision approve", lab.waiting("a")));
    lab.stopped("ci", &format!("promote b {TO_PROD}"), PENDING, &["0 of 1 approvals of team rm"]);
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.is_sound();
}

#[test]
fn an_approval_from_before_a_rollback_does_not_release_again_what_was_rolled_back() {
    let lab = Lab::gated("replay");
    for words in ["one", "two"] {
        lab.file("a.yaml", &agent("a", words));
        lab.up("a.yaml", &["a"]);
        lab.does("bob", &format!("approve a {TO_PROD}"));
        lab.does("ci", &format!("promote a {TO_PROD}"));
    }
    lab.does("ci", "rollback a --env prod --reason 'v2 is bad'");
    let reason = "it was given before the latest release of this here";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &[reason]);
    assert!(lab.runs("prod", "a/closure/agent.yaml").contains("one"));
    lab.does("bob", &format!("approve a {TO_PROD}"));
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &["agent/a v2 is on hold in `prod`", "v2 is bad"]);
    lab.does("bob", "lift a --version 2 --env prod --reason 'it was the network'");
    lab.does("ci", &format!("promote a {TO_PROD}"));
    assert!(lab.runs("prod", "a/closure/agent.yaml").contains("two"), "a word given anew counts anew");
    lab.is_sound();
}

#[test]
fn a_release_of_another_agent_voids_no_approval() {
    let lab = Lab::gated("shared-model");
    let on_model = |name: &str, words: &str| {
        head("Agent", &format!("{{name: {name}}}")) + &format!("spec: {{model: m, instructions: {words}}}\n")
    };
    let model = head("Model", "{name: m}") + "spec: {provider: openai, model: gpt-4.1}\n";
    lab.file("ab.yaml", &[on_model("a", "one"), on_model("b", "two"), model].join("---\n"));
    lab.up("ab.yaml", &["a", "b"]);
    for name in ["a", "b"] {
        lab.does("bob", &format!("approve {name} {TO_PROD}"));
    }
    for name in ["a", "b"] {
        lab.does("ci", &format!("promote {name} {TO_PROD}"));
    }
    lab.is_sound();
}
