//! Judges, asked over real connections: in a form that they cannot leave, and never believed when they refuse.

use std::time::Duration;

use serde_json::{Value, json};

use super::JudgeClient;
use super::stage::{Asked, Loopback, answer, credentials, json as json_answer, run, setting};
use crate::eval::judge::{JudgeReply, JudgeRequest};
use crate::eval::{Fault, FaultKind, ModelFacts, Usage};

fn judge(server: &Loopback, provider: &str) -> JudgeClient {
    let model = ModelFacts {
        name: "judge".into(),
        provider: provider.into(),
        model: "judge-1".into(),
        base_url: Some(format!("{}/v1", server.url)),
        local: false,
        key: Some("key".into()),
        parameters: json!({"temperature": 0.9, "stream": true, "reasoning_effort": "low"})
            .as_object()
            .expect("a map")
            .clone(),
        max_output_tokens: None,
    };
    JudgeClient::open(&model, &credentials(&[("key", "sk-secret-1")]), &setting(), Duration::from_secs(5))
        .expect("a judge")
}

fn ask(judge: &JudgeClient) -> Result<JudgeReply, Fault> {
    let request = JudgeRequest { system: "judge".into(), user: "this".into(), schema: json!({"type": "object"}) };
    run(judge.ask(&request, 1))
}

fn says(content: Value) -> Vec<u8> {
    let choices = json!([{"finish_reason": "stop", "message": content}]);
    json_answer(
        &json!({"model": "judge-1-2026", "choices": choices, "usage": {"prompt_tokens": 5, "completion_tokens": 6}}),
    )
}

#[test]
fn a_judge_is_asked_in_the_form_of_a_verdict() {
    let server = Loopback::answering(|_| says(json!({"content": "{\"a\": \"met\"} sk-secret-1"})));
    let reply = ask(&judge(&server, "openai")).expect("a verdict");
    assert_eq!(reply.text, "{\"a\": \"met\"} [credential]");
    assert_eq!((reply.usage, reply.attempts), (Some(Usage { input: 5, output: 6 }), 1));
    assert_eq!(reply.model.as_deref(), Some("judge-1-2026"));
    let form = json!({"type": "json_schema", "json_schema": {"name": "verdicts", "strict": true, "schema": {"type": "object"}}});
    let messages = json!([{"role": "system", "content": "judge"}, {"role": "user", "content": "this"}]);
    let body = json!({"model": "judge-1", "temperature": 0, "seed": 8, "response_format": form, "messages": messages,
        "reasoning_effort": "low"});
    assert_eq!(server.asked()[0].body, body);
    assert_eq!(server.asked()[0].header("idempotency-key"), None);
}

#[test]
fn what_an_endpoint_refuses_is_left_out_and_remembered() {
    let refuse = |asked: &Asked| {
        for name in ["response_format", "temperature", "seed"] {
            if asked.body.get(name).is_some() {
                let why = json!({"error": {"message": format!("Unsupported parameter: '{name}'")}});
                return answer(400, &[], why.to_string());
            }
        }
        says(json!({"content": "{}"}))
    };
    let server = Loopback::answering(refuse);
    let judge = judge(&server, "local");
    assert_eq!(ask(&judge).expect("a verdict").attempts, 4);
    assert_eq!(ask(&judge).expect("a verdict").attempts, 1);

    let server = Loopback::answering(|_| answer(400, &[], "{\"error\": {\"message\": \"the prompt is too long\"}}"));
    let fault = ask(&self::judge(&server, "openai")).expect_err("no verdict");
    assert_eq!((fault.kind, server.asked().len()), (FaultKind::Refused, 1));
    let server = Loopback::answering(|_| answer(400, &[], "{\"error\": {\"message\": \"bad temperature\"}}"));
    ask(&self::judge(&server, "openai")).expect_err("no verdict");
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_judge_is_asked_by_a_call_that_it_must_make() {
    let server = Loopback::answering(|_| {
        let call = json!({"type": "tool_use", "name": "verdicts", "input": {"a": "met"}});
        json_answer(
            &json!({"content": [{"type": "text", "text": "well"}, call], "stop_reason": "tool_use", "model": "j",
            "usage": {"input_tokens": 1, "output_tokens": 2}}),
        )
    });
    let reply = ask(&judge(&server, "anthropic")).expect("a verdict");
    assert_eq!(reply.text, "{\"a\":\"met\"}");
    let asked = &server.asked()[0];
    assert!(asked.head.starts_with("POST /v1/messages "));
    assert_eq!(asked.body["tool_choice"], json!({"type": "tool", "name": "verdicts"}));
    assert_eq!(asked.body["tools"][0]["input_schema"], json!({"type": "object"}));
    assert_eq!((&asked.body["temperature"], &asked.body["max_tokens"]), (&json!(0), &json!(4096)));
}

#[test]
fn a_judge_that_refuses_or_is_cut_gives_no_verdict() {
    for body in [
        json!({"choices": [{"message": {"refusal": "I will not", "content": "{\"a\": \"met\"}"}}]}),
        json!({"choices": [{"finish_reason": "content_filter", "message": {"content": "{\"a\": \"met\"}"}}]}),
        json!({"choices": [{"finish_reason": "length", "message": {"content": "{\"a\": \"met\"}"}}]}),
        json!({"choices": []}),
        json!({"error": {"message": "overloaded"}}),
        json!({}),
    ] {
        let shown = body.to_string();
        let server = Loopback::answering(move |_| json_answer(&body));
        let fault = ask(&judge(&server, "openai")).expect_err(&shown);
        assert!(matches!(fault.kind, FaultKind::Refused | FaultKind::Malformed), "{shown}");
    }
    for body in [json!({"content": [], "stop_reason": "refusal"}), json!({"content": []}), json!({})] {
        let server = Loopback::answering(move |_| json_answer(&body));
        ask(&judge(&server, "anthropic")).expect_err("no verdict");
    }
}

#[test]
fn a_judge_is_asked_again_where_an_agent_would_not_be() {
    for status in [408, 409, 425, 429, 500, 502, 503, 504, 529] {
        let server = Loopback::answering(move |asked| match asked.number {
            0 => answer(status, &[], "later"),
            _ => says(json!({"content": "{}"})),
        });
        assert_eq!(ask(&judge(&server, "openai")).expect("a verdict").attempts, 2, "{status}");
    }
}
