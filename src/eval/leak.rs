//! What leaks: where in an answer something stands that should not, never what it is.

use serde::{Deserialize, Serialize};

/// One finding of a detector.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Leak {
    /// What was found: `email`, `iban`, `aws-access-key`, …
    pub detector: String,
    /// Where: `output`, or `tool:NAME`.
    pub place: String,
    /// The first byte, in the text as it came.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
    /// Whether the case's own input holds it too.
    pub echoed: bool,
    /// A masked excerpt: `j***@e***`.
    pub excerpt: String,
}
