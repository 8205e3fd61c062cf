//! Answers that are none: errors and refusals that come with a status of success are faults, whatever stands beside.

use serde_json::{Value, json};

use super::Target;
use super::stage::{Loopback, answer, ask, case, credentials, json as json_answer, run, setting, unit};
use crate::eval::{AgentFacts, Fault, FaultKind, ModelFacts, Outcome, Reach};

fn http(body: &Value, output: Option<&str>) -> Outcome {
    let body = body.clone();
    let server = Loopback::answering(move |_| json_answer(&body));
    let mut invoke = json!({"type": "http", "url": server.url});
    if let Some(output) = output {
        invoke["output"] = output.into();
    }
    ask(invoke)
}

fn program(body: &Value, lines: bool) -> Outcome {
    let script = format!("read line; cat <<'END'\n{body}\nEND\n");
    ask(json!({"type": "command", "command": ["sh", "-c", script], "lines": lines, "timeoutSeconds": 20}))
}

fn model(kind: &str, api: &str, body: &Value) -> Outcome {
    let body = body.clone();
    let server = Loopback::answering(move |_| json_answer(&body));
    let facts = ModelFacts {
        name: "big".into(),
        provider: kind.into(),
        model: "model-1".into(),
        base_url: Some(format!("{}/v1", server.url)),
        local: false,
        key: Some("key".into()),
        parameters: serde_json::Map::new(),
        max_output_tokens: Some(900),
    };
    let facts = AgentFacts { instructions: None, model: Some(facts) };
    let mut invoke = json!({"type": kind});
    if kind == "openai" {
        invoke["api"] = api.into();
    }
    let reach = Reach::read(&invoke.try_into().expect("a value"), &facts, 5_000).expect("an invoke");
    let target = Target::open(&reach, &credentials(&[("key", "sk-secret-1")]), &setting()).expect("a target");
    run(target.call(&case("c-1", "hi"), &unit("c-1")))
}

fn refused(outcome: Outcome, shown: &Value) -> Fault {
    let fault = outcome.reply.expect_err(&shown.to_string());
    assert_eq!(fault.kind, FaultKind::Refused, "{shown}: {}", fault.message);
    fault
}

#[test]
fn an_error_is_no_answer_whatever_stands_beside_it() {
    for (body, says) in [
        (json!({"error": "overloaded", "output": "Your order is on its way."}), "overloaded"),
        (json!({"error": {"code": "E7", "message": "no such tool"}, "output": "fine"}), "no such tool"),
        (json!({"error": true, "message": "the index is down"}), "the index is down"),
        (json!({"error": 5, "output": "fine"}), "error: 5"),
        (json!({"error": {"code": 5}, "output": "fine"}), r#"{"code":5}"#),
        (json!({"errors": [{"message": "field `x` is unknown"}], "output": "fine"}), "field `x` is unknown"),
        (json!({"errors": ["first", "second"], "output": "fine"}), "first"),
        (json!({"error": null, "errors": "late", "output": "fine"}), "late"),
    ] {
        for output in [None, Some("$.output"), Some("$.message")] {
            let fault = refused(http(&body, output), &body);
            assert!(fault.message.contains(says), "{}", fault.message);
        }
        refused(program(&body, false), &body);
        let mut line = body.clone();
        line["id"] = "c-1".into();
        refused(program(&line, true), &line);
    }
}

#[test]
fn an_error_behind_a_byte_order_mark_is_no_answer() {
    let server = Loopback::answering(|_| answer(200, &[], "\u{feff}{\"error\": \"overloaded\"}"));
    refused(ask(json!({"type": "http", "url": server.url})), &json!("a mark"));
}

#[test]
fn an_answer_that_calls_itself_a_failure_is_one_unless_a_path_says_where_the_answer_stands() {
    for body in [
        json!({"status": "error", "output": "Internal failure"}),
        json!({"status": "FAILED", "output": "Internal failure"}),
        json!({"status": "Failure", "message": "Internal failure"}),
        json!({"success": false, "message": "Internal failure"}),
        json!({"ok": false, "output": "Internal failure"}),
    ] {
        let fault = refused(http(&body, None), &body);
        assert!(fault.message.contains("Internal failure"), "{}", fault.message);
        refused(program(&body, false), &body);
    }
    let body = json!({"status": "failed", "ok": false, "output": "The payment has failed."});
    assert_eq!(http(&body, Some("$.output")).reply.expect("an answer").text, "The payment has failed.");
}

#[test]
fn an_empty_error_is_none() {
    for empty in [json!(null), json!(false), json!(""), json!([]), json!({})] {
        for name in ["error", "errors"] {
            let body = json!({name: empty, "output": "x", "status": "ok", "success": true});
            assert_eq!(http(&body, None).reply.expect("an answer").text, "x", "{body}");
            assert_eq!(program(&body, false).reply.expect("an answer").text, "x", "{body}");
        }
    }
}

#[test]
fn an_answer_that_was_withheld_is_no_answer() {
    let filtered = "the answer was withheld: content_filter";
    for content in [json!(null), json!(""), json!(" \n")] {
        let body = json!({"choices": [{"finish_reason": "content_filter", "message": {"content": content}}]});
        assert_eq!(refused(model("openai", "chat", &body), &body).message, filtered);
        assert_eq!(refused(http(&body, None), &body).message, filtered);
        let refusal = json!({"choices": [{"finish_reason": "stop",
            "message": {"content": content, "refusal": "I cannot say that."}}]});
        for fault in [refused(model("openai", "chat", &refusal), &refusal), refused(http(&refusal, None), &refusal)] {
            assert_eq!(fault.message, "the answer was withheld: refusal: I cannot say that.");
        }
    }
    let body = json!({"output": "", "finishReason": "CONTENT-FILTER"});
    assert_eq!(refused(http(&body, Some("$.output")), &body).message, filtered);
    let body = json!({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}, "output": []});
    assert_eq!(refused(model("openai", "responses", &body), &body).message, filtered);
    let parts = json!([{"type": "message", "content": [{"type": "refusal", "refusal": "I cannot say that."}]}]);
    let body = json!({"status": "completed", "output": parts});
    let fault = refused(model("openai", "responses", &body), &body);
    assert_eq!(fault.message, "the answer was withheld: refusal: I cannot say that.");
    let body = json!({"content": [], "stop_reason": "refusal"});
    assert_eq!(refused(model("anthropic", "", &body), &body).message, filtered);
}

#[test]
fn an_answer_that_was_cut_is_an_answer_and_says_so() {
    let chat = |why: &str, text: &str| json!({"choices": [{"finish_reason": why, "message": {"content": text}}]});
    for (body, text, why) in [
        (chat("length", "once upon"), "once upon", "length"),
        (chat("length", ""), "", "length"),
        (chat("content_filter", "once upon"), "once upon", "content_filter"),
    ] {
        for outcome in [model("openai", "chat", &body), http(&body, None)] {
            let reply = outcome.reply.expect("an answer");
            assert_eq!((reply.text.as_str(), reply.cut_short.as_deref()), (text, Some(why)));
        }
    }
    let body = json!({"content": [], "stop_reason": "max_tokens"});
    assert_eq!(model("anthropic", "", &body).reply.expect("an answer").cut_short.as_deref(), Some("length"));
    let body = json!({"content": [{"type": "text", "text": "once"}], "stop_reason": "refusal"});
    assert_eq!(model("anthropic", "", &body).reply.expect("an answer").cut_short.as_deref(), Some("content_filter"));
}
