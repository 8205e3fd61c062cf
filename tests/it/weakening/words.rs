//! What asks for less is told in words, and what nobody reads is refused before anything is written.

use super::*;

#[test]
fn the_first_application_of_a_project_tells_who_joins_and_nothing_that_was_never_demanded() {
    let lab = Lab::of("words-first", 1);
    let compliance = "compliance: {dataResidency: [eu], piiMode: redact, auditRequired: true}, defaults: {URL: x}";
    lab.file("dev.yaml", &environment("dev", &format!("gates: [policy], {compliance}")));
    let (ana, bot) = (lab.key("mallory"), lab.key("ci"));
    let members = format!(
        "- {{user: ana@example.com, role: operator, keys: [\"{ana}\"]}}\n  - {{user: ci@example.com, role: operator, keys: [\"{bot}\"]}}"
    );
    lab.file("support.yaml", &format!("{}spec:\n  members:\n  {members}\n", head("Team", "support")));
    let said = lab.ends("alice", "apply -f dev.yaml -f support.yaml", 0, &[]).stdout;
    let told: Vec<_> = said.lines().filter(|line| line.contains("asks for less")).collect();
    let line = "asks for less: team/support: new members: ana@example.com (operator), ci@example.com (operator)";
    assert_eq!(told, [line], "{said}");
    lab.is_sound();
}

#[test]
fn an_exception_that_reaches_critical_findings_is_weaker_and_says_so_itself() {
    let lab = Lab::new("words-exception");
    let day = chrono::Utc::now() + chrono::TimeDelta::days(30);
    let exception = |severity: &str| {
        let entry = format!(
            "rule: AGB-SEC-001, component: \"joch:tool/default/mail\", reason: r, approver: bob@example.com, expires: {}{severity}",
            day.format("%Y-%m-%d")
        );
        environment("dev", &format!("gates: [agbom], exceptions: [{{{entry}}}]"))
    };
    lab.file("dev.yaml", &exception(", severity: high"));
    lab.stopped(
        "alice",
        "apply -f dev.yaml",
        PENDING,
        &["`spec.exceptions` is new: AGB-SEC-001 for joch:tool/default/mail"],
    );
    let proposal = lab.newest("requested");
    lab.does("bob", &format!("approvals decide {proposal} --decision approve"));
    lab.does("alice", "apply -f dev.yaml");
    lab.file("dev.yaml", &exception(", severity: critical"));
    let why = "`spec.exceptions[0].severity` was high and is critical";
    lab.stopped("alice", "apply -f dev.yaml", PENDING, &[why]);
    lab.file("dev.yaml", &exception(", severity: grave"));
    let outcome = lab.0.sh("alice", "joch apply -f dev.yaml");
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.code != 0 && said.contains("takes one of low, medium, high, critical, not `grave`"), "{said}");
    lab.is_sound();
}

#[test]
fn what_nobody_reads_or_means_nobody_is_refused() {
    let lab = Lab::new("words-refused");
    let policy = |selector: &str| {
        let rule = "{when: {env: x}, action: {deny: true}}";
        format!(
            "{}spec: {{rules: [{rule}], appliesTo: {{agents: {{selector: {{{selector}}}}}}}}}\n",
            head("Policy", "p")
        )
    };
    let budget = |spec: &str| format!("{}spec: {{{spec}}}\n", head("Budget", "b"));
    for (text, why) in [
        (
            policy("matchLabels: {tier: gold}, matchExpressions: [{key: a, operator: Exists}]"),
            "joch reads `matchLabels` here and nothing else, so nobody knows whom it selects",
        ),
        (budget("limits: {dailyUsd: 5}, currency: EUR"), "`spec.currency` takes one of USD, not `EUR`"),
        (budget("limits: {weeklyUsd: 5}"), "`weeklyUsd` is nothing that joch reads here"),
        (budget("scope: {matchExpressions: [x]}"), "`matchExpressions` is nothing that joch reads here"),
        (budget("allocation: {byAgent: {a: -1}}"), "`spec.allocation.byAgent.a` takes a number from 0 to 1, not `-1`"),
        (budget("limits: {dailyUsd: -5}"), "`spec.limits.dailyUsd` takes a number from 0, not `-5`"),
        (environment("dev", "override: [\" \"]"), "`spec.override[0]` is a blank name, which means nobody"),
        (environment("dev", "evalRunners: [\"team:\"]"), "`spec.evalRunners[0]` is a blank name, which means nobody"),
    ] {
        lab.file("odd.yaml", &text);
        for line in ["validate -f odd.yaml", "apply -f odd.yaml"] {
            let before = lab.tips();
            let outcome = lab.0.sh("alice", &format!("joch {line}"));
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(outcome.code != 0 && said.contains(why), "joch {line}\n{text}\nsays no `{why}`:\n{said}");
            assert_eq!(lab.tips(), before, "{text}");
        }
    }
    lab.is_sound();
}
