//! `joch init`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Page, View};

/// What `init` made or found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitResult {
    /// Whether the ledger was there already.
    pub already: bool,
    /// Where it is.
    pub ledger: String,
    /// The first commit of its trust branch.
    pub trust_root: String,
    /// The first admin, where the ledger is new.
    pub admin: Option<String>,
    /// The admin's key.
    pub fingerprint: Option<String>,
    /// The rungs, lowest first.
    pub ladder: Vec<String>,
}

impl View for InitResult {
    fn kind(&self) -> &'static str {
        "InitResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        if self.already {
            page.line(format!("the ledger is there already: {}", self.ledger));
        } else {
            page.line(format!("made the ledger {}", self.ledger));
        }
        page.field("ladder", self.ladder.join(" -> "));
        page.field("trust root", format!("{} (pinned in joch.yaml; commit that file)", self.trust_root));
        if let (Some(admin), Some(fingerprint)) = (&self.admin, &self.fingerprint) {
            page.field("admin", format!("{admin}  {fingerprint}"));
            page.line("next: joch apply -f .");
        }
    }
}
