//! Collectors: bodies that somebody else made go to an OTLP endpoint over HTTP, as JSON.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use serde_json::Value;

use crate::eval::{Fault, FaultKind};

use super::attempts::{Attempts, Callee, Failed};
use super::client::{Answer, Client, Endpoint};
use super::setting::{Limits, Setting};

/// Where scores are sent.
#[derive(Debug, Clone)]
pub struct Collector {
    /// The address without the paths of the protocol, such as `http://localhost:4318`.
    pub endpoint: String,
    /// Headers of every request; see [`headers`].
    pub headers: Vec<(String, String)>,
    /// How long pauses are, and when it gives up.
    pub limits: Limits,
}

/// One request may take this long.
const TIME: Duration = Duration::from_secs(10);
/// How often a request is repeated.
const RETRIES: u32 = 4;
/// Most bytes of an answer.
const ANSWER: usize = 64 << 10;

/// Reads headers as `OTEL_EXPORTER_OTLP_HEADERS` has them: `key=value,key=value`, the values percent-encoded.
///
/// # Errors
/// Which part is no header; its value is not told.
pub fn headers(text: &str) -> Result<Vec<(String, String)>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let read = |part: &str| {
        let (key, value) = part.split_once('=').ok_or("a header is written `key=value`")?;
        let value =
            decoded(value.trim()).ok_or_else(|| format!("the value of `{}` is not percent-encoded", key.trim()))?;
        Ok((key.trim().to_owned(), value))
    };
    parts.map(read).collect()
}

/// Sends the bodies for logs and for metrics, one after the other, and waits until all of them are taken. A body whose
/// answer got lost is sent again, so that a collector may get it twice.
///
/// # Errors
/// The first body that is not taken, or not in full; those before it were.
pub fn export(client: &Client, collector: &Collector, logs: &[String], metrics: &[String]) -> Result<(), Fault> {
    super::block_on(send_all(client, collector, logs, metrics))?
}

async fn send_all(client: &Client, collector: &Collector, logs: &[String], metrics: &[String]) -> Result<(), Fault> {
    let base = client.endpoint(&collector.endpoint)?;
    let headers = header_map(&collector.headers)?;
    let attempts = Attempts::new(&setting(client, collector.limits), 1);
    let all = [("v1/logs", logs), ("v1/metrics", metrics)];
    for (path, body) in all.iter().flat_map(|(path, bodies)| bodies.iter().map(move |body| (path, body))) {
        let endpoint = base.at(path);
        let called = attempts.call(async || attempt(&endpoint, &headers, body).await).await;
        check(&called.result?, &endpoint)?;
    }
    Ok(())
}

async fn attempt(endpoint: &Endpoint, headers: &HeaderMap, body: &str) -> (Result<Answer, Failed>, Duration) {
    let mut request = Request::new(Method::POST, endpoint.url.clone());
    request.headers_mut().clone_from(headers);
    *request.body_mut() = Some(body.to_owned().into());
    let (result, took) = endpoint.send(request, ANSWER, TIME).await;
    // A collector keeps what it is sent and does nothing else: asking again is safe, as with a judge.
    let result = match result {
        Ok(answer) if answer.is_success() => Ok(answer),
        Ok(answer) => Err(Failed::refused(&answer, &endpoint.shown(), Callee::Judge)),
        Err(broken) => Err(Failed::broken(broken, Callee::Judge)),
    };
    (result, took)
}

