//! The plan: what numbers it gives, what it writes, whose words count.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::closure::{Closure, Layer, Shelf, Sources, Unreadable, resolve};
use crate::gate::{Broken, Held, Holds, Measured, Observations, Observed, Outcome, Overrides, Passed, Results, Vote};
use crate::resource::sample::one;
use crate::resource::{Digest, Kind, Pinned, Requirement, Resource, ResourceId};
use crate::trust::sample::{key, team, trust};
use crate::trust::{Principal, Trust};

/// The numbers that releases have given so far.
#[derive(Default)]
struct Given(Vec<Pinned>);

impl Numbering for Given {
    fn authors(&self, _: &ResourceId, _: Option<u64>, _: u64) -> Result<BTreeSet<String>, Unreadable> {
        Ok(BTreeSet::new())
    }

    fn version_of(&self, id: &ResourceId, digest: Digest) -> Result<Option<u64>, Unreadable> {
        Ok(self.0.iter().find(|given| given.id() == *id && given.digest == digest).and_then(|given| given.version))
    }

    fn highest(&self, id: &ResourceId) -> Result<u64, Unreadable> {
        Ok(self.0.iter().filter(|given| given.id() == *id).filter_map(|given| given.version).max().unwrap_or(0))
    }
}

struct Nobody;

impl Votes for Nobody {
    fn about(&self, _: &ResourceId, _: &str, _: Option<&str>) -> Result<Vec<Vote>, Unreadable> {
        Ok(Vec::new())
    }
}

impl Results for Nobody {
    fn of(&self, _: &ResourceId, _: Option<Digest>) -> Result<Vec<Measured>, Unreadable> {
        Ok(Vec::new())
    }
}

impl Observations for Nobody {
    fn of_server(&self, _: &ResourceId, _: Option<&str>) -> Result<Vec<Observed>, Unreadable> {
        Ok(Vec::new())
    }
}

impl Holds for Nobody {
    fn on(&self, _: &ResourceId, _: Digest) -> Result<Vec<Held>, Unreadable> {
        Ok(Vec::new())
    }
}

impl Bills for Nobody {
    fn cut(&self, _: &ResourceId, _: u64) -> Result<Option<Cut>, Unreadable> {
        Ok(None)
    }
}

impl Overrides for Nobody {
    fn of(&self, _: &ResourceId, _: &str) -> Result<Vec<Broken>, Unreadable> {
        Ok(Vec::new())
    }

    fn passed(&self, _: &ResourceId, _: &str) -> Result<Vec<Passed>, Unreadable> {
        Ok(Vec::new())
    }
}

impl Shelf for Nobody {
    fn get(&self, _: &ResourceId) -> Result<Option<Arc<Resource>>, Unreadable> {
        Ok(None)
    }

    fn of_kind(&self, _: &Kind) -> Result<Vec<Arc<Resource>>, Unreadable> {
        Ok(Vec::new())
    }
}

/// An environment that releases follow each other in.
struct Place {
    trust: Trust,
    given: Given,
    release: u64,
}

impl Place {
    fn new(environment: &str) -> Self {
        let trust = trust([team("admins", &["ana admin 1", "ben approver 2"]), one("Environment prod", environment)]);
        Self { trust, given: Given::default(), release: 0 }
    }

    fn plan(&self, draft: &Draft, required: &[Requirement]) -> Result<Plan, String> {
        self.plan_after(draft, required, None)
    }

    fn plan_after(&self, draft: &Draft, required: &[Requirement], earlier: Option<&Trust>) -> Result<Plan, String> {
        let principal = Principal { name: "ana".into(), automation: false };
        plan(
            draft,
            &Context {
                trust: &self.trust,
                earlier_trust: earlier,
                evidence_commit: "evidence-commit",
                operator: &Operator { principal, fingerprint: key(1).fingerprint() },
                now: DateTime::<Utc>::UNIX_EPOCH + TimeDelta::milliseconds(1_500),
                number: self.release + 1,
                records: &[],
                required,
                allowed_regressions: &[],
                numbering: &self.given,
                bills: &Nobody,
                votes: &Nobody,
                results: &Nobody,
                observations: &Nobody,
                holds: &Nobody,
                overrides: &[],
                broken: &Nobody,
                target: &Nobody,
                source: None,
                default_judge: None,
            },
        )
    }

    /// Plans it, and takes its numbers as given.
    fn release(&mut self, draft: &Draft) -> Plan {
        let plan = self.plan(draft, &[]).expect("a plan");
        self.given.0.extend(plan.manifest.minted.iter().cloned());
        self.release += 1;
        plan
    }
}

fn draft() -> Draft {
    Draft {
        event: Event::Apply,
        environment: "prod".into(),
        source: None,
        reason: None,
        catalog: BTreeMap::new(),
        agents: BTreeMap::new(),
    }
}

