//! `joch eval run` where it came to no result: one shard of a run, or a run that was interrupted.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::report::{self, Batch, Format};
use crate::render::{Page, View};
use crate::resource::ResourceId;

/// A part of a run. It is not judged, whatever it holds.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvalPart {
    /// `shard` where it is done, `interrupted` where somebody asked to stop.
    pub state: PartState,
    /// The run.
    pub run: String,
    /// The Eval.
    pub eval: ResourceId,
    /// The environment.
    pub environment: String,
    /// Which part of the cases, as `2/4`; none for all of them.
    pub shard: Option<String>,
    /// Where its journal is.
    pub directory: String,
    /// Trials that are done.
    pub done: u64,
    /// Trials of the part.
    pub planned: u64,
    /// The next command.
    pub next: Option<String>,
}

/// How a part ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "EvalPartState")]
pub enum PartState {
    /// All of its cases ran.
    Shard,
    /// Somebody asked to stop.
    Interrupted,
}

/// An Eval that could not begin, while others ran.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvalTrouble {
    /// The Eval.
    pub eval: ResourceId,
    /// The environment.
    pub environment: String,
    /// Why it could not.
    pub message: String,
    /// The next command.
    pub next: Option<String>,
}

impl View for EvalPart {
    fn kind(&self) -> &'static str {
        "EvalPart"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        page.line(format!("{}: {}", self.title(), self.told()));
        page.field("run", &self.run);
        page.field("journal", &self.directory);
        if let Some(next) = &self.next {
            page.line(format!("next: {next}"));
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.run.clone()]
    }

    fn markdown(&self) -> String {
        report::markdown(&Batch::of_part(self))
    }

    fn reports(&self) -> &'static [Format] {
        &Format::ALL
    }

    fn report(&self, format: Format) -> Option<String> {
        Some(report::of(&Batch::of_part(self), format))
    }
}

impl EvalPart {
    /// `eval/quality shard 2/4 in staging`.
    pub(in crate::render) fn title(&self) -> String {
        let shard = self.shard.as_ref().map_or_else(String::new, |shard| format!(" shard {shard}"));
        format!("{}{shard} in {}", self.eval, self.environment)
    }

    /// `30 of 30 trials are done; a part is not judged`.
    pub(in crate::render) fn told(&self) -> String {
        let done = format!("{} of {} trials are done", self.done, self.planned);
        match self.state {
            PartState::Shard => format!("{done}; a part is not judged"),
            PartState::Interrupted => format!("interrupted; {done}"),
        }
    }
}

impl EvalTrouble {
    /// `eval/quality in staging`.
    pub(in crate::render) fn title(&self) -> String {
        format!("{} in {}", self.eval, self.environment)
    }
}
