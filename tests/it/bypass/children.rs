//! Agents within agents: what a parent carries, and what a child reaches.

use super::*;

#[test]
fn promoting_and_rolling_back_a_child_reaches_its_parents() {
    let lab = Lab::new("child");
    let child = |lab: &Lab, rung: &str| lab.runs(rung, "dad/closure/agents/kid/agent.yaml");
    for words in ["one", "two"] {
        lab.file("kid.yaml", &agent("kid", words));
        lab.file("dad.yaml", &parent("dad", "kid"));
        lab.does("ci", "apply -f kid.yaml -f dad.yaml");
        lab.does("ci", "promote kid --from local --to dev");
        lab.0.sh("ci", "joch promote dad --from local --to dev");
        assert!(child(&lab, "dev").contains(words), "{}", child(&lab, "dev"));
    }
    lab.does("ci", "rollback kid --env dev --to-version 1");
    assert!(lab.runs("dev", "kid/closure/agent.yaml").contains("one"));
    assert!(child(&lab, "dev").contains("one"), "{}", child(&lab, "dev"));
    lab.is_sound();
}

#[test]
fn a_promoted_child_is_released_in_its_parents_in_the_same_release() {
    let lab = Lab::new("child-promoted");
    lab.file("kid.yaml", &agent("kid", "one"));
    lab.file("dad.yaml", &parent("dad", "kid"));
    lab.does("ci", "apply -f kid.yaml -f dad.yaml");
    lab.does("ci", "promote kid --from local --to dev");
    lab.does("ci", "promote dad --from local --to dev");
    lab.file("kid.yaml", &agent("kid", "two"));
    lab.does("ci", "apply -f kid.yaml");
    lab.does("ci", "promote kid --from local --to dev");
    assert!(lab.runs("dev", "dad/closure/agents/kid/agent.yaml").contains("two"));
    lab.is_sound();
}

#[test]
fn a_parent_does_not_smuggle_a_child_past_its_gate() {
    let lab = Lab::new("smuggle");
    lab.file("kid.yaml", &agent("kid", "one"));
    lab.file("dad.yaml", &parent("dad", "kid"));
    lab.file("d.yaml", &deployment("kid-prod", "kid", ", promotion: {requiresApproval: rm}"));
    lab.does("ci", "apply -f kid.yaml -f dad.yaml -f d.yaml");
    for (from, to) in [("local", "dev"), ("dev", "staging")] {
        lab.does("ci", &format!("promote kid --from {from} --to {to}"));
        lab.does("ci", &format!("promote dad --from {from} --to {to}"));
    }
    let reason = "0 of 1 approvals of team rm";
    lab.stopped("ci", &format!("promote kid {TO_PROD}"), PENDING, &[reason]);
    lab.stopped("ci", &format!("promote dad {TO_PROD}"), PENDING, &[reason]);
    lab.stopped("ci", "apply -f kid.yaml -f dad.yaml -f d.yaml --env prod", PENDING, &[reason]);
    lab.is_sound();
}

#[test]
fn a_ring_of_children_over_several_applies_is_refused_and_printed() {
    let lab = Lab::new("ring");
    lab.file("leaf.yaml", &agent("b", "leaf"));
    lab.file("a.yaml", &parent("a", "b"));
    lab.file("b.yaml", &parent("b", "a"));
    lab.does("ci", "apply -f leaf.yaml");
    lab.does("ci", "apply -f a.yaml");
    let outcome = lab.stopped("ci", "apply -f b.yaml", REFUSED, &["agent/b → agent/a → agent/b", "take one child out"]);
    assert!(!outcome.stderr.contains("panicked"));
    lab.is_sound();
}

#[test]
fn a_rollback_of_a_child_is_free_only_for_parents_that_served_in_that_form() {
    let lab = Lab::gated("child-rollback");
    lab.file("kid.yaml", &agent("kid", "one"));
    lab.file("dad.yaml", &parent("dad", "kid"));
    let release = |files: &str, agents: &[&str]| {
        lab.does("ci", &format!("apply {files}"));
        for agent in agents {
            lab.does("ci", &format!("promote {agent} --from local --to dev"));
            lab.does("ci", &format!("promote {agent} --from dev --to staging"));
            lab.does("alice", &format!("approve {agent} {TO_PROD}"));
            lab.does("ci", &format!("promote {agent} {TO_PROD}"));
        }
    };
    release("-f kid.yaml -f dad.yaml", &["kid", "dad"]);
    lab.file("kid.yaml", &agent("kid", "two"));
    release("-f kid.yaml", &["kid"]);
    assert!(lab.runs("prod", "dad/closure/agents/kid/agent.yaml").contains("two"));
    lab.file("dad.yaml", &parent("dad", "kid").replace("parent", "another parent"));
    release("-f dad.yaml", &["dad"]);
    lab.stopped("ci", "rollback kid --env prod", PENDING, &["agent/dad", "0 of 1 approvals of team rm"]);
    lab.is_sound();
}
