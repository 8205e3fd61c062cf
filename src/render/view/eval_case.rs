//! `joch eval show --case`: one case of a result, trial by trial.

use crate::eval::{CaseResult, MetricResult, Score, TrialResult};
use crate::render::report::{self, Format, figures};
use crate::render::{Page, View};

use super::eval::EvalResult;

/// A result that holds the cases that were asked for and no others. To machines it is that result.
#[derive(Debug, Clone)]
pub struct EvalCase(pub EvalResult);

/// How long one line may be.
const PHRASE: usize = 400;

impl View for EvalCase {
    fn kind(&self) -> &'static str {
        self.0.kind()
    }

    fn fields(&self) -> serde_json::Value {
        self.0.fields()
    }

    fn write_json(&self, out: &mut dyn std::io::Write) -> Option<std::io::Result<()>> {
        self.0.write_json(out)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        for case in &self.0.result.cases {
            page.gap();
            self.case(case, page);
        }
        page.gap();
        page.field("run", &self.0.result.run);
        page.field("evidence", self.0.evidence.as_deref().unwrap_or("none was recorded"));
    }

    fn names(&self) -> Vec<String> {
        self.0.result.cases.iter().map(|case| case.id.clone()).collect()
    }

    fn reports(&self) -> &'static [Format] {
        self.0.reports()
    }

    fn report(&self, format: Format) -> Option<String> {
        self.0.report(format)
    }
}

impl EvalCase {
    fn case(&self, case: &CaseResult, page: &mut Page) {
        page.line(cut(&format!("{} of {}", case.id, figures::title(&self.0.result))));
        if !case.tags.is_empty() {
            page.field("tags", cut(&case.tags.join(", ")));
        }
        if case.trials.is_empty() {
            page.line("it was not run");
        }
        for (at, trial) in case.trials.iter().enumerate() {
            page.gap();
            if case.trials.len() > 1 {
                page.line(format!("Trial {} of {}", at + 1, case.trials.len()));
            }
            scores(&self.0.result.metrics, trial, page);
            self.trial(trial, page);
        }
    }

    fn trial(&self, trial: &TrialResult, page: &mut Page) {
        for criterion in &trial.unmet {
            page.field("not met", cut(criterion));
        }
        if let Some(fault) = trial.fault {
            let why = trial.message.as_deref().unwrap_or("nobody said why");
            page.field("no answer", cut(&format!("{}: {why}", report::fault_word(fault))));
        } else if let Some(message) = &trial.message {
            page.field("message", cut(message));
        }
        for leak in &trial.leaks {
            let echoed = if leak.echoed { " (the case's own input holds it too)" } else { "" };
            page.field("leaks", cut(&format!("{} in {}: {}{echoed}", leak.detector, leak.place, leak.excerpt)));
        }
        // 0 stands for a time that nobody knows.
        let latency = crate::eval::Decimal::fraction(trial.latency_us, 1000).filter(|_| trial.latency_us > 0);
        page.field("latency", latency.map_or("not known".to_owned(), |ms| format!("{} ms", figures::number(ms, &[]))));
        page.field("cost", trial.cost.map_or("not known".to_owned(), figures::money));
        page.field("requests", trial.attempts.to_string());
        match (&trial.output, &trial.output_digest) {
            (Some(output), _) => {
                page.line("answer:");
                output.lines().for_each(|line| page.line(format!("  {line}")));
            }
            (None, Some(digest)) => {
                page.field("answer", digest.to_string());
                let run = &self.0.result.run;
                page.field("", cut(&format!("its text is not in the result, but in the journal of run {run},")));
                page.field("", "under .joch/runs or where `--journal` said");
            }
            (None, None) => {}
        }
    }
}

/// What a trial scored, in the order of the Eval.
fn scores(metrics: &[MetricResult], trial: &TrialResult, page: &mut Page) {
    let known = metrics.iter().filter_map(|metric| Some((metric.name.as_str(), trial.scores.get(&metric.name)?)));
    let others = trial.scores.iter().filter(|(name, _)| metrics.iter().all(|metric| metric.name != *name));
    let told = |score: &Score| match score {
        Score::Scored(score) => figures::number(*score, &[]),
        Score::Unscored(why) => format!("none: {why}"),
    };
    let rows: Vec<_> = known.chain(others).map(|(name, score)| vec![cut(name), cut(&told(score))]).collect();
    if !rows.is_empty() {
        page.table(&["METRIC", "SCORE"], &rows);
    }
}

/// One line that does not fill a screen.
fn cut(text: &str) -> String {
    crate::render::escape::cut(&crate::release::fold(text), PHRASE)
}

#[cfg(test)]
mod tests {
    use crate::eval::{Leak, RunResult};
    use crate::render::report::sample;
    use crate::render::{json, markdown, table};

    use super::*;

    fn only(mut result: RunResult, at: usize) -> EvalCase {
        result.cases = vec![result.cases.remove(at)];
        EvalCase(EvalResult { evidence: Some("sha256:0123".to_owned()), ..EvalResult::new(result) })
    }

    #[test]
    fn a_case_is_told_alone_with_its_scores_and_its_answer() {
        let mut result = sample::failed();
        let trial = &mut result.cases[1].trials[0];
        trial.output = Some("I cannot help.\nerror: \u{1b}[2J".to_owned());
        trial.leaks = vec![Leak {
            detector: "email".to_owned(),
            place: "output".to_owned(),
            start: 0,
            end: 9,
            echoed: false,
            excerpt: "j***@e***".to_owned(),
        }];
        let expected = "\
case-2 of eval/support-triage-quality v3 on agent/support-triage v8 in staging
tags:         billing, refund

METRIC          SCORE
task_success    0.2
latency_p95_ms  1200
not met:      task_success/1
not met:      task_success/tone
leaks:        email in output: j***@e***
latency:      1200 ms
cost:         not known
requests:     1
answer:
  I cannot help.
  error: \\u{1b}[2J

run:          4f1c
evidence:     sha256:0123
";
        assert_eq!(table(&only(result, 1), false), expected);
    }

    #[test]
    fn an_answer_that_was_not_kept_has_a_digest_and_a_place() {
        let text = table(&only(sample::failed(), 0), false);
        assert!(text.contains("answer:       sha256:"), "{text}");
        assert!(
            text.contains("\n              its text is not in the result, but in the journal of run 4f1c,\n"),
            "{text}"
        );
        let text = table(&only(sample::failed(), 2), false);
        assert!(text.contains("no answer:    timeout: no answer within 3 s\n"), "{text}");
        assert!(!text.contains("METRIC") && !text.contains("answer: sha"), "{text}");
        let text = table(&only(sample::inconclusive(), 0), false);
        assert!(text.contains("task_success    none: the judge refused\n"), "{text}");
    }

    #[test]
    fn machines_get_the_result_and_nothing_hostile_reaches_anybody() {
        let view = only(sample::hostile(), 0);
        assert_eq!(json(&view), json(&view.0));
        for text in [table(&view, true), markdown(&view)] {
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
            assert!(!text.contains('\u{202e}'));
        }
    }
}
