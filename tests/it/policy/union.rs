//! Where policies come from: the candidate's, the target's, those that select, and the imposed; old and new. Deny wins.

use super::*;

#[test]
fn a_policy_that_is_loosened_in_the_same_promotion_still_counts() {
    let office = Office::with("union-old", &rule("{tool.sideEffect: privileged}", DENIES));
    office.passes();
    // The next version has a tool that says nothing of its effects, and a policy that allows it.
    office.file("p.yaml", &policy("p", &rule("{tool.sideEffect: code_execution}", DENIES)));
    office.file(
        "tools.yaml",
        &[REFUND, "apiVersion: joch.dev/v1alpha1\nkind: Tool\nmetadata: {name: search}\nspec: {type: rest}\n"]
            .join("---\n"),
    );
    office.does("apply -f .");
    office.up();
    office.stopped(
        REFUSED,
        &["POL-DENY policy/p", "agent/a · tool/search: it is denied where `tool.sideEffect` is privileged"],
    );
}

#[test]
fn a_policy_that_is_dropped_in_the_same_promotion_still_counts() {
    let office = Office::with("union-dropped", &rule("{tool.name: shell}", DENIES));
    office.passes();
    let shell = "apiVersion: joch.dev/v1alpha1\nkind: Tool\nmetadata: {name: shell}\nspec: {type: os, sideEffects: {level: read_only}}\n";
    office.file("tools.yaml", &[REFUND, SEARCH, shell].join("---\n"));
    office.file("a.yaml", &agent("").replace("refund, search", "refund, search, shell"));
    office.does("apply -f .");
    office.up();
    office.stopped(REFUSED, &["POL-DENY policy/p", "agent/a · tool/shell"]);
}

#[test]
fn a_policy_of_the_target_selects_by_the_target_and_not_by_the_label_the_agent_gives_itself() {
    let office = Office::new("union-selects");
    let spec = "{appliesTo: {agents: {selector: {matchLabels: {env: prod}}}}, rules: [{when: {tool.name: refund}, action: {deny: true}}]}";
    office.file("p.yaml", &policy("p", spec));
    office.file("a.yaml", &agent("").replace("tier: gold", "tier: gold, env: dev"));
    office.does("apply -f a.yaml");
    office.up();
    // The catalog of `prod` gets it on its own: rung by rung.
    office.does("apply -f p.yaml");
    for (from, to) in [("local", "dev"), ("dev", "staging"), ("staging", "prod")] {
        office.does(&format!("promote policy p --from {from} --to {to}"));
    }
    office.stopped(REFUSED, &["POL-DENY policy/p", "agent/a · tool/refund"]);
}

#[test]
fn what_trust_imposes_judges_too() {
    let office = Office::new("union-imposed");
    office.up();
    office.file("p.yaml", &policy("p", &rule("{tool.name: refund, env: prod}", DENIES)));
    office.file("prod.yaml", &environment("{gates: [policy], policies: [p]}"));
    office.does("apply -f prod.yaml -f p.yaml");
    office.stopped(REFUSED, &["POL-DENY policy/p", "`env` is prod (the target)"]);
}

#[test]
fn one_content_from_several_places_is_judged_once() {
    let office = Office::with("union-once", &rule("{tool.name: refund}", DENIES));
    office.file("prod.yaml", &environment("{gates: [policy], policies: [p]}"));
    office.does("apply -f prod.yaml -f p.yaml");
    let json = office.tries("promote a --from staging --to prod --dry-run -o json").stdout;
    let answer: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(answer["agents"][0]["gates"][0]["observed"], "1 violation", "{answer:#}");
}
