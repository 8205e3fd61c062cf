//! An agent and a judge on this machine, with a known truth: what `joch demo`, the tests and the benchmark talk to.
//!
//! It speaks plain HTTP on 127.0.0.1 and does next to no work, so that whoever calls it can be measured beside it.

mod connection;
mod judge;
mod service;
mod tally;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::eval::Finding;

pub use judge::Shown;
pub use tally::Tally;

use service::Service;

/// What stands behind the server.
pub trait Truth: Send + Sync + 'static {
    /// What the agent answers to the body of `POST /agent`, as `{"output": …, "tool_calls": […], …}`.
    fn answer(&self, body: &Value) -> Value;

    /// What the judge finds of the criterion with this id and text.
    fn finding(&self, shown: &Shown, id: &str, text: &str) -> Finding;

    /// What the judge says in the end; `verdict` is what it should say.
    fn said(&self, shown: &Shown, verdict: String) -> String {
        let _ = shown;
        verdict
    }
}

/// How the server behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// How long an answer takes at the least, and at the most; anything between is as likely.
    pub latency: [Duration; 2],
    /// How many of a thousand requests are answered by 429.
    pub too_many: u32,
    /// What a 429 asks to wait.
    pub retry_after: Duration,
    /// How many of a thousand requests are answered by 500.
    pub broken: u32,
    /// What chance is drawn from: the same requests meet the same luck.
    pub seed: u64,
}

/// The running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    service: Arc<Service>,
    ends: watch::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Starts a server at a port of 127.0.0.1; 0 takes any that is free.
    ///
    /// # Errors
    /// The port is taken, or the system gives no socket or thread.
    pub fn start(port: u16, weather: Weather, truth: impl Truth) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let service = Arc::new(Service::new(weather, Box::new(truth)));
        let (ends, end) = watch::channel(());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serving = Arc::clone(&service);
        let thread = std::thread::Builder::new()
            .name("loopback".into())
            .spawn(move || runtime.block_on(connection::accept(listener, serving, end)))?;
        Ok(Self { address, service, ends, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The agent: `http://127.0.0.1:PORT/agent`.
    #[must_use]
    pub fn agent(&self) -> String {
        format!("http://{}/agent", self.address)
    }

    /// The judge's API up to its own paths: `http://127.0.0.1:PORT/v1`.
    #[must_use]
    pub fn judge(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it has done so far; also at `GET /tally`.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.service.tally()
    }

    /// Serves until the process is ended.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        let _ = self.ends.send(());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests;
