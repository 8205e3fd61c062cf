//! Results as a comment on a pull request: the verdict, the metrics against what runs now, what got worse, and the
//! worst cases folded away. Whatever others wrote stands in code spans and code blocks, and what is cut is said.

use crate::eval::{MetricResult, Verdict};
use crate::render::escape::{cut, escape, html_text, markdown_block, markdown_code as code, markdown_text};
use crate::render::view::EvalResult;

use super::{Against, Batch, against, figures, worst};

/// Hosts refuse a comment of more than 65,536 characters.
pub(in crate::render) const BUDGET: usize = 65_000;
/// What is kept free for saying what was left out, and for the end.
const RESERVE: usize = 600;
/// How many rows, reasons and names are told of each.
const ROWS: usize = 100;
const REASONS: usize = 10;
const NAMED: usize = 10;
/// How much of a name, of a sentence and of an answer is told.
const NAME: usize = 120;
const SENTENCE: usize = 400;
const ANSWER: usize = 1_500;

/// The comment.
pub(in crate::render) fn page(batch: &Batch<'_>) -> String {
    let mut out = Limited::default();
    let results = &batch.results;
    for (at, result) in results.iter().enumerate() {
        if at > 0 {
            out.add("\n");
        }
        out.add(&marker(result));
        out.add(&head(result));
        out.add(&metrics(result));
        if let Some(other) = &result.against {
            out.add(&regressions(other));
        }
    }
    for open in batch.open() {
        let sign = if open.is_expected { "☑️ part" } else { mark(Some(Verdict::Inconclusive)) };
        let (title, message) = (code(&cut(&open.title, 3 * NAME)), code(&cut(&open.message, SENTENCE)));
        out.add(&format!("\n### {sign} {title}\n\n{message}\n"));
    }
    // Every verdict comes before any case.
    for result in results {
        cases(result, &mut out);
    }
    out.finish()
}

/// What a later run finds its comment by.
fn marker(view: &EvalResult) -> String {
    let (eval, agent) = (&view.result.eval.id, &view.result.subject.agent);
    let plain = |c: &char| c.is_ascii_alphanumeric() || "/._-".contains(*c);
    let name = |full: String| full.chars().filter(plain).collect::<String>();
    format!("<!-- joch:eval {} {} -->\n", name(eval.full()), name(agent.full()))
}

fn head(view: &EvalResult) -> String {
    let result = &view.result;
    let mut out = format!("### {} {}\n\n", mark(Some(result.verdict)), code(&cut(&figures::title(result), 3 * NAME)));
    for reason in result.reasons.iter().take(REASONS) {
        out.push_str(&format!("- {}\n", code(&cut(reason, SENTENCE))));
    }
    if result.reasons.len() > REASONS {
        out.push_str(&format!("- and {} more reasons\n", result.reasons.len() - REASONS));
    }
    if !result.reasons.is_empty() {
        out.push('\n');
    }
    let mut facts =
        vec![code(&cut(&figures::dataset(result), NAME * 2)), figures::counts(result), figures::cost(&result.cost)];
    facts.extend(figures::run_time(result));
    out.push_str(&facts.join(" · "));
    out.push('\n');
    if let Some(evidence) = &view.evidence {
        out.push_str(&format!("\nEvidence {}\n", code(&cut(evidence, NAME))));
    }
    out
}

fn metrics(view: &EvalResult) -> String {
    let result = &view.result;
    if result.metrics.is_empty() {
        return "\nNo metric was measured.\n".to_owned();
    }
    let other = view.against.as_ref();
    let mut out = "\n| Metric | Value | 95 % | Threshold | |".to_owned();
    out.push_str(
        &other.map_or_else(String::new, |other| format!(" Against {} |", code(&cut(&against::what(other), NAME)))),
    );
    out.push_str("\n|---|---:|---|---|---|");
    out.push_str(if other.is_some() { "---|\n" } else { "\n" });
    for metric in result.metrics.iter().take(ROWS) {
        out.push_str(&row(metric));
        if let Some(other) = other {
            out.push_str(&format!(" {} |", markdown_text(&against::of(other, &metric.name))));
        }
        out.push('\n');
    }
    if result.metrics.len() > ROWS {
        out.push_str(&format!("\nand {} more metrics\n", result.metrics.len() - ROWS));
    }
    let unclear = result.metrics.iter().filter(|metric| metric.verdict == Some(Verdict::Inconclusive));
    for metric in unclear.take(REASONS) {
        let why = figures::own_reason(metric, result);
        let Some(why) = why.or_else(|| metric.reason.is_none().then_some("no reason is given")) else { continue };
        out.push_str(&format!("\n{} cannot be told: {}\n", code(&cut(&metric.name, NAME)), code(&cut(why, SENTENCE))));
    }
    out
}

