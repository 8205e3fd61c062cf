//! The exit codes: one documented number for each answer. They are part of the contract.

use crate::eval::Verdict;
use crate::gate::Outcome;
use crate::ledger::Error;
use crate::ops::{Failure, FailureKind};

/// Done, or already so; a diff was shown.
pub const DONE: u8 = 0;
/// It could not be done, or could not be decided.
pub const COULD_NOT: u8 = 1;
/// It was decided: no.
pub const REFUSED: u8 = 2;
/// Only an approval is missing; run again once it is there.
pub const PENDING: u8 = 3;
/// Credentials are missing or refused, or the role does not allow it.
pub const CREDENTIALS: u8 = 4;
/// Somebody stopped it; what it did stays, and it can go on.
pub const INTERRUPTED: u8 = 130;
/// The command was not understood.
pub const USAGE: u8 = 64;

/// Every code with what it means: the reference is made from this table.
pub const ALL: [(u8, &str); 7] = [
    (DONE, "It is done, or was so already; a diff was shown."),
    (
        COULD_NOT,
        "It could not be done, or could not be decided: a file, Git or the network failed, or evidence is inconclusive.",
    ),
    (
        REFUSED,
        "It was decided: no. A resource is invalid, a gate failed or its evidence is missing or stale, a verification \
         failed, or `--exit-code` was given and there are differences.",
    ),
    (PENDING, "Only an approval is missing. Run the command again once it is there."),
    (CREDENTIALS, "Credentials are missing or refused, or the role of the key does not allow it."),
    (USAGE, "The command was not understood."),
    (INTERRUPTED, "Ctrl-C or a signal stopped a run of an eval. What it journalled stays; `--resume` goes on."),
];

/// The code for what gates say. The printed verdict and the JSON come from the same value.
#[must_use]
pub fn of_outcome(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Open => DONE,
        Outcome::Pending => PENDING,
        Outcome::Undecided => COULD_NOT,
        Outcome::Blocked => REFUSED,
    }
}

/// The code for what a run of an eval came to.
#[must_use]
pub fn of_verdict(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Passed => DONE,
        Verdict::Inconclusive => COULD_NOT,
        Verdict::Failed => REFUSED,
    }
}

/// The code for an error.
#[must_use]
pub fn of_error(error: &anyhow::Error) -> u8 {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return match failure.kind {
            FailureKind::CouldNot => COULD_NOT,
            FailureKind::Refused => REFUSED,
            FailureKind::Pending => PENDING,
            FailureKind::Credentials => CREDENTIALS,
            FailureKind::Usage => USAGE,
        };
    }
    match error.downcast_ref::<Error>() {
        Some(Error::Signing { .. }) => CREDENTIALS,
        _ => COULD_NOT,
    }
}
