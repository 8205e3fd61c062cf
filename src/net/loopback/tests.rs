//! The server, asked over a socket as any client would.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use super::*;
use crate::eval::judge::{canaries, read, request};

struct Echo;

impl Truth for Echo {
    fn answer(&self, body: &Value) -> Value {
        json!({"output": body["input"], "tool_calls": []})
    }

    fn finding(&self, _: &Shown, _: &str, _: &str) -> Finding {
        Finding::CannotJudge
    }
}

/// One exchange on an open connection: status, head, body.
fn exchange(stream: &mut TcpStream, method: &str, path: &str, body: &str) -> (u16, String, Value) {
    let length = body.len();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut bytes = Vec::new();
    let mut one = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut one).expect("a head");
        bytes.push(one[0]);
    }
    let head = String::from_utf8(bytes).expect("text");
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).map(str::to_owned);
    let length: usize = header("content-length").expect("a length").parse().expect("a number");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("a body");
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    (status, head, serde_json::from_slice(&body).expect("JSON"))
}

fn connect(loopback: &Loopback) -> TcpStream {
    TcpStream::connect(loopback.address()).expect("it listens")
}

#[test]
fn the_agent_answers_again_and_again_on_one_connection() {
    let loopback = Loopback::start(0, Weather::default(), Echo).expect("a server");
    let mut stream = connect(&loopback);
    for n in 0..5 {
        let (status, _, body) = exchange(&mut stream, "POST", "/agent", &json!({ "input": n }).to_string());
        assert_eq!((status, &body["output"]), (200, &json!(n)));
    }
    let tally = loopback.tally();
    assert_eq!((tally.answers, tally.busiest), (5, 1));
    assert_eq!(exchange(&mut stream, "GET", "/tally", "").2["answers"], 5);
    assert_eq!(exchange(&mut stream, "GET", "/", "").0, 404);
    assert_eq!(exchange(&mut stream, "POST", "/agent", "{").0, 400);
}

#[test]
fn the_judge_answers_the_protocol() {
    let loopback = Loopback::start(0, Weather::default(), Echo).expect("a server");
    let canary = canaries().swap_remove(0);
    let nonce = "3f1c9a0b5d7e42868f1e6c0a4d9b3572";
    let asked = request(&canary.question, nonce);
    let body = json!({"model": "m", "messages": [
        {"role": "system", "content": asked.system},
        {"role": "user", "content": asked.user},
    ]});
    let mut stream = connect(&loopback);
    let (status, _, answer) = exchange(&mut stream, "POST", "/v1/chat/completions", &body.to_string());
    let text = answer["choices"][0]["message"]["content"].as_str().expect("text");
    assert_eq!(read(text, nonce, &canary.question.ids()), Ok(canary.expected));
    assert_eq!((status, &answer["model"]), (200, &json!("m")));
    assert_eq!(exchange(&mut stream, "POST", "/v1/chat/completions", "{}").0, 400);
}

#[test]
fn luck_is_as_told_and_the_same_for_the_same_seed() {
    let weather =
        Weather { too_many: 50, broken: 20, retry_after: Duration::from_secs(1), seed: 7, ..Weather::default() };
    let statuses = || -> Vec<u16> {
        let loopback = Loopback::start(0, weather, Echo).expect("a server");
        let mut stream = connect(&loopback);
        let asked = (0..1000).map(|n| {
            let (status, head, _) = exchange(&mut stream, "POST", "/agent", &json!({ "input": n }).to_string());
            assert_eq!(status == 429, head.contains("\r\nretry-after: 1\r\n"));
            status
        });
        let statuses: Vec<_> = asked.collect();
        let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count() as u64;
        let tally = loopback.tally();
        assert_eq!((tally.answers, tally.too_many, tally.broken), (count(200), count(429), count(500)));
        assert!((30..=70).contains(&tally.too_many) && (8..=35).contains(&tally.broken), "{tally:?}");
        statuses
    };
    assert_eq!(statuses(), statuses());
}

#[test]
fn whoever_comes_back_too_early_is_counted() {
    let weather = Weather { too_many: 1000, retry_after: Duration::from_secs(3600), ..Weather::default() };
    let loopback = Loopback::start(0, weather, Echo).expect("a server");
    let mut stream = connect(&loopback);
    for _ in 0..2 {
        assert_eq!(exchange(&mut stream, "POST", "/agent", "{}").0, 429);
    }
    assert_eq!((loopback.tally().too_many, loopback.tally().early), (2, 1));
}

#[test]
fn an_answer_takes_its_time() {
    let latency = [Duration::from_millis(20), Duration::from_millis(30)];
    let loopback = Loopback::start(0, Weather { latency, ..Weather::default() }, Echo).expect("a server");
    let mut stream = connect(&loopback);
    for n in 0..5 {
        exchange(&mut stream, "POST", "/agent", &json!({ "input": n }).to_string());
    }
    let tally = loopback.tally();
    assert!(tally.p50_us >= 20_000 && tally.p95_us >= tally.p50_us, "{tally:?}");
}

#[test]
fn it_ends_when_it_is_dropped() {
    let loopback = Loopback::start(0, Weather::default(), Echo).expect("a server");
    let (address, _open) = (loopback.address(), connect(&loopback));
    drop(loopback);
    assert!(TcpStream::connect(address).is_err());
}
