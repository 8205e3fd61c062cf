//! `joch promote`: brings what one rung runs onto the next, past its gates, or says why not.

use anyhow::Result;

use crate::release::{Plan, layout};
use crate::resource::{Requirement, ResourceId};

use super::again::again;
use super::break_glass::{self, overrides, tell};
use super::caller::Caller;
use super::desk::Desk;
use super::judge::{Asked, check_writer, judge};
use super::land::{Landed, commit_time, land};
use super::promotion::{Move, draft};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What, from where to where.
    pub wanted: Move,
    /// What the operator demands beside what the target does.
    pub required: Vec<Requirement>,
    /// What the operator allows to be taken back.
    pub allowed_regressions: Vec<ResourceId>,
    /// What the operator lets through in spite of its gate.
    pub glass: break_glass::Request,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was asked.
    pub wanted: Move,
    /// The plan; none where the target has all of it already.
    pub plan: Option<Plan>,
    /// The release, if one was made.
    pub landed: Option<Landed>,
    /// What the target has already.
    pub unchanged: Vec<ResourceId>,
    /// Whether nothing was written because nothing was to be.
    pub dry_run: bool,
}

/// Promotes. What gates say is an outcome.
///
/// # Errors
/// See [`super::promotion`]; the role does not allow it; the ledger cannot be written.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    again(caller, |caller| attempt(request, caller))
}

fn attempt(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let transaction = if request.dry_run { None } else { Some(desk.begin()?) };
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let operating = desk.operating(caller, &trust)?;
    let promotion = draft(&request.wanted, &reader, &trust, &desk, caller)?;
    let mut outcome = Outcome {
        wanted: request.wanted.clone(),
        plan: None,
        landed: None,
        unchanged: promotion.unchanged,
        dry_run: request.dry_run,
    };
    if promotion.draft.is_empty() {
        return Ok(outcome);
    }
    check_writer(&trust, &operating, &request.wanted.to)?;
    let branches = [layout::EVIDENCE, request.wanted.to.as_str()];
    let time = commit_time(&desk, &reader, &branches, caller.now, &mut caller.notices)?;
    let reason = request.wanted.reason.as_deref();
    let overrides = overrides(&request.glass, reason, &request.wanted.to, time, &trust, &operating)?;
    let asked = Asked {
        overrides: &overrides,
        required: &request.required,
        allowed_regressions: &request.allowed_regressions,
        ..Asked::of(&trust, &desk)
    };
    let plan = judge(&promotion.draft, &asked, &reader, &operating.operator, time)?;
    tell(&overrides, &plan, &request.wanted.to, &trust, caller);
    if let Some(mut transaction) = transaction {
        outcome.landed = land(&mut transaction, &reader, &plan, &operating)?;
        desk.finish(transaction, caller)?;
    }
    outcome.plan = Some(plan);
    Ok(outcome)
}
