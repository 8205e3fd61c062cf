//! `joch approvals review`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::Judgement;
use crate::render::{Page, View};
use crate::resource::ResourceId;

/// What a second person said of an override.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewResult {
    /// `accepted`, `rejected`, or `unchanged` where the same was said before.
    #[schemars(extend("enum" = ["accepted", "rejected", "unchanged"]))]
    pub verdict: String,
    /// The release.
    pub release: String,
    /// What was overridden in it.
    pub reviewed: Vec<ReviewedGates>,
    /// Who says it.
    pub principal: String,
    /// What is said.
    pub decision: Judgement,
    /// Why.
    pub rationale: String,
    /// The evidence commit that carries it.
    pub commit: Option<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The gates that were overridden for one resource.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReviewedGates {
    /// The resource.
    pub resource: ResourceId,
    /// The gates.
    pub gates: Vec<String>,
}

impl View for ReviewResult {
    fn kind(&self) -> &'static str {
        "ReviewResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        for reviewed in &self.reviewed {
            let gates = reviewed.gates.join(", ");
            page.line(format!(
                "{}: the override of {gates} for {} in {}",
                self.verdict, reviewed.resource, self.release
            ));
        }
        page.field("by", &self.principal);
        page.field("why", &self.rationale);
        if let Some(next) = &self.next {
            page.line(format!("next: {next}"));
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.release.clone()]
    }
}