fn row(metric: &MetricResult) -> String {
    let close = if metric.close { " (close)" } else { "" };
    format!(
        "| {} | {} | {} | {} | {}{close} |",
        code(&cut(&metric.name, NAME)),
        figures::value(metric),
        figures::interval(metric),
        metric.threshold.as_deref().map_or_else(|| "-".to_owned(), |threshold| code(&cut(threshold, NAME))),
        mark(metric.verdict)
    )
}

fn regressions(other: &Against) -> String {
    let mut out = String::new();
    for delta in against::regressions(other).into_iter().take(NAMED) {
        let verdict = delta.verdict.map_or_else(String::new, |verdict| format!(" {}", mark(Some(verdict))));
        let told = markdown_text(&[vec![against::told(delta)], against::weighed(delta)].concat().join("; "));
        let named: Vec<_> =
            delta.worse.iter().take(NAMED).map(|change| code(&cut(&against::case(change), NAME))).collect();
        let more = usize::try_from(delta.worsened).unwrap_or(usize::MAX).saturating_sub(named.len());
        let more = if more > 0 && !named.is_empty() { format!(" and {more} more") } else { String::new() };
        let cases = if named.is_empty() { String::new() } else { format!(": {}{more}", named.join(", ")) };
        out.push_str(&format!("- {}{verdict} {told}{cases}\n", code(&cut(&delta.name, NAME))));
    }
    if out.is_empty() { out } else { format!("\n**Worse than {}**\n\n{out}", code(&cut(&against::what(other), NAME))) }
}

fn cases(view: &EvalResult, out: &mut Limited) {
    let worst = worst(&view.result);
    if worst.is_empty() {
        return;
    }
    let what = format!("Worst cases of {}", view.result.eval.id);
    out.add(&format!("\n**{}**\n\n", markdown_text(&what)));
    for told in worst {
        let tags = if told.case.tags.is_empty() { String::new() } else { format!(" ({})", told.case.tags.join(", ")) };
        let mut section = format!("<details><summary>{}</summary>\n\n", summary(&format!("{}{tags}", told.case.id)));
        let phrases = told.phrases();
        section.extend(phrases.iter().take(REASONS).map(|phrase| format!("- {}\n", code(&cut(phrase, SENTENCE)))));
        if let Some(output) = told.output() {
            section.push_str(&format!("\n{}", markdown_block(&cut(output, ANSWER))));
        }
        section.push_str("\n</details>\n");
        out.add_or_count(&section);
    }
}

/// The one line of a fold. To hosts it is HTML, in which nothing of Markdown counts; what a filter might still look for
/// is spelt out as entities.
fn summary(text: &str) -> String {
    let text = html_text(&escape(&cut(text, NAME))).replace("##[", "#\\#[");
    let spelt = [("@", "&#64;"), (":", "&#58;"), (".", "&#46;"), ("`", "&#96;"), ("[", "&#91;"), ("]", "&#93;")];
    format!("<code>{}</code>", spelt.iter().fold(text, |text, (sign, entity)| text.replace(sign, entity)))
}

/// The verdict as a sign and a word, so that neither colour nor font matters.
fn mark(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Passed) => "✅ passed",
        Some(Verdict::Failed) => "❌ failed",
        Some(Verdict::Inconclusive) => "⚠️ inconclusive",
        None => "-",
    }
}

/// Text that never grows beyond the budget.
#[derive(Default)]
struct Limited {
    out: String,
    length: usize,
    /// Whether something that everybody should read did not fit.
    short: bool,
    cases: usize,
}

impl Limited {
    fn add(&mut self, text: &str) {
        self.short |= !self.fits(text);
    }

    fn add_or_count(&mut self, section: &str) {
        self.cases += usize::from(!self.fits(section));
    }

    fn fits(&mut self, text: &str) -> bool {
        // Hosts count UTF-16 or bytes or characters; the first is never less than the last.
        let length = text.encode_utf16().count();
        let fits = self.length + length + RESERVE <= BUDGET;
        if fits {
            self.out.push_str(text);
            self.length += length;
        }
        fits
    }

