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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;

    use super::*;
    use crate::ops::Progress;

    /// What comes of attempts of which the first so many fail like this; the attempts made, and what was told.
    fn after(failures: usize, failure: fn() -> Error) -> (Result<usize>, usize, Vec<String>) {
        let (mut stdin, mut stream) = (std::io::empty(), std::io::sink());
        let mut caller = Caller {
            directory: ".".into(),
            variables: BTreeMap::new(),
            now: DateTime::UNIX_EPOCH,
            stdin: &mut stdin,
            key: None,
            namespace: None,
            progress: Progress { stream: &mut stream, terminal: None, clock: || DateTime::UNIX_EPOCH },
            notices: vec!["before".into()],
        };
        let mut made = 0;
        let outcome = again(&mut caller, |caller| {
            made += 1;
            caller.notice(format!("attempt {made}"));
            if made <= failures { Err(failure().into()) } else { Ok(made) }
        });
        (outcome, made, caller.notices)
    }

    fn moved() -> Error {
        Error::Moved { reference: "refs/heads/dev".into(), expected: None, found: None }
    }

    #[test]
    fn a_change_is_planned_again_and_told_once() {
        let (outcome, _, notices) = after(2, moved);
        assert_eq!(outcome.expect("the third attempt stands"), 3);
        assert_eq!(notices, ["before", "attempt 3"]);
    }

    #[test]
    fn a_branch_that_never_stands_still_is_told() {
        let (outcome, made, _) = after(usize::MAX, moved);
        assert_eq!(made, ATTEMPTS);
        assert!(outcome.expect_err("it gives up").to_string().contains("refs/heads/dev"));
    }

    #[test]
    fn any_other_failure_is_told_at_once() {
        let (outcome, made, _) = after(1, || Error::Missing { what: "it".into() });
        assert!(outcome.is_err());
        assert_eq!(made, 1);
    }
}