fn closure(spec: &str, members: &[Arc<Resource>], children: &[Closure]) -> Closure {
    let set: BTreeMap<_, _> = members.iter().map(|member| (member.id().clone(), member.clone())).collect();
    let child = |id: &ResourceId| Ok(children.iter().find(|child| child.id() == id).cloned());
    let layers = vec![Layer::Set(&set)];
    let sources = Sources { tiers: vec![layers.clone()], selectable: layers, child: &child };
    resolve(&one("Agent x", spec), &sources).expect("whole")
}

/// A change of agent `x` from what an earlier plan brought to `after`.
fn change(before: Option<(&Closure, &Plan)>, after: Option<Closure>) -> Draft {
    let before = before.map(|(closure, plan)| Running { closure: closure.clone(), record: plan.records[0].clone() });
    let word = if before.is_some() { Word::Updated } else { Word::Created };
    let edit = AgentEdit {
        word,
        last: before.as_ref().map(|running| running.record.clone()),
        before,
        after,
        writes: BTreeSet::new(),
        ran: None,
        brings: None,
        running_in_source_since: None,
        regressions: Vec::new(),
        undoes: None,
        has_served: false,
    };
    Draft { agents: [(ResourceId::agent("default", "x"), edit)].into(), ..draft() }
}

fn tool(version: u8) -> Arc<Resource> {
    one("Tool t", &format!("{{v: {version}}}"))
}

#[test]
fn content_that_was_seen_before_keeps_its_number() {
    let mut place = Place::new("{}");
    let [a, b] = ["a", "b"].map(|text| closure(&format!("{{instructions: {text}}}"), &[], &[]));
    let first = place.release(&change(None, Some(a.clone())));
    let second = place.release(&change(Some((&a, &first)), Some(b.clone())));
    let third = place.release(&change(Some((&b, &second)), Some(a.clone())));
    let numbers = |plan: &Plan| (plan.records[0].from_version, plan.records[0].to_version, plan.version_tags.clone());
    assert_eq!(numbers(&first), (None, Some(1), vec!["agent/default/x/v1".to_owned()]));
    assert_eq!(numbers(&second), (Some(1), Some(2), vec!["agent/default/x/v2".to_owned()]));
    assert_eq!(numbers(&third), (Some(2), Some(1), vec![]));
    let gone = place.release(&change(Some((&a, &third)), None));
    assert_eq!((gone.records[0].to_version, gone.records[0].to_digest), (None, None));
    let back = place.release(&change(None, Some(b)));
    assert_eq!(numbers(&back), (None, Some(2), vec![]), "a name that returns continues its numbers");
}

#[test]
fn two_new_contents_of_one_resource_in_one_plan_get_two_numbers() {
    let mut place = Place::new("{}");
    place.given.0.push(Pinned::new(tool(0).id(), Some(4), tool(0).digest()));
    let child = {
        let set = BTreeMap::from([(tool(2).id().clone(), tool(2))]);
        let layers = vec![Layer::Set(&set)];
        let sources = Sources { tiers: vec![layers.clone()], selectable: layers, child: &|_| Ok(None) };
        resolve(&one("Agent y", "{tools: [t]}"), &sources).expect("whole")
    };
    let plan = place.release(&change(None, Some(closure("{tools: [t], children: [y]}", &[tool(1)], &[child]))));
    let members: Vec<_> = plan.records[0].members.iter().map(|member| (member.version, member.digest)).collect();
    assert_eq!(members, [(Some(5), tool(1).digest()), (Some(6), tool(2).digest())]);
    for minted in &plan.manifest.minted {
        let content = match minted.version {
            Some(5) => tool(1).digest(),
            Some(6) => tool(2).digest(),
            _ => plan.records[0].to_digest.expect("the agent's"),
        };
        assert_eq!(minted.digest, content, "{minted}");
    }
    assert_eq!(plan.version_tags, ["tool/default/t/v5", "tool/default/t/v6", "agent/default/x/v1"]);
}

#[test]
fn a_catalog_entry_and_the_member_it_is_are_one_version() {
    let place = Place::new("{}");
    let mut draft = change(None, Some(closure("{tools: [t]}", &[tool(1)], &[])));
    let id = tool(1).id().clone();
    draft.catalog.insert(id.clone(), CatalogEdit { before: None, after: Some(tool(1)), cases: None });
    draft.agents.values_mut().for_each(|edit| edit.writes.extend([id.clone()]));
    let plan = place.plan(&draft, &[]).expect("a plan");
    assert_eq!(plan.version_tags, ["tool/default/t/v1", "agent/default/x/v1"]);
    assert_eq!(plan.records.len(), 1, "the closure answers for its member");
    let paths: Vec<_> = plan.edits.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "release.json",
            "catalog/tools/default/t.yaml",
            "agents/default/x/closure",
            "agents/default/x/bom.cdx.json",
            "agents/default/x/closure/agent.yaml",
            "agents/default/x/closure/tools/t.yaml",
            "agents/default/x/record.json",
        ]
    );
    assert_eq!(plan.manifest.timestamp, DateTime::UNIX_EPOCH + TimeDelta::seconds(1), "whole seconds, as Git has them");
}

