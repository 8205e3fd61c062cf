//! What rules come to, for every effect and every state of a fact.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::closure::Closure;
use crate::resource::sample::{labelled, one};
use crate::resource::{Number, Resource};

struct Somebody;

impl People for Somebody {
    fn answers(&self, approver: &str) -> bool {
        approver == "team:leads"
    }
}

fn closure(agent: &str, members: &[Arc<Resource>], children: Vec<Closure>) -> Closure {
    let agent = labelled(&format!("Agent {agent}"), "{tier: gold}", "{}");
    let members = members.iter().map(|member| (member.id().clone(), member.clone())).collect();
    Closure::new(agent, members, children.into_iter().map(|child| (child.id().clone(), child)).collect())
}

fn candidate() -> Closure {
    closure(
        "triage",
        &[
            one("Tool search", "{type: mcp, sideEffects: {level: read_only}}"),
            one("Tool refund", "{type: rest, sideEffects: {level: financial, requiresApproval: true}}"),
            one("Tool mystery", "{type: rest}"),
            one("MCPServer help", "{transport: http}"),
            one("MCPServer other", "{transport: http}"),
            labelled("Model big", "{tier: large}", "{provider: openai, model: gpt, routing: {regions: [eu, us]}}"),
            one("Model small", "{provider: mistral, model: tiny}"),
        ],
        vec![closure(
            "worker",
            &[one("Tool shell", "{type: function, sideEffects: {level: code_execution}}")],
            Vec::new(),
        )],
    )
}

struct Known {
    record: Arc<Resource>,
    sightings: BTreeMap<crate::resource::Digest, Sighting>,
    run_cost: Option<RunCost>,
}

fn known(candidate: &Closure, environment: &str) -> Known {
    let help = candidate.members().values().find(|member| member.id().name == "help").expect("a server");
    let seen = Sighting { trust_score: Number::from_f64(0.6), schema_drift: Some(false), source: "seen by ci".into() };
    Known {
        record: one("Environment prod", environment),
        sightings: [(help.digest(), seen)].into(),
        run_cost: Some(RunCost { usd: Number::from_f64(5.5).expect("finite"), source: "an Eval".into() }),
    }
}

/// What a Policy with this `spec` says of the candidate, one line each.
fn judged(spec: &str) -> Vec<String> {
    let candidate = candidate();
    judged_with(spec, &candidate, &known(&candidate, "{allowlists: {modelProviders: [openai]}}"))
}

fn judged_with(spec: &str, candidate: &Closure, known: &Known) -> Vec<String> {
    let world = World {
        environment: "prod",
        record: Some(&known.record),
        sightings: known.sightings.clone(),
        run_cost: known.run_cost.clone(),
    };
    let asked = Asked { from: None, to: "prod".into(), agent: String::new(), operator: String::new() };
    let question = Question { candidate, running: None, asked: &asked, diff: &[], world: &world, people: &Somebody };
    let judgement = draft(&one("Policy p", spec), &question);
    let found = judgement.obstacles().chain(&judgement.warnings);
    let found = found.map(|found| format!("{} {}: {} -> {}", found.id, found.context, found.reason, found.remedy));
    let must = judgement.obligations.iter().map(|must| format!("MUST {}: {}", must.context, must.must));
    found.chain(must).collect()
}

fn rule(when: &str, effect: &str) -> String {
    format!("{{rules: [{{when: {when}, {effect}}}]}}")
}

const DENIES: &str = "action: {deny: true, reason: never}";
const ASKS: &str = "require: {approval: human}";
const REDACTS: &str = "action: {redact: true}";
const ALLOWS: &str = "action: {allow: true}";

/// One case that applies, one that only the runtime knows, one whose fact is missing.
const YES: &str = "{tool.name: mystery}";
const RUNTIME: &str = "{data.contains: card}";
const MISSING: &str = "{model.tier: large, model.name: small}";

#[track_caller]
fn only(said: &[String], starts: &str, holds: &str) {
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].starts_with(starts) && said[0].contains(holds), "{said:#?}");
}

#[test]
fn a_denial_is_a_violation_an_obligation_or_a_gap() {
    only(
        &judged(&rule(YES, DENIES)),
        "POL-DENY agent/triage · tool/mystery: ",
        "`tool.name` is mystery (tool/mystery): never",
    );
    let said = judged(&rule(RUNTIME, DENIES));
    assert_eq!(
        said,
        [
            "MUST agent/triage: deny where `data.contains` is card",
            "MUST agent/worker: deny where `data.contains` is card"
        ]
    );
    only(
        &judged(&rule(MISSING, DENIES)),
        "POL-FACT-MISSING agent/triage · model/small: ",
        "model/small has no label `tier`",
    );
}

