//! Results for OpenTelemetry, as the JSON of OTLP: one event for each score and a gauge for each metric. What to send;
//! who sends it stands elsewhere.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::eval::{CaseResult, MetricResult, RunResult, Score, TrialResult, Verdict};
use crate::render::escape::{cut, escape_lines};

use super::{cases, figures};

/// How large the body of one request may be, in bytes.
pub const BATCH: usize = 1024 * 1024;
/// How much of one text is sent; a record holds a handful of texts, and a character is at most six bytes of JSON.
const TEXT: usize = 2_000;
/// What the name of the event and of the attributes are, by the conventions for generative AI.
const EVENT: &str = "gen_ai.evaluation.result";

/// The bodies for `/v1/logs`: every score of the run, each body of at most [`BATCH`] bytes.
#[must_use]
pub fn logs(result: &RunResult) -> Vec<String> {
    let body = |records: &[Value]| {
        let scope = json!({ "scope": scope(), "logRecords": records });
        json!({ "resourceLogs": [{ "resource": resource(result), "scopeLogs": [scope] }] }).to_string()
    };
    let empty = body(&[]).len();
    let (mut bodies, mut batch, mut size) = (Vec::new(), Vec::new(), empty);
    for record in records(result) {
        let more = record.to_string().len() + 1;
        if size + more > BATCH && !batch.is_empty() {
            bodies.push(body(&batch));
            batch.clear();
            size = empty;
        }
        size += more;
        batch.push(record);
    }
    if !batch.is_empty() {
        bodies.push(body(&batch));
    }
    bodies
}

/// The body for `/v1/metrics`: what was measured, and the verdict; none where the run has no time.
#[must_use]
pub fn metrics(result: &RunResult) -> Option<String> {
    let time = nanoseconds(ended(result)?);
    // Attributes of the resource are lost on the way to some stores, so that every point names its run.
    let point = |value: f64, more: Vec<Value>| {
        let all: Vec<Value> = identity(result).into_iter().chain(more).collect();
        json!({ "timeUnixNano": time, "asDouble": value, "attributes": all })
    };
    let measured: Vec<_> = result
        .metrics
        .iter()
        .filter_map(|metric| Some(point(metric.value?.as_f64(), vec![text("gen_ai.evaluation.name", &metric.name)])))
        .collect();
    let verdicts = [Verdict::Passed, Verdict::Inconclusive, Verdict::Failed].map(|verdict| {
        let is = if verdict == result.verdict { 1.0 } else { 0.0 };
        point(is, vec![text("joch.eval.verdict", figures::verdict(verdict))])
    });
    let mut gauges = vec![
        gauge("joch.eval.metric", "What was measured.", &measured),
        gauge("joch.eval.verdict", "Whether the run came to this verdict.", &verdicts),
    ];
    let costs = [("agent", result.cost.agent_usd), ("judge", result.cost.judge_usd)];
    let costs = costs.iter().filter_map(|(of, usd)| Some(point((*usd)?.as_f64(), vec![text("joch.eval.cost.of", of)])));
    gauges.push(gauge("joch.eval.cost", "What the run cost in US dollars.", &costs.collect::<Vec<_>>()));
    gauges.retain(|gauge| gauge["gauge"]["dataPoints"].as_array().is_some_and(|points| !points.is_empty()));
    let scope = json!({ "scope": scope(), "metrics": gauges });
    Some(json!({ "resourceMetrics": [{ "resource": resource(result), "scopeMetrics": [scope] }] }).to_string())
}

