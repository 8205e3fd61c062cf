//! Why a command did not do what was asked, for machines.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Page, View};
use crate::resource::Finding;

/// An error; it goes to standard error, and standard output stays empty.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorResult {
    /// A stable code: `no-ledger`, `not-found`, …
    pub code: String,
    /// What, where and why.
    pub message: String,
    /// The next command.
    pub next: Option<String>,
    /// Findings in files, where these are the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What was worth saying before it failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

impl View for ErrorResult {
    fn kind(&self) -> &'static str {
        "Error"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        page.line(&self.message);
    }
}
