//! The protocols, spoken with real endpoints: what is sent, and what is understood of the answer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::stage::{Loopback, answer, ask, ask_with, case, credentials, json as json_answer, run, setting, unit};
use super::{Credentials, Target};
use crate::eval::{AgentFacts, FaultKind, Input, Message, ModelFacts, Outcome, Reach, Reply, Usage};

fn http(body: Value, more: Value) -> Outcome {
    let server = Loopback::answering(move |_| json_answer(&body));
    let mut invoke = json!({"type": "http", "url": server.url});
    invoke.as_object_mut().expect("a map").append(&mut more.as_object().expect("a map").clone());
    ask(invoke)
}

fn reply(outcome: Outcome) -> Reply {
    outcome.reply.expect("an answer")
}

fn with_model(mut invoke: Value, server: &Loopback, provider: &str) -> Target {
    invoke["baseUrl"] = json!(format!("{}/v1/", server.url));
    let model = ModelFacts {
        name: "big".into(),
        provider: provider.into(),
        model: "model-1".into(),
        base_url: Some(format!("{}/v1", server.url)),
        local: false,
        key: Some("key".into()),
        parameters: json!({"temperature": 0.5}).as_object().expect("a map").clone(),
        max_output_tokens: Some(900),
    };
    let facts = AgentFacts { instructions: Some("be kind".into()), model: Some(model) };
    let reach = Reach::read(&invoke.try_into().expect("a value"), &facts, 5_000).expect("an invoke");
    Target::open(&reach, &credentials(&[("key", "sk-secret-1")]), &setting()).expect("a target")
}

#[test]
fn what_an_answer_says_is_found_where_paths_say() {
    let body = json!({"result": {"text": "hello", "steps": [{"function": {"name": "find", "arguments": "{\"id\": 3}"}},
        {"type": "tool_use", "name": "send", "input": {"to": "x"}}], "tokens": {"promptTokens": 5, "completionTokens": 7},
        "price": "0.0125"}, "model": "m-1", "finish_reason": "length"});
    let paths = json!({"output": "$.result.text", "toolCalls": "$.result.steps[*]", "usage": "$.result.tokens",
        "cost": "$.result.price"});
    let reply = reply(http(body, paths));
    assert_eq!(reply.text, "hello");
    let calls: Vec<_> = reply.tool_calls.iter().map(|call| (call.name.as_str(), call.arguments.clone())).collect();
    assert_eq!(calls, [("find", json!({"id": 3})), ("send", json!({"to": "x"}))]);
    assert_eq!(reply.usage, Some(Usage { input: 5, output: 7 }));
    assert_eq!(reply.cost.map(|cost| cost.to_string()), Some("0.0125".into()));
    assert_eq!((reply.model.as_deref(), reply.cut_short.as_deref()), (Some("m-1"), Some("length")));
}

#[test]
fn what_an_answer_says_is_found_where_it_usually_stands() {
    for body in [
        json!({"answer": "hello"}),
        json!({"message": {"role": "assistant", "content": "hello"}}),
        json!({"content": [{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}]}),
        json!({"choices": [{"message": {"content": "hello"}}], "error": null}),
    ] {
        assert_eq!(reply(http(body, json!({}))).text, "hello");
    }
    let body =
        json!({"output": "", "usage": {"input_tokens": 1, "output_tokens": 2}, "costUsd": 0.5, "toolCalls": ["find"]});
    let reply = reply(http(body, json!({})));
    assert_eq!((reply.text.as_str(), reply.usage), ("", Some(Usage { input: 1, output: 2 })));
    assert_eq!(
        (reply.cost.map(|cost| cost.to_string()), reply.tool_calls[0].name.as_str()),
        (Some("0.5".into()), "find")
    );
    let server =
        Loopback::answering(|_| answer(200, &[("content-type", "text/plain"), ("x-agent-version", "v8")], "plain\n"));
    let plain = ask(json!({"type": "http", "url": server.url})).reply.expect("an answer");
    assert_eq!((plain.text.as_str(), plain.agent_version.as_deref()), ("plain", Some("v8")));
    assert_eq!(server.asked()[0].body, json!({"input": "hi"}));
}

