//! `joch trust quorum`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Page, View};

/// How many admins must agree.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrustResult {
    /// `changed` or `unchanged`.
    #[schemars(extend("enum" = ["changed", "unchanged"]))]
    pub verdict: String,
    /// How many admins must agree to a change that makes a control weaker.
    pub quorum: u32,
    /// Who they are.
    pub admins: Vec<String>,
    /// The trust commit, if trust changed.
    pub trust_commit: Option<String>,
}

impl View for TrustResult {
    fn kind(&self) -> &'static str {
        "TrustResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        page.line(format!("{}: {} of the admins agree to what makes a control weaker", self.verdict, self.quorum));
        page.field("admins", self.admins.join(", "));
        if let Some(commit) = &self.trust_commit {
            page.field("trust", commit);
        }
    }
}