/// One event for each score of each trial, in the order of the result.
fn records(result: &RunResult) -> impl Iterator<Item = Value> {
    let time = ended(result).map(nanoseconds);
    let trials =
        result.cases.iter().flat_map(|case| case.trials.iter().zip(1..).map(move |(trial, at)| (case, trial, at)));
    trials.flat_map(move |(case, trial, at)| {
        let time = time.clone();
        let scores = trial.scores.iter().map(move |(name, score)| {
            let mut attributes = vec![
                text("gen_ai.evaluation.name", name),
                text("joch.eval.case", &case.id),
                number("joch.eval.trial", at),
            ];
            attributes.extend(of_score(result, case, trial, name, score));
            event(time.as_ref(), attributes)
        });
        let time = ended(result).map(nanoseconds);
        // Where there is no answer there may be no score either, and that is worth an event of its own.
        let lost = trial.fault.filter(|_| trial.scores.is_empty()).map(|kind| {
            let attributes = vec![
                text("gen_ai.evaluation.name", "answer"),
                text("joch.eval.case", &case.id),
                number("joch.eval.trial", at),
                text("error.type", cases::fault_word(kind)),
                text("gen_ai.evaluation.explanation", trial.message.as_deref().unwrap_or_default()),
            ];
            event(time.as_ref(), attributes)
        });
        scores.chain(lost)
    })
}

fn of_score(result: &RunResult, case: &CaseResult, trial: &TrialResult, name: &str, score: &Score) -> Vec<Value> {
    let mut attributes = Vec::new();
    match score {
        Score::Scored(value) => {
            attributes
                .push(json!({ "key": "gen_ai.evaluation.score.value", "value": { "doubleValue": value.as_f64() } }));
            if let Some(metric) = result.metrics.iter().find(|metric| metric.name == name) {
                attributes.extend(label(case, metric).map(|label| text("gen_ai.evaluation.score.label", label)));
            }
            let prefix = format!("{name}/");
            let unmet: Vec<_> =
                trial.unmet.iter().filter(|unmet| unmet.starts_with(&prefix)).map(String::as_str).collect();
            if !unmet.is_empty() {
                attributes.push(text("gen_ai.evaluation.explanation", &format!("not met: {}", unmet.join(", "))));
            }
        }
        Score::Unscored(why) => {
            attributes.push(text("error.type", trial.fault.map_or("unscored", cases::fault_word)));
            attributes.push(text("gen_ai.evaluation.explanation", why));
        }
    }
    attributes
}

/// `pass` or `fail` by the threshold of the metric; none where it has none.
fn label(case: &CaseResult, metric: &MetricResult) -> Option<&'static str> {
    let judged = !figures::bounds(metric).is_empty();
    judged.then(|| if cases::is_below(case, metric) { "fail" } else { "pass" })
}

fn event(time: Option<&String>, attributes: Vec<Value>) -> Value {
    let mut record = json!({
        "eventName": EVENT,
        "severityNumber": 9,
        "severityText": "INFO",
        "body": { "stringValue": EVENT },
        "attributes": attributes,
    });
    if let Some(time) = time {
        record["timeUnixNano"] = json!(time);
        record["observedTimeUnixNano"] = json!(time);
    }
    record
}

fn gauge(name: &str, description: &str, points: &[Value]) -> Value {
    json!({ "name": name, "description": description, "gauge": { "dataPoints": points } })
}

fn resource(result: &RunResult) -> Value {
    let mut attributes = vec![
        text("service.name", "joch"),
        text("service.version", &result.runner.joch),
        text("joch.eval.verdict", figures::verdict(result.verdict)),
        text("joch.agent.digest", &result.subject.digest.to_string()),
        text("joch.eval.digest", &result.eval.digest.to_string()),
        text("joch.eval.dataset", &result.dataset.uri),
        text("joch.eval.dataset.digest", &result.dataset.digest.to_string()),
        text("joch.eval.journal.digest", &result.runner.journal.to_string()),
    ];
    attributes.extend(identity(result));
    json!({ "attributes": attributes })
}

/// Which run of what.
fn identity(result: &RunResult) -> Vec<Value> {
    let mut attributes = vec![
        text("joch.eval.run", &result.run),
        text("joch.eval.name", &result.eval.id.full()),
        text("joch.agent.name", &result.subject.agent.full()),
        text("joch.environment", &result.subject.environment),
    ];
    attributes.extend(result.subject.version.map(|version| number("joch.agent.version", version)));
    attributes
}

fn scope() -> Value {
    json!({ "name": "joch.eval", "version": env!("CARGO_PKG_VERSION") })
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": escape_lines(&cut(value, TEXT)) } })
}

