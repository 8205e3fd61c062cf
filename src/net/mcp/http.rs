//! Streamable HTTP: each message is a POST, its answer JSON or a stream of events.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response};

use crate::eval::{Fault, FaultKind, Text};
use crate::net::attempts::{Callee, Failed};
use crate::net::client::{Answer, Broken, Endpoint, shown};
use crate::net::credentials::Credentials;
use crate::net::setting::Setting;
use crate::net::target::answering::headers;

use super::events::Events;
use super::message::{Answered, Came, malformed, read};

/// A server at an address.
pub(super) struct Http {
    endpoint: Endpoint,
    headers: HeaderMap,
    /// Bytes that may still be read.
    left: usize,
    /// Whether headers say what a request is.
    names_methods: bool,
}

/// What the server calls this conversation.
const CONVERSATION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// The longest name for a conversation that joch sends back, in bytes.
const LONGEST_NAME: usize = 1024;
/// Most bytes that are read of an error.
const ERROR: usize = 64 << 10;
/// How long saying goodbye may take; nobody depends on it.
const GOODBYE: Duration = Duration::from_secs(2);

impl Http {
    pub(super) fn open(
        url: &str,
        texts: &BTreeMap<String, Text>,
        credentials: &Credentials,
        setting: &Setting,
        most: usize,
    ) -> Result<Self, Fault> {
        let endpoint = setting.client.endpoint(url)?;
        let mut headers = headers(texts, credentials)?;
        headers.insert("accept", HeaderValue::from_static("application/json, text/event-stream"));
        Ok(Self { endpoint, headers, left: most, names_methods: false })
    }

    pub(super) fn shown(&self) -> String {
        format!("`{}`", self.endpoint.shown())
    }

    /// From now on requests are of this version.
    pub(super) fn speak(&mut self, version: &str, names_methods: bool) {
        if let Ok(version) = HeaderValue::from_str(version) {
            self.headers.insert(VERSION, version);
        }
        self.names_methods = names_methods;
    }

    /// Sends a request, and reads as far as its answer.
    pub(super) async fn ask(&mut self, id: u64, method: &str, message: Vec<u8>) -> Result<Answered, Fault> {
        let mut request = self.request(Method::POST, Some(message));
        if let (true, Ok(method)) = (self.names_methods, HeaderValue::from_str(method)) {
            request.headers_mut().insert(METHOD, method);
        }
        let mut response = self.begin(request).await?;
        if !response.status().is_success() {
            return self.failed(response, id).await;
        }
        if let Some(name) = response.headers().get(CONVERSATION) {
            if name.len() > LONGEST_NAME {
                return Err(malformed(format!("{} names the conversation in {} bytes", self.shown(), name.len())));
            }
            self.headers.insert(CONVERSATION, name.clone());
        }
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let found = match kind.as_str() {
            "application/json" => {
                let body = self.rest(&mut response).await?;
                answer(read(&body, id).map_err(|why| self.named(why))?)
            }
            "text/event-stream" => self.stream(&mut response, id).await?,
            other => {
                let other: String = other.chars().take(60).collect();
                let what =
                    if other.is_empty() { "without saying in what form".into() } else { format!("with `{other}`") };
                return Err(malformed(format!(
                    "{} answers {what}, and an MCP server with JSON or a stream of events: check the address",
                    self.shown()
                )));
            }
        };
        found.ok_or_else(|| malformed(format!("{} took `{method}` and never answered it", self.shown())))
    }

    /// Sends what has no answer.
    pub(super) async fn tell(&mut self, message: Vec<u8>) -> Result<(), Fault> {
        let request = self.request(Method::POST, Some(message));
        let response = self.begin(request).await?;
        if response.status().is_success() {
            return Ok(());
        }
        self.failed(response, 0).await.map(drop)
    }

    /// Tells a server that keeps conversations that this one is over.
    pub(super) async fn close(self) {
        if self.headers.contains_key(CONVERSATION) {
            let request = self.request(Method::DELETE, None);
            drop(self.endpoint.send(request, ERROR, GOODBYE).await);
        }
    }

    fn request(&self, method: Method, message: Option<Vec<u8>>) -> Request {
        let mut request = Request::new(method, self.endpoint.url.clone());
        request.headers_mut().clone_from(&self.headers);
        *request.body_mut() = message.map(Into::into);
        request
    }

    async fn begin(&self, request: Request) -> Result<Response, Fault> {
        let response = self.endpoint.begin(request).await.map_err(told)?;
        if response.status().is_redirection() {
            let target = response.headers().get("location").and_then(|to| to.to_str().ok());
            let target = target.and_then(|to| self.endpoint.url.join(to).ok()).map(|to| shown(&to));
            let why = format!(
                "{} redirects to `{}`, and a request with a body is not sent on: write that address if it is the right one",
                self.shown(),
                target.unwrap_or_else(|| "nowhere".into())
            );
            return Err(Fault::new(FaultKind::Connection, why));
        }
        Ok(response)
    }

    /// A status that says no. The protocol puts errors of its own into such answers too.
    async fn failed(&mut self, mut response: Response, id: u64) -> Result<Answered, Fault> {
        let status = response.status().as_u16();
        let mut body = Vec::new();
        // Of an error its beginning says enough; so does what came of it before it broke off.
        while let Ok(Some(chunk)) = self.endpoint.next(&mut response).await {
            if body.len() + chunk.len() > ERROR {
                break;
            }
            body.extend_from_slice(&chunk);
        }
        let signed_in = !matches!(status, 401 | 403 | 407);
        if signed_in && let Some(answered) = read(&body, id).ok().and_then(answer) {
            return Ok(answered);
        }
        let headers = std::mem::take(response.headers_mut());
        let mut fault = Failed::refused(&Answer { status, headers, body }, &self.endpoint.shown(), Callee::Judge).fault;
        if !signed_in {
            fault.message.push_str("; `spec.auth` of the MCPServer says how joch signs in");
        }
        Err(fault)
    }

    async fn rest(&mut self, response: &mut Response) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(response).await? {
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Reads events until one of them is the answer; the server may keep the stream open.
    async fn stream(&mut self, response: &mut Response, id: u64) -> Result<Option<Answered>, Fault> {
        let mut events = Events::default();
        while let Some(chunk) = self.chunk(response).await? {
            for event in events.take(&chunk) {
                if let Some(answered) = answer(read(&event, id).map_err(|why| self.named(why))?) {
                    return Ok(Some(answered));
                }
            }
        }
        Ok(None)
    }

    async fn chunk(&mut self, response: &mut Response) -> Result<Option<Vec<u8>>, Fault> {
        let chunk = self.endpoint.next(response).await.map_err(told)?;
        let size = chunk.as_ref().map_or(0, Vec::len);
        self.left = self.left.checked_sub(size).ok_or_else(|| {
            Fault::new(FaultKind::TooLarge, format!("{} says more than joch reads of a server", self.shown()))
        })?;
        Ok(chunk)
    }

    fn named(&self, fault: Fault) -> Fault {
        Fault::new(fault.kind, format!("{}: {}", self.shown(), fault.message))
    }
}

/// The answer among what came. What a server asks back on the way has no answer: joch offers it nothing.
fn answer(came: Vec<Came>) -> Option<Answered> {
    came.into_iter().find_map(|came| match came {
        Came::Answer(answered) => Some(answered),
        Came::Asked(..) | Came::Other => None,
    })
}

fn told(broken: Broken) -> Fault {
    broken.fault
}
