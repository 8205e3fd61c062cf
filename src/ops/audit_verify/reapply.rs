//! What an apply or a delete that gates stopped would have changed. Its content stands nowhere but in the diffs of its
//! decisions, and these leave nothing out: with what ran before they make the candidate, whose digest they name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;

use crate::closure::Closure;
use crate::diff::{self, Change};
use crate::ledger::Environment;
use crate::ops::reach::edit_of;
use crate::release::{CatalogEdit, Draft, Event, Record};
use crate::resource::canonical::canonical;
use crate::resource::{Kind, Resource, ResourceId, Value};

/// The draft that these decisions tell of, as far as they can; the caller checks that it is that attempt.
pub(super) fn read_back(records: &[&Record], target: &Environment<'_, '_>) -> Result<Option<Draft>> {
    let [first, ..] = records else { return Ok(None) };
    let mut draft = Draft {
        event: first.event,
        environment: target.name().to_owned(),
        source: None,
        reason: first.reason.clone(),
        catalog: BTreeMap::new(),
        agents: BTreeMap::new(),
    };
    let mut after = BTreeMap::new();
    for record in records {
        let agent = record.agent_ref.kind == Kind::Agent;
        let before = if agent { target.closure(&record.agent_ref)? } else { None };
        if agent {
            let Some(closure) = changed(before.as_ref(), &record.agent_ref, &record.diff) else { return Ok(None) };
            after.insert(record.agent_ref.clone(), closure);
        }
        for (id, changes) in by_resource(&record.diff).into_iter().filter(|(id, _)| id.kind != Kind::Agent) {
            let held = before.as_ref().and_then(|closure| closure.find(&id));
            let entry = target.entry(&id)?;
            let old = if agent { held } else { entry.as_ref() };
            let Ok(body) = diff::apply(old.map(|old| old.body()), &changes) else { return Ok(None) };
            let Some(new) = body.as_ref().map(resource).map_or(Some(None), |read| read.map(Some)) else {
                return Ok(None);
            };
            // A member that only leaves a closure stays in the catalog; with an agent that is deleted, all do.
            let leaves = agent && new.is_none() && (first.event == Event::Apply || record.to_digest.is_none());
            if entry != new && !leaves {
                draft.catalog.insert(id, CatalogEdit { before: entry, after: new, cases: None });
            }
        }
    }
    for record in records.iter().filter(|record| record.agent_ref.kind == Kind::Agent) {
        let closure = after.remove(&record.agent_ref).flatten();
        let held: BTreeSet<ResourceId> = draft
            .catalog
            .keys()
            .filter(|id| closure.as_ref().is_some_and(|closure| closure.find(id).is_some()))
            .cloned()
            .collect();
        let all = draft.catalog.keys().cloned().collect();
        let writes = [held, all].into_iter().find(|writes| draft.writes(writes) == record.writes);
        draft
            .agents
            .insert(record.agent_ref.clone(), edit_of(target, &record.agent_ref, closure, writes.unwrap_or_default())?);
    }
    Ok(Some(draft))
}

/// What the changes make of a closure without children; a diff tells what children share once, so theirs cannot be
/// read back. The outer `None` is what cannot be told.
#[expect(clippy::option_option, reason = "a closure that goes is told apart from one that cannot be told")]
fn changed(before: Option<&Closure>, agent: &ResourceId, changes: &[Change]) -> Option<Option<Closure>> {
    if before.is_some_and(|closure| !closure.children().is_empty()) {
        return None;
    }
    let mut held: BTreeMap<ResourceId, Arc<Resource>> =
        before.iter().flat_map(|closure| closure.everything()).map(|held| (held.id().clone(), held.clone())).collect();
    for (id, changes) in by_resource(changes) {
        let old = held.get(&id).map(|held| held.body().clone());
        match diff::apply(old.as_ref(), &changes).ok()? {
            Some(body) => drop(held.insert(id, resource(&body)?)),
            None => drop(held.remove(&id)),
        }
    }
    let Some(own) = held.remove(agent) else { return Some(None) };
    let child = held.keys().any(|id| id.kind == Kind::Agent);
    (!child).then(|| Some(Closure::new(own, held, BTreeMap::new())))
}

fn by_resource(changes: &[Change]) -> BTreeMap<ResourceId, Vec<Change>> {
    let mut by: BTreeMap<ResourceId, Vec<Change>> = BTreeMap::new();
    for change in changes {
        by.entry(change.resource.clone()).or_default().push(change.clone());
    }
    by
}

fn resource(body: &Value) -> Option<Arc<Resource>> {
    Resource::from_canonical(&canonical(body)).ok().map(Arc::new)
}
