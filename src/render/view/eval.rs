//! `joch eval run`, `show` and `merge`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::eval::{RunResult, Verdict};
use crate::render::report::{self, Against, Batch, Earlier, Format, against, figures};
use crate::render::{API_VERSION, FORMAT_VERSION, Page, View};

use super::eval_part::{EvalPart, EvalTrouble};

/// The result of a run, and what is known around it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvalResult {
    /// The result.
    #[serde(flatten)]
    pub result: RunResult,
    /// The id of the evidence that carries it; none where none was recorded.
    pub evidence: Option<String>,
    /// The same Eval with the version that the next environment runs now.
    #[serde(rename = "comparison")]
    pub against: Option<Against>,
    /// What to do next.
    pub next: Option<String>,
    /// Earlier runs of the same Eval, oldest first; for trends.
    #[serde(skip)]
    pub earlier: Vec<Earlier>,
}

/// The results of several Evals.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EvalResults {
    /// The worst of their verdicts; at best `inconclusive` where something came to none. None where there was nothing to
    /// run.
    pub verdict: Option<Verdict>,
    /// In the order in which they were asked for.
    pub items: Vec<EvalResult>,
    /// Shards, and runs that were interrupted.
    pub parts: Vec<EvalPart>,
    /// Evals that could not begin.
    pub troubles: Vec<EvalTrouble>,
}

/// How many cases a table tells; a wide one tells more.
const TOLD: usize = 5;
const TOLD_WIDE: usize = 50;
/// How long one line on a case may be.
const PHRASE: usize = 160;

impl EvalResult {
    /// A result of which nothing else is known yet.
    #[must_use]
    pub fn new(result: RunResult) -> Self {
        Self { result, evidence: None, against: None, next: None, earlier: Vec::new() }
    }
}

impl EvalResults {
    /// What came of several Evals.
    #[must_use]
    pub fn new(items: Vec<EvalResult>, parts: Vec<EvalPart>, troubles: Vec<EvalTrouble>) -> Self {
        let mut all = Self { verdict: None, items, parts, troubles };
        let nothing = all.items.is_empty() && all.parts.is_empty() && all.troubles.is_empty();
        all.verdict = (!nothing).then(|| all.batch().verdict());
        all
    }

    fn batch(&self) -> Batch<'_> {
        Batch {
            results: self.items.iter().collect(),
            parts: self.parts.iter().collect(),
            troubles: self.troubles.iter().collect(),
        }
    }
}

impl View for EvalResult {
    fn kind(&self) -> &'static str {
        "EvalResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn write_json(&self, out: &mut dyn std::io::Write) -> Option<std::io::Result<()>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Enveloped<'a> {
            api_version: &'a str,
            format_version: &'a str,
            // It names its kind itself.
            #[serde(flatten)]
            view: &'a EvalResult,
        }
        let all = Enveloped { api_version: API_VERSION, format_version: FORMAT_VERSION, view: self };
        Some(serde_json::to_writer_pretty(&mut *out, &all).map_err(Into::into).and_then(|()| out.write_all(b"\n")))
    }

    fn text(&self, page: &mut Page, wide: bool) {
        let result = &self.result;
        page.line(format!("{}: {}", figures::verdict(result.verdict), figures::title(result)));
        for reason in &result.reasons {
            page.line(format!("  {}", crate::release::fold(reason)));
        }
        page.gap();
        self.metrics(page, wide);
        self.worse(page, wide);
        self.cases(page, wide);
        if wide {
            self.slices(page);
        }
        page.gap();
        self.facts(page, wide);
        if let Some(next) = &self.next {
            page.line(format!("next: {next}"));
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.result.run.clone()]
    }

    fn markdown(&self) -> String {
        report::markdown(&Batch::of(self))
    }

    fn reports(&self) -> &'static [Format] {
        &Format::ALL
    }

    fn report(&self, format: Format) -> Option<String> {
        Some(report::of(&Batch::of(self), format))
    }
}

impl View for EvalResults {
    fn kind(&self) -> &'static str {
        "EvalResults"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        for item in &self.items {
            item.text(page, wide);
            page.gap();
        }
        for part in &self.parts {
            part.text(page, wide);
            page.gap();
        }
        for trouble in &self.troubles {
            page.line(format!("{} could not begin: {}", trouble.title(), crate::release::fold(&trouble.message)));
            let mut lines = trouble.next.iter().flat_map(|next| next.lines());
            if let Some(first) = lines.next() {
                page.line(format!("next: {first}"));
                lines.for_each(|line| page.line(format!("  {line}")));
            }
            page.gap();
        }
        let Some(verdict) = self.verdict else {
            page.line("there was nothing to run");
            return;
        };
        let count = |verdict| self.items.iter().filter(|item| item.result.verdict == verdict).count();
        let counts = [Verdict::Passed, Verdict::Inconclusive, Verdict::Failed]
            .map(|verdict| format!("{} {}", count(verdict), figures::verdict(verdict)));
        let open = self.parts.len() + self.troubles.len();
        let open = if open > 0 { format!(", {open} without a result") } else { String::new() };
        page.line(format!("{}: {}{open}", figures::verdict(verdict), counts.join(", ")));
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|item| item.result.run.clone()).collect()
    }

    fn markdown(&self) -> String {
        report::markdown(&self.batch())
    }

    fn reports(&self) -> &'static [Format] {
        &Format::ALL
    }

    fn report(&self, format: Format) -> Option<String> {
        Some(report::of(&self.batch(), format))
    }
}

