//! `joch approvals ls|show`: what waits for a decision, and what was decided.

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::diff::{Change, Weakening, between};
use crate::gate::{
    Broken, Decision, Predicate, REQUEST_PREDICATE, Statement, TRUST_CHANGE, agreement, proposed_trust, unfit,
};
use crate::ledger::{Ballots, Reader};
use crate::release::{Event, Record, layout};
use crate::resource::Resource;
use crate::trust::{Principal, Trust, weigh_trust};

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::quorum::used;

/// One thing on the list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// What it is.
    pub state: State,
    /// Who said or asked it.
    pub principal: Option<String>,
    /// The key.
    pub fingerprint: String,
    /// The change, where a person signed it.
    pub predicate: Option<Predicate>,
    /// The stopped attempt, where it is one.
    pub record: Option<Record>,
    /// What a proposal would do to trust, or why that cannot be told.
    pub proposal: Option<Result<Proposal, String>>,
    /// The override, where it is one that nobody has reviewed.
    pub overridden: Option<Broken>,
    /// Why it no longer waits.
    pub standing: Option<String>,
    /// When.
    pub time: DateTime<Utc>,
    /// Where it stands on the evidence branch.
    pub path: String,
}

/// What a proposal would do to trust as it is: told by its texts, which have the digests that an agreement binds.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// What would change.
    pub diff: Vec<Change>,
    /// What of it asks for less.
    pub weaker: Vec<Weakening>,
}

/// The kinds of things on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Somebody asked.
    Requested,
    /// An attempt waits.
    Waiting,
    /// A yes.
    Approved,
    /// A no.
    Rejected,
    /// A statement that ran out.
    Expired,
    /// A proposal whose change was made.
    Done,
    /// A proposal that nothing can come of: an admin rejected it, or trust has changed since.
    Void,
    /// An override that a second person must review.
    Review,
}

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// One item, by the beginning of its id.
    pub id: Option<String>,
    /// Whether only what waits is listed.
    pub waiting: bool,
}

/// The list, newest first.
///
/// # Errors
/// The evidence cannot be read; no item has that id.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Vec<Listed>> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let mut listed = statements(&reader, &trust, caller.now)?;
    listed.extend(attempts(&reader, &trust)?);
    listed.extend(overrides(&reader, &trust)?);
    // Of two things that were said within one second, the ledger knows which came later.
    let paths = listed.iter().map(|item| item.path.as_str()).collect();
    let carried = reader.carried(reader.tip(layout::EVIDENCE)?, paths)?;
    let place = |item: &Listed| carried.get(&item.path).map(|(place, _)| *place);
    listed.sort_by(|a, b| (b.time, place(b), &b.id).cmp(&(a.time, place(a), &a.id)));
    if let Some(id) = &request.id {
        listed.retain(|item| item.id.starts_with(id.as_str()));
        if listed.is_empty() || id.len() < 6 {
            return Err(Failure::could_not(
                "not-found",
                format!("no approval, request or stopped attempt begins with `{id}`"),
            )
            .next("`joch approvals ls` lists them; give at least 6 digits of the id")
            .into());
        }
    }
    if request.waiting {
        listed.retain(|item| matches!(item.state, State::Requested | State::Waiting | State::Review));
    }
    Ok(listed)
}

fn statements(reader: &Reader<'_>, trust: &Trust, now: DateTime<Utc>) -> Result<Vec<Listed>> {
    let mut listed: Vec<Listed> = Vec::new();
    for item in reader.evidence_under(reader.tip(layout::EVIDENCE)?, "approvals")? {
        if listed.iter().any(|known| known.id == item.id) {
            continue;
        }
        let statement = Statement::from_json(&item.bytes)
            .map_err(|why| Failure::could_not("object-damaged", format!("the evidence `{}`: {why}", item.path)))?;
        let state = match (statement.predicate.decision, statement.predicate_type == REQUEST_PREDICATE) {
            _ if statement.predicate.expires <= now => State::Expired,
            (Some(Decision::Approve), false) => State::Approved,
            (Some(Decision::Reject), false) => State::Rejected,
            _ => State::Requested,
        };
        let (mut state, mut standing, mut proposal) = (state, None, None);
        let asked = statement.predicate_type == REQUEST_PREDICATE;
        if asked && statement.predicate.environment == TRUST_CHANGE {
            if state == State::Requested {
                (state, standing) = progress(&item.id, &statement.predicate, reader, trust, now)?;
            }
            proposal = Some(told(&statement.predicate, trust));
        }
        listed.push(Listed {
            id: item.id,
            state,
            principal: trust.principal(&item.key).map(|principal| principal.name),
            fingerprint: item.key.fingerprint(),
            time: statement.predicate.stated_at,
            path: item.path,
            predicate: Some(statement.predicate),
            record: None,
            proposal,
            overridden: None,
            standing,
        });
    }
    Ok(listed)
}

