//! Policies compared with what ran before: which do not bind the agent any more, and which do less.

use crate::resource::{Kind, Mention, ResourceId, Risk, Target, Tie, Value, view};

use super::found::{Found, listed, shown};
use super::policy_rule::{acts, replaces, told};
use super::whole::{Level, Part, Whole};

pub(super) fn compare(before: &Whole, after: &Whole, found: &mut Found) {
    for was in &before.levels {
        // A child that is gone is bound by nothing.
        let Some(now) = after.level(&was.path) else { continue };
        for policy in was.of_kind(&Kind::Policy).filter(|policy| now.get(policy.id()).is_none()) {
            if let Some(why) = unbound(policy, was, now) {
                found.raise("AGB-POL-001", policy.component(), Risk::Critical, why);
            }
        }
    }
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
