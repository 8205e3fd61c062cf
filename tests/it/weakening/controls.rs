//! Controls in an environment: what asks for less waits for the admins, whichever verb brings it.

use super::*;

fn budget(most: &str) -> String {
    format!("{}spec: {{limits: {{dailyUsd: {most}}}}}\n", head("Budget", "daily"))
}

#[test]
fn a_budget_that_allows_more_waits_for_the_admins_in_a_gated_environment_and_nowhere_else() {
    let lab = Lab::new("control-budget");
    lab.file("dev.yaml", &environment("dev", "gates: []"));
    lab.file("staging.yaml", &environment("staging", "gates: [policy]"));
    lab.does("alice", "apply -f dev.yaml -f staging.yaml");
    lab.file("budget.yaml", &budget("10"));
    lab.does("ci", "apply -f budget.yaml");
    lab.does("ci", "apply -f budget.yaml --env dev");
    lab.does("ci", "apply -f budget.yaml --env staging");
    lab.file("budget.yaml", &budget("20"));
    lab.does("ci", "apply -f budget.yaml");
    lab.does("ci", "apply -f budget.yaml --env dev");
    let why = &["weakening", "budget/daily: `spec.limits.dailyUsd` was 10 and is 20; 0 of 2 admins agree"];
    lab.stopped("ci", "apply -f budget.yaml --env staging", PENDING, why);
    let attempt = lab.newest("waiting");
    lab.does("alice", &format!("approvals decide {attempt} --decision approve"));
    lab.stopped("ci", "apply -f budget.yaml --env staging", PENDING, &["1 of 2 admins agree"]);
    lab.does("bob", &format!("approvals decide {attempt} --decision approve"));
    lab.does("ci", "apply -f budget.yaml --env staging");
    lab.file("budget.yaml", &budget("5"));
    lab.does("ci", "apply -f budget.yaml --env staging");
    lab.stopped("ci", "delete budget daily --env staging", PENDING, &["budget/daily: it is taken away"]);
    lab.is_sound();
}

#[test]
fn a_control_that_changes_alone_is_guarded_where_only_the_deployment_of_some_agent_demands_something() {
    let lab = Lab::new("control-guards");
    lab.file("dev.yaml", &environment("dev", "gates: []"));
    lab.does("alice", "apply -f dev.yaml");
    let policy = |rules: &str| format!("{}spec: {{rules: [{rules}]}}\n", head("Policy", "p"));
    let rule = "{when: {env: x}, action: {deny: true}}";
    let deployment = "spec: {agentRef: a, environmentRef: dev, promotion: {requiresApproval: admins}}";
    lab.file("d.yaml", &format!("{}{deployment}\n", head("Deployment", "d")));
    lab.file("budget.yaml", &budget("10"));
    lab.file("p.yaml", &policy(rule));
    lab.does("ci", "apply -f budget.yaml -f p.yaml --env dev");
    // As long as nobody demands anything, nothing is guarded.
    lab.file("budget.yaml", &budget("11"));
    lab.does("ci", "apply -f budget.yaml --env dev");
    lab.file("a.yaml", &format!("{}spec: {{instructions: x}}\n", head("Agent", "a")));
    lab.does("ci", "apply -f a.yaml -f p.yaml");
    lab.does("ci", "promote a --from local --to dev");
    lab.stopped("ci", "apply -f d.yaml --env dev", PENDING, &["approval:admins"]);
    let attempt = lab.newest("waiting");
    lab.does("alice", &format!("approvals decide {attempt} --decision approve"));
    lab.does("ci", "apply -f d.yaml --env dev");
    lab.file("budget.yaml", &budget("20"));
    lab.stopped("ci", "apply -f budget.yaml --env dev", PENDING, &["`spec.limits.dailyUsd` was 11 and is 20"]);
    lab.file("p.yaml", &policy(""));
    lab.stopped("ci", "apply -f p.yaml --env dev", PENDING, &["weakening", "policy/p"]);
    lab.stopped("ci", "delete policy p --env dev", PENDING, &["policy/p: it is taken away"]);
    lab.does("ci", "apply -f p.yaml");
    lab.stopped("ci", "promote policy/p --from local --to dev", PENDING, &["weakening", "policy/p"]);
    // What asks for more waits for nobody.
    lab.file("budget.yaml", &budget("5"));
    lab.does("ci", "apply -f budget.yaml --env dev");
    lab.is_sound();
}

#[test]
fn an_admin_who_asks_counts_as_one() {
    let lab = Lab::new("control-admin");
    lab.file("staging.yaml", &environment("staging", "gates: [policy]"));
    lab.does("alice", "apply -f staging.yaml");
    lab.file("budget.yaml", &budget("10"));
    lab.does("alice", "apply -f budget.yaml --env staging");
    lab.file("budget.yaml", &budget("20"));
    lab.stopped("alice", "apply -f budget.yaml --env staging", PENDING, &["1 of 2 admins agree"]);
    let attempt = lab.newest("waiting");
    lab.does("bob", &format!("approvals decide {attempt} --decision reject"));
    lab.stopped("alice", "apply -f budget.yaml --env staging", REFUSED, &["the admin bob@example.com rejected it"]);
    lab.is_sound();
}

