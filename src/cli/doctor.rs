//! `joch doctor`.

use anyhow::Result;
use clap::Args;

use crate::ops::Caller;
use crate::ops::doctor::{self, State};
use crate::render::view::{DoctorCheck, DoctorResult};

use super::exit;
use super::global::Answer;

/// Look whether everything that joch needs is there and well: Git, your key, the project, its ledger
///
/// Each check is OK, WARN, FAIL or UNKNOWN, and says what to do next where it is not OK. Exits 2 if one fails, 1 if
/// something could not be looked at, else 0. Works where there is no ledger.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {}

pub(super) fn run(_: DoctorArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let outcome = doctor::run(caller)?;
    let (code, verdict) = match outcome.state() {
        State::Ok | State::Warn => (exit::DONE, "well"),
        State::Unknown => (exit::COULD_NOT, "unknown"),
        State::Fail => (exit::REFUSED, "ill"),
    };
    let checks = outcome.checks.into_iter().map(|check| DoctorCheck {
        name: check.name,
        state: word(check.state),
        message: check.message,
        next: check.next,
    });
    Ok(Answer::with(code, DoctorResult { verdict, checks: checks.collect() }))
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warn => "warn",
        State::Unknown => "unknown",
        State::Fail => "fail",
    }
}