#[test]
fn an_approval_is_wired_or_a_violation() {
    only(
        &judged(&rule("{tool.sideEffect: financial}", ASKS)),
        "MUST agent/triage · tool/refund: ask a person where ",
        "`tool.sideEffect` is financial (`spec.sideEffects.level` of tool/refund)",
    );
    only(
        &judged(&rule(YES, ASKS)),
        "POL-APPROVAL-UNWIRED",
        "nothing says who is asked -> set `spec.sideEffects.requiresApproval: true` in tool/mystery",
    );
    let named = |who: &str| format!("require: {{approval: human, approvalRouting: {{approvers: ['{who}']}}}}");
    only(&judged(&rule(YES, &named("team:leads"))), "MUST", "ask team:leads where");
    only(&judged(&rule(YES, &named("team:ghosts"))), "POL-APPROVAL-UNWIRED", "`team:ghosts` is nobody who can answer");
    let candidate = closure("triage", &[one("Tool mystery", "{sideEffects: {requiresApproval: false}}")], Vec::new());
    let said = judged_with(&rule(YES, &named("team:leads")), &candidate, &{
        let record = one("Environment prod", "{}");
        Known { record, sightings: BTreeMap::new(), run_cost: None }
    });
    only(&said, "POL-APPROVAL-UNWIRED", "`requiresApproval` of tool/mystery is false");
    assert!(
        judged(&rule(RUNTIME, ASKS)).iter().all(|said| said.starts_with("MUST") && said.contains("ask a person where"))
    );
    only(&judged(&rule(MISSING, ASKS)), "POL-FACT-MISSING", "no label `tier`");
}

#[test]
fn what_is_changed_on_the_way_is_an_obligation_and_what_is_allowed_is_nothing() {
    for when in [YES, RUNTIME, MISSING] {
        let said = judged(&rule(when, REDACTS));
        assert!(
            !said.is_empty() && said.iter().all(|said| said.starts_with("MUST") && said.contains("redact where")),
            "{said:?}"
        );
        assert_eq!(judged(&rule(when, ALLOWS)), [""; 0], "{when}");
    }
}

#[test]
fn a_condition_that_does_not_hold_settles_a_rule_whatever_else_is_unknown() {
    for when in ["{tool.name: nobody, data.contains: card}", "{model.tier: large, model.name: nobody}"] {
        assert_eq!(judged(&rule(when, DENIES)), [""; 0], "{when}");
    }
    // What is missing could be supplied, so it blocks before the runtime is trusted with the rest.
    only(&judged(&rule("{model.tier: large, model.name: small, data.contains: card}", DENIES)), "POL-FACT-MISSING", "");
}

#[test]
fn every_fact_has_a_value_and_a_source() {
    for (when, says) in [
        (
            "{tool.sideEffect: privileged}",
            "tool/mystery: it is denied where `tool.sideEffect` is privileged (`spec.sideEffects.level` of tool/mystery, which is not written",
        ),
        ("{tool.requiresApproval: false, tool.type: rest}", "agent/triage · tool/mystery"),
        ("{mcpServer.trustScore: '<0.8', mcpServer.name: help}", "`mcpServer.trustScore` is 0.6 (seen by ci)"),
        (
            "{mcpServer.trustScore: '<0.8', mcpServer.name: other}",
            "nobody has looked at mcp-server/other as it is now in the last 7 days",
        ),
        ("{mcpServer.schemaDrift: true, mcpServer.name: other}", "-> joch mcp record other"),
        ("{model.provider: not-allowlisted}", "`model.provider` is mistral (`spec.provider` of model/small)"),
        ("{model.region: us, model.name: big}", "`model.region` is us (`spec.routing.regions` of model/big)"),
        ("{model.region: us, model.name: small}", "`spec.routing.regions` of model/small is not written"),
        ("{model.name: gpt}", "agent/triage · model/big"),
        ("{model.provider: '!=openai'}", "agent/triage · model/small"),
        ("{agent.labels.env: prod, agent.name: triage}", "`agent.labels.env` is prod (the target)"),
        ("{agent.labels.team: x, agent.name: triage}", "agent/triage has no label `team`"),
        ("{agent.framework: x, agent.name: triage}", "agent/triage has no FrameworkAdapter"),
        (
            "{env: prod, namespace: default, agent.name: triage}",
            "`env` is prod (the target) and `namespace` is default",
        ),
        ("{cost.runUsd: '>5', agent.name: triage}", "`cost.runUsd` is 5.5 (an Eval)"),
    ] {
        let said = judged(&rule(when, DENIES));
        assert!(said.len() == 1 && said[0].contains(says), "{when}: {said:#?}");
    }
    for never in [
        "{cost.runUsd: '>6'}",
        "{mcpServer.schemaDrift: true, mcpServer.name: help}",
        "{model.region: ap, model.name: big}",
    ] {
        assert_eq!(judged(&rule(never, DENIES)), [""; 0], "{never}");
    }
}

