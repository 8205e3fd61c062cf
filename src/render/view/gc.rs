//! `joch gc`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Page, View};

/// What was packed and removed, or would be.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GcResult {
    /// `collected`, or `unchanged` where there was nothing to do.
    #[schemars(extend("enum" = ["collected", "unchanged"]))]
    pub verdict: &'static str,
    /// Whether this is only what would be done.
    pub dry_run: bool,
    /// The pack that was made.
    pub pack: Option<String>,
    /// How many objects went into it.
    pub objects: usize,
    /// How many references went into `packed-refs`.
    pub references: usize,
    /// What killed programs had left, and is removed.
    pub swept: Vec<String>,
    /// What is wrong with objects that stay as they are.
    pub damaged: Vec<String>,
}

impl View for GcResult {
    fn kind(&self) -> &'static str {
        "GcResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        let Self { objects, references, swept, .. } = self;
        let would = if self.dry_run { "would pack" } else { "packed" };
        page.line(match self.verdict {
            "unchanged" => "there is nothing to pack and nothing to remove".to_owned(),
            _ => format!("{would} objects {objects}, references {references}"),
        });
        for path in swept {
            page.line(format!("{} {path}", if self.dry_run { "would remove" } else { "removed" }));
        }
        for why in &self.damaged {
            page.line(format!("damaged, and left as it is: {why}"));
        }
        if !self.damaged.is_empty() {
            page.line("next: joch audit verify");
        }
    }

    fn names(&self) -> Vec<String> {
        self.pack.iter().chain(&self.swept).cloned().collect()
    }
}
