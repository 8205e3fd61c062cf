//! What holds for all rules.

use super::super::exception::{Judged, apply, judge};
use super::super::rules::rule;
use super::super::seeds;
use super::*;
use crate::bom::Finding;
use crate::resource::{ResourceId, Value};
use world::now;

#[test]
fn the_sound_agent_breaks_no_rule() {
    assert_eq!(World::new().findings(), []);
    let mut first = World::new();
    first.first();
    assert_eq!(first.findings(), []);
}

#[test]
fn what_does_not_change_introduces_nothing() {
    for case in all() {
        let mut world = World::new();
        (case.fires)(&mut world);
        // Both sides are what the change made.
        world.from = Some(world.to.clone());
        world.seen[0] = world.seen[1].clone();
        world.held.clear();
        world.loosened.clear();
        let introduced: Vec<_> = world.findings().into_iter().filter(|finding| finding.introduced).collect();
        assert_eq!(introduced, [], "{}", case.rule);
    }
}

#[test]
fn findings_are_told_in_one_order_each_once_and_as_the_table_says() {
    for case in all() {
        let mut world = World::new();
        (case.fires)(&mut world);
        let found = world.findings();
        assert_eq!(found, world.findings());
        let mut keys: Vec<_> = found.iter().map(|f| (&f.rule, &f.component, &f.reason)).collect();
        assert!(found.windows(2).all(|pair| pair[0].severity >= pair[1].severity), "{found:#?}");
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), found.len(), "{found:#?}");
        for finding in &found {
            assert!(rule(&finding.rule).severities.contains(&finding.severity), "{finding:?}");
            assert!(!finding.reason.is_empty() && !finding.remedy.is_empty(), "{finding:?}");
        }
    }
}

#[test]
fn a_rule_of_change_is_silent_where_nothing_ran() {
    for case in all().filter(|case| rule(case.rule).compares && case.rule != "AGB-GATE-001") {
        let mut world = World::new();
        (case.fires)(&mut world);
        world.first();
        assert!(world.findings().iter().all(|finding| finding.rule != case.rule), "{}", case.rule);
    }
}

#[test]
fn older_debt_is_told_and_new_only_where_it_grew_worse() {
    let score = |from: &'static str, to: &'static str| {
        let mut world = World::new();
        world.seen[0][0].score = Some(from);
        world.seen[1][0].score = Some(to);
        let found = world.findings();
        assert_eq!(found.len(), 1, "{found:#?}");
        found[0].introduced
    };
    assert!(!score("0.6", "0.6") && score("0.6", "0.5") && !score("0.5", "0.6"));
}

#[test]
fn what_a_child_holds_counts_as_its_parents() {
    let child = |world: &World| {
        let mut texts = world.to.clone();
        let agent = texts.remove("Agent helper").expect("it is there");
        texts.insert("Agent child", agent);
        texts
    };
    let mut world = World::new();
    world.child = [Some(child(&world)), Some(child(&world))];
    assert_eq!(world.findings(), []);
    let agent = &mut world.child[1].as_mut().expect("a child").get_mut("Agent child").expect("an agent").1;
    let silent = std::mem::replace(agent, agent.replacen('{', "{description: Ask me about anything., ", 1));
    let [told] = world.findings().try_into().expect("one finding");
    assert_eq!((told.rule.as_str(), told.component.as_str()), ("AGB-TOOL-006", "joch:agent/default/child"));
    assert!(told.reason.ends_with("was nothing and is `Ask me about anything.`"), "{}", told.reason);
    world.child[1].as_mut().expect("a child").get_mut("Agent child").expect("an agent").1 = silent;
    let tool = &mut world.child[1].as_mut().expect("a child").get_mut("Tool look").expect("a tool").1;
    *tool = tool.replace("read_only", "financial");
    let rules: Vec<_> = world.findings().into_iter().map(|f| (f.rule, f.component)).collect();
    let expected = ["AGB-TOOL-001", "AGB-TOOL-003", "AGB-TOOL-002"];
    assert_eq!(rules, expected.map(|rule| (rule.to_owned(), "joch:tool/default/look".to_owned())));
}

