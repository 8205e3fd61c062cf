//! Policies compared with what ran before: which do not bind the agent any more, and which do less.

use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{Kind, Mention, ResourceId, Risk, Target, Tie, Value, view};

use super::found::{Found, listed, shown};
use super::policy_rule::{acts, replaces, told};
use super::whole::{Level, Part, Whole};

pub(super) fn compare(before: &Whole, after: &Whole, found: &mut Found) {
    for was in &before.levels {
        // A child that is gone is bound by nothing; what takes its place is looked at below.
        let Some(now) = after.level(&was.path) else { continue };
        for policy in was.of_kind(&Kind::Policy).filter(|policy| now.get(policy.id()).is_none()) {
            if let Some(why) = unbound(policy, was, now) {
                found.raise("AGB-POL-001", policy.component(), Risk::Critical, why);
            }
        }
    }
    replaced(before, after, found);
    for (was, policy) in after.changed(before, &Kind::Policy) {
        let list =
            |part: &Part| part.at(&["rules"]).and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
        let (old, new) = (list(was), list(policy));
        for (nth, rule) in old.iter().enumerate().filter(|(_, rule)| acts(rule)) {
            if !new.iter().any(|heir| replaces(rule, heir)) {
                found.raise("AGB-POL-002", policy.component(), Risk::High, told(rule, nth, &new));
            }
        }
    }
}

/// The policies of child agents that are gone, held against those that come in the same change: nobody can tell whether
/// one of these does the work of one of those, so as many must be bound as were. Where none comes, nothing is left to
/// bind.
fn replaced(before: &Whole, after: &Whole, found: &mut Found) {
    let paths =
        |whole: &'_ Whole| -> BTreeSet<Vec<ResourceId>> { whole.levels.iter().map(|l| l.path.clone()).collect() };
    let (old, new) = (paths(before), paths(after));
    let gone: Vec<&Level> = before.levels.iter().filter(|level| !new.contains(&level.path)).collect();
    let come: Vec<&Level> = after.levels.iter().filter(|level| !old.contains(&level.path)).collect();
    if come.is_empty() {
        return;
    }
    let holders: BTreeMap<&[ResourceId], &Level> =
        after.levels.iter().map(|level| (level.path.as_slice(), level)).collect();
    let mut lost: BTreeMap<&ResourceId, Vec<(&Level, &Part)>> = BTreeMap::new();
    for level in &gone {
        for policy in level.of_kind(&Kind::Policy) {
            lost.entry(policy.id()).or_default().push((level, policy));
        }
    }
    for (id, mut held) in lost {
        // What binds an agent binds what its children do for it.
        let binds = |level: &&&Level| {
            let above = (0..=level.path.len()).filter_map(|depth| holders.get(&level.path[..depth]));
            above.into_iter().any(|holder| holder.get(id).is_some())
        };
        let (bound, unbound): (Vec<&Level>, Vec<&Level>) = come.iter().partition(|level| binds(level));
        if bound.len() >= held.len().min(come.len()) {
            continue;
        }
        held.retain(|(level, policy)| !went_along(level, policy, &come));
        if bound.len() < held.len().min(come.len()) {
            let levels: Vec<&Level> = held.iter().map(|(level, _)| *level).collect();
            let (was, is) = (agents(&levels), agents(&unbound));
            let why = format!("it bound {was}, now gone, and does not bind {is}, which may take that place");
            found.raise("AGB-POL-001", held[0].1.component(), Risk::Critical, why);
        }
    }
}

/// Whether only a server or another member brought the policy along, and is gone with it.
fn went_along(level: &Level, policy: &Part, come: &[&Level]) -> bool {
    if view::selects(&policy.resource, &level.agent.resource.labels()) {
        return false;
    }
    let binders: Vec<&Part> = level.parts().filter(|part| names(part, policy.id())).collect();
    let stays =
        |binder: &&Part| binder.id() == level.agent.id() || come.iter().any(|new| new.get(binder.id()).is_some());
    !binders.is_empty() && !binders.iter().any(stays)
}

/// The agents of these levels, the first few by name.
fn agents(levels: &[&Level]) -> String {
    let ids: BTreeSet<String> = levels.iter().map(|level| level.agent.id().to_string()).collect();
    let mut told: Vec<String> = ids.iter().take(3).cloned().collect();
    if ids.len() > told.len() {
        told.push(format!("and {} more", ids.len() - told.len()));
    }
    told.join(", ")
}

/// Why a policy that bound an agent does not any more; `None` where all that it came with is gone.
fn unbound(policy: &Part, was: &Level, now: &Level) -> Option<String> {
    let agent = now.agent.id();
    if view::selects(&policy.resource, &was.agent.resource.labels()) {
        let wanted = view::selector(&policy.resource).unwrap_or_default();
        let labels = now.agent.resource.labels();
        let lost: Vec<_> = wanted.iter().filter(|(key, value)| labels.get(*key) != Some(value)).collect();
        let told = lost.iter().map(|(key, value)| {
            let is = labels.get(*key).map_or_else(|| "gone".to_owned(), |label| shown(label));
            format!("the label {} was {} and is {is}", shown(key), shown(value))
        });
        let told: Vec<String> = told.collect();
        return Some(if told.is_empty() {
            format!("it does not select {agent} any more: its selector was narrowed, or it is gone")
        } else {
            format!("it does not select {agent} any more: {}", told.join(", "))
        });
    }
    let binders: Vec<&Part> = was.parts().filter(|part| names(part, policy.id())).collect();
    if binders.iter().any(|binder| binder.id() == was.agent.id()) {
        return Some(format!("{agent} does not name it any more"));
    }
    let staying: Vec<String> =
        binders.iter().filter(|binder| now.get(binder.id()).is_some()).map(|binder| binder.id().to_string()).collect();
    if staying.is_empty() && !binders.is_empty() {
        return None;
    }
    let staying = staying.iter().map(String::as_str);
    Some(if binders.is_empty() {
        format!("it does not bind {agent} any more")
    } else {
        format!("{} names it no more, so it does not bind {agent}", listed(staying))
    })
}

/// Whether a part makes the policy a member.
fn names(part: &Part, policy: &ResourceId) -> bool {
    let meant = |mention: Mention| match mention.target {
        Target::Resource(reference) => reference.candidates(&part.id().namespace).contains(policy),
        Target::Candidate(_) => false,
    };
    part.resource.mentions().into_iter().filter(|mention| mention.tie == Tie::Member).any(meant)
}
