//! What one policy comes to at the gate: each way to be stopped, with its reason, and what passes.

use super::*;

/// The text of a Policy in Rego with these rules.
fn rego(rules: &str, more: &str) -> String {
    let body: String = rules.lines().map(|line| format!("    {line}\n")).collect();
    format!("\n  rego: |\n    package joch.release\n    import rego.v1\n{body}{more}")
}

#[test]
fn without_a_policy_the_gate_is_open_and_says_so() {
    let office = Office::new("policy-none");
    office.up();
    let record = office.passes();
    assert_eq!(record["gates"][0]["gate"], "policy");
    assert_eq!(record["gates"][0]["reason"], "no policy applies");
    assert_eq!(record.get("obligations"), None);
}

#[test]
fn a_denied_fact_stops_with_rule_fact_value_and_source() {
    let office = Office::with("policy-deny", &rule("{tool.sideEffect: [financial, privileged]}", DENIES));
    office.stopped(
        REFUSED,
        &[
            "FAIL",
            "POL-DENY policy/p",
            "rules[0]: agent/a · tool/refund: it is denied where `tool.sideEffect` is financial (`spec.sideEffects.level` of tool/refund): not here",
            "next: policy: take out what is denied",
        ],
    );
}

#[test]
fn every_violation_of_every_rule_is_listed() {
    let office = Office::with(
        "policy-all",
        "{rules: [{when: {model.provider: [openai, mistral]}, action: {deny: true}}, {when: {tool.type: rest}, action: {deny: true}}]}",
    );
    office.stopped(
        REFUSED,
        &[
            "rules[0]: agent/a · model/big:",
            "rules[0]: agent/a · model/small:",
            "rules[1]: agent/a · tool/refund:",
            "rules[1]: agent/a · tool/search:",
        ],
    );
    let json = office.tries("promote a --from staging --to prod --dry-run -o json").stdout;
    let answer: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let gate = &answer["agents"][0]["gates"][0];
    assert_eq!(gate["findings"].as_array().map(Vec::len), Some(4), "{gate:#}");
    assert_eq!(gate["findings"][0]["rule"], "POL-DENY");
    assert_eq!(gate["observed"], "4 violations");
}

#[test]
fn a_missing_fact_is_no_pass_and_says_how_to_supply_it() {
    let office = Office::with("policy-gap", &rule("{model.provider: not-allowlisted}", DENIES));
    office.stopped(
        UNDECIDED,
        &[
            "UNCLEAR",
            "POL-FACT-MISSING policy/p",
            "Environment `prod` has no `spec.allowlists.modelProviders`",
            "next: policy: an admin adds `allowlists: { modelProviders: [ … ] }`",
        ],
    );
    office.file("prod.yaml", &environment("{gates: [policy], allowlists: {modelProviders: [openai]}}"));
    office.does("apply -f prod.yaml");
    office.stopped(REFUSED, &["POL-DENY", "`model.provider` is mistral"]);
    office.file("prod.yaml", &environment("{gates: [policy], allowlists: {modelProviders: [openai, mistral]}}"));
    office.does("apply -f prod.yaml");
    office.passes();
}

#[test]
fn a_server_that_nobody_has_looked_at_is_not_trusted() {
    let office = Office::with("policy-server", &rule("{mcpServer.trustScore: '<0.5'}", DENIES));
    office.stopped(
        UNDECIDED,
        &[
            "POL-FACT-MISSING",
            "nobody has looked at mcp-server/help as it is now in the last 7 days",
            "joch mcp record help",
        ],
    );
}

#[test]
fn what_only_the_runtime_knows_is_recorded_and_stops_nothing() {
    let office = Office::with(
        "policy-runtime",
        "{rules: [{when: {data.contains: payment_card}, action: {redact: true}},
          {when: {tool.sideEffect: financial}, require: {approval: human}},
          {when: {mcpResult.injectionScan.hit: true}, action: {deny: true}}]}",
    );
    let record = office.passes();
    let must: Vec<_> = record["obligations"].as_array().expect("obligations").iter().collect();
    let told: Vec<_> = must
        .iter()
        .map(|one| format!("{} {}: {}", one["rule"], one["context"].as_str().unwrap(), one["must"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            "0 agent/a: redact where `data.contains` is payment_card",
            "1 agent/a · tool/refund: ask a person where `tool.sideEffect` is financial (`spec.sideEffects.level` of tool/refund)",
            "2 agent/a: deny where `mcpResult.injectionScan.hit` is true",
        ]
    );
    assert_eq!(must[0]["policy"]["name"], "p");
    let told = office.does("describe release prod/1");
    assert!(told.contains("for the runtime") && told.contains("redact where"), "{told}");
}

#[test]
fn an_approval_that_nothing_asks_for_stops() {
    let spec = rule("{tool.sideEffect: read_only}", "require: {approval: human}");
    let office = Office::with("policy-approval", &spec);
    office.stopped(
        REFUSED,
        &["POL-APPROVAL-UNWIRED", "nothing says who is asked", "requiresApproval: true` in tool/search"],
    );
}