/// Whole numbers of 64 bits are strings in OTLP.
fn number(key: &str, value: u64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

fn ended(result: &RunResult) -> Option<DateTime<Utc>> {
    result.runner.finished_at.or(result.runner.started_at)
}

fn nanoseconds(time: DateTime<Utc>) -> String {
    time.timestamp_nanos_opt().unwrap_or_default().max(0).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn read(body: &str) -> Value {
        serde_json::from_str(body).expect("JSON")
    }

    fn events(result: &RunResult) -> Vec<Value> {
        let bodies = logs(result);
        let of = |body: &String| {
            read(body)["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().expect("records").clone()
        };
        bodies.iter().flat_map(of).collect()
    }

    fn attribute(of: &Value, key: &str) -> Option<Value> {
        let found = of["attributes"].as_array()?.iter().find(|attribute| attribute["key"] == key)?;
        found["value"].as_object()?.values().next().cloned()
    }

    #[test]
    fn every_score_is_an_event_with_its_case_and_its_label() {
        let events = events(&sample::failed());
        let of = |case: &str| {
            let is = |event: &&Value| {
                attribute(event, "joch.eval.case") == Some(case.into())
                    && attribute(event, "gen_ai.evaluation.name") == Some("task_success".into())
            };
            events.iter().find(is).expect("the event")
        };
        let bad = of("case-2");
        assert_eq!(bad["eventName"], EVENT);
        assert_eq!(bad["timeUnixNano"], "1778378652000000000");
        assert_eq!(attribute(bad, "gen_ai.evaluation.score.value"), Some(0.2.into()));
        assert_eq!(attribute(bad, "gen_ai.evaluation.score.label"), Some("fail".into()));
        assert_eq!(
            attribute(bad, "gen_ai.evaluation.explanation"),
            Some("not met: task_success/1, task_success/tone".into())
        );
        assert_eq!(attribute(of("case-1"), "gen_ai.evaluation.score.label"), Some("pass".into()));
        let lost = events.iter().find(|event| attribute(event, "joch.eval.case") == Some("case-3".into())).expect("it");
        assert_eq!(attribute(lost, "error.type"), Some("timeout".into()));
        assert_eq!(attribute(lost, "gen_ai.evaluation.score.value"), None);
    }

    #[test]
    fn a_missing_score_is_an_error_and_has_no_value() {
        let events = events(&sample::inconclusive());
        let missing =
            events.iter().find(|event| attribute(event, "error.type") == Some("unscored".into())).expect("it");
        assert_eq!(attribute(missing, "gen_ai.evaluation.score.value"), None);
        assert_eq!(attribute(missing, "gen_ai.evaluation.explanation"), Some("the judge refused".into()));
    }

    #[test]
    fn gauges_tell_metrics_verdict_and_known_costs() {
        let body = read(&metrics(&sample::failed()).expect("the run has a time"));
        let all = body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().expect("gauges");
        let names: Vec<_> = all.iter().map(|gauge| gauge["name"].as_str().unwrap_or_default()).collect();
        assert_eq!(names, ["joch.eval.metric", "joch.eval.verdict", "joch.eval.cost"]);
        let points = |at: usize| all[at]["gauge"]["dataPoints"].as_array().expect("points");
        assert_eq!(points(0)[0]["asDouble"], 0.7);
        assert_eq!(attribute(&points(0)[0], "joch.agent.version"), Some("8".into()));
        assert_eq!(points(2).len(), 1, "what the judges cost is not known");
    }

    #[test]
    fn no_body_is_larger_than_a_collector_takes() {
        let mut result = sample::hostile();
        let case = result.cases[0].clone();
        result.cases = (0..1000).map(|n| CaseResult { id: format!("{n}"), ..case.clone() }).collect();
        let bodies = logs(&result);
        assert!(bodies.len() > 1);
        for body in &bodies {
            assert!(body.len() <= BATCH, "{}", body.len());
            assert!(!body.contains("\\u001b") && !body.contains('\u{202e}'));
        }
        assert_eq!(events(&result).len(), 2000);
    }
}
