//! Results as OpenMetrics text: gauges, one family after the other. What has no value has no sample.

use std::collections::BTreeMap;

use crate::eval::{Decimal, MetricResult, RunResult, Verdict};
use crate::render::escape::label_value;
use crate::render::view::EvalResult;
use crate::resource::{ResourceId, name::DEFAULT_NAMESPACE};

/// A family of samples: its name, its help, and what it says of a run.
type Family = (&'static str, &'static str, fn(&RunResult) -> Vec<Sample>);
/// Labels beside those of the run, and the value.
type Sample = (Vec<(&'static str, String)>, String);

const FAMILIES: [Family; 9] = [
    ("joch_eval_verdict", "Whether the run came to this verdict.", verdicts),
    ("joch_eval_metric", "What was measured.", |result| of_metrics(result, |metric| metric.value)),
    ("joch_eval_metric_lower", "Where the 95 percent interval begins.", |result| {
        of_metrics(result, |metric| metric.ci95.map(|[low, _]| low))
    }),
    ("joch_eval_metric_upper", "Where the 95 percent interval ends.", |result| {
        of_metrics(result, |metric| metric.ci95.map(|[_, high]| high))
    }),
    (
        "joch_eval_metric_passed",
        "Whether the metric keeps its threshold; 0 also where that cannot be told.",
        |result| of_metrics(result, |metric| metric.verdict.map(|verdict| flag(verdict == Verdict::Passed))),
    ),
    ("joch_eval_trials", "Trials of all cases.", trials),
    ("joch_eval_cost_usd", "What the run cost in US dollars.", costs),
    ("joch_eval_tokens", "Tokens of the run.", tokens),
    ("joch_eval_finished_timestamp_seconds", "When the last answer came.", finished),
];

/// The text.
pub(super) fn text(results: &[&EvalResult]) -> String {
    let mut out = String::new();
    for (name, help, of) in FAMILIES {
        out.push_str(&format!("# TYPE {name} gauge\n# HELP {name} {help}\n"));
        // A set of labels may occur once: of two runs of the same thing, the later result counts.
        let mut samples: BTreeMap<String, String> = BTreeMap::new();
        for result in results {
            let own = labels(&result.result);
            for (more, value) in of(&result.result) {
                let all: Vec<_> =
                    own.iter().chain(&more).map(|(key, value)| format!("{key}=\"{}\"", label_value(value))).collect();
                samples.insert(all.join(","), value);
            }
        }
        out.extend(samples.iter().map(|(labels, value)| format!("{name}{{{labels}}} {value}\n")));
    }
    out.push_str("# EOF\n");
    out
}

fn labels(result: &RunResult) -> Vec<(&'static str, String)> {
    vec![
        ("eval", name(&result.eval.id)),
        ("agent", name(&result.subject.agent)),
        ("version", result.subject.version.map_or_else(String::new, |version| version.to_string())),
        ("environment", result.subject.environment.clone()),
    ]
}

fn verdicts(result: &RunResult) -> Vec<Sample> {
    let all = [Verdict::Passed, Verdict::Inconclusive, Verdict::Failed];
    let sample = |verdict: Verdict| {
        (vec![("verdict", super::figures::verdict(verdict).to_owned())], flag(verdict == result.verdict).to_string())
    };
    all.map(sample).to_vec()
}

fn of_metrics(result: &RunResult, value: fn(&MetricResult) -> Option<Decimal>) -> Vec<Sample> {
    let sample = |metric: &MetricResult| Some((vec![("metric", metric.name.clone())], value(metric)?.to_string()));
    result.metrics.iter().filter_map(sample).collect()
}

fn trials(result: &RunResult) -> Vec<Sample> {
    let counts = &result.counts;
    let all = [
        ("planned", counts.planned),
        ("answered", counts.answered),
        ("errors", counts.errors),
        ("timeouts", counts.timeouts),
        ("missing", counts.missing),
        ("unscored", counts.unscored),
        ("retried", counts.retried),
    ];
    all.map(|(state, count)| (vec![("state", state.to_owned())], count.to_string())).to_vec()
}

fn costs(result: &RunResult) -> Vec<Sample> {
    let all = [("agent", result.cost.agent_usd), ("judge", result.cost.judge_usd)];
    all.iter().filter_map(|(of, usd)| Some((vec![("of", (*of).to_owned())], (*usd)?.to_string()))).collect()
}

fn tokens(result: &RunResult) -> Vec<Sample> {
    let (agent, judge) = (result.cost.agent_tokens, result.cost.judge_tokens);
    let all = [
        ("agent", "input", agent.input),
        ("agent", "output", agent.output),
        ("judge", "input", judge.input),
        ("judge", "output", judge.output),
    ];
    all.map(|(of, sort, count)| (vec![("of", of.to_owned()), ("sort", sort.to_owned())], count.to_string())).to_vec()
}

fn finished(result: &RunResult) -> Vec<Sample> {
    result.runner.finished_at.map(|at| (Vec::new(), at.timestamp().to_string())).into_iter().collect()
}

fn flag(is: bool) -> Decimal {
    if is { Decimal::ONE } else { Decimal::ZERO }
}

/// `support-triage`, and `team-a/support-triage` outside the default namespace.
fn name(id: &ResourceId) -> String {
    if id.namespace == DEFAULT_NAMESPACE { id.name.clone() } else { format!("{}/{}", id.namespace, id.name) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::sample;
    use super::*;

    /// Reads the text as strictly as the format is written; gives every sample.
    fn read(text: &str) -> BTreeMap<String, f64> {
        let body = text.strip_suffix("# EOF\n").expect("it ends as it must");
        let (mut family, mut known, mut samples) = (String::new(), BTreeSet::new(), BTreeMap::new());
        for line in body.split_terminator('\n') {
            assert!(!line.is_empty() && !line.contains('\r'));
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, sort) = rest.split_once(' ').expect("a type");
                assert_eq!(sort, "gauge");
                assert!(known.insert(name.to_owned()), "{name} comes twice");
                name.clone_into(&mut family);
            } else if let Some(rest) = line.strip_prefix("# HELP ") {
                assert!(rest.starts_with(&format!("{family} ")) && !rest.contains('\\'), "{line}");
            } else {
                let rest = line.strip_prefix(family.as_str()).unwrap_or_else(|| panic!("{line} is not of {family}"));
                let rest = rest.strip_prefix('{').expect("labels");
                let end = labels_end(rest);
                let value = rest[end..].strip_prefix("} ").expect("one space and a value");
                let number: f64 = value.parse().expect("a number");
                assert!(number.is_finite());
                assert!(
                    samples.insert(line[..line.len() - value.len() - 1].to_owned(), number).is_none(),
                    "{line} twice"
                );
            }
        }
        samples
    }

    /// The end of `a="b",c="d"`, after which `}` stands.
    fn labels_end(text: &str) -> usize {
        let mut at = 0;
        loop {
            let name: String = text[at..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            assert!(!name.is_empty(), "{}", &text[at..]);
            at += name.len();
            assert!(text[at..].starts_with("=\""));
            at += 2;
            loop {
                let c = text[at..].chars().next().expect("a closed value");
                at += c.len_utf8();
                match c {
                    '"' => break,
                    '\\' => {
                        assert!(matches!(&text[at..=at], "\\" | "\"" | "n"), "{}", &text[at..]);
                        at += 1;
                    }
                    _ => {}
                }
            }
            if !text[at..].starts_with(',') {
                return at;
            }
            at += 1;
        }
    }

    #[test]
    fn a_scrape_reads_verdict_metrics_and_costs() {
        let samples = read(&text(&[&EvalResult::new(sample::failed())]));
        let run = r#"eval="support-triage-quality",agent="support-triage",version="8",environment="staging""#;
        let of = |family: &str, more: &str| samples.get(&format!("{family}{{{run}{more}}}")).copied();
        assert_eq!(of("joch_eval_verdict", r#",verdict="failed""#), Some(1.0));
        assert_eq!(of("joch_eval_verdict", r#",verdict="passed""#), Some(0.0));
        assert_eq!(of("joch_eval_metric", r#",metric="task_success""#), Some(0.7));
        assert_eq!(of("joch_eval_metric_passed", r#",metric="task_success""#), Some(0.0));
        assert_eq!(of("joch_eval_metric_passed", r#",metric="output_tokens""#), None);
        assert_eq!(of("joch_eval_cost_usd", r#",of="agent""#), Some(0.0384));
        assert_eq!(of("joch_eval_cost_usd", r#",of="judge""#), None, "what is not known is not 0");
        assert_eq!(of("joch_eval_finished_timestamp_seconds", ""), Some(1_778_378_652.0));
    }

    #[test]
    fn no_label_ends_a_sample_or_the_text() {
        let text = text(&[
            &EvalResult::new(sample::hostile()),
            &EvalResult::new(sample::failed()),
            &EvalResult::new(sample::failed()),
        ]);
        assert!(read(&text).len() > 20);
        assert_eq!(text.matches("\n# EOF").count(), 1);
    }

    #[test]
    fn no_results_are_a_text_too() {
        assert!(read(&text(&[])).is_empty());
    }
}
