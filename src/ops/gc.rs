//! `joch gc`: packs objects and references, and removes what killed programs left.

use anyhow::Result;

use crate::ledger::Collected;

use super::caller::Caller;
use super::desk::Desk;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was collected, or would be.
    pub collected: Collected,
    /// Whether nothing was written because that was asked for.
    pub dry_run: bool,
}

/// Collects, or says what it would collect.
///
/// # Errors
/// There is no ledger, another writer takes too long, or the disk refuses.
pub fn run(request: Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let collected = if request.dry_run { desk.repository.collectable()? } else { desk.repository.collect()? };
    Ok(Outcome { collected, dry_run: request.dry_run })
}
