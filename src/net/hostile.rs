//! Agents that mean harm, or are broken: each costs one fault of the right sort, and neither time nor memory.

use std::io::Write as _;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use serde_json::json;

use super::stage::{Loopback, answer, ask, ask_with, credentials, json as json_answer, setting};
use crate::eval::{Fault, FaultKind, Outcome};

fn fault(outcome: Outcome) -> Fault {
    outcome.reply.expect_err("no answer")
}

fn ask_at(server: &Loopback) -> Outcome {
    ask(json!({"type": "http", "url": server.url, "timeoutSeconds": 5}))
}

/// What the agent writes on the wire, and then closes.
fn wire(bytes: impl Into<Vec<u8>>) -> Loopback {
    let bytes = bytes.into();
    Loopback::start(move |_, stream| {
        drop(stream.write_all(&bytes));
        drop(stream.shutdown(Shutdown::Both));
        false
    })
}

#[test]
fn an_endless_answer_is_read_up_to_the_limit() {
    let server = Loopback::start(|_, stream| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n";
        drop(stream.write_all(head));
        while stream.write_all(&[b'a'; 4096]).is_ok() {}
        false
    });
    let fault = fault(ask_at(&server));
    assert_eq!(fault.kind, FaultKind::TooLarge);
    assert!(fault.message.contains("65536"), "{}", fault.message);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn an_answer_that_drips_counts_at_its_limit() {
    let server = Loopback::start(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"));
        while stream.write_all(b"a").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    });
    let began = Instant::now();
    let outcome = ask(json!({"type": "http", "url": server.url, "timeoutSeconds": 0.3}));
    assert_eq!((outcome.latency_us, outcome.attempts), (300_000, 1));
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(fault(outcome).kind, FaultKind::Timeout);
}

#[test]
fn an_answer_that_says_it_is_huge_is_not_made_room_for() {
    let outcome = ask_at(&wire("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\nabc"));
    assert_eq!(fault(outcome).kind, FaultKind::Connection);
}

#[test]
fn a_bomb_of_gzip_is_read_up_to_the_limit() {
    let bomb = bomb(200_000);
    assert!(bomb.len() < 400_000);
    let server = Loopback::answering(move |_| answer(200, &[("content-encoding", "gzip")], &bomb));
    assert_eq!(fault(ask_at(&server)).kind, FaultKind::TooLarge);
    let broken = Loopback::answering(|_| answer(200, &[("content-encoding", "gzip")], "this is no gzip"));
    assert_eq!(fault(ask_at(&broken)).kind, FaultKind::Malformed);
}

/// Fifty million times `a`, packed by hand: one letter, and then repetitions of 258 of it in 13 bits each.
fn bomb(repetitions: usize) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut byte, mut filled) = (0_u8, 0);
    let mut bit = |bit: u32| {
        byte |= u8::try_from(bit & 1).expect("a bit") << filled;
        filled += 1;
        if filled == 8 {
            bytes.push(byte);
            (byte, filled) = (0, 0);
        }
    };
    // The last block, with the fixed codes; codes go from their highest bit.
    [1, 1, 0].into_iter().for_each(&mut bit);
    let mut code = |code: u32, length: u32| (0..length).rev().for_each(|at| bit(code >> at));
    code(0x30 + u32::from(b'a'), 8);
    for _ in 0..repetitions {
        code(0b1100_0101, 8);
        code(0, 5);
    }
    code(0, 7);
    code(0, 7);
    bytes
}

