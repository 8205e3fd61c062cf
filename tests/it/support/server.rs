//! A real HTTP server on loopback that answers as a test says, byte for byte where it must.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A request as it came.
pub(crate) struct Request {
    /// Path and query.
    pub(crate) path: String,
    /// Header lines, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, if it is JSON.
    pub(crate) body: Value,
}

/// What the server does with a request.
pub(crate) enum Answer {
    /// A status and JSON.
    Json(u16, Value),
    /// A status, more headers, and a body.
    Full(u16, Vec<(String, String)>, String),
    /// The same after a while.
    After(Duration, Box<Self>),
}

/// The server; it ends with this value.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
}

type Script = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

impl Server {
    /// Starts a server that answers each request as `script` says.
    pub(crate) fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("bound");
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let script: Script = Arc::new(script);
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&count));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let (script, counted) = (Arc::clone(&script), Arc::clone(&counted));
                if let Ok(stream) = stream {
                    thread::spawn(move || serve(stream, &script, &counted));
                }
            }
        });
        Self { address, stop, count }
    }

    /// Its address, as `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests it has taken.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.address));
    }
}

impl Request {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn serve(stream: TcpStream, script: &Script, count: &AtomicU64) {
    let Ok(copy) = stream.try_clone() else { return };
    let (mut reader, mut stream) = (BufReader::new(copy), stream);
    while let Some(request) = read(&mut reader, count) {
        if !answer(script(&request), &mut stream) {
            break;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>, count: &AtomicU64) -> Option<Request> {
    let mut first = String::new();
    if reader.read_line(&mut first).ok()? == 0 {
        return None;
    }
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    count.fetch_add(1, Ordering::Relaxed);
    Some(Request { path, headers, body })
}

/// Whether the connection may be used again.
fn answer(answer: Answer, stream: &mut TcpStream) -> bool {
    match answer {
        Answer::Json(status, body) => {
            let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            self::answer(Answer::Full(status, headers, body.to_string()), stream)
        }
        Answer::Full(status, headers, body) => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).is_ok()
        }
        Answer::After(pause, then) => {
            thread::sleep(pause);
            self::answer(*then, stream)
        }
    }
}
