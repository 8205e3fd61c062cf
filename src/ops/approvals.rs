//! `joch approvals ls|show`: what waits for a decision, and what was decided.

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::gate::{Decision, Predicate, REQUEST_PREDICATE, Statement};
use crate::ledger::Reader;
use crate::release::{Event, Record, layout};
use crate::trust::Trust;

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;

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
    /// When.
    pub time: DateTime<Utc>,
    /// Where it stands on the evidence branch.
    pub path: String,
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
        listed.retain(|item| matches!(item.state, State::Requested | State::Waiting));
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
        listed.push(Listed {
            id: item.id,
            state,
            principal: trust.principal(&item.key).map(|principal| principal.name),
            fingerprint: item.key.fingerprint(),
            time: statement.predicate.stated_at,
            path: item.path,
            predicate: Some(statement.predicate),
            record: None,
        });
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
                });
            }
        }
    }
    Ok(listed)
}
