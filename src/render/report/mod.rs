//! Results of evals in the formats of others: CI servers, pull requests, monitoring, browsers. Values in, text out.

pub(super) mod against;
mod cases;
pub(super) mod figures;
mod github;
mod html;
mod junit;
mod markdown;
mod openmetrics;
pub mod otlp;
#[cfg(test)]
pub(super) mod sample;
mod spark;
mod style;

pub use against::{Against, Earlier};
pub(super) use cases::{Told, fault_word, worst};
pub(super) use markdown::page as markdown;

use crate::eval::Verdict;

use super::view::{EvalPart, EvalResult, EvalTrouble, PartState};

/// The formats beside those that every command has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JUnit XML.
    Junit,
    /// OpenMetrics text.
    Openmetrics,
    /// Workflow commands that become annotations.
    Github,
    /// One page of HTML that needs nothing else.
    Html,
}

impl Format {
    /// All of them: what every result of an eval can be told in.
    pub const ALL: [Self; 4] = [Self::Junit, Self::Openmetrics, Self::Github, Self::Html];

    /// The word after `-o`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Junit => "junit",
            Self::Openmetrics => "openmetrics",
            Self::Github => "github",
            Self::Html => "html",
        }
    }
}

/// What a report is about: results, and what came to none. A report that left the latter out would look better than
/// the run was.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch<'a> {
    /// Results.
    pub(super) results: Vec<&'a EvalResult>,
    /// Shards, and runs that were interrupted.
    pub(super) parts: Vec<&'a EvalPart>,
    /// What could not begin.
    pub(super) troubles: Vec<&'a EvalTrouble>,
}

/// Something that came to no result.
pub(super) struct Open {
    /// What it is.
    pub(super) title: String,
    /// What is to be said of it.
    pub(super) message: String,
    /// Whether it is as it should be: a shard is, whatever becomes of the run.
    pub(super) is_expected: bool,
}

impl<'a> Batch<'a> {
    /// One result.
    pub(super) fn of(result: &'a EvalResult) -> Self {
        Self { results: vec![result], ..Self::default() }
    }

    /// One part.
    pub(super) fn of_part(part: &'a EvalPart) -> Self {
        Self { parts: vec![part], ..Self::default() }
    }

    /// The worst verdict of all. Nothing was judged where there is none, and what came to no result did not pass.
    pub(super) fn verdict(&self) -> Verdict {
        let judged = self.results.iter().map(|item| item.result.verdict).max();
        let open = !self.parts.is_empty() || !self.troubles.is_empty();
        judged.max(open.then_some(Verdict::Inconclusive)).unwrap_or(Verdict::Inconclusive)
    }

    /// Whatever came to no result.
    pub(super) fn open(&self) -> Vec<Open> {
        let parts = self.parts.iter().map(|part| Open {
            title: part.title(),
            message: part.told(),
            is_expected: part.state == PartState::Shard,
        });
        let troubles = self.troubles.iter().map(|trouble| Open {
            title: trouble.title(),
            message: format!("it could not begin: {}", trouble.message),
            is_expected: false,
        });
        let nothing = Open {
            title: "joch eval".to_owned(),
            message: "no eval ran, so nothing passed".to_owned(),
            is_expected: false,
        };
        let is_empty = self.results.is_empty() && self.parts.is_empty() && self.troubles.is_empty();
        parts.chain(troubles).chain(is_empty.then_some(nothing)).collect()
    }
}

/// The results in a format.
pub(super) fn of(batch: &Batch<'_>, format: Format) -> String {
    match format {
        Format::Junit => junit::report(batch),
        Format::Openmetrics => openmetrics::text(&batch.results),
        Format::Github => github::annotations(batch),
        Format::Html => html::page(batch),
    }
}
