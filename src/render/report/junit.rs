//! JUnit: a suite for each Eval, in it the run, its thresholds and its cases.
//!
//! A bad answer is a failure, a target or judge that broke down an error. Whoever counts failures and errors comes to
//! the verdict of the run: a case fails only where its metric does, and what the thresholds of a passed run leave
//! room for is told as skipped.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::eval::{CaseResult, MetricResult, RunResult, Verdict};
use crate::render::escape::{cut, escape, xml_text};
use crate::render::view::EvalResult;

use super::Batch;
use super::cases::{self, Told};
use super::figures;

/// How much of one answer is told.
const OUTPUT: usize = 4_000;
/// How long a message in an attribute may be.
const MESSAGE: usize = 500;

/// The report.
pub(super) fn report(batch: &Batch<'_>) -> String {
    let mut report = Report::new("joch eval");
    for result in &batch.results {
        report.add_test_suite(suite(result));
    }
    let open = batch.open();
    if !open.is_empty() {
        let mut suite = TestSuite::new("without a result");
        suite.add_test_cases(open.iter().map(|open| {
            let status = if open.is_expected {
                skipped(&open.message)
            } else {
                stopped(NonSuccessKind::Error, "no-result", &open.message, &open.message)
            };
            TestCase::new(line(&open.title), status)
        }));
        report.add_test_suite(suite);
    }
    report.to_string().expect("a String takes all")
}

fn suite(view: &EvalResult) -> TestSuite {
    let result = &view.result;
    let mut suite = TestSuite::new(escape(&figures::title(result)));
    if let Some(at) = result.runner.started_at {
        suite.set_timestamp(at);
    }
    if let (Some(start), Some(end)) = (result.runner.started_at, result.runner.finished_at) {
        suite.set_time((end - start).to_std().unwrap_or_default());
    }
    suite.add_properties(properties(view));
    let class = escape(&result.eval.id.name);
    let named = |name: String, status: TestCaseStatus| {
        let mut case = TestCase::new(name, status);
        case.set_classname(class.clone());
        case
    };
    suite.add_test_case(named("verdict".to_owned(), of_run(result)));
    for metric in result.metrics.iter().filter(|metric| metric.threshold.is_some() || metric.verdict.is_some()) {
        suite.add_test_case(named(format!("threshold {}", line(&metric.name)), of_metric(metric)));
    }
    for case in &result.cases {
        let told = cases::tell(result, case);
        let mut entry = named(format!("case {}", line(&case.id)), of_case(result, &told));
        entry.set_time(Duration::from_micros(case.trials.iter().map(|trial| trial.latency_us).sum()));
        if !case.tags.is_empty() {
            entry.add_property(Property::new("tags", line(&case.tags.join(", "))));
        }
        if let Some(output) = told.output() {
            entry.set_system_out(xml_text(&cut(output, OUTPUT)));
        }
        suite.add_test_case(entry);
    }
    suite
}

fn properties(view: &EvalResult) -> Vec<Property> {
    let result = &view.result;
    let mut facts = vec![
        ("joch.verdict", figures::verdict(result.verdict).to_owned()),
        ("joch.run", result.run.clone()),
        ("joch.version", result.runner.joch.clone()),
        ("joch.agent", result.subject.agent.full()),
        ("joch.agent.digest", result.subject.digest.to_string()),
        ("joch.environment", result.subject.environment.clone()),
        ("joch.eval", result.eval.id.full()),
        ("joch.eval.digest", result.eval.digest.to_string()),
        ("joch.dataset", result.dataset.uri.clone()),
        ("joch.dataset.digest", result.dataset.digest.to_string()),
        ("joch.journal.digest", result.runner.journal.to_string()),
    ];
    facts.extend(result.subject.version.map(|version| ("joch.agent.version", version.to_string())));
    facts.extend(view.evidence.clone().map(|evidence| ("joch.evidence", evidence)));
    facts.into_iter().map(|(name, value)| Property::new(name, line(&value))).collect()
}

/// The run as a whole, for what no threshold and no case tells: a shard that is missing, a judge that was fooled.
fn of_run(result: &RunResult) -> TestCaseStatus {
    let reasons = result.reasons.join("\n");
    match result.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed => stopped(NonSuccessKind::Failure, "failed", "the run failed", &reasons),
        Verdict::Inconclusive => stopped(NonSuccessKind::Error, "inconclusive", "the run cannot tell", &reasons),
    }
}