    fn finish(mut self) -> String {
        if self.cases > 0 || self.short {
            let what = match (self.cases, self.short) {
                (0, _) => "some results".to_owned(),
                (cases, false) => figures::counted(cases as u64, "case"),
                (cases, true) => format!("some results and {}", figures::counted(cases as u64, "case")),
            };
            let note = format!(
                "\n**Left out here**, because a comment holds {BUDGET} characters: {what}. `joch eval show` tells all.\n"
            );
            self.out.push_str(&note);
        }
        self.out.push_str(&format!("\n<sub>joch {}</sub>\n", env!("CARGO_PKG_VERSION")));
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn one(result: crate::eval::RunResult) -> String {
        page(&Batch::of(&EvalResult::new(result)))
    }

    #[test]
    fn a_comment_tells_the_verdict_the_metrics_and_the_worst_cases() {
        let text = one(sample::failed());
        assert!(
            text.contains("### ❌ failed `eval/support-triage-quality v3 on agent/support-triage v8 in staging`"),
            "{text}"
        );
        assert!(text.contains("| `task_success` | 0.7 | 0.61 to 0.959 | `>= 0.85` | ❌ failed |"), "{text}");
        assert!(text.contains("- `not met: task_success/1, task_success/tone`"), "{text}");
        let (first, second) = (text.find("case\\-2").or(text.find("case-2")), text.find("case-3"));
        assert!(first < second, "{text}");
    }

    #[test]
    fn what_got_worse_is_told_first_things_first() {
        let mut view = EvalResult::new(sample::failed());
        view.against = Some(sample::comparison());
        let text = page(&Batch::of(&view));
        assert!(text.contains("| Against `v7 in prod` |"), "{text}");
        let worse = text.split_once("**Worse than `v7 in prod`**").expect("the list").1;
        assert!(worse.find("task_success") < worse.find("latency_p95_ms"), "{worse}");
        assert!(
            worse.contains("- `task_success` ❌ failed -0.22 \\(worse\\); at most 0.05 worse is allowed; p = 0.03"),
            "{worse}"
        );
        assert!(worse.contains(": `case-2 1 -> 0.2`"), "{worse}");
    }

    #[test]
    fn no_text_of_a_model_is_a_mention_a_link_html_or_a_command() {
        let text = one(sample::hostile());
        let mut fence: Option<&str> = None;
        for line in text.lines() {
            let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
            match fence {
                Some(open) if line == open => fence = None,
                Some(_) => {}
                None if ticks.len() >= 3 => fence = Some(ticks),
                None => {
                    // Outside of blocks: whatever stands outside of code spans as well.
                    let outside: String = line.split('`').step_by(2).collect();
                    for bad in ["@org", "<img", "</script", "](", "http:", "https:", "<!-- -->", "www."] {
                        assert!(!outside.contains(bad), "{bad}: {line}");
                    }
                }
            }
            assert!(!line.trim_start().starts_with("::"), "{line}");
            assert!(!line.contains("##["), "{line}");
        }
        assert_eq!(fence, None, "a block was left open");
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\0', '\r']));
    }

    #[test]
    fn what_could_not_begin_is_no_silence() {
        let trouble = sample::trouble();
        let text = page(&Batch { troubles: vec![&trouble], ..Batch::default() });
        assert!(text.contains("### ⚠️ inconclusive `eval/tone in staging`"), "{text}");
        assert!(page(&Batch::default()).contains("no eval ran, so nothing passed"));
    }

    #[test]
    fn a_comment_has_an_end_and_says_what_it_left_out() {
        let mut result = sample::hostile();
        let case = result.cases[1].clone();
        result.cases = (0..500).map(|n| crate::eval::CaseResult { id: format!("case-{n}"), ..case.clone() }).collect();
        let text = one(result);
        assert!(text.encode_utf16().count() <= BUDGET);
        assert!(text.contains("**Left out here**"), "{}", &text[text.len() - 300..]);
        let many: Vec<_> = (0..400).map(|_| EvalResult::new(sample::failed())).collect();
        let text = page(&Batch { results: many.iter().collect(), ..Batch::default() });
        assert!(text.encode_utf16().count() <= BUDGET && text.contains("some results"));
    }
}
