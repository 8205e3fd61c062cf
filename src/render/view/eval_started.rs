//! The evals that a release started, as the verb that made the release tells them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::eval::Verdict;
use crate::render::Page;
use crate::render::report::figures;
use crate::resource::ResourceId;

/// An eval that a release started.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StartedEval {
    /// The Eval.
    pub eval: ResourceId,
    /// What it came to; none where it did not come to anything.
    pub verdict: Option<Verdict>,
    /// The id of the evidence.
    pub evidence: Option<String>,
    /// Why it did not run, or stopped.
    pub message: Option<String>,
}

/// One line for each that came to something.
pub(super) fn lines(page: &mut Page, started: &[StartedEval]) {
    for one in started {
        let Some(verdict) = one.verdict else { continue };
        let id = one.evidence.as_deref().and_then(|id| id.get(..12)).unwrap_or_default();
        page.line(format!("{} ran: {}  (joch eval show {id})", one.eval, figures::verdict(verdict)));
    }
}
