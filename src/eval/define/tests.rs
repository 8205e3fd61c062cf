//! Evals as they are written, and what a run makes of them.

use super::*;
use crate::eval::definition::{Aggregate, Check, Measure, Observed, Trajectory};
use crate::eval::{Decimal, Ratio};
use crate::resource::Direction;
use crate::resource::yaml::{Found, read};

const FIXTURE: &str = include_str!("../../../fixtures/support-triage/evals/support-triage-quality.yaml");

fn eval(text: &str) -> Resource {
    let mut read = read("e.yaml", text, Found::Named);
    assert_eq!(read.findings, []);
    read.documents.remove(0).resource
}

/// An Eval with these metrics, and more in its `spec`.
fn of(metrics: &str, more: &str) -> Result<Definition, Vec<String>> {
    let text = format!(
        "apiVersion: joch.dev/v1alpha1\nkind: Eval\nmetadata: {{ name: e }}\nspec:\n  target: {{ name: a }}\n  metrics: [{metrics}]\n{more}"
    );
    Definition::of(&eval(&text))
}

fn measure(metric: &str) -> Measure {
    of(metric, "").expect("a definition").metrics.remove(0).measure
}

#[track_caller]
fn refused(read: Result<Definition, Vec<String>>, words: &[&str]) {
    let flaws = read.expect_err("it should be refused").join("\n");
    for word in words {
        assert!(flaws.contains(word), "`{word}` is not in: {flaws}");
    }
}

#[test]
fn the_published_example_is_read_as_it_stands() {
    let definition = Definition::of(&eval(FIXTURE)).expect("a definition");
    let told: Vec<String> = definition
        .metrics
        .iter()
        .map(|metric| {
            let threshold = metric.threshold.as_ref().map(|bounds| bounds.0[0].to_string()).unwrap_or_default();
            format!("{} {threshold} {:?} {:?}", metric.name, metric.aggregate, metric.direction)
        })
        .collect();
    let expected = [
        "task_success >= 0.85 Mean Some(Higher)",
        "tone_consistency >= 0.9 Mean Some(Higher)",
        "cost_per_case < 0.4 Mean Some(Lower)",
        "latency_p95_ms < 3000 Percentile(95) Some(Lower)",
        "pii_leakage <= 0 Mean Some(Lower)",
    ];
    assert_eq!(told, expected);
    let run = definition.run;
    assert_eq!((run.concurrency, run.trials, run.timeout_ms, run.retries), (8, 1, 60_000, 4));
    assert_eq!((run.max_age_s, run.max_error_rate, run.max_unscored_rate), (604_800, 0, 0));
    assert_eq!(Definition::of(&eval(FIXTURE)), Ok(definition));
}

