//! What a set may do to the gates that judge it: add, remove, shadow, or drop what guards.

use super::*;

#[test]
fn a_gate_that_a_set_adds_judges_that_set() {
    let lab = Lab::new("adds-a-gate");
    lab.file("prod.yaml", &environment("prod", "[\"approval:rm\"]"));
    lab.file("a.yaml", &agent("a", "one"));
    let line = "apply -f prod.yaml -f a.yaml --env prod -o json";
    let outcome = lab.stopped("alice", line, PENDING, &["0 of 1 approvals of team rm"]);
    let said: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    for resource in said["resources"].as_array().expect("resources") {
        assert_eq!(resource["change"], "unchanged", "{resource}");
    }
    assert_eq!((&said["release"], &said["trustCommit"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    lab.is_sound();
}

#[test]
fn a_gate_that_a_set_removes_still_judges_that_set() {
    let lab = Lab::gated("removes-a-gate");
    lab.file("prod.yaml", &environment("prod", "[]"));
    lab.file("a.yaml", &agent("a", "one"));
    lab.stopped("alice", "apply -f prod.yaml -f a.yaml --env prod", PENDING, &["0 of 1 approvals of team rm"]);
    lab.is_sound();
}

#[test]
fn gates_written_as_one_string_or_one_map_are_gates() {
    for (name, gates) in [("string", "\"approval:rm\""), ("map", "{gate: \"approval:rm\"}")] {
        let lab = Lab::new(name);
        lab.file("prod.yaml", &environment("prod", gates));
        lab.does("alice", "apply -f prod.yaml");
        lab.file("a.yaml", &agent("a", "one"));
        lab.stopped("ci", "apply -f a.yaml --env prod", PENDING, &["0 of 1 approvals of team rm"]);
        lab.is_sound();
    }
}

#[test]
fn an_environment_of_a_namespace_does_not_shadow_the_one_that_guards() {
    let lab = Lab::gated("namespace-environment");
    let shadow = head("Environment", "{name: prod, namespace: aaa}") + "spec: {gates: []}\n";
    lab.file("shadow.yaml", &shadow);
    lab.stopped(
        "alice",
        "apply -f shadow.yaml",
        REFUSED,
        &["environment/aaa/prod", "environments and teams have no namespace"],
    );
    lab.is_sound();
}

#[test]
fn a_team_of_a_namespace_does_not_speak_for_its_namesake() {
    let lab = Lab::gated("namespace-team");
    let mallory = lab.key("mallory");
    let shadow = head("Team", "{name: rm, namespace: zzz}")
        + &format!("spec: {{members: [{{user: mallory@example.com, role: approver, keys: [\"{mallory}\"]}}]}}\n");
    lab.file("shadow.yaml", &shadow);
    lab.stopped("alice", "apply -f shadow.yaml", REFUSED, &["team/zzz/rm", "environments and teams have no namespace"]);
    lab.is_sound();
}

#[test]
fn an_operator_who_drops_their_own_role_releases_nothing_on_the_way() {
    let lab = Lab::new("drops-own-role");
    let (alice, bob) = (lab.key("alice"), lab.key("bob"));
    // Alice stays known, as an approver; Bob becomes the admin.
    let admins = head("Team", "{name: admins}")
        + &format!(
            "spec:\n  members:\n  - {{user: bob@example.com, role: admin, keys: [\"{bob}\"]}}\n  \
             - {{user: alice@example.com, role: viewer, keys: [\"{alice}\"]}}\n"
        );
    lab.file("admins.yaml", &admins);
    lab.file("a.yaml", &agent("a", "one"));
    lab.stopped(
        "alice",
        "apply -f admins.yaml -f a.yaml --env prod",
        CREDENTIALS,
        &["`alice@example.com` may not write to `prod`"],
    );
    lab.is_sound();
}

#[test]
fn what_an_environment_holds_is_not_taken_for_an_imposed_policy() {
    let lab = Lab::new("imposed");
    lab.file("pii.yaml", &policy("pii", "weak"));
    lab.does("ci", "apply -f pii.yaml");
    let prod = head("Environment", "{name: prod}") + "spec: {gates: [\"approval:rm\"], policies: [pii]}\n";
    lab.file("prod.yaml", &prod);
    lab.stopped("alice", "apply -f prod.yaml", REFUSED, &["pii", "neither in the set nor on trust"]);
    lab.file("strong.yaml", &policy("pii", "strong"));
    lab.does("alice", "apply -f prod.yaml -f strong.yaml");
    assert!(lab.git("show refs/heads/trust:policies/pii.yaml").contains("strong"));
    lab.is_sound();
}

#[test]
fn a_deployment_does_not_take_its_own_gate_away() {
    let lab = Lab::new("deployment-gate");
    let asks = deployment("d", "a", ", promotion: {requiresApproval: rm}");
    lab.file("set.yaml", &[agent("a", "one"), asks].join("---\n"));
    lab.up("set.yaml", &["a"]);
    let reason = "0 of 1 approvals of team rm";
    lab.stopped("ci", &format!("promote a {TO_PROD}"), PENDING, &[reason]);
    lab.does("bob", &format!("approve a {TO_PROD}"));
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.does("ci", "apply -f set.yaml --env staging");
    lab.file("set.yaml", &[agent("a", "two"), deployment("d", "a", "")].join("---\n"));
    lab.stopped("ci", "apply -f set.yaml --env prod", PENDING, &[reason]);
    lab.file("d.yaml", &deployment("d", "a", ""));
    lab.stopped("ci", "apply -f d.yaml --env prod", PENDING, &[reason]);
    lab.file("d.yaml", &[agent("z", "other"), deployment("d", "z", "")].join("---\n"));
    lab.stopped("ci", "apply -f d.yaml --env prod", PENDING, &[reason]);
    lab.stopped("ci", "delete deployment d --env prod", PENDING, &[reason]);
    lab.is_sound();
}

#[test]
fn a_deletion_from_a_gated_environment_is_gated() {
    let lab = Lab::gated("deletion");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("approve a {TO_PROD}"));
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.stopped("ci", "delete agent a --env prod", PENDING, &["0 of 1 approvals of team rm"]);
    lab.is_sound();
}

#[test]
fn no_rung_is_skipped_and_none_is_promoted_downwards() {
    let lab = Lab::gated("rungs");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    for (from, to) in [("dev", "prod"), ("local", "staging"), ("staging", "dev"), ("staging", "staging")] {
        lab.stopped(
            "ci",
            &format!("promote a --from {from} --to {to}"),
            REFUSED,
            &["a promotion climbs one rung of local → dev → staging → prod"],
        );
    }
    lab.is_sound();
}