#[test]
fn an_answer_that_does_not_say_what_it_should_is_a_fault() {
    for (body, more, says) in [
        (json!({"out": "x"}), json!({"output": "$.output"}), "`output: $.output` finds nothing"),
        (json!({"output": null}), json!({"output": "$.output"}), "finds null"),
        (json!({"result": "x"}), json!({}), "say where it stands"),
        (json!({"output": "x", "tool_calls": 3}), json!({}), "`tool_calls`"),
        (json!({"output": "x", "tool_calls": [{"id": 1}]}), json!({}), "has no `name`"),
        (json!({"output": "x", "cost_usd": -1}), json!({}), "no number of US dollars"),
        (json!({"output": "x", "cost_usd": "free"}), json!({}), "no number of US dollars"),
    ] {
        let fault = http(body, more).reply.expect_err(says);
        assert_eq!(fault.kind, FaultKind::Malformed);
        assert!(fault.message.contains(says), "{}", fault.message);
    }
    for body in [json!({"error": {"message": "overloaded"}}), json!({"error": "overloaded", "output": ""})] {
        let fault = http(body, json!({})).reply.expect_err("an error");
        assert_eq!((fault.kind, fault.message.contains("overloaded")), (FaultKind::Refused, true));
    }
    let half = http(json!({"output": "x", "usage": {"input_tokens": 3}}), json!({}));
    assert_eq!(reply(half).usage, None);
}

