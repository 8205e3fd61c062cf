//! What random lives really did: a life that never rotates a key, or a kill that never hits, shows nothing.

use std::collections::BTreeMap;
use std::fmt;

/// How often each thing happened.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(BTreeMap<String, usize>);

impl Tally {
    /// Once more.
    pub(super) fn add(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    /// All that another one counted.
    pub(super) fn take(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, times)| *self.0.entry(what.clone()).or_default() += times);
    }

    /// How often something happened, whose words begin so.
    pub(super) fn of(&self, beginning: &str) -> usize {
        self.0.iter().filter(|(what, _)| what.starts_with(beginning)).map(|(_, times)| times).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, times)| writeln!(f, "{times:6} {what}"))
    }
}
