//! `joch audit log`: what happened, newest first.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::audit::{Entry, Filter, Touched, newest_first};
use crate::gate::{OverrideStanding, Statement};
use crate::ledger::{Ballots, Commit, ObjectId, Reader, changed_paths};
use crate::release::{Word, layout};
use crate::resource::ResourceId;
use crate::trust::{PublicKey, Trust};

use super::caller::Caller;
use super::desk::Desk;
use super::find::check_environment;
use super::overridden::Marks;
use super::signatures::signer_of;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Only what happened to this agent.
    pub agent: Option<String>,
    /// Only what happened in this environment.
    pub environment: Option<String>,
    /// Only what happened at this time or later.
    pub since: Option<DateTime<Utc>>,
}

/// What happened, newest first.
pub type Outcome = Vec<Entry>;

/// Everyone whose key was ever listed.
type People = BTreeMap<PublicKey, String>;

/// Reads the log. It tells what the ledger says; whether that is true is `audit verify`'s to find.
///
/// # Errors
/// There is no such environment, or the ledger cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    if let Some(environment) = &request.environment {
        check_environment(trust.ladder(), environment)?;
    }
    let filter = Filter {
        agent: request.agent.as_ref().map(|name| ResourceId::agent(caller.namespace(), name)),
        environment: request.environment.clone(),
        since: request.since,
    };
    let people = trust.signers.ever();
    let mut entries = Vec::new();
    // The highest rung first: of two releases in one second, the later is the one that climbed higher.
    for rung in trust.ladder().rungs().iter().rev().filter(|rung| filter.wants_environment(rung)) {
        releases(&reader, rung, &filter, &mut entries)?;
    }
    statements(&reader, &people, &mut entries)?;
    stops(&reader, &trust, &people, &mut entries)?;
    let marks = Marks::read(&reader, &trust)?;
    for entry in entries.iter_mut().filter(|entry| entry.event != "review") {
        let marked = entry.release.as_ref().map(|release| marks.all_of(release)).unwrap_or_default();
        entry.mark = marked.iter().find_map(OverrideStanding::mark);
    }
    for rung in trust.ladder().rungs().iter().filter(|rung| filter.wants_environment(rung)) {
        let decisions = reader.decisions(reader.tip(layout::EVIDENCE)?, rung)?;
        entries.extend(decisions.iter().rev().filter_map(|(item, record)| Entry::of_stopped(record, &item.id)));
    }
    if filter.environment.is_none() && filter.agent.is_none() {
        trust_changes(&reader, &people, &filter, &mut entries)?;
    }
    Ok(newest_first(entries.into_iter().filter_map(|entry| filter.cut(entry)).collect()))
}

fn releases(reader: &Reader<'_>, environment: &str, filter: &Filter, entries: &mut Vec<Entry>) -> Result<()> {
    for commit in reader.snapshot().first_parents(reader.tip(environment)?) {
        let commit = commit?;
        if too_old(&commit, filter) {
            break;
        }
        if let Some(manifest) = reader.manifest(commit.id)? {
            entries.push(Entry::of_release(&manifest, commit.committer.time, &commit.id.to_string()));
        }
    }
    Ok(())
}

/// What people said: every item once, whatever number of agents it is about.
fn statements(reader: &Reader<'_>, people: &People, entries: &mut Vec<Entry>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for item in reader.evidence_under(reader.tip(layout::EVIDENCE)?, layout::APPROVALS)? {
        if !seen.insert(item.id.clone()) {
            continue;
        }
        let damaged = |why| crate::ledger::Error::Damaged { object: format!("the evidence `{}`", item.path), why };
        let statement = Statement::from_json(&item.bytes).map_err(damaged)?;
        let signer = people.get(&item.key).map(String::as_str);
        entries.push(Entry::of_statement(&statement, &item.id, signer));
    }
    Ok(())
}

/// Holds, lifts, and the reviews of what was overridden.
fn stops(reader: &Reader<'_>, trust: &Trust, people: &People, entries: &mut Vec<Entry>) -> Result<()> {
    let ballots = Ballots { reader, commit: reader.tip(layout::EVIDENCE)?, trust };
    entries.extend(ballots.all_held()?.iter().map(|held| Entry::of_hold(held, held.who(trust))));
    for rung in trust.ladder().rungs() {
        for broken in ballots.overrides(rung, None)? {
            let said = broken.reviews.iter();
            entries.extend(said.map(|said| Entry::of_review(said, people.get(&said.key).map(String::as_str))));
        }
    }
    Ok(())
}

fn trust_changes(reader: &Reader<'_>, people: &People, filter: &Filter, entries: &mut Vec<Entry>) -> Result<()> {
    for commit in reader.snapshot().first_parents(reader.tip(layout::TRUST)?) {
        let commit = commit?;
        if too_old(&commit, filter) {
            break;
        }
        let key = signer_of(reader, commit.id)?.ok();
        let signer = key.and_then(|key| people.get(&key)).map(String::as_str);
        let subjects = trust_subjects(reader, &commit)?;
        entries.push(Entry::of_trust(commit.committer.time, &commit.id.to_string(), signer, subjects));
    }
    Ok(())
}

/// The records that a trust commit changed.
fn trust_subjects(reader: &Reader<'_>, commit: &Commit) -> Result<Vec<Touched>> {
    let tree = |id: &ObjectId| reader.snapshot().commit(*id).map(|commit| commit.tree);
    let before = commit.parents.first().map(tree).transpose()?;
    let mut subjects = Vec::new();
    for changed in changed_paths(reader.snapshot(), before, Some(commit.tree))? {
        let Some(blob) = changed.new.or(changed.old).filter(|_| changed.path.contains('/')) else { continue };
        let resource = reader.resource(blob)?;
        let change = match (changed.old, changed.new) {
            (None, _) => Word::Created,
            (_, None) => Word::Deleted,
            _ => Word::Updated,
        };
        let digest = changed.new.is_some().then(|| resource.digest());
        subjects.push(Touched { change: Some(change), digest, ..Touched::of(resource.id().clone()) });
    }
    Ok(subjects)
}

/// Whether this commit, and so every one before it, is too old to be told.
fn too_old(commit: &Commit, filter: &Filter) -> bool {
    filter.since.is_some_and(|since| commit.committer.time < since)
}