#[test]
fn a_denial_in_rego_stops_with_its_own_id_and_words() {
    let rules = "deny contains {\"id\": \"ORG-7\", \"severity\": \"critical\", \"msg\": msg} if {\n\
                 \tsome m in input.object.models\n\tnot m.spec.provider in input.params.providers\n\
                 \tmsg := sprintf(\"%s is not ours\", [m.name])\n}\nwarn contains \"new here\" if input.oldObject == null";
    let office = Office::with("policy-rego", &rego(rules, "  params: {providers: [openai]}"));
    office.stopped(REFUSED, &["FAIL", "ORG-7 policy/p", "agent/a: small is not ours"]);
    office.file("p.yaml", &policy("p", &rego(rules, "  params: {providers: [openai, mistral]}")));
    office.does("apply -f p.yaml");
    office.up();
    let record = office.passes();
    assert_eq!(record["gates"][0]["observed"], "1 warning");
    assert_eq!(record["gates"][0]["findings"][0]["reason"], "new here");
}

#[test]
fn rego_that_goes_wrong_is_an_error_and_neither_pass_nor_fail() {
    let office = Office::with("policy-broken", &rego("deny contains \"x\" if to_number(input.object.name) > 1", ""));
    office.stopped(UNDECIDED, &["ERROR", "POL-REGO-FAILED policy/p", "its Rego gives no answer, line 3"]);
}

#[test]
fn rego_that_runs_away_is_stopped_and_is_an_error() {
    let pairs =
        "deny contains \"x\" if {\n\tsome a in input.params.list\n\tsome b in input.params.list\n\ta + b < 0\n}";
    let list: Vec<String> = (0..1500).map(|n| n.to_string()).collect();
    let office = Office::with("policy-runaway", &rego(pairs, &format!("  params: {{list: [{}]}}", list.join(", "))));
    office.stopped(UNDECIDED, &["ERROR", "POL-REGO-RUNAWAY policy/p", "more than 1000000 steps"]);
}

#[test]
fn a_violation_is_not_hidden_by_an_error_nor_an_error_by_a_gap() {
    let rules = "{rules: [{when: {tool.name: refund}, action: {deny: true}}, {when: {model.tier: big}, action: {deny: true}}], \
                 rego: \"package joch.release\\nimport rego.v1\\ndeny := true\"}";
    let office = Office::with("policy-mixed", rules);
    office.stopped(REFUSED, &["FAIL", "POL-DENY", "POL-REGO-SHAPE", "POL-FACT-MISSING"]);
}

#[test]
fn what_cannot_be_acted_on_is_refused_where_it_is_written() {
    let office = Office::new("policy-flaws");
    for (spec, says) in [
        (rule("{tool.sideEfect: financial}", DENIES), "did you mean `tool.sideEffect`?"),
        (rule("{mcpServer.trustScore: '<.inf'}", DENIES), "is not a finite number"),
        (rego("deny contains msg if {", ""), "[policy-rego]"),
        (rego("deny contains \"x\" if http.send({})", ""), "there is no function `http.send`"),
        (rego("dny contains \"x\" if true\nwarn contains \"x\" if true", ""), "did you mean `deny`?"),
    ] {
        office.file("p.yaml", &policy("p", &spec));
        for line in ["validate -f p.yaml", "apply -f p.yaml"] {
            let outcome = office.tries(line);
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            assert_eq!(outcome.code, REFUSED, "{spec}: {said}");
            assert!(said.contains(says.trim_matches(['[', ']'])), "{spec}: {said}");
        }
    }
}

#[test]
fn the_input_is_what_the_embedded_engine_sees() {
    let rules = "deny contains msg if {\n\tsome key in object.keys(input)\n\tmsg := sprintf(\"%s\", [key])\n}\n\
                 deny contains msg if {\n\tmsg := concat(\" \", [input.request.from, input.request.to, input.request.agent, input.request.operator, input.object.closure, input.params.word])\n}";
    let office = Office::with("policy-input", &rego(rules, "  params: {word: yes}"));
    let input = office.does("gates input a --from staging --to prod --policy p -o json");
    let input: serde_json::Value = serde_json::from_str(&input).expect("JSON");
    let schemas: std::collections::BTreeMap<_, _> = joch::render::contract::stored().into_iter().collect();
    assert_eq!(crate::support::schema::complaints(&schemas["gate-input"], &input), Vec::<String>::new());
    let text = |pointer: &str| input.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or("?").to_owned();
    let told =
        ["/request/from", "/request/to", "/request/agent", "/request/operator", "/object/closure", "/params/word"];
    let told: Vec<_> = told.iter().map(|pointer| text(pointer)).collect();
    let keys: Vec<_> = input.as_object().expect("a map").keys().map(|key| format!("agent/a: {key}\n")).collect();
    let mut says: Vec<&str> = keys.iter().map(String::as_str).filter(|key| !key.contains("schemaVersion")).collect();
    let line = told.join(" ");
    assert!(!line.contains('?'), "{line}");
    says.push(&line);
    office.stopped(REFUSED, &says);
    let outcome = office.tries("gates input a --from staging --to prod --policy nobody");
    assert!(outcome.stderr.contains("policy/nobody does not apply to agent/a in `prod`"), "{}", outcome.stderr);
}