#[test]
fn a_judge_is_asked_for_criteria_or_the_points_of_a_rubric() {
    let of = |metric: &str| match measure(metric) {
        Measure::Judged(judged) => judged,
        other => panic!("{other:?}"),
    };
    let judged = of(
        "{ name: m, type: llm_judge, judges: [big, openai:gpt-4o], samples: 3, criteria: [Is kind., { id: short, text: Is short., weight: 2 }] }",
    );
    assert_eq!(judged.judges.iter().map(|judge| judge.name.as_str()).collect::<Vec<_>>(), ["big", "openai:gpt-4o"]);
    let told: Vec<String> = judged.criteria.iter().map(|c| format!("{} {} {}", c.id, c.text, c.weight)).collect();
    assert_eq!((judged.samples, told), (3, vec!["1 Is kind. 1".into(), "short Is short. 2".into()]));
    let judged = of(r#"{ name: m, type: llm_judge, rubric: "The answer\n1. is kind\n2) is short,\n   very short" }"#);
    let texts: Vec<&str> = judged.criteria.iter().map(|c| c.text.as_str()).collect();
    assert_eq!(texts, ["The answer is kind", "The answer is short, very short"]);
    let plain = of("{ name: m, type: llm_judge, judgeModelRef: { name: big, namespace: x } }");
    assert_eq!((plain.judges.len(), plain.criteria.len(), plain.samples), (1, 0, 1));
}

#[test]
fn a_rubric_is_split_where_it_lists_points() {
    assert_eq!(points("Is kind.\nIs short."), ["Is kind.\nIs short."]);
    assert_eq!(points("* a\n\n• b\n10. c"), ["a", "b", "c"]);
    assert_eq!(points("-5 is fine, 3.5 as well"), ["-5 is fine, 3.5 as well"]);
    assert_eq!(points(" \n"), Vec::<String>::new());
}

#[test]
fn a_judge_that_cannot_be_asked_is_refused() {
    let with = |rest: &str| of(&format!("{{ name: m, type: llm_judge, {rest} }}"), "");
    refused(with("samples: 0"), &["`spec.metrics[0].samples`", "from 1 to 25"]);
    refused(with("samples: three"), &["not text"]);
    refused(with("criteria: []"), &["1 to 100 criteria, not 0"]);
    refused(with("criteria: [{ id: a, text: x }, { id: a, text: y }]"), &["two criteria are called `a`"]);
    refused(with("criteria: [{ text: x, wieght: 2 }]"), &["`spec.metrics[0].criteria[0].wieght`"]);
    refused(with("criteria: [{ text: x, weight: 0 }]"), &["from 1 to 1000"]);
    refused(with("criteria: [{ id: a }]"), &["says nothing"]);
    refused(with("rubric: ''"), &["the text is empty"]);
    refused(with("judges: []"), &["no judge is named"]);
    refused(with("judges: [a, a]"), &["the judge `a` stands twice"]);
    refused(with("judges: [a], judgeModelRef: { name: b }"), &["both name judges"]);
    refused(with("pattern: x"), &["`pattern` means nothing"]);
    refused(with("scale: [1, 5]"), &["`spec.metrics[0].scale`", "thresholds from 0 to 1"]);
    refused(with("criterai: [x]"), &["did you mean `criteria`?"]);
}

#[test]
fn what_a_run_observes_is_named_or_said_by_measure() {
    let of = |metric: &str| measure(&format!("{{ {metric}, type: numeric }}"));
    assert_eq!(of("name: cost_per_case"), Measure::Observed(Observed::Cost));
    assert_eq!(of("name: slowest, measure: latency_p99_ms"), Measure::Observed(Observed::Latency));
    assert_eq!(of("name: error_rate"), Measure::Observed(Observed::Error));
    assert_eq!(of("name: input_tokens_per_case"), Measure::Observed(Observed::InputTokens));
    let with = |metric: &str| super::tests::of(&format!("{{ {metric}, type: numeric }}"), "");
    refused(with("name: latency_p95_s"), &["`spec.metrics[0].name`", "write `latency_p95_ms`"]);
    refused(with("name: brilliance"), &["joch observes no `brilliance`", "`tool_calls_per_case`"]);
    refused(with("name: latency_p95_ms, aggregate: mean"), &["another percentile"]);
}

#[test]
fn checks_take_their_parameters_and_nothing_else() {
    let of = |metric: &str| match measure(&format!("{{ type: deterministic, {metric} }}")) {
        Measure::Checked(check) => check,
        other => panic!("{other:?}"),
    };
    assert_eq!(of("name: exact"), Check::Exact { strict: true });
    let contains = |texts: &[&str], strict, none| Check::Contains {
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        strict,
        none,
    };
    assert_eq!(of("name: contains"), contains(&[], true, false));
    assert_eq!(of("name: m, check: contains, texts: [a, b], none: true"), contains(&["a", "b"], false, true));
    assert_eq!(of(r#"name: regex, pattern: "^a+$""#), Check::Regex { pattern: "^a+$".into(), none: false });
    assert_eq!(
        of("name: json_path, path: $.a, equals: 1"),
        Check::JsonPath { path: "$.a".into(), equals: Some(1.into()) }
    );
    assert!(matches!(of("name: json_schema, schema: { type: object }"), Check::JsonSchema(_)));
    let order = Trajectory::Superset;
    assert_eq!(of("name: tool_trajectory, order: superset"), Check::Trajectory { order, arguments: true });
    assert!(
        matches!(of("name: pii_leakage, allow: a@b.de, regions: [DE]"), Check::PiiLeakage(s) if s.allow == ["a@b.de"] && !s.count_echoed)
    );
    let with = |metric: &str| super::tests::of(&format!("{{ type: deterministic, {metric} }}"), "");
    refused(with("name: regex"), &["`spec.metrics[0].pattern`: `pattern` is missing"]);
    refused(with("name: regex, pattern: '('"), &["the pattern cannot be used: unclosed group"]);
    refused(with("name: regex, pattern: 'a{1000}{1000}{1000}'"), &["the pattern cannot be used"]);
    refused(with("name: json_schema, schema: { type: objekt }"), &["a JSON Schema is expected"]);
    refused(with("name: json_path, path: a.b"), &["this is no JSONPath"]);
    refused(with("name: tool_trajectory, order: any"), &["one of `strict`, `unordered`, `subset`, `superset`"]);
    refused(with("name: contains, none: true"), &["which texts the answer must not hold"]);
    refused(with("name: contains, texts: ['']"), &["`spec.metrics[0].texts[0]`: the text is empty"]);
    refused(with("name: exact, pattern: x"), &["`pattern` means nothing"]);
    refused(with("name: contains, texts: [a], noen: true"), &["did you mean `none`?"]);
    refused(with("name: pii_leakage, regions: [Germany]"), &["two capital letters"]);
    refused(with("name: pii_leakage, direction: higher"), &["more is never better"]);
    refused(with("name: shine"), &["joch has no check `shine`", "`secret_leakage`"]);
}

#[test]
fn a_program_is_a_list_of_words() {
    let command = vec!["./score".to_owned(), "--bleu".to_owned()];
    assert_eq!(measure("{ name: bleu, type: exec, command: [./score, --bleu] }"), Measure::Program { command });
    refused(of("{ name: bleu, type: exec }", ""), &["which program scores"]);
    refused(of("{ name: bleu, type: exec, command: './score --bleu' }", ""), &["stand in one text"]);
}

#[test]
fn scores_become_one_as_the_file_says() {
    let with = |rest: &str, more: &str| {
        of(&format!("{{ name: m, type: llm_judge, {rest} }}"), more).map(|mut all| all.metrics.remove(0).aggregate)
    };
    assert_eq!(with("aggregate: p50", ""), Ok(Aggregate::Percentile(50)));
    assert_eq!(with("aggregate: pass@3", "  run: { trials: 3 }"), Ok(Aggregate::PassAt(3)));
    assert_eq!(with("aggregate: pass^k, k: 4", "  run: { trials: 5 }"), Ok(Aggregate::PassAll(4)));
    let refused = |rest: &str, more: &str, word: &str| {
        let flaws = with(rest, more).expect_err("it should be refused").join("\n");
        assert!(flaws.contains(word), "{rest}: {flaws}");
    };
    refused("aggregate: pass^k", "", "add `k: 3`");
    refused("aggregate: pass@3", "", "each case has 1 trial, fewer than 3");
    refused("aggregate: pass@3, k: 2", "  run: { trials: 3 }", "another number");
    refused("aggregate: mean, k: 2", "", "means nothing");
    refused("k: 2", "", "means something for");
    for bad in ["average", "p0", "p100", "pass@0", "pass@", "pass@-1"] {
        refused(&format!("aggregate: {bad}"), "", "is not understood");
    }
    let leak = of("{ name: pii_leakage, type: deterministic, aggregate: pass@1 }", "");
    super::tests::refused(leak, &["no trials that succeed"]);
}

#[test]
fn a_bare_number_needs_a_direction() {
    let with = |rest: &str, threshold: &str| {
        let read = of(&format!("{{ name: m, {rest} }}"), &format!("  thresholds: {{ m: {threshold} }}"));
        read.map(|mut all| {
            let metric = all.metrics.remove(0);
            let bounds =
                metric.threshold.map(|bounds| bounds.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
            (bounds.unwrap_or_default(), metric.direction)
        })
    };
    let exec = "type: exec, command: x";
    assert!(with(exec, "0.5").expect_err("which way?").join("").contains("a number alone says nothing"));
    assert_eq!(with(&format!("{exec}, direction: lower"), "0.5"), Ok(("<= 0.5".into(), Some(Direction::Lower))));
    assert_eq!(with(exec, "'>= 0.5'"), Ok((">= 0.5".into(), Some(Direction::Higher))));
    assert!(with(exec, "'== 1'").expect_err("which way?").join("").contains("give the metric `direction:"));
    assert!(with(exec, "{ min: 1, max: 2 }").is_err());
    let both = with(&format!("{exec}, direction: higher"), "{ min: 1, max: 2 }");
    assert_eq!(both, Ok((">= 1, <= 2".into(), Some(Direction::Higher))));
    assert_eq!(with("type: llm_judge", "'85%'"), Ok((">= 0.85".into(), Some(Direction::Higher))));
    let unheld = of("{ name: m, type: llm_judge }", "").map(|mut all| all.metrics.remove(0));
    assert_eq!(unheld.map(|metric| (metric.threshold, metric.direction)), Ok((None, Some(Direction::Higher))));
}

#[test]
fn a_threshold_that_says_nothing_is_refused() {
    let with = |metric: &str, threshold: &str| of(metric, &format!("  thresholds: {{ {threshold} }}"));
    let judge = "{ name: m, type: llm_judge }";
    for bad in ["m: 85", "m: -0.1", "m: '>= 85'", "m: '850%'"] {
        refused(with(judge, bad), &["`spec.thresholds.m`: `m` is a share from 0 to 1"]);
    }
    for bad in ["'=<1'", "'~1'", "''", "'<'", "'< 3 000'", "true", "[1]", "'.nan'", "high"] {
        refused(with(judge, &format!("m: {bad}")), &["neither a number nor a comparison"]);
    }
    refused(with(judge, "n: 0.5"), &["no metric has this name"]);
    refused(with("{ name: latency_p95_ms, type: numeric }", "latency_p95_ms: '<3s'"), &["is not measured in `s`"]);
    refused(with("{ name: cost_per_case, type: numeric }", "cost_per_case: -1"), &["a number from 0"]);
    refused(with(judge, "m: { fromEnvironment: KEY }"), &["neither a number"]);
}

#[test]
fn what_is_measured_is_compared_as_the_threshold_says_and_never_rounded() {
    let passes = |metric: &str, threshold: &str, score: &str| {
        let all = of(metric, &format!("  thresholds: {{ m: {threshold} }}")).expect("a definition");
        let bounds = all.metrics[0].threshold.clone().expect("a threshold");
        let score: Decimal = score.parse().expect("a number");
        bounds.0.iter().all(|threshold| Ratio::of(score).passes(threshold))
    };
    let judge = "{ name: m, type: llm_judge }";
    let leak = "{ name: m, type: deterministic, check: pii_leakage }";
    let cost = "{ name: m, type: numeric, measure: cost_per_case }";
    // Of a leak, 0.0 means none at all, and not at least none.
    assert!(passes(leak, "0.0", "0") && passes(leak, "-0.0", "0") && !passes(leak, "0.0", "0.02"));
    assert!(passes(cost, "'<0.40'", "0.399999999999") && !passes(cost, "'<0.40'", "0.4"));
    assert!(passes(judge, "'>=0.85'", "0.85") && !passes(judge, "0.85", "0.849999999999"));
    assert!(passes(cost, "{ min: 1, max: 2 }", "2") && !passes(cost, "{ min: 1, max: 2 }", "2.1"));
    let latency = "{ name: m, type: numeric, measure: latency_p95_ms }";
    assert!(passes(latency, "'<3e3'", "2999.999") && !passes(latency, "'<3000ms'", "3000"));
}

#[test]
fn how_a_run_goes_is_understood_or_refused() {
    let with = |more: &str| of("{ name: task_success, type: llm_judge }", &format!("  {more}\n"));
    let run =
        with("run: { concurrency: 4, trials: 2, timeoutSeconds: 1.5, retries: 0, maxAge: 36h, maxErrorRate: 0.02 }");
    let run = run.expect("a definition").run;
    assert_eq!((run.concurrency, run.trials, run.timeout_ms, run.retries), (4, 2, 1500, 0));
    assert_eq!((run.max_age_s, run.max_error_rate), (129_600, 20_000));
    let bad = [
        ("concurrency: 0", "from 1 to 512"),
        ("trials: 0", "from 1 to 1000"),
        ("trials: 1.5", "`1.5`"),
        ("timeoutSeconds: 0", "no time limit"),
        ("timeoutSeconds: -1", "no time limit"),
        ("retries: 100", "from 0 to 20"),
        ("maxAge: 0d", "no length of time"),
        ("maxAge: 7", "no length of time"),
        ("maxErrorRate: 2", "no share"),
        ("maxUnscoredRate: -0.1", "no share"),
        ("maxErorRate: 0.1", "did you mean `maxErrorRate`?"),
    ];
    for (run, word) in bad {
        refused(with(&format!("run: {{ {run} }}")), &["`spec.run.", word]);
    }
    assert_eq!(with("confidence: 0.95").map(|definition| definition.confidence), Ok(Some(0.95)));
    for bad in ["0", "1", "95", "high"] {
        refused(with(&format!("confidence: {bad}")), &["`spec.confidence`"]);
    }
    let regression = with("maxRegression: { task_success: 0.02 }").expect("a definition").metrics.remove(0);
    assert_eq!(regression.max_regression.map(|most| most.to_string()), Some("0.02".into()));
    refused(with("maxRegression: { task_success: -1 }"), &["`spec.maxRegression.task_success`"]);
    refused(with("maxRegression: { tone: 1 }"), &["no metric has this name"]);
}

#[test]
fn an_empty_threshold_is_refused_and_not_dropped() {
    for nothing in ["~", "null", ""] {
        let read =
            of("{ name: task_success, type: llm_judge }", &format!("  thresholds: {{ task_success: {nothing} }}"));
        refused(read, &["`spec.thresholds.task_success`: it is not said what `task_success` must reach"]);
    }
    let read =
        of("{ name: task_success, type: llm_judge }", "  thresholds: { task_success: { fromEnvironment: KEY } }");
    refused(read, &["`spec.thresholds.task_success`"]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let flaws = of(
        "{ name: a, type: numeric }, { type: exec }, { name: exact, type: deterministic, strict: 1 }",
        "  run: { trials: 0 }",
    );
    assert_eq!(flaws.expect_err("it is full of faults").len(), 4);
    refused(of("", ""), &["nothing is measured"]);
    refused(of("{ name: exact, type: deterministic }, { name: exact, type: deterministic }", ""), &["stands twice"]);
}

#[test]
fn metrics_never_differ_between_validation_and_the_run() {
    use crate::resource::metric::{Check as Word, PARAMETERS};
    let words = [
        Word::Exact,
        Word::Contains,
        Word::Regex,
        Word::JsonSchema,
        Word::JsonPath,
        Word::ToolTrajectory,
        Word::PiiLeakage,
        Word::SecretLeakage,
    ];
    let taken: std::collections::BTreeSet<&str> = words.into_iter().flat_map(check::parameters).copied().collect();
    assert_eq!(taken, PARAMETERS.into_iter().collect());
}
