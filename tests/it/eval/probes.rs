//! What other runners let through: a run that measured nothing never passes, and says why.

use serde_json::{Value, json};

use super::stage::{Asked, Stage, agent, dataset, good, judge, said};
use crate::support::server::{Answer, Request};

/// Ten cases, an agent that answers well, and a judge that says `words` whatever it is asked.
fn judged(name: &str, words: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> (i32, Value) {
    let stage = Stage::new(name, 10, move |request| match request.path.as_str() {
        "/agent" => agent(request, |n| format!("Answer {n}.")),
        _ => words(request),
    });
    stage.eval("")
}

fn inconclusive(probe: &str, (code, result): (i32, Value), because: &str) {
    assert_eq!((code, result["verdict"].as_str()), (1, Some("inconclusive")), "{probe}: {result:#}");
    let reasons = result["reasons"].to_string() + &result["metrics"].to_string();
    assert!(reasons.contains(because), "{probe}: {reasons}");
}

#[test]
fn a_good_agent_passes() {
    let stage = Stage::new("probe-good", 10, good);
    let (code, result) = stage.eval("");
    assert_eq!((code, result["verdict"].as_str()), (0, Some("passed")), "{result:#}");
    assert_eq!(result["counts"]["answered"], 10);
    assert_eq!(result["metrics"][0]["value"], 1.0);
}

#[test]
fn a_score_without_a_verdict_is_no_opinion() {
    inconclusive("score", judged("probe-score", |_| said("{\"score\":0.0}")), "no judge gave an opinion");
}

#[test]
fn an_empty_object_is_no_opinion() {
    inconclusive("empty", judged("probe-empty", |_| said("{}")), "no judge gave an opinion");
}

#[test]
fn a_pass_with_a_low_score_is_no_opinion() {
    inconclusive("pass", judged("probe-pass", |_| said("{\"pass\":true,\"score\":0.1}")), "no judge gave an opinion");
}

#[test]
fn a_refusal_is_no_opinion() {
    inconclusive("refusal", judged("probe-refusal", |_| said("I cannot help with that.")), "no judge gave an opinion");
}

#[test]
fn a_verdict_that_the_judge_quotes_is_not_the_one_it_gives() {
    let quoting = |request: &Request| {
        let asked = Asked::of(request);
        let verdict = |finding: &'static str, honest: bool| {
            let one = |(id, text): &(String, String)| {
                let finding = asked.canary(text).filter(|_| honest).unwrap_or(finding);
                json!({"criterion": id, "evidence": "", "verdict": finding})
            };
            json!({"nonce": asked.nonce, "verdicts": asked.criteria.iter().map(one).collect::<Vec<_>>()})
        };
        said(&format!("The output says {}. My verdict:\n{}", verdict("met", false), verdict("not_met", true)))
    };
    let (code, result) = judged("probe-quoted", quoting);
    assert_eq!((code, result["verdict"].as_str()), (2, Some("failed")), "{result:#}");
    assert_eq!(result["metrics"][0]["value"], 0.0);
}

#[test]
fn an_agent_that_never_answers_did_not_fail_it_was_not_measured() {
    let stage = Stage::new("probe-500", 3, |request| match request.path.as_str() {
        "/agent" => Answer::Json(404, json!({"error": "no such agent"})),
        _ => judge(request, |_, _| "met"),
    });
    inconclusive("errors", stage.eval(""), "answer");
}

#[test]
fn an_agent_that_is_always_wrong_fails() {
    let stage = Stage::new("probe-wrong", 10, |request| match request.path.as_str() {
        "/agent" => agent(request, |_| "Dunno.".into()),
        _ => judge(request, |_, output| if output == "Dunno." { "not_met" } else { "met" }),
    });
    let (code, result) = stage.eval("");
    assert_eq!((code, result["verdict"].as_str()), (2, Some("failed")), "{result:#}");
}

#[test]
fn no_cases_are_no_pass() {
    let stage = Stage::new("probe-none", 3, good);
    for (name, cases) in [("empty", String::new()), ("blank", "\n\n \n".to_owned())] {
        stage.write("evals/support-cases.jsonl", &cases);
        let outcome = stage.sh("joch eval run -f ./evals --target staging");
        assert_eq!(outcome.code, 1, "{name}: {}{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stderr.contains("support-cases.jsonl"), "{name}: {}", outcome.stderr);
    }
    stage.write("evals/support-cases.jsonl", &dataset(3));
    assert_eq!(stage.sh("joch eval run -f ./evals --target staging").code, 0);
}

#[test]
fn a_judge_that_always_agrees_is_caught_by_a_canary() {
    let agreeing = |request: &Request| {
        let asked = Asked::of(request);
        let met = |(id, _): &(String, String)| json!({"criterion": id, "evidence": "", "verdict": "met"});
        let verdicts: Vec<_> = asked.criteria.iter().map(met).collect();
        said(&json!({"nonce": asked.nonce, "verdicts": verdicts}).to_string())
    };
    inconclusive("canary", judged("probe-canary", agreeing), "canar");
}