#[test]
fn what_gates_stop_is_a_plan_that_says_so_in_every_record() {
    let place = Place::new("{gates: ['approval:admins']}");
    let draft = change(None, Some(closure("{}", &[], &[])));
    let plan = place.plan(&draft, &[]).expect("a plan");
    assert_eq!((plan.outcome, plan.gated), (Outcome::Pending, true));
    assert!(plan.records.iter().all(|record| record.verdict == "pending"));
    let required = ["eval:nobody".parse().expect("a gate")];
    let stricter = place.plan(&draft, &required).expect("a plan");
    assert_eq!(stricter.outcome, Outcome::Blocked);
    assert_eq!(stricter.subjects, plan.subjects, "who approves is not asked again because the operator demands more");
}

#[test]
fn a_gate_that_the_same_command_loosens_still_counts() {
    let (strict, loose) = (Place::new("{gates: ['approval:admins']}"), Place::new("{}"));
    let draft = change(None, Some(closure("{}", &[], &[])));
    assert_eq!(loose.plan(&draft, &[]).expect("a plan").outcome, Outcome::Open);
    let both = loose.plan_after(&draft, &[], Some(&strict.trust)).expect("a plan");
    assert_eq!((both.outcome, both.gated), (Outcome::Pending, true));
}

#[test]
fn only_what_has_served_comes_back_past_the_gates() {
    let place = Place::new("{gates: ['approval:admins']}");
    let outcome = |event: Event, has_served: bool| {
        let mut draft = Draft { event, ..change(None, Some(closure("{}", &[], &[]))) };
        draft.agents.values_mut().for_each(|edit| edit.has_served = has_served);
        place.plan(&draft, &[]).expect("a plan").outcome
    };
    assert_eq!(outcome(Event::Rollback, true), Outcome::Open);
    assert_eq!(outcome(Event::Rollback, false), Outcome::Pending);
    for event in [Event::Apply, Event::Promote, Event::Delete] {
        assert_eq!(outcome(event, true), Outcome::Pending, "{event}");
    }
}

#[test]
fn values_that_the_environment_fills_in_are_recorded_and_change_no_identity() {
    let agent = closure("{region: {fromEnvironment: REGION}}", &[], &[]);
    let plan = |environment: &str| Place::new(environment).plan(&change(None, Some(agent.clone())), &[]);
    let (here, there) = (plan("{defaults: {REGION: eu}}").unwrap(), plan("{defaults: {REGION: us}}").unwrap());
    assert_eq!(here.records[0].runtime_context.values["REGION"].as_text(), Some("eu"));
    assert_eq!(here.records[0].to_digest, there.records[0].to_digest);
    assert_eq!(
        plan("{}").expect_err("nothing fills it in"),
        "`spec.defaults` of Environment `prod` has no `REGION`, wanted by agent/x at `spec.region`; \
         an admin adds it and applies the Environment"
    );
}

#[test]
fn a_guard_that_changes_is_judged_even_if_an_agent_brings_it_along() {
    let eval = |text: &str| one("Eval e", &format!("{{target: {{kind: Agent, name: x}}, note: {text}}}"));
    let subjects = |before: Option<Arc<Resource>>| {
        let mut draft = change(None, Some(closure("{}", &[], &[])));
        let id = eval("new").id().clone();
        draft.catalog.insert(id.clone(), CatalogEdit { before, after: Some(eval("new")), cases: None });
        draft.agents.values_mut().for_each(|edit| edit.writes.extend([id.clone()]));
        draft.subjects().into_iter().map(|subject| subject.resource.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(subjects(Some(eval("old"))), ["agent/x", "eval/e"]);
    assert_eq!(subjects(None), ["agent/x"], "a new one can only demand more");
}

#[test]
fn an_approval_is_about_everything_that_the_change_writes() {
    let digest = |version: u8, writes: bool| {
        let mut draft = change(None, Some(closure("{}", &[], &[])));
        let id = tool(version).id().clone();
        draft.catalog.insert(id.clone(), CatalogEdit { before: None, after: Some(tool(version)), cases: None });
        draft.agents.values_mut().filter(|_| writes).for_each(|edit| edit.writes.extend([id.clone()]));
        draft.subjects().remove(0).writes
    };
    assert_ne!(digest(1, true), digest(2, true));
    assert_ne!(digest(1, true), digest(1, false));
    assert_eq!(digest(1, false), digest(2, false), "what another agent's change writes voids nothing");
}
