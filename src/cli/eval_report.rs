//! Where results of evals go beside standard output: files in the formats of others, and a collector.

use anyhow::Result;
use clap::Args;

use crate::eval::{RunResult, Verdict};
use crate::ops::eval::send;
use crate::ops::{Caller, Failure};
use crate::render::report::{Format, otlp};
use crate::render::view::EvalResults;
use crate::render::{self, View};

/// Where else a result goes
#[derive(Debug, Default, Args)]
pub(super) struct ReportArgs {
    /// Write a report too: `junit`, `markdown`, `json`, `openmetrics`, `github` or `html`, and the file; may be repeated
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<String>,
    /// Send the scores to a collector of OpenTelemetry (OTLP over HTTP), such as `http://localhost:4318`
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
}

/// What a report may be written as.
const FORMATS: [&str; 6] = ["junit", "markdown", "json", "openmetrics", "github", "html"];

impl ReportArgs {
    /// Refuses what could not be written in the end.
    ///
    /// # Errors
    /// A format that there is not, or no file.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for report in &self.reports {
            let (format, file) = parts(report);
            if !FORMATS.contains(&format) || file.is_empty() {
                let message = format!("`--report {report}` is not understood");
                return Err(
                    Failure::usage(message).next(format!("write FORMAT=FILE, with one of {}", FORMATS.join(", ")))
                );
            }
        }
        Ok(())
    }

    /// Writes and sends everything. What a collector does not take is told, and changes nothing.
    ///
    /// # Errors
    /// A file cannot be written. Results are on record by then, and need not be paid for again.
    pub(super) fn write(&self, results: &EvalResults, caller: &mut Caller<'_>) -> Result<()> {
        let all: &dyn View = match results.items.as_slice() {
            [one] if results.parts.is_empty() && results.troubles.is_empty() => one,
            _ => results,
        };
        for report in &self.reports {
            let (format, file) = parts(report);
            let text = match format {
                "json" => render::json(all),
                "markdown" => render::markdown(all),
                other => {
                    let format = Format::ALL.into_iter().find(|format| format.word() == other);
                    format.and_then(|format| all.report(format)).unwrap_or_default()
                }
            };
            crate::workspace::write_over(&caller.directory.join(file), text.as_bytes())
                .map_err(|why| unwritten(&why.to_string(), report, results))?;
        }
        let Some(url) = &self.otlp else { return Ok(()) };
        for result in &results.items {
            let bodies = send::Bodies {
                logs: otlp::logs(&result.result),
                metrics: otlp::metrics(&result.result).into_iter().collect(),
            };
            if let Err(why) = send::run(url, &bodies, caller) {
                caller.notice(format!("the scores did not reach `{}`: {why:#}", send::bare(url)));
            }
        }
        Ok(())
    }
}

/// What was measured is not lost with a report of it.
fn unwritten(why: &str, report: &str, results: &EvalResults) -> Failure {
    let failure = Failure::could_not("report", why);
    match results.items.iter().find_map(|item| item.evidence.as_deref()?.get(..12)) {
        Some(id) => failure.next(format!("the result is on record: joch eval show {id} --report {report}")),
        None => failure.next("name a file that can be written"),
    }
}

fn parts(report: &str) -> (&str, &str) {
    report.split_once('=').unwrap_or((report, ""))
}

/// What to do after a run.
pub(super) fn next_of(result: &RunResult, evidence: &str) -> Option<String> {
    let short = evidence.get(..12).unwrap_or(evidence);
    match result.verdict {
        Verdict::Passed => None,
        Verdict::Failed => Some(format!("joch eval show {short} --case {}", worst(result)?)),
        Verdict::Inconclusive => Some(format!(
            "mend what the reasons name, then joch eval run {} --target {}",
            result.eval.id.name, result.subject.environment
        )),
    }
}

/// The worst case of the first metric that failed.
fn worst(result: &RunResult) -> Option<&str> {
    let failed = result.metrics.iter().filter(|metric| metric.verdict == Some(Verdict::Failed));
    failed.flat_map(|metric| &metric.worst).next().map(String::as_str)
}
