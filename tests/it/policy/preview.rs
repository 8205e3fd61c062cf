//! A draft before it is applied: whom it would stop, where, and that nothing is written.

use super::*;

#[test]
fn a_draft_shows_what_it_adds_in_every_environment() {
    let office = Office::with("preview", &rule("{tool.name: search}", DENIES));
    let before = office.0.sh("alice", "git -C .joch/ledger.git for-each-ref").stdout;
    let draft = "{rules: [{when: {tool.name: search}, action: {deny: true, reason: not here}}, {when: {tool.name: refund}, action: {deny: true}}]}";
    office.file("draft.yaml", &policy("p", draft));
    let told = office.does("policy preview -f draft.yaml");
    for says in [
        "staging      agent/a  v",
        "1 finding, 1 as now",
        "POL-DENY policy/p",
        "agent/a · tool/refund",
        "dev: 1 of 1 would be stopped; 1 run",
        "prod: 0 of 0 would be stopped; 0 run",
    ] {
        assert!(told.contains(says), "it does not say `{says}`:\n{told}");
    }
    assert!(!told.contains("tool/search"), "what is denied now already is not added:\n{told}");
    assert_eq!(office.tries("policy preview -f draft.yaml --exit-code").code, REFUSED);
    office.file("draft.yaml", &policy("p", &rule("{tool.name: nobody}", DENIES)));
    assert_eq!(office.tries("policy preview -f draft.yaml --exit-code").code, 0);
    assert_eq!(office.0.sh("alice", "git -C .joch/ledger.git for-each-ref").stdout, before, "it wrote something");
    // Whoever has no key may look as well.
    let outcome = office.0.sh("mallory", "joch policy preview -f draft.yaml");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}

#[test]
fn a_draft_binds_by_selector_by_name_and_by_trust_and_nobody_else() {
    let office = Office::new("preview-binds");
    let draft = |selector: &str| {
        policy(
            "q",
            &format!(
                "{{appliesTo: {{agents: {{selector: {{matchLabels: {selector}}}}}}}, rules: [{{when: {{tool.name: refund}}, action: {{deny: true}}}}]}}"
            ),
        )
    };
    let stopped = |text: &str| {
        office.file("draft.yaml", text);
        office.does("policy preview -f draft.yaml -o name")
    };
    assert_eq!(stopped(&draft("{tier: gold}")), "local agent/a\n");
    assert_eq!(stopped(&draft("{tier: gold, env: dev}")), "", "it does not run in dev");
    assert_eq!(stopped(&draft("{tier: silver}")), "");
    assert_eq!(stopped(&policy("q", &rule("{tool.name: refund}", DENIES))), "", "nobody names it");
    let said = office.does("policy preview -f draft.yaml");
    assert!(said.contains("policy/q would apply to no agent that runs"), "{said}");
    office.file("draft.yaml", &draft("{tier: [gold]}"));
    assert_eq!(office.tries("policy preview -f draft.yaml").code, REFUSED, "a draft that cannot be read is refused");
    let outcome = office.tries("policy preview -f a.yaml");
    assert!(outcome.code == REFUSED && outcome.stderr.contains("holds no Policy"), "{}", outcome.stderr);
}

#[test]
fn a_draft_in_rego_is_told_as_a_comment_of_a_pull_request() {
    let office = Office::with("preview-rego", &rule("{tool.name: search}", DENIES));
    let spec = "\n  rego: |\n    package joch.release\n    import rego.v1\n    deny contains \"<b>@all\" if count(input.object.tools) > 1\n";
    office.file("draft.yaml", &policy("p", spec));
    let told = office.does("policy preview -f draft.yaml -o markdown");
    assert!(told.starts_with("**policy/p** would stop 3 of 3 agents it applies to."), "{told}");
    assert!(told.contains("| staging | agent/a |") && told.contains("POL-REGO-DENY"), "{told}");
    assert!(!told.contains("<b>") && !told.contains("@all"), "{told}");
}
