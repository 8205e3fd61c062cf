//! `joch trust quorum`: how many admins must agree to a change of trust that asks for less.

use anyhow::Result;

use crate::release::layout;

use super::again::again;
use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::land::commit_time;
use super::trust_change::{Staged, TrustChange};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// How many; none only tells how many it is.
    pub quorum: Option<u32>,
    /// Why.
    pub reason: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How many admins must agree now.
    pub quorum: u32,
    /// Who they are.
    pub admins: Vec<String>,
    /// The trust commit, if trust changed.
    pub trust_commit: Option<String>,
}

/// Tells the quorum, or changes it.
///
/// # Errors
/// More than there are admins, or fewer than one; the operator is no admin; to lower it, the other admins must agree
/// first.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    again(caller, |caller| attempt(request, caller))
}

fn attempt(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let Some(quorum) = request.quorum else {
        let trust = desk.reader()?.trust()?;
        let admins = trust.admins().into_iter().map(str::to_owned).collect();
        return Ok(Outcome { quorum: trust.settings.quorum, admins, trust_commit: None });
    };
    let mut transaction = desk.begin()?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let operating = desk.operating(caller, &trust)?;
    let admins: Vec<String> = trust.admins().into_iter().map(str::to_owned).collect();
    if quorum == 0 || quorum as usize > admins.len() {
        let message = format!("a quorum of {quorum} is not possible: it is from 1 to {}, the admins", admins.len());
        return Err(Failure::usage(message).next("an admin adds another to a Team with `role: admin` first").into());
    }
    let mut outcome = Outcome { quorum, admins, trust_commit: None };
    if quorum == trust.settings.quorum {
        return Ok(outcome);
    }
    let change = TrustChange { quorum: Some(quorum), ..TrustChange::default() };
    let time = commit_time(&desk, &reader, &[layout::TRUST, layout::EVIDENCE], caller.now, &mut caller.notices)?;
    let why = request.reason.as_deref();
    match change.stage(&mut transaction, &reader, &trust, &operating, why, time)? {
        Staged::Made(after, lowered) => {
            outcome.trust_commit = Some(after.commit);
            lowered.into_iter().for_each(|lowered| caller.notice(lowered.told()));
        }
        Staged::Waits(waiting) => {
            let missing = waiting.propose(&mut transaction, &reader, &operating, why, time)?;
            desk.finish(transaction, caller)?;
            return Err(missing.into());
        }
    }
    desk.finish(transaction, caller)?;
    Ok(outcome)
}