/// A collector may say yes and mean a part.
fn check(answer: &Answer, endpoint: &Endpoint) -> Result<(), Fault> {
    let Ok(said) = serde_json::from_slice::<Value>(&answer.body) else { return Ok(()) };
    let partial = &said["partialSuccess"];
    let rejected = ["rejectedLogRecords", "rejectedDataPoints"].iter().map(|key| match &partial[*key] {
        // Whole numbers of 64 bits are strings in this protocol; not everybody keeps to it.
        Value::String(count) => count.parse().unwrap_or(1),
        count => count.as_u64().unwrap_or_default(),
    });
    let rejected: u64 = rejected.fold(0, u64::saturating_add);
    if rejected == 0 {
        return Ok(());
    }
    let why = partial["errorMessage"].as_str().unwrap_or("it gave no reason");
    Err(Fault::new(
        FaultKind::Refused,
        format!("`{}` did not take {rejected} of what it was sent: {why}", endpoint.shown()),
    ))
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, Fault> {
    let mut map = HeaderMap::new();
    for (key, value) in headers {
        let refuse = || Fault::new(FaultKind::Malformed, format!("`{key}` is no header that can be sent"));
        let mut value = HeaderValue::from_str(value).map_err(|_| refuse())?;
        value.set_sensitive(true);
        map.insert(HeaderName::from_bytes(key.as_bytes()).map_err(|_| refuse())?, value);
    }
    map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(map)
}

fn setting(client: &Client, limits: Limits) -> Setting {
    Setting {
        run: String::new(),
        client: client.clone(),
        concurrency: 1,
        retries: RETRIES,
        per_second: None,
        seed: 0,
        limits,
        project: PathBuf::new(),
        variables: Vec::new(),
        recording: None,
    }
}

/// The text that is percent-encoded; none where it is not UTF-8, or a `%` stands alone.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let pair = more.get(..2).filter(|pair| pair.iter().all(u8::is_ascii_hexdigit))?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?);
        rest = &more[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::super::setting::Proxy;
    use super::*;

    /// A request as it came: its first line, its headers and its body.
    type Heard = (String, Vec<String>, String);

    /// A collector that gives these answers, one a connection, and tells what it heard.
    fn collector(answers: &[&str]) -> (Collector, JoinHandle<Vec<Heard>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let serving = std::thread::spawn(move || {
            let one = |answer: String| {
                let (mut stream, _) = listener.accept().expect("a connection");
                let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
                let mut lines = Vec::new();
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).expect("a line");
                    match line.trim_end() {
                        "" => break,
                        line => lines.push(line.to_owned()),
                    }
                }
                let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
                let mut body = vec![0; length.parse().expect("a number")];
                reader.read_exact(&mut body).expect("a body");
                stream.write_all(answer.as_bytes()).expect("it listens");
                (lines.remove(0), lines, String::from_utf8(body).expect("text"))
            };
            answers.into_iter().map(one).collect()
        });
        let headers = headers("x-api-key=a%20b,team=c").expect("headers");
        let limits = Limits { first_pause: Duration::from_millis(1), ..Limits::default() };
        (Collector { endpoint, headers, limits }, serving)
    }

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    }

    fn send(collector: &Collector, logs: &[&str], metrics: &[&str]) -> Result<(), Fault> {
        let owned = |bodies: &[&str]| bodies.iter().map(|body| (*body).to_owned()).collect::<Vec<_>>();
        export(&Client::new(Proxy::default()), collector, &owned(logs), &owned(metrics))
    }

    #[test]
    fn every_body_goes_to_its_path_with_the_headers() {
        let (collector, serving) =
            collector(&[&answer("200 OK", "{}"), &answer("200 OK", ""), &answer("200 OK", "{}")]);
        send(&collector, &["{\"a\":1}", "{\"b\":2}"], &["{\"c\":3}"]).expect("it is taken");
        let heard = serving.join().expect("it served");
        let first: Vec<_> = heard.iter().map(|(line, _, body)| (line.as_str(), body.as_str())).collect();
        let (logs, metrics) = ("POST /v1/logs HTTP/1.1", "POST /v1/metrics HTTP/1.1");
        assert_eq!(first, [(logs, "{\"a\":1}"), (logs, "{\"b\":2}"), (metrics, "{\"c\":3}")]);
        let has = |line: &str| heard.iter().all(|(_, headers, _)| headers.iter().any(|header| header == line));
        assert!(has("x-api-key: a b") && has("team: c") && has("content-type: application/json"), "{heard:?}");
    }

    #[test]
    fn a_collector_that_is_busy_is_asked_again() {
        let (collector, serving) =
            collector(&[&answer("503 Busy", ""), &answer("429 Slow", ""), &answer("200 OK", "{}")]);
        send(&collector, &["{}"], &[]).expect("it is taken at last");
        assert_eq!(serving.join().expect("it served").len(), 3);
    }

    #[test]
    fn a_no_is_a_fault_that_tells_no_header() {
        let (collector, serving) = collector(&[&answer("401 No", "{\"message\":\"who are you\"}")]);
        let why = send(&collector, &["{}"], &["{}"]).expect_err("it is refused");
        assert_eq!(why.kind, FaultKind::Credentials);
        assert!(why.message.contains("/v1/logs` answered 401: who are you"), "{}", why.message);
        assert_eq!(serving.join().expect("it served").len(), 1);
    }

    #[test]
    fn a_part_that_was_not_taken_is_no_success() {
        let partial = r#"{"partialSuccess":{"rejectedLogRecords":"5","errorMessage":"too old"}}"#;
        let (collector, serving) = collector(&[&answer("200 OK", partial)]);
        let why = send(&collector, &["{}"], &[]).expect_err("5 are lost");
        assert!(why.message.ends_with("did not take 5 of what it was sent: too old"), "{}", why.message);
        drop(serving.join());
    }

    #[test]
    fn headers_are_read_as_the_variable_has_them() {
        let read = |text: &str| headers(text);
        assert_eq!(read(" a=b , c=d%3De%2C,"), Ok(vec![("a".into(), "b".into()), ("c".into(), "d=e,".into())]));
        assert_eq!(read(""), Ok(vec![]));
        assert_eq!(read("a"), Err("a header is written `key=value`".into()));
        for bad in ["a=%", "a=%zz", "a=%ff"] {
            assert_eq!(read(bad), Err("the value of `a` is not percent-encoded".into()));
        }
    }
}