#[test]
fn the_policies_of_a_child_that_is_replaced_are_held_against_the_one_that_comes() {
    let child = |world: &World, head: &'static str, without: &[&str]| {
        let mut texts = world.to.clone();
        let (_, spec) = texts.remove("Agent helper").expect("it is there");
        // Its labels select no policy; it names `extra`.
        texts.insert(
            head,
            (
                "{}",
                if without.contains(&"Policy extra") {
                    spec.replace("policies: [extra]", "policies: []")
                } else {
                    spec
                },
            ),
        );
        texts.retain(|head, _| *head != "Policy guard" && !without.contains(head));
        texts
    };
    let told = |was: Option<(&'static str, &[&str])>, is: Option<(&'static str, &[&str])>| {
        let mut world = World::new();
        // The parent itself is bound by `guard` alone.
        for texts in [world.from.as_mut().expect("it ran"), &mut world.to] {
            texts.remove("Policy extra");
            let agent = &mut texts.get_mut("Agent helper").expect("it is there").1;
            *agent = agent.replace("policies: [extra]", "policies: []");
        }
        let full = World::new();
        let of = |which: Option<(&'static str, &[&str])>| which.map(|(head, without)| child(&full, head, without));
        world.child = [of(was), of(is)];
        let found = world.findings().into_iter().filter(|finding| finding.rule == "AGB-POL-001");
        found.map(|finding| format!("{} {}", finding.component, finding.reason)).collect::<Vec<_>>()
    };
    let old = Some(("Agent old", &[][..]));
    assert_eq!(
        told(old, Some(("Agent new", &["Policy extra"]))),
        [
            "joch:policy/default/extra it bound agent/old, now gone, and does not bind agent/new, which may take that place"
        ]
    );
    assert_eq!(told(old, Some(("Agent new", &[]))), [""; 0], "the one that comes is bound alike");
    assert_eq!(told(old, None), [""; 0], "nothing is left to bind");
    assert_eq!(told(None, Some(("Agent new", &["Policy extra"]))), [""; 0], "nothing was bound");
    assert_eq!(told(old, Some(("Agent new", &["Policy calls", "MCPServer docs"]))), [""; 0], "it went with its server");
}

