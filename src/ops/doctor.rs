//! `joch doctor`: whether everything that joch needs is there and as it should be. Every check is made, and
//! each that is not well says what to do.

mod agents;
mod machine;
mod repository;

use anyhow::Result;

use crate::workspace::Project;

use super::caller::Caller;

/// How one check came out. The order is from well to ill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is as it should be.
    Ok,
    /// joch works, and something is worth knowing.
    Warn,
    /// It could not be looked at.
    Unknown,
    /// Something must be mended.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, in a word.
    pub name: &'static str,
    /// How it came out.
    pub state: State,
    /// What was found.
    pub message: String,
    /// What to do, where it is not well.
    pub next: Option<String>,
}

impl Check {
    fn new(name: &'static str, state: State, message: impl Into<String>) -> Self {
        Self { name, state, message: message.into(), next: None }
    }

    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, State::Ok, message)
    }

    fn warn(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, State::Warn, message)
    }

    fn fail(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, State::Fail, message)
    }

    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// What an error says about `name`.
    fn of_error(name: &'static str, state: State, error: &anyhow::Error) -> Self {
        let failure = error.downcast_ref::<super::failure::Failure>().and_then(|failure| failure.next.clone());
        let ledger = error.downcast_ref::<crate::ledger::Error>().and_then(crate::ledger::Error::next);
        Self { next: failure.or(ledger), ..Self::new(name, state, error.to_string()) }
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Every check, in the order in which they were made.
    pub checks: Vec<Check>,
}

impl Outcome {
    /// The worst of all checks.
    #[must_use]
    pub fn state(&self) -> State {
        self.checks.iter().map(|check| check.state).max().unwrap_or(State::Ok)
    }
}

/// Looks at the machine, the key, the project and its ledger.
///
/// # Errors
/// Never: what goes wrong is what it tells.
pub fn run(caller: &mut Caller<'_>) -> Result<Outcome> {
    let mut checks = machine::programs(caller);
    let (key, key_check) = machine::key(caller);
    checks.push(key_check);
    match Project::find(&caller.directory) {
        Err(trouble) => {
            let next = trouble.next.unwrap_or_else(|| "mend the file".into());
            checks.push(Check::fail("project", trouble.what).next(next));
        }
        Ok(project) => {
            checks.push(machine::project(&project));
            checks.extend(repository::check(&project, key.as_ref(), caller));
        }
    }
    Ok(Outcome { checks })
}
