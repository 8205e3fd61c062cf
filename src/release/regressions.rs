//! What a promotion would take back from its target.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::closure::{Closure, selects};
use crate::gate::{Regression, RegressionKind};
use crate::resource::{Kind, Pinned, Resource, ResourceId};

use super::draft::Running;
use super::event::Event;
use super::record::Record;

/// What the target has, as far as a promotion could take it back.
pub struct Target<'a> {
    /// What it runs for the agent.
    pub running: Option<&'a Running>,
    /// The records of the agent there since its last promotion or rollback, newest first.
    pub applied: &'a [Record],
    /// The candidate's members that its catalog also holds, at its versions.
    pub catalog: &'a [Pinned],
    /// Every policy of its catalog, with its version.
    pub policies: &'a [(Arc<Resource>, Option<u64>)],
}

/// Finds what `candidate`, with `members` at these versions, would take back from `target`. A version
/// number is given once and grows, so a lower one is older.
#[must_use]
pub fn regressions(
    candidate: &Closure,
    members: &[Pinned],
    candidate_version: Option<u64>,
    target: &Target<'_>,
) -> Vec<Regression> {
    let brings = |id: &ResourceId| members.iter().find(|member| member.id() == *id);
    let mut found = BTreeSet::new();
    let held = target.running.map(|running| running.record.members.as_slice()).unwrap_or_default();
    for has in held.iter().chain(target.catalog) {
        let older = brings(&has.id()).filter(|member| member.version < has.version);
        if let Some(member) = older {
            found.insert(Regression {
                resource: has.id(),
                kind: RegressionKind::Older,
                target_version: has.version,
                candidate_version: member.version,
            });
        }
    }
    let selecting = target.policies.iter().filter(|(policy, _)| selects(policy, candidate.agent()));
    let held_policies = held.iter().filter(|has| has.kind == Kind::Policy);
    let held_selecting = held_policies.filter(|has| {
        target.policies.iter().any(|(policy, _)| *policy.id() == has.id() && selects(policy, candidate.agent()))
    });
    let selecting = selecting.map(|(policy, version)| (policy.id().clone(), *version));
    for (id, version) in selecting.chain(held_selecting.map(|has| (has.id(), has.version))) {
        if brings(&id).is_none() {
            found.insert(Regression {
                resource: id,
                kind: RegressionKind::MissingPolicy,
                target_version: version,
                candidate_version: None,
            });
        }
    }
    if let Some(running) = target.running.filter(|running| was_applied_there(candidate, running, target.applied)) {
        found.insert(Regression {
            resource: candidate.id().clone(),
            kind: RegressionKind::AppliedThere,
            target_version: running.record.to_version,
            candidate_version,
        });
    }
    newest_of_each(found)
}

/// Whether somebody applied the agent's own record there, and the candidate's is another. A member that was
/// applied there is told by its version, and what a ripple brought with it.
fn was_applied_there(candidate: &Closure, running: &Running, applied: &[Record]) -> bool {
    let own =
        |record: &Record| record.event == Event::Apply && record.diff.iter().any(|c| c.resource == *candidate.id());
    applied.iter().any(own) && running.closure.agent() != candidate.agent()
}

