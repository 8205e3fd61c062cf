//! A part of a run: one shard, or as far as it got before somebody stopped it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Page, View};
use crate::resource::ResourceId;

use super::words;

/// Parts of runs. A part has no verdict: nothing was judged.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EvalParts {
    /// One for each Eval.
    pub items: Vec<EvalPart>,
}

/// A part of a run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvalPart {
    /// The run.
    pub run: String,
    /// The Eval.
    pub eval: ResourceId,
    /// Which part of the cases, as `2/4`; none for all of them.
    pub shard: Option<String>,
    /// Trials that are done.
    pub done: u64,
    /// Trials of this part.
    pub planned: u64,
    /// Whether somebody stopped it.
    pub interrupted: bool,
    /// The directory of its journal.
    pub directory: String,
    /// The command that goes on.
    pub next: String,
}

impl View for EvalParts {
    fn kind(&self) -> &'static str {
        "EvalParts"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _: bool) {
        for part in &self.items {
            let shard = part.shard.as_ref().map_or_else(String::new, |shard| format!(" shard {shard}"));
            let state = if part.interrupted { "stopped" } else { "done" };
            page.line(format!("{}{shard}: {state}, {} of {} cases", words::name(&part.eval), part.done, part.planned));
            page.field("journal", &part.directory);
            page.line(format!("next: {}", part.next));
        }
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|part| part.directory.clone()).collect()
    }
}