/// What a proposal would do to trust as it is.
fn told(said: &Predicate, trust: &Trust) -> Result<Proposal, String> {
    let after = proposed_trust(trust, said)?;
    let body = |trust: &Trust, change: &crate::gate::Change| {
        trust.resources.get(&change.resource).map(|found| Resource::body(found).clone())
    };
    let of = |change: &crate::gate::Change| {
        between(&change.resource, body(trust, change).as_ref(), body(&after, change).as_ref())
    };
    let weaker = weigh_trust(trust, &after).into_iter().filter(Weakening::is_weaker).collect();
    Ok(Proposal { diff: said.changes.iter().flat_map(of).collect(), weaker })
}

/// Whether a proposal still waits, and why not.
fn progress(
    id: &str,
    said: &Predicate,
    reader: &Reader<'_>,
    trust: &Trust,
    now: DateTime<Utc>,
) -> Result<(State, Option<String>)> {
    let Some(first) = said.changes.first() else { return Ok((State::Void, Some("it changes nothing".into()))) };
    let ballots = Ballots { reader, commit: reader.tip(layout::EVIDENCE)?, trust };
    let seen = used(reader, reader.tip(layout::TRUST)?, first.writes)?;
    let votes = ballots.statements(&first.resource, seen)?.into_iter();
    let votes = votes.map(|(vote, statement)| (vote, statement.predicate_type == REQUEST_PREDICATE));
    let votes: Vec<_> = votes.filter(|(vote, _)| vote.predicate.changes == said.changes).collect();
    if votes.iter().any(|(vote, _)| vote.id == id && vote.spent) {
        return Ok((State::Done, Some("the change was made".into())));
    }
    if let Some(why) = unfit(trust, &said.changes) {
        return Ok((State::Void, Some(why)));
    }
    let nobody = Principal { name: String::new(), automation: true };
    Ok(match agreement(trust, &said.changes, &votes, &nobody, now).no.first() {
        Some(who) => (State::Void, Some(format!("the admin {who} rejected it"))),
        None => (State::Requested, None),
    })
}

/// Overrides that nobody has reviewed.
fn overrides(reader: &Reader<'_>, trust: &Trust) -> Result<Vec<Listed>> {
    let commit = reader.tip(layout::EVIDENCE)?;
    let mut listed = Vec::new();
    if reader.snapshot().entry_at(commit, layout::OVERRIDES)?.is_none() {
        return Ok(listed);
    }
    let ballots = Ballots { reader, commit, trust };
    for rung in trust.ladder().rungs() {
        let open =
            ballots.overrides(rung, None)?.into_iter().filter(|broken| broken.standing(trust).decision.is_none());
        listed.extend(open.map(|broken| Listed {
            id: broken.id.clone(),
            state: State::Review,
            principal: broken.principal.as_ref().map(|principal| principal.name.clone()),
            fingerprint: broken.key.fingerprint(),
            predicate: None,
            record: None,
            proposal: None,
            standing: None,
            time: broken.glass.stated_at,
            path: layout::override_item(rung, &broken.glass.resource, &broken.id),
            overridden: Some(broken),
        }));
    }
    Ok(listed)
}

/// Attempts that were stopped and whose change has not happened since, the last of each resource.
fn attempts(reader: &Reader<'_>, trust: &Trust) -> Result<Vec<Listed>> {
    let mut listed: Vec<Listed> = Vec::new();
    let evidence = reader.tip(layout::EVIDENCE)?;
    for rung in trust.ladder().rungs() {
        let next = format!("{rung}/{}", reader.environment(rung)?.next_release()?);
        for (item, record) in reader.decisions(evidence, rung)?.into_iter().rev() {
            let again = |known: &Listed| {
                known
                    .record
                    .as_ref()
                    .is_some_and(|r| r.agent_ref == record.agent_ref && r.environment == record.environment)
            };
            if listed.iter().any(again) {
                continue;
            }
            let stopped = record.verdict == "pending" || record.verdict == "blocked";
            if stopped && record.release == next && record.event != Event::Rollback {
                listed.push(Listed {
                    id: item.id,
                    state: State::Waiting,
                    principal: Some(record.operator_identity.principal.name.clone()),
                    fingerprint: item.key.fingerprint(),
                    predicate: None,
                    time: record.timestamp,
                    path: item.path,
                    record: Some(record),
                    proposal: None,
                    overridden: None,
                    standing: None,
                });
            }
        }
    }
    Ok(listed)
}
