//! `joch explain`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::GateResult;
use crate::render::{Page, View};

/// What a promotion is missing.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `promoted` where nothing is missing, else what a promotion would come to now; `unchanged`.
    #[schemars(extend("enum" = ["promoted", "blocked", "pending", "undecided", "unchanged"]))]
    pub verdict: String,
    /// The rung it comes from.
    pub from: String,
    /// The rung it goes to.
    pub to: String,
    /// What would change.
    pub changes: Vec<String>,
    /// What is missing: the fewest things, what says no first.
    pub missing: Vec<MissingFact>,
    /// Who may override what stands in the way, where anybody may, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
    /// The same for people, in the words of the terminal.
    pub text: String,
}

impl Explanation {
    /// With its own words.
    #[must_use]
    pub fn told(mut self) -> Self {
        self.text = crate::render::table(&self, false);
        self
    }
}

/// One missing fact.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingFact {
    /// The resource that it is about.
    pub resource: String,
    /// What the gate says.
    pub gate: GateResult,
    /// The other gates that it satisfies.
    pub also: Vec<AlsoMissing>,
    /// Who can supply it.
    pub who: Vec<String>,
    /// With which command.
    pub command: String,
}

/// Another gate that waits for the same.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlsoMissing {
    /// The resource that it is about.
    pub resource: String,
    /// What the gate says.
    pub gate: GateResult,
}

impl View for Explanation {
    fn kind(&self) -> &'static str {
        "Explanation"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        for change in &self.changes {
            page.line(format!("{change}  {} -> {}", self.from, self.to));
        }
        if self.changes.is_empty() {
            page.line(format!("nothing to promote: {} has all of it as {} does", self.to, self.from));
            return;
        }
        if self.missing.is_empty() {
            page.line("nothing is missing: promote it");
            return;
        }
        page.line(format!("a promotion now would be {}; it is missing:", self.verdict));
        for fact in &self.missing {
            page.gap();
            answer(page, &fact.gate);
            for also in &fact.also {
                answer(page, &also.gate);
            }
            if !fact.who.is_empty() {
                page.line(format!("  who:         {}", fact.who.join(" or ")));
            } else if fact.gate.gate == "approval" {
                page.line(
                    "  who:         nobody yet: no approving member has a key and is not the operator or an author",
                );
            }
            page.line(format!("  then:        {}", fact.command));
        }
        if let Some(how) = &self.break_glass {
            page.gap();
            page.line(how);
        }
    }
}

fn answer(page: &mut Page, gate: &GateResult) {
    page.line(format!("{}  {}", gate.verdict.word(), gate.label()));
    page.line(format!("  {}", gate.reason));
    if !gate.demanded_by.is_empty() {
        page.line(format!("  demanded by: {}", gate.demanded_by.join(", ")));
    }
}