#[test]
fn a_request_with_a_body_is_never_sent_on() {
    let server = Loopback::answering(|_| answer(307, &[("location", "/elsewhere?token=abc")], ""));
    let fault = fault(ask_at(&server));
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.message.contains("/elsewhere`") && fault.message.contains("not sent on"), "{}", fault.message);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_get_follows_a_few_redirects_of_its_own_host_and_no_other() {
    let get = |server: &Loopback| {
        let invoke = json!({"type": "http", "method": "GET", "url": format!("{}/?q={{{{input}}}}", server.url),
            "headers": {"Authorization": {"secretRef": {"name": "key"}}}});
        ask_with(invoke, &credentials(&[("key", "sk-secret-1")]), &setting())
    };
    let endless = Loopback::answering(|_| answer(302, &[("location", "/again")], ""));
    assert!(fault(get(&endless)).message.contains("more than 3 times"));
    assert_eq!(endless.asked().len(), 4);
    assert!(endless.asked()[0].head.starts_with("GET /?q=hi "), "{}", endless.asked()[0].head);

    let thief = Loopback::answering(|_| json_answer(&json!({"output": "got it"})));
    let there = thief.url.clone();
    let sender = Loopback::answering(move |_| answer(302, &[("location", &there)], ""));
    assert!(fault(get(&sender)).message.contains("another host"));
    assert_eq!(thief.asked().len(), 0);

    let short = Loopback::answering(|asked| match asked.number {
        0 => answer(302, &[("location", "/there")], ""),
        _ => json_answer(&json!({"output": "here"})),
    });
    assert_eq!(get(&short).reply.expect("an answer").text, "here");
}

#[test]
fn a_length_that_is_too_long_breaks_off_and_one_too_short_spoils_no_other_answer() {
    let long =
        wire("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"output\": \"x\"}");
    assert_eq!(fault(ask_at(&long)).kind, FaultKind::Connection);

    let short = Loopback::answering(|_| {
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil".to_vec()
    });
    let setting = setting();
    let target = super::Target::open(
        &super::stage::reach(json!({"type": "http", "url": short.url})),
        &super::Credentials::default(),
        &setting,
    )
    .expect("a target");
    super::stage::run(async {
        for id in ["a", "b", "c"] {
            let outcome = target.call(&super::stage::case(id, "hi"), &super::stage::unit(id)).await;
            assert_eq!(outcome.reply.expect("an answer").text, "hello");
        }
    });
    let twice = wire("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 50\r\n\r\nhello");
    assert_eq!(fault(ask_at(&twice)).kind, FaultKind::Malformed);
}

#[test]
fn a_flood_of_headers_is_too_much() {
    let many: String = (0..5000).map(|number| format!("x-{number}: y\r\n")).collect();
    let many = fault(ask_at(&wire(format!("HTTP/1.1 200 OK\r\n{many}\r\nabc"))));
    assert_eq!(many.kind, FaultKind::TooLarge, "{}", many.message);
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\nabc", "y".repeat(2 << 20));
    assert_eq!(fault(ask_at(&wire(long))).kind, FaultKind::TooLarge);
}

#[test]
fn what_is_no_http_is_malformed() {
    for garbage in ["SSH-2.0-OpenSSH_9.7\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "\u{1b}]0;pwned\u{7}\r\n\r\n"] {
        let fault = fault(ask_at(&wire(garbage)));
        assert_eq!(fault.kind, FaultKind::Malformed, "{}", fault.message);
        assert!(!fault.message.chars().any(char::is_control));
    }
}

