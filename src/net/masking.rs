//! Credentials that come back in disguise: whatever an agent does with them before it repeats them, nobody sees them.

use serde_json::{Value, json};

use super::stage::{Loopback, answer, ask_with, credentials, json as json_answer, setting};
use crate::eval::Outcome;

const QUOTED: &str = "Zq\"Xk-7391-secret-tail";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END PRIVATE KEY-----\n";

fn ask(body: Vec<u8>) -> Outcome {
    let server = Loopback::answering(move |_| body.clone());
    let secrets = credentials(&[("quoted", QUOTED), ("key", KEY), ("digits", "739182645501")]);
    ask_with(json!({"type": "http", "url": server.url}), &secrets, &setting())
}

/// No part of a value that would be worth anything.
fn is_clean(outcome: &Outcome) {
    let shown = format!("{outcome:?}");
    let parts =
        ["Zq", "Xk-7391", "secret-tail", "MIIEvQ", "BKcwgg", "7391826", "WnEiWGstNzM5", "LS0tLS1CRUdJTi", "TUlJRXZR"];
    for part in parts {
        assert!(!shown.contains(part), "`{part}` in {shown}");
    }
    assert!(shown.contains("[credential]"), "{shown}");
}

fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Every byte, so that no two ways of encoding differ in what they keep.
fn percent(text: &str, upper: bool) -> String {
    let hex = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) { char::from(byte).into() } else { hex(byte) }
            },
        )
        .collect()
}

#[test]
fn a_credential_that_was_escaped_or_encoded_is_masked() {
    // What `base64` and `basenc` make of both values.
    let base64 = [
        "WnEiWGstNzM5MS1zZWNyZXQtdGFpbA==",
        "WnEiWGstNzM5MS1zZWNyZXQtdGFpbA",
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUV2UUlCQURBTkJna3Foa2lHOXcwQkFRRUZBQVNDCkJLY3dnZ1NqQWdFQUFvSUJBUUM3VkpUVXQ5VXM4Y0tqCi0tLS0tRU5EIFBSSVZBVEUgS0VZLS0tLS0K",
    ];
    for value in [QUOTED, KEY, KEY.trim()] {
        let mut told: Vec<String> = base64.iter().map(|text| (*text).to_owned()).collect();
        told.extend([escaped(value), escaped(&escaped(value)), percent(value, true), percent(value, false)]);
        told.extend([value.replace('\n', "\r\n"), value.replace('\n', " ")]);
        for told in told {
            is_clean(&ask(json_answer(&json!({"output": format!("It is {told}, really.")}))));
            let call = json!({"name": "send", "arguments": {"to": [told], told.as_str(): 1}});
            is_clean(&ask(json_answer(&json!({"output": "", "tool_calls": [call]}))));
            is_clean(&ask(answer(400, &[], json!({"error": {"message": told}}).to_string())));
            is_clean(&ask(answer(400, &[], format!("no: {told}"))));
        }
    }
}

#[test]
fn a_credential_in_what_is_turned_to_text_is_masked() {
    for value in [QUOTED, KEY] {
        for told in [json!({"env": [{"name": value}]}), json!({value: true}), json!([[value]])] {
            let mut told = told;
            // As often as anybody would put JSON into JSON.
            for _ in 0..5 {
                let server = json!({"type": "http", "output": "$.result"});
                let body = json_answer(&json!({"result": told}));
                let place = Loopback::answering(move |_| body.clone());
                let mut invoke = server;
                invoke["url"] = place.url.clone().into();
                let secrets = credentials(&[("quoted", QUOTED), ("key", KEY)]);
                is_clean(&ask_with(invoke, &secrets, &setting()));
                let call = json!({"name": "send", "arguments": told.to_string()});
                is_clean(&ask(json_answer(&json!({"output": "done", "tool_calls": [call]}))));
                told = json!({"inner": told.to_string()});
            }
        }
    }
    let call = json!({"name": "send", "arguments": {"pin": 739_182_645_501_u64, "to": "you"}});
    is_clean(&ask(json_answer(&json!({"output": "done", "tool_calls": [call]}))));
    is_clean(&ask(json_answer(&json!({"output": 739_182_645_501_u64}))));
}

#[test]
fn a_credential_that_other_writers_of_json_escaped_is_masked() {
    let text = r#"{"env": "\u005aq\u0022Xk-7391-secret-tail"}"#;
    is_clean(&ask(json_answer(&json!({"output": text}))));
    // Cut in the middle.
    is_clean(&ask(answer(400, &[], format!("{}{}", "x".repeat(190), escaped(QUOTED)))));
}

#[test]
fn what_holds_no_credential_stays_as_it_is() {
    let text = "{\n  \"b\": 1.0,\n  \"a\": \"Zq-7391\"\n}";
    let call = json!({"name": "send", "arguments": {"b": 1.5, "a": ["x", null]}});
    let reply = ask(json_answer(&json!({"output": text, "tool_calls": [call]}))).reply.expect("an answer");
    assert_eq!(reply.text, text);
    assert_eq!(reply.tool_calls[0].arguments, json!({"b": 1.5, "a": ["x", null]}));
}
