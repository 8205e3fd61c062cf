//! Why a verb did not do what was asked, in the classes that exit codes tell apart.

use std::fmt;

use crate::gate::{LONGEST_REASON, is_reason};
use crate::resource::Finding;

/// The classes of failures; each has an exit code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It could not be done, or not decided.
    CouldNot,
    /// It was decided: no.
    Refused,
    /// Only an approval is missing.
    Pending,
    /// Credentials are missing or refused, or the role does not allow it.
    Credentials,
    /// The command was not understood.
    Usage,
}

/// A failure: what, why, and the next command.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Its class.
    pub kind: Kind,
    /// A stable code for machines: `no-ledger`, `not-found`, …
    pub code: &'static str,
    /// What, where and why.
    pub message: String,
    /// The next command.
    pub next: Option<String>,
    /// Findings in files, where these are the reason.
    pub findings: Vec<Finding>,
}

impl Failure {
    /// A failure of this class.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), next: None, findings: Vec::new() }
    }

    /// It could not be done.
    pub fn could_not(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::CouldNot, code, message)
    }

    /// It was decided: no.
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, code, message)
    }

    /// The command was not understood.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, "usage", message)
    }

    /// The role or key does not allow it.
    pub fn credentials(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Credentials, code, message)
    }

    /// The same, with the next command.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The same, with findings.
    #[must_use]
    pub fn findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }
}

/// Refuses a reason that says nothing where somebody signs it. `option` is where it is said: `--reason`.
///
/// # Errors
/// No letter and no digit in it, or more than anybody reads.
pub(super) fn check_reason(option: &str, reason: &str) -> Result<(), Failure> {
    if is_reason(reason) {
        return Ok(());
    }
    let wanted = format!("takes a reason of 1 to {LONGEST_REASON} characters, for it is signed and kept");
    Err(Failure::usage(format!("`{option}` {wanted}")).next(format!("say why: {option} TEXT")))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
