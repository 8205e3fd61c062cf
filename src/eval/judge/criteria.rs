//! What a judge looks for in a case: the criteria of the metric, of the case, or those that go with a well-known name.

use std::collections::BTreeSet;

use crate::eval::{Case, Criterion, Measure, Metric};

/// The most criteria that one request may hold.
const MOST: usize = 64;
/// The longest criterion, in bytes.
const LONGEST: usize = 4096;

/// A criterion as a judge sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `metric/criterion`.
    pub id: String,
    /// What must hold.
    pub text: String,
}

/// Criteria that go with the name of a metric.
pub(super) struct Known {
    /// The name.
    pub(super) metric: &'static str,
    /// Whether what a case itself looks for comes first.
    pub(super) case_first: bool,
    /// Ids and texts.
    pub(super) criteria: &'static [(&'static str, &'static str)],
}

/// The metrics whose name says enough.
pub(super) const KNOWN: [Known; 2] = [
    Known {
        metric: "task_success",
        case_first: true,
        criteria: &[
            ("addressed", "The output is about what the input asks for, and not about something else."),
            (
                "complete",
                "The output, together with the tool calls, does or answers everything that the input asks for. Where \
                 something cannot or must not be done, the output says so plainly and names what happens next.",
            ),
            ("sound", "Nothing in the output contradicts the input, the tool calls, or another part of the output."),
        ],
    },
    Known {
        metric: "tone_consistency",
        case_first: false,
        criteria: &[
            (
                "polite",
                "The output is polite and respectful from beginning to end: no sarcasm, no blame and no talking down, \
                 whatever the tone of the input.",
            ),
            (
                "calm",
                "The output stays calm and concrete: no words in capitals for emphasis, no heaped exclamation marks, \
                 no pressure, no hype, and no jokes or cheer where the input tells of trouble.",
            ),
            (
                "caring",
                "The output takes what the input tells seriously: it makes nothing light of it, and where it \
                 apologises, it does so briefly and once.",
            ),
            ("even", "The output keeps one tone and one form of address throughout, in the language of the input."),
        ],
    },
];

/// The one criterion of a case that says what is expected.
pub(super) const EXPECTED: (&str, &str) = (
    "expected",
    "The output, together with the tool calls, does what `expected` describes: nothing that `expected` asks for is \
     left out, and nothing that `expected` rules out is done. Where `expected` is itself an answer, the output says \
     the same in substance; its wording, its order and further detail do not matter.",
);

/// The criteria by which `metric` judges `case`: those of the metric; else those that its name stands for, if it is
/// one about manner, such as `tone_consistency`; else the rubric of the case, or what it expects; else those that the
/// metric's name stands for.
///
/// # Errors
/// Nobody says what to look for, in a message that tells what to write; the metric is not judged.
pub fn criteria_for(metric: &Metric, case: &Case) -> Result<Vec<Criterion>, String> {
    let Measure::Judged(judged) = &metric.measure else {
        return Err(format!("metric `{}` is not judged by a model", metric.name));
    };
    if !judged.criteria.is_empty() {
        return Ok(judged.criteria.clone());
    }
    let known = KNOWN.iter().find(|known| known.metric == metric.name);
    let by_name = || known.map(|known| known.criteria.iter().map(|(id, text)| criterion(id, text)).collect());
    let by_case = || {
        if !case.rubric.is_empty() {
            return Some((1_usize..).zip(&case.rubric).map(|(n, text)| criterion(&n.to_string(), text)).collect());
        }
        case.expected.as_ref().map(|_| vec![criterion(EXPECTED.0, EXPECTED.1)])
    };
    let found = if known.is_some_and(|known| !known.case_first) { by_name() } else { by_case().or_else(by_name) };
    found.ok_or_else(|| {
        format!(
            "nothing says what a judge of metric `{}` looks for in case `{}`: write `criteria` (a list of sentences \
             that hold for a good answer) in the metric, or `rubric` or `expected` in the case",
            metric.name, case.id
        )
    })
}

/// All that one judge is asked of `case`: the criteria of its metrics, as `metric/criterion`.
///
/// # Errors
/// See [`criteria_for`]; a criterion is empty, too long or twice there, or there are too many.
pub fn asked(metrics: &[&Metric], case: &Case) -> Result<Vec<Asked>, String> {
    let mut all = Vec::new();
    for metric in metrics {
        for Criterion { id, text, .. } in criteria_for(metric, case)? {
            let id = format!("{}/{id}", metric.name);
            if text.trim().is_empty() {
                return Err(format!("criterion `{id}` of case `{}` is empty: write what must hold", case.id));
            }
            if text.len() > LONGEST {
                return Err(format!(
                    "criterion `{id}` of case `{}` has {} bytes; {LONGEST} are the most: split it",
                    case.id,
                    text.len()
                ));
            }
            all.push(Asked { id, text });
        }
    }
    let ids: BTreeSet<_> = all.iter().map(|asked| &asked.id).collect();
    if ids.len() < all.len() {
        return Err(format!("two criteria for case `{}` share an id: give each its own", case.id));
    }
    if all.len() > MOST {
        return Err(format!("a judge is asked {} criteria for case `{}`; {MOST} are the most", all.len(), case.id));
    }
    Ok(all)
}