#[test]
fn a_chat_completion_is_asked_for_with_what_the_model_says() {
    let server = Loopback::answering(|_| {
        let call = json!({"id": "1", "type": "function", "function": {"name": "find", "arguments": "{\"id\": 3}"}});
        json_answer(&json!({"model": "model-1-2026", "choices": [{"finish_reason": "tool_calls",
            "message": {"content": null, "tool_calls": [call]}}], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}))
    });
    let target = with_model(json!({"type": "openai"}), &server, "openai");
    let reply = reply(run(target.call(&case("a", "hi"), &unit("a"))));
    assert_eq!((reply.text.as_str(), reply.tool_calls[0].arguments.clone()), ("", json!({"id": 3})));
    assert_eq!((reply.model.as_deref(), reply.usage), (Some("model-1-2026"), Some(Usage { input: 3, output: 4 })));
    let asked = &server.asked()[0];
    assert!(asked.head.starts_with("POST /v1/chat/completions "));
    assert_eq!(asked.header("authorization"), Some("Bearer sk-secret-1"));
    let messages = json!([{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]);
    assert_eq!(asked.body, json!({"model": "model-1", "temperature": 0.5, "messages": messages}));
}

#[test]
fn a_response_is_asked_for_and_read() {
    let server = Loopback::answering(|_| {
        let text = json!({"type": "message", "content": [{"type": "output_text", "text": "hello"}]});
        let call = json!({"type": "function_call", "name": "find", "arguments": "{}"});
        json_answer(&json!({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"},
            "output": [{"type": "reasoning"}, text, call], "usage": {"input_tokens": 3, "output_tokens": 4}}))
    });
    let target = with_model(json!({"type": "openai", "api": "responses", "model": "other"}), &server, "openai");
    let reply = reply(run(target.call(&case("a", "hi"), &unit("a"))));
    assert_eq!((reply.text.as_str(), reply.tool_calls.len()), ("hello", 1));
    assert_eq!(reply.cut_short.as_deref(), Some("length"));
    let asked = &server.asked()[0];
    assert!(asked.head.starts_with("POST /v1/responses "));
    assert_eq!((&asked.body["model"], &asked.body["instructions"]), (&json!("other"), &json!("be kind")));
}

#[test]
fn a_message_is_asked_for_and_read() {
    let server = Loopback::answering(|_| {
        let content =
            json!([{"type": "text", "text": "hello"}, {"type": "tool_use", "name": "find", "input": {"id": 3}}]);
        json_answer(&json!({"content": content, "stop_reason": "max_tokens", "model": "model-1",
            "usage": {"input_tokens": 3, "cache_read_input_tokens": 10, "output_tokens": 4}}))
    });
    let target = with_model(json!({"type": "anthropic"}), &server, "anthropic");
    let mut asked = case("a", "");
    let said = |role: &str, content: &str| Message { role: role.into(), content: content.into() };
    asked.input = Input::Conversation(vec![said("system", "be brief"), said("user", "hi"), said("tool", "42")]);
    let reply = reply(run(target.call(&asked, &unit("a"))));
    assert_eq!((reply.text.as_str(), reply.tool_calls[0].name.as_str()), ("hello", "find"));
    assert_eq!((reply.cut_short.as_deref(), reply.usage), (Some("length"), Some(Usage { input: 13, output: 4 })));
    let asked = &server.asked()[0];
    assert!(asked.head.starts_with("POST /v1/messages "));
    assert_eq!(asked.header("x-api-key"), Some("sk-secret-1"));
    assert_eq!((&asked.body["system"], &asked.body["max_tokens"]), (&json!("be kind\n\nbe brief"), &json!(900)));
    assert_eq!(asked.body["messages"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_agent_is_asked_by_json_rpc_until_its_task_is_done() {
    let server = Loopback::answering(|asked| {
        let body = &asked.body;
        let result = match (body["method"].as_str(), asked.number) {
            (None, _) => return answer(404, &[], ""),
            (Some("message/send"), _) => json!({"kind": "task", "id": "t-1", "status": {"state": "submitted"}}),
            (Some("tasks/get"), 2) => json!({"kind": "task", "id": "t-1", "status": {"state": "working"}}),
            _ => json!({"kind": "task", "id": "t-1", "status": {"state": "completed"},
                "artifacts": [{"parts": [{"kind": "text", "text": "done"}]}]}),
        };
        json_answer(&json!({"jsonrpc": "2.0", "id": body["id"], "result": result}))
    });
    let reply = reply(ask(json!({"type": "a2a", "url": server.url})));
    assert_eq!(reply.text, "done");
    let asked = server.asked();
    assert!(asked[0].head.starts_with("GET /.well-known/agent-card.json "));
    assert_eq!(asked[1].body["params"]["message"]["parts"], json!([{"kind": "text", "text": "hi"}]));
    assert_eq!(asked[2].body["params"], json!({"id": "t-1"}));
    // Only what must not be obeyed twice has the unit's key.
    assert!(asked[1].header("idempotency-key").is_some() && asked[2].header("idempotency-key").is_none());
}

#[test]
fn an_agent_is_asked_as_its_card_says_and_only_where_it_stands() {
    let server = Loopback::answering(|asked| match asked.head.split(' ').nth(1) {
        Some("/.well-known/agent-card.json") => {
            json_answer(&json!({"url": "http://elsewhere.invalid/", "preferredTransport": "JSONRPC",
            "additionalInterfaces": [{"transport": "GRPC", "url": "/grpc"}, {"transport": "HTTP+JSON", "url": "/v1"}]}))
        }
        Some("/v1/message:send") => {
            json_answer(&json!({"message": {"role": "ROLE_AGENT", "parts": [{"text": "hello"}]}}))
        }
        _ => answer(404, &[], ""),
    });
    assert_eq!(reply(ask(json!({"type": "a2a", "url": server.url}))).text, "hello");

    let server = Loopback::answering(|_| {
        json_answer(&json!({"task": {"id": "t", "status": {"state": "TASK_STATE_FAILED",
        "message": {"parts": [{"text": "no such order"}]}}}}))
    });
    let fault = ask(json!({"type": "a2a", "url": server.url, "binding": "http"})).reply.expect_err("failed");
    assert_eq!((fault.kind, fault.message.contains("no such order")), (FaultKind::Refused, true));

    let server = Loopback::answering(|asked| {
        json_answer(&json!({"jsonrpc": "2.0", "id": asked.body["id"],
        "result": {"id": "../admin", "status": {"state": "working"}}}))
    });
    let fault = ask(json!({"type": "a2a", "url": server.url, "binding": "jsonrpc"})).reply.expect_err("malformed");
    assert_eq!(fault.kind, FaultKind::Malformed);
    let server =
        Loopback::answering(|_| json_answer(&json!({"jsonrpc": "2.0", "id": "other", "result": {"parts": []}})));
    let fault = ask(json!({"type": "a2a", "url": server.url, "binding": "jsonrpc"})).reply.expect_err("malformed");
    assert_eq!(fault.kind, FaultKind::Malformed);
}

#[test]
fn a_recording_answers_what_it_holds_and_nothing_else() {
    let recording = concat!(
        "\u{feff}{\"id\": \"c-1\", \"output\": \"hello\", \"latency_ms\": 12.5, \"tool_calls\": [{\"name\": \"find\"}]}\r\n\n",
        "{\"id\": \"c-2\", \"error\": \"overloaded\"}\n{\"id\": \"c-3\", \"trial\": 2, \"output\": {\"a\": 1}}\n",
    );
    let mut setting = setting();
    setting.recording = Some(Arc::from(recording.as_bytes()));
    let open = |setting: &super::Setting| {
        let reach = super::stage::reach(json!({"type": "replay", "file": "evals/recorded.jsonl"}));
        assert!(!reach.is_live());
        Target::open(&reach, &Credentials::default(), setting)
    };
    let target = open(&setting).expect("a target");
    let of = |id: &str, trial| run(target.call(&case(id, "hi"), &crate::eval::Unit { case: id.into(), trial }));
    let outcome = of("c-1", 3);
    assert_eq!((outcome.latency_us, outcome.attempts), (12_500, 1));
    assert_eq!(reply(outcome).tool_calls[0].arguments, json!({}));
    assert_eq!(of("c-2", 1).reply.expect_err("recorded").message, "overloaded");
    let spoken = of("c-3", 2);
    assert_eq!((spoken.latency_us, reply(spoken).text), (0, "{\"a\":1}".into()));
    for (id, trial) in [("c-3", 1), ("c-4", 1)] {
        let missing = of(id, trial);
        assert_eq!((missing.attempts, missing.reply.expect_err("missing").kind), (0, FaultKind::NotRecorded));
    }
    for (bad, says) in [
        ("", "records nothing"),
        ("{\"id\": \"a\"}", ":1: it has no `output`"),
        ("{\"id\": \"a\", \"output\": \"x\"}\n{\"id\": \"a\", \"output\": \"y\"}", ":2: an earlier line"),
        ("{\"id\": \"a\", \"output\": \"x\", \"latncy_ms\": 3}", "unknown field `latncy_ms`"),
        ("{\"id\": \"a\", \"output\": \"x\", \"usage\": {}}", "`usage` must have"),
        ("nonsense", ":1: "),
    ] {
        setting.recording = Some(Arc::from(bad.as_bytes()));
        let fault = open(&setting).expect_err(says);
        assert!(fault.message.contains(says), "{}", fault.message);
    }
}

#[test]
fn a_secret_without_a_value_opens_nothing() {
    let invoke = json!({"type": "http", "url": "http://127.0.0.1:9", "headers": {"Authorization": {"secretRef": {"name": "key"}}}});
    let reach = super::stage::reach(invoke.clone());
    assert_eq!(reach.secrets().into_iter().collect::<Vec<_>>(), ["key"]);
    let fault = Target::open(&reach, &Credentials::default(), &setting()).expect_err("no value");
    assert_eq!(fault.kind, FaultKind::Credentials);
    let broken = credentials(&[("key", "a\nb-secret")]);
    let fault = Target::open(&reach, &broken, &setting()).expect_err("no header");
    assert!(!fault.message.contains("secret"), "{}", fault.message);
    drop(ask_with(invoke, &credentials(&[("key", "with-newline\n")]), &super::Setting { retries: 0, ..setting() }));
}