fn of_metric(metric: &MetricResult) -> TestCaseStatus {
    let threshold = metric.threshold.as_deref().unwrap_or("no threshold");
    let told = format!("{} is {}, and {threshold} is demanded", metric.name, figures::value(metric));
    let why = metric.reason.as_deref().unwrap_or_default();
    match metric.verdict {
        Some(Verdict::Passed) => TestCaseStatus::success(),
        Some(Verdict::Failed) => stopped(NonSuccessKind::Failure, "threshold", &told, why),
        // A threshold that nobody judged is no pass.
        Some(Verdict::Inconclusive) | None => stopped(NonSuccessKind::Error, "inconclusive", &told, why),
    }
}

fn of_case(result: &RunResult, told: &Told<'_>) -> TestCaseStatus {
    let phrases = told.phrases();
    let (short, long) = (phrases.join("; "), phrases.join("\n"));
    let failing = failing(result, told.case);
    if told.is_faulty() {
        if result.verdict == Verdict::Passed {
            return skipped(&short);
        }
        return stopped(NonSuccessKind::Error, "no-score", &short, &long);
    }
    if !failing.is_empty() {
        let short = format!("below the bar of {}: {short}", failing.join(", "));
        return stopped(NonSuccessKind::Failure, "below-bar", &short, &long);
    }
    let tolerated = result.metrics.iter().any(|metric| cases::is_below(told.case, metric));
    if tolerated {
        skipped(&format!("below the bar, which the thresholds leave room for: {short}"))
    } else {
        TestCaseStatus::success()
    }
}

/// The failed metrics on whose wrong side this case is.
fn failing<'a>(result: &'a RunResult, case: &CaseResult) -> Vec<&'a str> {
    let failed = result.metrics.iter().filter(|metric| metric.verdict == Some(Verdict::Failed));
    failed.filter(|metric| cases::is_below(case, metric)).map(|metric| metric.name.as_str()).collect()
}

fn stopped(kind: NonSuccessKind, sort: &str, message: &str, long: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(sort).set_message(line(message));
    if !long.is_empty() {
        status.set_description(xml_text(&cut(long, OUTPUT)));
    }
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(line(message));
    status
}

/// One line that XML can hold.
fn line(text: &str) -> String {
    xml_text(&escape(&cut(text, MESSAGE)))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn counts(xml: &str) -> (usize, usize) {
        let of = |name: &str| {
            let at = xml.split_once(&format!(" {name}=\"")).expect("an attribute").1;
            at.split('"').next().expect("a number").parse().expect("a number")
        };
        (of("failures"), of("errors"))
    }

    fn junit(result: RunResult) -> String {
        report(&Batch::of(&EvalResult::new(result)))
    }

    #[test]
    fn failures_and_errors_come_to_the_verdict_of_the_run() {
        assert_eq!(counts(&junit(sample::passed())), (0, 0));
        let (failures, _) = counts(&junit(sample::failed()));
        assert!(failures > 0);
        let (failures, errors) = counts(&junit(sample::inconclusive()));
        assert_eq!(failures, 0);
        assert!(errors > 0);
        assert_eq!(counts(&junit(sample::empty())), (0, 1));
        assert_eq!(counts(&report(&Batch::default())), (0, 1));
        let trouble = sample::trouble();
        assert_eq!(counts(&report(&Batch { troubles: vec![&trouble], ..Batch::default() })), (0, 1));
    }

    #[test]
    fn a_target_that_broke_down_is_an_error_and_a_bad_answer_a_failure() {
        let xml = junit(sample::failed());
        let entry = |name: &str| {
            let at = xml.split_once(&format!("name=\"case {name}\"")).expect("the case").1;
            at.split_once("</testcase>").map_or(at, |(entry, _)| entry).to_owned()
        };
        assert!(entry("case-2").contains("<failure"), "{}", entry("case-2"));
        assert!(!entry("case-2").contains("<error"));
        assert!(entry("case-3").contains("<error"), "{}", entry("case-3"));
        assert!(!entry("case-3").contains("<failure"));
        assert!(xml.contains("name=\"threshold task_success\""));
        assert!(xml.contains("name=\"joch.agent.digest\" value=\"sha256:"));
    }

    #[test]
    fn a_case_below_the_bar_of_a_passed_run_is_told_and_breaks_nothing() {
        let xml = junit(sample::passed());
        assert!(xml.contains("<skipped message=\"below the bar"), "{xml}");
    }

    #[test]
    fn a_reader_of_xml_reads_whatever_a_model_said() {
        let xml = junit(sample::hostile());
        let mut reader = quick_xml::Reader::from_str(&xml);
        reader.config_mut().check_end_names = true;
        while reader.read_event().expect("well-formed") != quick_xml::events::Event::Eof {}
        let illegal =
            |c: &char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
        assert_eq!(xml.chars().filter(illegal).count(), 0);
        assert!(!xml.contains('\u{202e}'));
        assert!(xml.len() < 100_000, "{} bytes", xml.len());
    }
}