#[test]
fn what_is_of_another_type_than_the_rule_speaks_of_is_no_no() {
    let candidate = closure(
        "triage",
        &[one("Tool odd", "{sideEffects: {level: harmless, requiresApproval: sometimes}}")],
        Vec::new(),
    );
    let nothing = Known { record: one("Environment prod", "{}"), sightings: BTreeMap::new(), run_cost: None };
    let said = |when: &str| judged_with(&rule(when, DENIES), &candidate, &nothing);
    only(
        &said("{tool.requiresApproval: true}"),
        "POL-FACT-MISSING",
        "is sometimes, text, and cannot be compared with true",
    );
    only(&said("{tool.sideEffect: financial}"), "POL-FACT-MISSING", "`harmless` is no side effect of tool/odd");
    only(&said("{cost.runUsd: '>5'}"), "POL-FACT-MISSING", "nobody knows what a run of agent/triage costs");
}

#[test]
fn without_an_allow_list_nobody_can_tell_who_is_on_it() {
    let candidate = candidate();
    let said = judged_with(&rule("{model.provider: not-allowlisted}", DENIES), &candidate, &known(&candidate, "{}"));
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said.iter().all(|said| said.starts_with("POL-FACT-MISSING")
        && said.contains("Environment `prod` has no `spec.allowlists.modelProviders`")
        && said.contains("allowlists: { modelProviders: [ … ] }")));
}

#[test]
fn every_violation_is_listed_and_a_parent_answers_for_its_children() {
    let said = judged(
        "{rules: [{when: {tool.sideEffect: [code_execution, privileged, financial]}, action: {deny: true}},
          {when: {agent.labels.tier: gold, tool.name: shell}, action: {deny: true}}]}",
    );
    let contexts: Vec<_> = said.iter().map(|said| said.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(
        contexts,
        [
            "POL-DENY agent/triage · tool/mystery",
            "POL-DENY agent/triage · tool/refund",
            "POL-DENY agent/triage · tool/shell",
            "POL-DENY agent/worker · tool/shell",
            "POL-DENY agent/triage · tool/shell",
            "POL-DENY agent/worker · tool/shell",
        ]
    );
}

#[test]
fn families_that_mix_are_judged_in_every_combination_and_too_many_are_an_error() {
    let said = judged(&rule("{tool.type: rest, model.provider: mistral}", DENIES));
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said[0].starts_with("POL-DENY agent/triage · tool/mystery · model/small"), "{said:#?}");
    let members: Vec<_> = (0..101)
        .flat_map(|n| [one(&format!("Tool t{n}"), "{type: rest}"), one(&format!("Model m{n}"), "{provider: x}")])
        .collect();
    let nothing = Known { record: one("Environment prod", "{}"), sightings: BTreeMap::new(), run_cost: None };
    let said = judged_with(
        &rule("{tool.type: os, model.provider: y}", DENIES),
        &closure("big", &members, Vec::new()),
        &nothing,
    );
    only(&said, "POL-TOO-MANY-CASES", "the rule has 10201 cases here");
}

#[test]
fn a_policy_that_cannot_be_acted_on_is_an_error_and_no_pass() {
    only(
        judged("{rules: [{when: {tool.sideEfect: financial}, action: {deny: true}}]}").split_at(1).0,
        "POL-MALFORMED",
        "did you mean `tool.sideEffect`?",
    );
    only(judged("{rego: [1], rules: []}").split_at(1).0, "POL-MALFORMED", "`rego` is text");
    let broken = judged("{rego: 'package joch.release'}");
    assert!(broken.iter().all(|said| said.starts_with("POL-REGO-SHAPE")), "{broken:#?}");
}

#[test]
fn a_value_that_only_the_environment_has_is_filled_in_before_judging() {
    let candidate = candidate();
    let spec = rule("{cost.runUsd: {fromEnvironment: MOST}}", DENIES);
    let filled = judged_with(&spec, &candidate, &known(&candidate, "{defaults: {MOST: '>5'}}"));
    assert!(filled.iter().all(|said| said.starts_with("POL-DENY")), "{filled:#?}");
    let missing = judged_with(&spec, &candidate, &known(&candidate, "{}"));
    assert!(
        missing.iter().all(|said| said.starts_with("POL-MALFORMED") && said.contains("has no `MOST`")),
        "{missing:#?}"
    );
}