impl EvalResult {
    fn metrics(&self, page: &mut Page, wide: bool) {
        if self.result.metrics.is_empty() {
            page.line("no metric was measured");
            return;
        }
        let mut headings = vec!["METRIC", "VALUE", "95 %", "THRESHOLD", "VERDICT"];
        let against = self.against.as_ref().map(|other| format!("AGAINST {}", against::what(other).to_uppercase()));
        headings.extend(against.as_deref());
        headings.extend(wide.then_some(["CASES", "AGGREGATE", "BETTER", "INTERVAL"]).into_iter().flatten());
        let rows = self.result.metrics.iter().map(|metric| {
            let close = if metric.close { " (close)" } else { "" };
            let mut row = vec![
                metric.name.clone(),
                figures::value(metric),
                figures::interval(metric),
                super::words::or_none(metric.threshold.clone()),
                format!("{}{close}", figures::word(metric.verdict)),
            ];
            if let Some(other) = &self.against {
                row.push(against::of(other, &metric.name));
            }
            if wide {
                let or_none = |text: &Option<String>| super::words::or_none(text.clone());
                row.extend([metric.n.to_string(), metric.aggregate.clone()]);
                row.extend([or_none(&metric.direction), or_none(&metric.interval)]);
            }
            row
        });
        page.table(&headings, &rows.collect::<Vec<_>>());
        for metric in &self.result.metrics {
            let reason = figures::own_reason(metric, &self.result);
            for said in reason.into_iter().chain(metric.notes.iter().map(String::as_str)) {
                page.line(format!("{}: {}", metric.name, crate::release::fold(said)));
            }
        }
        if self.result.metrics.iter().any(|metric| metric.close) {
            page.line("close: the threshold lies inside of the interval, so chance alone might have decided");
        }
    }

    fn worse(&self, page: &mut Page, wide: bool) {
        let Some(other) = &self.against else { return };
        let regressions = against::regressions(other);
        if regressions.is_empty() {
            return;
        }
        page.gap();
        page.line(format!("Worse than {}", against::what(other)));
        for delta in regressions {
            let weighed = against::weighed(delta);
            let weighed = if weighed.is_empty() { String::new() } else { format!(": {}", weighed.join("; ")) };
            let verdict =
                delta.verdict.map_or_else(String::new, |verdict| format!("{} ", figures::word(Some(verdict))));
            page.line(format!("  {verdict}{} {}{}", delta.name, against::told(delta), crate::release::fold(&weighed)));
            for change in delta.worse.iter().take(if wide { TOLD_WIDE } else { TOLD }) {
                page.line(format!("    {}", cut(&against::case(change))));
            }
        }
    }

    fn cases(&self, page: &mut Page, wide: bool) {
        let worst = report::worst(&self.result);
        if worst.is_empty() {
            return;
        }
        page.gap();
        page.line("Worst cases");
        let shown = if wide { TOLD_WIDE } else { TOLD };
        for told in worst.iter().take(shown) {
            let tags =
                if told.case.tags.is_empty() { String::new() } else { format!("({})", told.case.tags.join(", ")) };
            page.line(format!("  {} {}", cut(&told.case.id), cut(&tags)));
            for phrase in told.phrases() {
                page.line(format!("    {}", cut(&phrase)));
            }
        }
        if worst.len() > shown {
            page.line(format!("  and {} more", worst.len() - shown));
        }
    }

    /// What each tag comes to.
    fn slices(&self, page: &mut Page) {
        let slices = &self.result.slices;
        if slices.is_empty() {
            return;
        }
        let names: Vec<&str> = slices[0].means.keys().map(String::as_str).collect();
        let headings: Vec<&str> = ["TAG", "CASES"].into_iter().chain(names.iter().copied()).collect();
        let rows = slices.iter().map(|slice| {
            let mean =
                |name: &&str| super::words::or_none(slice.means.get(*name).map(|mean| figures::number(*mean, &[])));
            [slice.tag.clone(), slice.n.to_string()].into_iter().chain(names.iter().map(mean)).collect()
        });
        page.gap();
        page.table(&headings, &rows.collect::<Vec<_>>());
    }

