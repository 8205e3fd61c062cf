//! The kinds of events, and the words for what they do to a resource.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a release did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// Files were applied.
    Apply,
    /// Content came from the rung below.
    Promote,
    /// Content that served before came back.
    Rollback,
    /// A resource was taken out.
    Delete,
}

impl Event {
    /// `apply`, as trailers and records write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Delete => "delete",
        }
    }

    /// The word once it is done: `applied`, as verdicts write it.
    #[must_use]
    pub fn done(self) -> &'static str {
        match self {
            Self::Apply => "applied",
            Self::Promote => "promoted",
            Self::Rollback => "rolled-back",
            Self::Delete => "deleted",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a release did to one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// It was not there before.
    Created,
    /// Its own record changed.
    Updated,
    /// Something in its closure changed.
    Affected,
    /// Nothing changed.
    Unchanged,
    /// It is gone.
    Deleted,
}

impl Word {
    /// `created`, …
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Affected => "affected",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
        }
    }
}
