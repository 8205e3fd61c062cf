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