/// One line for each resource and way: the highest version that the target has.
fn newest_of_each(found: BTreeSet<Regression>) -> Vec<Regression> {
    let mut newest: Vec<Regression> = Vec::new();
    for regression in found {
        match newest.iter_mut().find(|kept| kept.resource == regression.resource && kept.kind == regression.kind) {
            Some(kept) if kept.target_version < regression.target_version => *kept = regression,
            Some(_) => {}
            None => newest.push(regression),
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::closure::{Layer, Sources, resolve};
    use crate::resource::sample::{labelled, one};

    /// A record from the archive, as if it were that of `members` brought by `event`.
    fn record(event: Event, members: &[Pinned], changed: &[&ResourceId]) -> Record {
        let stored = include_str!("../../fixtures/records/promoted.record.json");
        let mut record = Record::from_json(stored.as_bytes()).expect("stays readable");
        let change = record.diff.first().expect("it changed something").clone();
        record.event = event;
        record.to_version = Some(7);
        record.members = members.to_vec();
        record.diff =
            changed.iter().map(|id| crate::diff::Change { resource: (*id).clone(), ..change.clone() }).collect();
        record
    }

    fn closure(spec: &str, members: &[Arc<Resource>]) -> Closure {
        let set: BTreeMap<_, _> = members.iter().map(|member| (member.id().clone(), member.clone())).collect();
        let agent = labelled("Agent x", "{tier: gold}", spec);
        let layers = vec![Layer::Set(&set)];
        let sources = Sources { tiers: vec![layers.clone()], selectable: layers, child: &|_| Ok(None) };
        resolve(&agent, &sources).expect("whole")
    }

    fn pinned(head: &str, version: Option<u64>) -> Pinned {
        let resource = one(head, "{}");
        Pinned::new(resource.id(), version, resource.digest())
    }

    fn selecting(head: &str) -> Arc<Resource> {
        one(head, "{appliesTo: {agents: {selector: {matchLabels: {tier: gold}}}}}")
    }

    /// What a candidate with tool `t` at version 3 would take back.
    fn told(
        change: impl FnOnce(&mut Vec<Pinned>, &mut Vec<(Arc<Resource>, Option<u64>)>, &mut Vec<Pinned>),
    ) -> Vec<String> {
        let (mut held, mut policies, mut catalog) = (Vec::new(), Vec::new(), Vec::new());
        change(&mut held, &mut policies, &mut catalog);
        let candidate = closure("{}", &[]);
        let running = Running { closure: candidate.clone(), record: record(Event::Promote, &held, &[]) };
        let target = Target { running: Some(&running), applied: &[], catalog: &catalog, policies: &policies };
        let members = [pinned("Tool t", Some(3)), pinned("Policy held", Some(3)), pinned("Tool unnumbered", None)];
        regressions(&candidate, &members, Some(8), &target).iter().map(Regression::sentence).collect()
    }

    #[test]
    fn a_member_that_is_older_than_in_the_target_goes_back() {
        let older = "tool/t goes back: the target has v4, the candidate brings v3";
        assert!(told(|held, _, _| held.push(pinned("Tool t", Some(3)))).is_empty(), "the same");
        assert!(told(|held, _, _| held.push(pinned("Tool t", Some(2)))).is_empty(), "newer than the target's");
        assert!(told(|held, _, _| held.push(pinned("Tool gone", Some(9)))).is_empty(), "left out, which a diff shows");
        assert!(told(|held, _, _| held.push(pinned("Tool team-b/t", Some(9)))).is_empty(), "another namespace's");
        assert_eq!(told(|held, _, _| held.push(pinned("Tool t", Some(4)))), [older]);
        assert_eq!(told(|_, _, catalog| catalog.push(pinned("Tool t", Some(4)))), [older], "than in its catalog");
        assert_eq!(
            told(|held, _, catalog| {
                held.push(pinned("Tool t", Some(4)));
                catalog.push(pinned("Tool t", Some(6)));
            }),
            ["tool/t goes back: the target has v6, the candidate brings v3"],
            "told once, against the newest"
        );
        assert_eq!(
            told(|held, _, _| held.push(pinned("Tool unnumbered", Some(1)))),
            ["tool/unnumbered goes back: the target has v1, the candidate brings"],
            "what has no number is not newer"
        );
    }

    #[test]
    fn a_policy_of_the_target_that_selects_the_candidate_must_be_in_it() {
        let missing = "policy/new v2 of the target selects the candidate and is missing in it";
        assert_eq!(told(|_, policies, _| policies.push((selecting("Policy new"), Some(2)))), [missing]);
        assert!(told(|_, policies, _| policies.push((selecting("Policy held"), Some(2)))).is_empty(), "it has it");
        assert!(told(|_, policies, _| policies.push((one("Policy by-name", "{}"), Some(2)))).is_empty());
        assert_eq!(
            told(|held, policies, _| {
                held.push(pinned("Policy new", Some(2)));
                policies.push((selecting("Policy new"), Some(2)));
            }),
            [missing],
            "told once"
        );
        assert!(
            told(|held, _, _| held.push(pinned("Policy dropped", Some(2)))).is_empty(),
            "one that the agent named and no longer names is told by the diff"
        );
    }

    #[test]
    fn what_somebody_applied_in_the_target_is_not_replaced_unseen() {
        let (theirs, ours) = (closure("{instructions: theirs}", &[]), closure("{instructions: ours}", &[]));
        let agent = theirs.id().clone();
        let tool = ResourceId::new(Kind::Tool, "default", "t");
        let told = |candidate: &Closure, applied: &[Record]| {
            let running = Running { closure: theirs.clone(), record: record(Event::Apply, &[], &[]) };
            let target = Target { running: Some(&running), applied, catalog: &[], policies: &[] };
            regressions(candidate, &[], Some(8), &target).iter().map(Regression::sentence).collect::<Vec<_>>()
        };
        let own = record(Event::Apply, &[], &[&agent]);
        assert_eq!(
            told(&ours, std::slice::from_ref(&own)),
            ["agent/x v7 was applied in the target since its last promotion, and the candidate v8 would replace it"]
        );
        assert!(told(&theirs, &[own]).is_empty(), "the candidate has it");
        assert!(told(&ours, &[]).is_empty(), "it came by promotion");
        assert!(
            told(&ours, &[record(Event::Apply, &[], &[&tool])]).is_empty(),
            "a tool that rippled in, told by its version"
        );
    }

    #[test]
    fn nothing_is_taken_back_where_nothing_runs() {
        let target = Target { running: None, applied: &[], catalog: &[], policies: &[] };
        assert!(regressions(&closure("{}", &[]), &[], Some(1), &target).is_empty());
    }
}
