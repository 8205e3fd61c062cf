//! Child agents: what bound one that goes is held against the one that comes.

use super::*;

/// A policy and an agent `desk` that a parent runs, in an environment that demands `gates`.
fn family(name: &str, gates: &str) -> Lab {
    let lab = Lab::new(name);
    lab.file("staging.yaml", &environment("staging", &format!("gates: [{gates}]")));
    lab.does("alice", "apply -f staging.yaml");
    let rule = "{when: {env: x}, action: {deny: true}}";
    lab.file("p.yaml", &format!("{}spec: {{rules: [{rule}]}}\n", head("Policy", "p")));
    lab.file("b.yaml", &format!("{}spec: {{limits: {{dailyUsd: 5}}}}\n", head("Budget", "b")));
    lab.file("child.yaml", &child("desk", "policies: [p], budgetRefs: [b]"));
    lab.file("parent.yaml", &parent("desk"));
    lab.does("ci", "apply -f p.yaml -f b.yaml -f child.yaml -f parent.yaml --env staging");
    lab
}

fn child(name: &str, spec: &str) -> String {
    format!("{}spec: {{instructions: x, {spec}}}\n", head("Agent", name))
}

fn parent(children: &str) -> String {
    format!("{}spec: {{instructions: x, children: [{children}]}}\n", head("Agent", "lead"))
}

#[test]
fn a_child_that_is_renamed_does_not_lose_its_controls_unseen() {
    let lab = family("child-renamed", "policy");
    lab.file("child.yaml", &child("counter", "policies: []"));
    lab.file("parent.yaml", &parent("counter"));
    lab.does("ci", "apply -f child.yaml --env staging");
    let why = &[
        "weakening",
        "policy/p: it no longer binds what takes the place of agent/desk",
        "budget/b: it no longer binds what takes the place of agent/desk",
        "0 of 2 admins agree",
    ];
    lab.stopped("ci", "apply -f parent.yaml --env staging", PENDING, why);
    // Bound alike, it goes through.
    lab.file("child.yaml", &child("counter", "policies: [p], budgetRefs: [b]"));
    lab.does("ci", "apply -f child.yaml --env staging");
    lab.does("ci", "apply -f parent.yaml --env staging");
    lab.is_sound();
}

#[test]
fn a_child_that_is_dropped_is_no_alarm() {
    let lab = family("child-dropped", "policy, agbom");
    lab.file("parent.yaml", &parent(""));
    lab.does("ci", "apply -f parent.yaml --env staging");
    lab.is_sound();
}

#[test]
fn the_bill_tells_the_policy_that_the_new_child_is_not_bound_by() {
    let lab = family("child-agbom", "agbom");
    lab.file("child.yaml", &child("counter", "policies: []"));
    lab.file("parent.yaml", &parent("counter"));
    lab.does("ci", "apply -f child.yaml --env staging");
    let why =
        "AGB-POL-001 (critical) joch:policy/default/p: it bound agent/desk, now gone, and does not bind agent/counter";
    lab.stopped("ci", "apply -f parent.yaml --env staging", REFUSED, &[why]);
    lab.is_sound();
}
