//! Results of evals in the formats of others: CI servers, pull requests, monitoring, browsers. Values in, text out.

mod against;
mod cases;
pub(super) mod figures;
pub mod github;
mod html;
mod junit;
mod markdown;
mod openmetrics;
pub mod otlp;
#[cfg(test)]
pub(super) mod sample;
mod spark;
mod style;

pub use against::{Against, Delta, Earlier};
pub(super) use cases::{Told, worst};
pub(super) use markdown::page as markdown;

use super::view::EvalResult;

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

/// The results in a format.
pub(super) fn of(results: &[&EvalResult], format: Format) -> String {
    match format {
        Format::Junit => junit::report(results),
        Format::Openmetrics => openmetrics::text(results),
        Format::Github => github::annotations(results),
        Format::Html => html::page(results),
    }
}
