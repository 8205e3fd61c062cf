//! Workflow commands: one annotation for each threshold that does not hold and for the worst cases.

use crate::eval::{MetricResult, RunResult, Verdict};
use crate::render::escape::{command_message, command_property, cut, escape};

use super::{Batch, figures, worst};

/// Runners show ten errors and ten warnings of a step and drop the rest.
const SHOWN: usize = 10;
/// How long a title and a message may be.
const TITLE: usize = 200;
const MESSAGE: usize = 1_000;

/// The commands, and one plain line with the verdict of each result. What a job summary takes is the Markdown.
#[must_use]
pub(super) fn annotations(batch: &Batch<'_>) -> String {
    let results = &batch.results;
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let mut notices = Vec::new();
    for view in results {
        let result = &view.result;
        // The run comes before its metrics: a reader who sees one line sees the verdict.
        if result.verdict != Verdict::Passed {
            errors.push(command("error", &figures::title(result), &why(result)));
        }
    }
    for open in batch.open() {
        let command = command(if open.is_expected { "notice" } else { "error" }, &open.title, &open.message);
        if open.is_expected { notices.push(command) } else { errors.push(command) }
    }
    for result in results.iter().map(|view| &view.result) {
        let stopping = |metric: &&MetricResult| metric.verdict.is_some_and(|verdict| verdict != Verdict::Passed);
        errors.extend(
            result.metrics.iter().filter(stopping).map(|metric| command("error", &of_metric(metric), &reason(metric))),
        );
        let close = result.metrics.iter().filter(|metric| metric.close && metric.verdict == Some(Verdict::Passed));
        warnings.extend(close.map(|metric| command("warning", &of_metric(metric), CLOSE)));
        let told = worst(result);
        warnings.extend(told.iter().take(SHOWN).map(|told| {
            let title = format!("{}: {}", result.eval.id.name, told.case.id);
            command("warning", &title, &told.phrases().join("\n"))
        }));
    }
    let mut out = limited(errors, "error");
    out.push_str(&limited(warnings, "warning"));
    out.push_str(&limited(notices, "notice"));
    for view in results {
        let result = &view.result;
        out.push_str(&format!(
            "{}: {}\n",
            figures::verdict(result.verdict),
            escape(&figures::title(result)).replace("##[", "#\\#[")
        ));
    }
    out
}

const CLOSE: &str = "the threshold lies inside of the 95 percent interval: chance alone might have decided";

fn why(result: &RunResult) -> String {
    let reasons = result.reasons.join("\n");
    let verdict = figures::verdict(result.verdict);
    if reasons.is_empty() { format!("{verdict}; no reason is given") } else { format!("{verdict}: {reasons}") }
}

/// `task_success is 0.82, >= 0.85 is demanded`.
fn of_metric(metric: &MetricResult) -> String {
    let threshold = metric.threshold.as_deref().unwrap_or("no threshold");
    format!("{} is {}, {threshold} is demanded", metric.name, figures::value(metric))
}

fn reason(metric: &MetricResult) -> String {
    let word = figures::word(metric.verdict);
    match &metric.reason {
        Some(reason) => format!("{word}: {reason}"),
        None => format!(
            "{word}, over {}, 95 percent interval {}",
            figures::counted(metric.n, "case"),
            figures::interval(metric)
        ),
    }
}

fn command(level: &str, title: &str, message: &str) -> String {
    format!("::{level} title={}::{}\n", command_property(&cut(title, TITLE)), command_message(&cut(message, MESSAGE)))
}

/// As many commands as are shown; where there are more, the last one says how many.
fn limited(mut commands: Vec<String>, level: &str) -> String {
    if commands.len() > SHOWN {
        let more = commands.len() - (SHOWN - 1);
        commands.truncate(SHOWN - 1);
        commands.push(command(level, "and more", &format!("{more} more are in the report")));
    }
    commands.concat()
}

#[cfg(test)]
mod tests {
    use crate::render::view::EvalResult;

    use super::super::sample;
    use super::*;

    fn one(result: RunResult) -> String {
        annotations(&Batch::of(&EvalResult::new(result)))
    }

    /// What a runner understands: level, title and message of each command, decoded.
    fn heard(text: &str) -> Vec<(String, String, String)> {
        let decode = |text: &str| {
            text.replace("%3A", ":").replace("%2C", ",").replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
        };
        let commands = text.split('\n').filter_map(|line| line.trim_start().strip_prefix("::"));
        let read = |command: &str| {
            let (head, message) = command.split_once("::").expect("a message");
            let (level, properties) = head.split_once(' ').unwrap_or((head, ""));
            let properties: Vec<_> = properties.split(',').collect();
            assert_eq!(properties.len(), 1, "{command}");
            let title = properties[0].strip_prefix("title=").expect("a title");
            (level.to_owned(), decode(title), decode(message))
        };
        commands.map(read).collect()
    }

    #[test]
    fn a_failed_threshold_is_an_error_and_a_bad_case_a_warning() {
        let heard = heard(&one(sample::failed()));
        let find = |title: &str| heard.iter().find(|(_, other, _)| other == title);
        assert_eq!(find("task_success is 0.7, >= 0.85 is demanded").expect("the metric").0, "error");
        assert_eq!(find("support-triage-quality: case-2").expect("the case").0, "warning");
        assert_eq!(heard[0].1, "eval/support-triage-quality v3 on agent/support-triage v8 in staging");
    }

    #[test]
    fn nothing_that_a_model_says_is_a_command() {
        let text = one(sample::hostile());
        for (level, ..) in heard(&text) {
            assert!(level == "error" || level == "warning", "{level}");
        }
        assert!(!text.contains("##["));
        assert!(!text.contains(['\r', '\u{1b}', '\u{202e}']));
    }

    #[test]
    fn a_passed_run_has_no_error_and_a_run_of_nothing_has_one() {
        let levels = |text: &str| heard(text).iter().filter(|(level, ..)| level == "error").count();
        assert_eq!(levels(&one(sample::passed())), 0);
        assert_eq!(levels(&one(sample::empty())), 1);
        assert_eq!(levels(&annotations(&Batch::default())), 1);
    }

    #[test]
    fn more_than_a_runner_shows_is_counted() {
        let many: Vec<_> = (0..30).map(|_| EvalResult::new(sample::failed())).collect();
        let text = annotations(&Batch { results: many.iter().collect(), ..Batch::default() });
        let heard = heard(&text);
        assert_eq!(heard.len(), 2 * SHOWN);
        assert_eq!(heard[SHOWN - 1].2, "51 more are in the report");
    }
}