fn criterion(id: &str, text: &str) -> Criterion {
    Criterion { id: id.to_owned(), text: text.to_owned(), weight: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{Aggregate, Input, Judged, Observed};

    fn metric(name: &str, criteria: &[(&str, &str)]) -> Metric {
        let criteria = criteria.iter().map(|(id, text)| criterion(id, text)).collect();
        Metric {
            name: name.into(),
            measure: Measure::Judged(Judged { judges: Vec::new(), criteria, samples: 1 }),
            direction: None,
            aggregate: Aggregate::Mean,
            threshold: None,
            max_regression: None,
        }
    }

    fn case(expected: Option<&str>, rubric: &[&str]) -> Case {
        Case {
            id: "order-01".into(),
            input: Input::Text("Where is it?".into()),
            expected: expected.map(Into::into),
            rubric: rubric.iter().map(|&text| text.to_owned()).collect(),
            expected_tools: None,
            tags: Vec::new(),
            metadata: serde_json::Map::new(),
        }
    }

    fn ids(metric: &Metric, case: &Case) -> Vec<String> {
        criteria_for(metric, case).expect("criteria").into_iter().map(|criterion| criterion.id).collect()
    }

    #[test]
    fn the_metric_comes_first_then_the_case_then_the_name() {
        let own = metric("task_success", &[("short", "It is short.")]);
        assert_eq!(ids(&own, &case(Some("x"), &["a", "b"])), ["short"]);
        let plain = metric("task_success", &[]);
        assert_eq!(ids(&plain, &case(Some("x"), &["a", "b"])), ["1", "2"]);
        assert_eq!(ids(&plain, &case(Some("x"), &[])), ["expected"]);
        assert_eq!(ids(&plain, &case(None, &[])), ["addressed", "complete", "sound"]);
        assert_eq!(ids(&metric("kindness", &[]), &case(None, &["a"])), ["1"]);
    }

    #[test]
    fn tone_is_not_what_the_case_expects() {
        let tone = metric("tone_consistency", &[]);
        assert_eq!(ids(&tone, &case(Some("x"), &["a"])), ["polite", "calm", "caring", "even"]);
    }

    #[test]
    fn a_metric_that_says_nothing_is_told_what_to_write() {
        let why = criteria_for(&metric("kindness", &[]), &case(None, &[])).expect_err("nothing to look for");
        for word in ["`kindness`", "`order-01`", "`criteria`", "`rubric`", "`expected`"] {
            assert!(why.contains(word), "{why}");
        }
        let mut seen = metric("latency", &[]);
        seen.measure = Measure::Observed(Observed::Latency);
        assert!(criteria_for(&seen, &case(None, &[])).is_err());
    }

    #[test]
    fn one_request_asks_for_all_metrics_of_a_judge() {
        let (task, tone) = (metric("task_success", &[]), metric("tone_consistency", &[]));
        let all = asked(&[&task, &tone], &case(Some("x"), &[])).expect("criteria");
        let ids: Vec<_> = all.iter().map(|asked| asked.id.as_str()).collect();
        let tone = ["polite", "calm", "caring", "even"].map(|id| format!("tone_consistency/{id}"));
        assert_eq!(ids[0], "task_success/expected");
        assert_eq!(ids[1..], tone);
    }

    #[test]
    fn criteria_that_no_judge_can_answer_are_refused() {
        let task = metric("task_success", &[]);
        let none = case(None, &[]);
        assert!(asked(&[&metric("a", &[("1", " ")])], &none).is_err());
        assert!(asked(&[&metric("a", &[("1", "x"), ("1", "y")])], &none).is_err());
        assert!(asked(&[&task, &task], &none).is_err());
        assert!(asked(&[&task], &case(None, &[&"x".repeat(LONGEST + 1)])).is_err());
        assert!(asked(&[&task], &case(None, &["x"; MOST + 1])).is_err());
        assert_eq!(asked(&[&task], &case(None, &["x"; MOST])).map(|all| all.len()), Ok(MOST));
    }
}
