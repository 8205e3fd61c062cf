//! A server on the loopback interface that answers as a test says, and keeps what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::eval::{AgentFacts, Case, Input, Outcome, Reach, Unit};
use crate::net::{Client, Credentials, Limits, Proxy, Setting, Target};

/// A server.
pub(super) struct Loopback {
    /// Its address, without a slash at the end.
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) at: Instant,
    /// Request line and headers.
    pub(super) head: String,
    pub(super) body: Value,
    /// How many came before it.
    pub(super) number: usize,
}

impl Loopback {
    /// Writes for each request what `answer` makes of it.
    pub(super) fn answering(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(move |asked, stream| stream.write_all(&answer(asked)).is_ok())
    }

    /// Leaves it to `serve` to write; a connection is kept as long as that gives true.
    pub(super) fn start(serve: impl Fn(&Asked, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, serve) = (Arc::clone(&asked), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, serve) = (Arc::clone(&kept), Arc::clone(&serve));
                std::thread::spawn(move || talk(stream, &kept, &*serve));
            }
        });
        Self { url, asked }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no test panics here").clone()
    }
}

impl Asked {
    /// A header, by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

fn talk(mut stream: TcpStream, kept: &Mutex<Vec<Asked>>, serve: &dyn Fn(&Asked, &mut TcpStream) -> bool) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !matches!(reader.read_line(&mut head), Ok(1..)) {
                return;
            }
        }
        let mut asked = Asked { at: Instant::now(), head, body: Value::Null, number: 0 };
        let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        asked.body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        {
            let mut kept = kept.lock().expect("no test panics here");
            asked.number = kept.len();
            kept.push(asked.clone());
        }
        if !serve(&asked, &mut stream) {
            return;
        }
    }
}

/// An answer with a body.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// An answer with JSON.
pub(super) fn json(body: &Value) -> Vec<u8> {
    answer(200, &[("content-type", "application/json")], body.to_string())
}

/// A setting with small limits and short pauses.
pub(super) fn setting() -> Setting {
    let limits = Limits {
        answer: 64 << 10,
        judgement: 64 << 10,
        first_pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(10),
        patience: Duration::from_secs(5),
    };
    let variables = ["PATH", "HOME"].map(|name| (name.into(), std::env::var_os(name).unwrap_or_default()));
    Setting {
        run: "run-1".into(),
        client: Client::new(Proxy::default()),
        concurrency: 8,
        retries: 4,
        per_second: None,
        seed: 7,
        limits,
        project: env!("CARGO_MANIFEST_DIR").into(),
        variables: variables.into(),
        recording: None,
    }
}

/// Secrets by name.
pub(super) fn credentials(secrets: &[(&str, &str)]) -> Credentials {
    Credentials::new(secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

pub(super) fn case(id: &str, input: &str) -> Case {
    Case {
        id: id.into(),
        input: Input::Text(input.into()),
        expected: Some("what is expected".into()),
        rubric: Vec::new(),
        expected_tools: None,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
    }
}

pub(super) fn unit(id: &str) -> Unit {
    Unit { case: id.into(), trial: 1 }
}

/// The `invoke` in this JSON, understood; a call may take five seconds.
pub(super) fn reach(invoke: Value) -> Reach {
    let invoke = invoke.try_into().expect("a value");
    Reach::read(&invoke, &AgentFacts::default(), 5_000).expect("an invoke")
}

/// Runs a future as the program does: on one thread.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

/// Asks one case, `hi`, of the agent that this `invoke` reaches.
pub(super) fn ask(invoke: Value) -> Outcome {
    ask_with(invoke, &Credentials::default(), &setting())
}

pub(super) fn ask_with(invoke: Value, credentials: &Credentials, setting: &Setting) -> Outcome {
    let target = Target::open(&reach(invoke), credentials, setting).expect("a target");
    run(target.call(&case("c-1", "hi"), &unit("c-1")))
}