#[test]
fn a_critical_finding_needs_an_exception_that_says_so() {
    let mut world = World::new();
    world.edit("Tool mail", "Sends a mail.", "Sends with AKIAQ3EGTZ7WUPNLXKBV.");
    let told = |severity: &str| {
        let text = format!(
            r#"{{"rule": "AGB-SEC-001", "component": "joch:tool/default/mail", "reason": "a ticket",
                 "expires": "2026-08-01", "approver": "carol"{severity}}}"#
        );
        let judged = judge(&[serde_json::from_str(&text).expect("written here")], now(), "alice", &|_| true);
        let mut found = world.findings();
        let used = apply(&mut found, &ResourceId::agent("default", "helper"), &judged);
        assert_eq!(found.iter().any(|finding| finding.exception.is_some()), !used.used.is_empty());
        (used.used.len(), used.too_mild.len(), judged[0].exception.clone().err().unwrap_or_default())
    };
    let fine = String::new;
    assert_eq!(told(""), (0, 1, fine()));
    assert_eq!(told(r#", "severity": null"#), (0, 1, fine()));
    assert_eq!(told(r#", "severity": "high""#), (0, 1, fine()));
    assert_eq!(told(r#", "severity": "critical""#), (1, 0, fine()));
    for none in ["\"Critical\"", "\"\"", "4", "[\"critical\"]"] {
        let why = "`severity` is none of low, medium, high, critical".to_owned();
        assert_eq!(told(&format!(r#", "severity": {none}"#)), (0, 0, why));
    }
}

#[test]
fn the_prefix_of_a_secret_never_stands_in_a_finding() {
    let mut world = World::new();
    world.edit("Tool mail", "Sends a mail.", "Sends with AKIAQ3EGTZ7WUPNLXKBV.");
    let said = format!("{:?}", world.findings().iter().filter(|f| f.rule.starts_with("AGB-SEC")).collect::<Vec<_>>());
    assert!(said.contains("AGB-SEC-001") && !said.contains("AKIA"), "{said}");
}

#[test]
fn an_exception_is_exact_reasoned_approved_and_ends() {
    let sound = r#"{"rule": "AGB-TOOL-003", "component": "joch:tool/default/post", "reason": "a ticket", "expires": "2026-08-01",
                    "approver": "carol"}"#;
    let judged = |text: &str| {
        let written: Value = serde_json::from_str(text).expect("written here");
        judge(&[written], now(), "alice", &|name| ["alice", "carol"].contains(&name))
    };
    let refused = |old: &str, new: &str| {
        assert!(sound.contains(old), "{old}");
        judged(&sound.replace(old, new))[0].exception.clone().expect_err("no exception")
    };
    assert!(judged(sound)[0].exception.is_ok());
    assert_eq!(refused(r#""reason": "a ticket", "#, ""), "`reason` is missing");
    assert_eq!(refused(r#""a ticket""#, r#"" ""#), "`reason` is missing");
    assert_eq!(refused(r#""expires": "2026-08-01","#, ""), "`expires` is missing");
    assert!(refused(",\n                    \"approver\": \"carol\"", "").contains("`approver` is missing"));
    assert!(refused("AGB-TOOL-003", "AGB-TOOL-*").contains("no rule"));
    assert!(refused("tool/default/post", "tool/default/*").contains("one component in full"));
    assert!(refused("2026-08-01", "2026-05-31").contains("expired on 2026-06-01"));
    assert!(refused("2026-08-01", "2026-08-31").contains("more than 90 days"));
    assert!(refused("2026-08-01", "soon").contains("no date"));
    assert!(refused("carol", "mallory").contains("no person that trust knows"));
    assert!(refused("carol", "alice").contains("asks for the change"));
}

#[test]
fn an_exception_lets_through_what_it_names_and_nothing_else() {
    let mut world = World::new();
    world.add("Tool post", "{type: rest, sideEffects: {level: external_write}}");
    world.add("Tool push", "{type: rest, sideEffects: {level: external_write}}");
    let of = |namespace: &str, agent: &str| -> (Vec<Finding>, Vec<usize>, Vec<Judged>) {
        let text = format!(
            r#"{{"rule": "AGB-TOOL-003", "component": "joch:tool/default/post", "reason": "a ticket",
                 "expires": "2026-08-01", "approver": "carol"{agent}}}"#
        );
        let judged = judge(&[serde_json::from_str(&text).expect("written here")], now(), "alice", &|_| true);
        let mut found = world.findings();
        let used = apply(&mut found, &ResourceId::agent(namespace, "helper"), &judged);
        (found, used.used, judged)
    };
    let excepted = |agent: &str| of("default", agent);
    let (found, used, _) = excepted("");
    let let_through: Vec<_> = found.iter().filter(|f| f.exception.is_some()).map(|f| f.component.as_str()).collect();
    assert_eq!((let_through, used), (vec!["joch:tool/default/post"], vec![0]));
    let told = found.iter().find_map(|finding| finding.exception.clone()).expect("an exception");
    assert_eq!(told, "excepted by carol until 2026-08-02: a ticket");
    assert_eq!(excepted(r#", "agent": "helper""#).1, [0]);
    assert_eq!(excepted(r#", "agent": "other""#).1, [0; 0]);
    assert_eq!(of("team-a", r#", "agent": "helper""#).1, [0; 0], "another agent of that name");
    assert_eq!(of("team-a", r#", "agent": "team-a/helper""#).1, [0]);
    assert_eq!(of("team-a", r#", "agent": "agent/team-a/helper""#).1, [0]);
    assert_eq!(excepted(r#", "agent": "default/helper""#).1, [0]);
}

fn all() -> impl Iterator<Item = &'static Case> {
    [mcp::CASES, tools::CASES, records::CASES].into_iter().flatten()
}

#[test]
fn every_seed_is_seen_by_its_rule_and_the_harmless_ones_by_none() {
    let world = World::new();
    let closure = world.closure();
    for seed in seeds() {
        let planted = seed.plant(&closure).unwrap_or_else(|| panic!("{}: nothing to plant it in", seed.name));
        let found = world.after(&planted);
        let new = found.iter().filter(|finding| finding.introduced);
        match seed.rule {
            Some(rule) => assert!(new.clone().any(|f| f.rule == rule), "{}: {found:#?}", seed.name),
            None => assert!(new.clone().all(|f| f.severity < Risk::High), "{}: {found:#?}", seed.name),
        }
    }
}