#[test]
fn a_connection_that_breaks_in_the_middle_is_no_answer_and_not_asked_twice() {
    let server = wire("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
    let outcome = ask_at(&server);
    assert_eq!(fault(outcome).kind, FaultKind::Connection);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn nobody_at_the_address_is_told_with_the_attempts() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let outcome = ask(json!({"type": "http", "url": format!("http://{port}/a?key=sk-in-the-query")}));
    assert_eq!(outcome.attempts, 5);
    let fault = fault(outcome);
    assert_eq!(fault.kind, FaultKind::Connection);
    assert!(fault.message.contains("cannot be reached") && !fault.message.contains("sk-in"), "{}", fault.message);
}

#[test]
fn a_credential_that_an_agent_repeats_is_masked() {
    let invoke = |server: &Loopback| {
        json!({"type": "http", "url": format!("{}/?token=in-the-query", server.url),
            "headers": {"Authorization": {"secretRef": {"name": "key"}, "prefix": "Bearer "}, "X-Api-Key": "in-the-open"}})
    };
    let secrets = credentials(&[("key", "sk-very-secret")]);
    let told = |asked: &super::stage::Asked| {
        format!(
            "no: {} {}",
            asked.header("authorization").unwrap_or_default(),
            asked.header("x-api-key").unwrap_or_default()
        )
    };
    let server =
        Loopback::answering(move |asked| answer(401, &[], json!({"error": {"message": told(asked)}}).to_string()));
    let fault = fault(ask_with(invoke(&server), &secrets, &setting()));
    assert_eq!(fault.kind, FaultKind::Credentials);
    assert!(fault.message.ends_with("no: Bearer [credential] [credential]"), "{}", fault.message);
    assert!(!fault.message.contains("in-the-query"));
    assert_eq!(server.asked()[0].header("authorization"), Some("Bearer sk-very-secret"));

    let server = Loopback::answering(move |asked| {
        let call = json!({"name": "send", "arguments": {"to": [asked.header("authorization")]}});
        json_answer(&json!({"output": told(asked), "tool_calls": [call]}))
    });
    let reply = ask_with(invoke(&server), &secrets, &setting()).reply.expect("an answer");
    assert_eq!(reply.text, "no: Bearer [credential] [credential]");
    assert_eq!(reply.tool_calls[0].arguments, json!({"to": ["Bearer [credential]"]}));
}

#[test]
fn json_that_is_too_deep_or_not_utf_8_is_malformed() {
    let deep = format!("{{\"output\": {}", "[".repeat(50_000));
    let server = Loopback::answering(move |_| answer(200, &[("content-type", "application/json")], &deep));
    assert_eq!(fault(ask_at(&server)).kind, FaultKind::Malformed);
    let server = Loopback::answering(|_| answer(200, &[], b"caf\xe9"));
    assert_eq!(fault(ask_at(&server)).kind, FaultKind::Malformed);
    let server = Loopback::answering(|_| answer(200, &[("content-type", "text/html; charset=utf-8")], "<html>Sign in"));
    assert!(fault(ask_at(&server)).message.contains("web page"));
}

#[test]
fn https_is_spoken_with_nobody_who_does_not_prove_who_it_is() {
    let server = Loopback::answering(|_| json_answer(&json!({"output": "plain"})));
    let url = server.url.replace("http://", "https://");
    let mut setting = setting();
    setting.retries = 0;
    let reach = super::stage::reach(json!({"type": "http", "url": url}));
    match super::Target::open(&reach, &super::Credentials::default(), &setting) {
        // A machine without certificates speaks no https, and says so; http it speaks all the same.
        Err(fault) => assert!(fault.message.contains("ca-certificates"), "{}", fault.message),
        Ok(target) => {
            let outcome = super::stage::run(target.call(&super::stage::case("a", "hi"), &super::stage::unit("a")));
            assert_eq!(fault(outcome).kind, FaultKind::Connection);
            assert_eq!(server.asked().len(), 0);
        }
    }
}

#[test]
fn a_proxy_is_used_for_https_and_never_on_this_machine() {
    let proxy = Loopback::answering(|_| answer(403, &[], ""));
    let agent = Loopback::answering(|_| json_answer(&json!({"output": "hello"})));
    let mut setting = setting();
    setting.retries = 0;
    let https = Some(proxy.url.replace("http://", "http://user:pa55word@"));
    setting.client = super::Client::new(super::Proxy { https, except: Some("inside.invalid".into()) });
    let ask_of = |url: &str| {
        let reach = super::stage::reach(json!({"type": "http", "url": url}));
        let target = super::Target::open(&reach, &super::Credentials::default(), &setting).ok()?;
        Some(super::stage::run(target.call(&super::stage::case("a", "hi"), &super::stage::unit("a"))))
    };
    assert!(ask_of(&agent.url).expect("http").reply.is_ok());
    let Some(through) = ask_of("https://agent.invalid/") else { return };
    let fault = fault(through);
    assert_eq!(fault.kind, FaultKind::Connection);
    assert!(!fault.message.contains("pa55word"), "{}", fault.message);
    drop(ask_of("https://inside.invalid/"));
    drop(ask_of(&agent.url.replace("http://", "https://")));
    let asked = proxy.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].head.starts_with("CONNECT agent.invalid:443 "), "{}", asked[0].head);
}