    fn facts(&self, page: &mut Page, wide: bool) {
        let result = &self.result;
        page.field("dataset", figures::dataset(result));
        page.field("trials", figures::counts(result));
        for judge in &result.judges {
            let by = if judge.asked.by_default { ", named by joch.yaml" } else { "" };
            let reported =
                if judge.reported.is_empty() { "nothing answered".to_owned() } else { judge.reported.join(", ") };
            page.field("judge", cut(&format!("{} as {reported}{by}", judge.asked.model)));
        }
        if result.canaries.expected > 0 {
            page.field("canaries", format!("{} of {} judged right", result.canaries.correct, result.canaries.expected));
        }
        page.field("cost", figures::cost(&result.cost));
        let taken = figures::run_time(result).map_or_else(String::new, |taken| format!(", took {taken}"));
        let live = if result.reach.live { "" } else { ", from a recording" };
        page.field("run", format!("{}{taken}{live}", result.run));
        page.field("evidence", self.evidence.as_deref().unwrap_or("none was recorded"));
        if wide {
            page.field("agent digest", result.subject.digest.to_string());
            page.field("eval digest", result.eval.digest.to_string());
            page.field("dataset is", result.dataset.digest.to_string());
            page.field("journal is", result.runner.journal.to_string());
        }
    }
}

/// One line that does not fill a screen.
fn cut(text: &str) -> String {
    crate::render::escape::cut(&crate::release::fold(text), PHRASE)
}

#[cfg(test)]
mod tests {
    use crate::render::report::sample;
    use crate::render::{json, table};

    use super::*;

    #[test]
    fn a_person_reads_the_verdict_first_and_then_why() {
        let mut view = EvalResult::new(sample::failed());
        view.evidence = Some("sha256:0123".to_owned());
        view.next = Some("joch eval show 4f1c -o wide".to_owned());
        view.against = Some(sample::comparison());
        let text = table(&view, false);
        let expected = "\
failed: eval/support-triage-quality v3 on agent/support-triage v8 in staging
  task_success is 0.7, and >= 0.85 is demanded

METRIC          VALUE  95 %           THRESHOLD  VERDICT  AGAINST V7 IN PROD
task_success    0.7    0.61 to 0.959  >= 0.85    FAIL     -0.22 (worse)
latency_p95_ms  2750   -              < 3000     PASS     +12 (worse)
output_tokens   212.5  -              -          -        -

Worse than v7 in prod
  FAIL task_success -0.22 (worse): at most 0.05 worse is allowed; p = 0.03 over 4 cases; 1 case worse, 0 better
    case-2 1 -> 0.2
  latency_p95_ms +12 (worse)

Worst cases
  case-2 (billing, refund)
    task_success 0.2
    not met: task_success/1, task_success/tone
  case-4 (billing, refund)
    task_success 0.9
  case-3 (billing, refund)
    no answer (timeout): no answer within 3 s

dataset:      evals/support-cases.jsonl, 4 cases
trials:       3 of 4 answered, 1 without an answer (1 timed out)
judge:        model/judge as judge-small-2026-03
canaries:     4 of 4 judged right
cost:         agent $0.0384 (4800 tokens), judges cost unknown (960 tokens)
run:          4f1c, took 4 min 12 s
evidence:     sha256:0123
next: joch eval show 4f1c -o wide
";
        assert_eq!(text, expected);
    }

    #[test]
    fn nothing_that_a_model_says_reaches_a_terminal_as_it_is() {
        let view = EvalResult::new(sample::hostile());
        for wide in [false, true] {
            let text = table(&view, wide);
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
            assert!(!text.contains('\u{202e}') && text.len() < 20_000);
        }
    }

    #[test]
    fn machines_get_what_was_promised() {
        let value: serde_json::Value = serde_json::from_str(&json(&EvalResult::new(sample::failed()))).expect("JSON");
        assert_eq!(value["kind"], "EvalResult");
        assert_eq!(value["verdict"], "failed");
        for field in ["subject", "eval", "dataset", "judges", "counts", "metrics", "cost", "evidence"] {
            assert!(value.get(field).is_some(), "{field}");
        }
        assert_eq!(value["metrics"][0]["threshold"], ">= 0.85");
        assert_eq!(value["metrics"][0]["value"], 0.7);
    }

    #[test]
    fn several_results_are_as_good_as_the_worst_and_none_are_not_good() {
        let of = |results: Vec<RunResult>| {
            EvalResults::new(results.into_iter().map(EvalResult::new).collect(), vec![], vec![])
        };
        assert_eq!(of(vec![]).verdict, None);
        assert_eq!(of(vec![sample::passed(), sample::inconclusive()]).verdict, Some(Verdict::Inconclusive));
        assert_eq!(of(vec![sample::failed(), sample::inconclusive()]).verdict, Some(Verdict::Failed));
        assert_eq!(of(vec![sample::passed()]).verdict, Some(Verdict::Passed));
        let troubled = EvalResults::new(vec![EvalResult::new(sample::passed())], vec![], vec![sample::trouble()]);
        assert_eq!(troubled.verdict, Some(Verdict::Inconclusive));
        let text = table(&troubled, false);
        assert!(
            text.contains("eval/tone in staging could not begin: nothing says how the agent is reached\n"),
            "{text}"
        );
        assert!(text.ends_with("inconclusive: 1 passed, 0 inconclusive, 0 failed, 1 without a result\n"), "{text}");
        let text = table(&of(vec![sample::passed(), sample::failed()]), false);
        assert!(text.ends_with("failed: 1 passed, 0 inconclusive, 1 failed\n"), "{text}");
    }
}