#[test]
fn a_policy_that_loses_a_rule_is_seen_in_the_agent_that_it_binds() {
    let lab = Lab::new("control-policy");
    lab.file("dev.yaml", &environment("dev", "gates: [\"approval:admins\"]"));
    lab.does("alice", "apply -f dev.yaml");
    let policy = |rules: &str| format!("{}spec: {{rules: [{rules}]}}\n", head("Policy", "p"));
    let (one, two) = ("{when: {env: x}, action: {deny: true}}", "{when: {env: y}, action: {deny: true}}");
    lab.file("p.yaml", &policy(&format!("{one}, {two}")));
    lab.file("a.yaml", &format!("{}spec: {{instructions: x, policies: [p]}}\n", head("Agent", "a")));
    lab.does("ci", "apply -f p.yaml -f a.yaml");
    lab.does("alice", "approve a --from local --to dev");
    lab.does("ci", "promote a --from local --to dev");
    lab.file("p.yaml", &policy(one));
    lab.does("ci", "apply -f p.yaml");
    lab.does("alice", "approve a --from local --to dev");
    let why = "policy/p: `spec.rules.1` was";
    lab.stopped("ci", "promote a --from local --to dev", PENDING, &[why, "1 of 2 admins agree", "PASS"]);
    lab.does("bob", "approve a --from local --to dev");
    lab.does("ci", "promote a --from local --to dev");
    let record = lab.0.sh("alice", "git --git-dir .joch/ledger.git show dev:agents/default/a/record.json").stdout;
    assert!(record.contains("\"control-weakened\""), "{record}");
    lab.is_sound();
}

#[test]
fn an_environment_asks_more_of_some_classes_of_change() {
    let lab = Lab::new("control-classes");
    let gates = "gates: [], changeClasses: {capability-widened: [\"approval:admins\"]}";
    lab.file("dev.yaml", &environment("dev", gates));
    lab.does("alice", "apply -f dev.yaml");
    let agent = |words: &str, more: &str| format!("{}spec: {{instructions: {words}{more}}}\n", head("Agent", "a"));
    lab.file("a.yaml", &agent("x", ""));
    lab.does("ci", "apply -f a.yaml");
    lab.stopped("ci", "promote a --from local --to dev", PENDING, &["approval:admins"]);
    lab.does("alice", "approve a --from local --to dev");
    lab.does("ci", "promote a --from local --to dev");
    lab.file("a.yaml", &agent("y", ""));
    lab.does("ci", "apply -f a.yaml");
    lab.does("ci", "promote a --from local --to dev");
    lab.file("a.yaml", &agent("y", ", handoffs: {allowedAgents: [b]}"));
    lab.does("ci", "apply -f a.yaml");
    let told = lab.ends("ci", "promote a --from local --to dev -o json", PENDING, &["capability-widened"]).stdout;
    assert!(told.contains("environment/dev changeClasses capability-widened"), "{told}");
    lab.is_sound();
    lab.file("dev.yaml", &environment("dev", "gates: [], changeClasses: {capability-widend: [policy]}"));
    let refused = lab.0.sh("alice", "joch apply -f dev.yaml");
    assert!(refused.code != 0, "a class that nobody knows: {}", refused.stdout);
}

#[test]
fn an_agent_that_is_deleted_and_comes_back_is_held_against_what_it_was() {
    let lab = Lab::new("control-returns");
    lab.file("staging.yaml", &environment("staging", "gates: [policy]"));
    lab.does("alice", "apply -f staging.yaml");
    lab.file(
        "p.yaml",
        &format!("{}spec: {{rules: [{{when: {{env: x}}, action: {{deny: true}}}}]}}\n", head("Policy", "p")),
    );
    lab.file("a.yaml", &format!("{}spec: {{instructions: x, policies: [p]}}\n", head("Agent", "a")));
    lab.does("ci", "apply -f p.yaml -f a.yaml --env staging");
    lab.file("a.yaml", &format!("{}spec: {{instructions: x}}\n", head("Agent", "a")));
    let why = &["weakening", "it no longer binds agent/a"];
    lab.stopped("ci", "apply -f a.yaml --env staging", PENDING, why);
    lab.does("ci", "delete agent a --env staging");
    lab.stopped("ci", "apply -f a.yaml --env staging", PENDING, why);
    lab.is_sound();
}

#[test]
fn a_control_that_is_rolled_back_is_weighed_and_an_agent_is_not() {
    let lab = Lab::new("control-back");
    lab.file("staging.yaml", &environment("staging", "gates: [policy]"));
    lab.does("alice", "apply -f staging.yaml");
    let policy = |rules: &str| format!("{}spec: {{rules: [{rules}]}}\n", head("Policy", "p"));
    let (one, two) = ("{when: {env: x}, action: {deny: true}}", "{when: {env: y}, action: {deny: true}}");
    lab.file("p.yaml", &policy(one));
    lab.file("a.yaml", &format!("{}spec: {{instructions: x, policies: [p]}}\n", head("Agent", "a")));
    lab.does("ci", "apply -f p.yaml -f a.yaml --env staging");
    lab.file("p.yaml", &policy(&format!("{one}, {two}")));
    lab.does("ci", "apply -f p.yaml --env staging");
    lab.stopped("ci", "rollback policy p --env staging --to-version 1", PENDING, &["weakening", "policy/p"]);
    lab.does("ci", "rollback agent a --env staging --to-version 1");
    lab.is_sound();
}

#[test]
fn what_explain_is_asked_to_demand_is_judged_as_by_promote() {
    let lab = Lab::new("explain-require");
    lab.file("a.yaml", &format!("{}spec: {{instructions: x}}\n", head("Agent", "a")));
    lab.does("ci", "apply -f a.yaml");
    lab.ends("ci", "explain a --from local --to dev", 0, &["nothing is missing"]);
    let missing = &["approval:admins", "alice@example.com or bob@example.com"];
    lab.ends("ci", "explain a --from local --to dev --require approval:admins", 0, missing);
    lab.ends("ci", "explain a --from local --to dev --require nonsense", 64, &["nonsense"]);
}
