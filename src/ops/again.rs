//! A change is planned again when a plain Git moved a branch while it was planned.

use anyhow::Result;

use crate::ledger::Error;

use super::caller::Caller;

/// How often a change is planned before its caller is told. Somebody must push that often in a row to defeat it.
const ATTEMPTS: usize = 4;

/// Does what `attempt` does, from its beginning, as long as references move away under it. An attempt that failed like
/// that has written nothing: what it would have written was planned on what is no longer there.
pub(super) fn again<T>(caller: &mut Caller<'_>, mut attempt: impl FnMut(&mut Caller<'_>) -> Result<T>) -> Result<T> {
    let told = caller.notices.len();
    for _ in 1..ATTEMPTS {
        match attempt(caller) {
            Err(why) if matches!(why.downcast_ref(), Some(Error::Moved { .. })) => caller.notices.truncate(told),
            done => return done,
        }
    }
    attempt(caller)
}
