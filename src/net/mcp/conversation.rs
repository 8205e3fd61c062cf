//! What is said to a server, in order: who joch is, what the server offers, page by page, and goodbye.

use std::collections::BTreeSet;

use crate::eval::{Fault, FaultKind};
use crate::net::credentials::Credentials;
use crate::net::setting::Setting;
use crate::resource::{Map, Value};

use super::http::Http;
use super::message::{Answered, malformed, request};
use super::program::Spoken;
use super::{Bounds, Heard, Server};

/// The versions of the protocol that begin with a handshake, the newest first.
const WITH_HANDSHAKE: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// The version in which every request says by itself which version it is of.
const WITHOUT_HANDSHAKE: &str = "2026-07-28";
/// Where requests of that version say it, and where answers say who the server is.
const META: &str = "io.modelcontextprotocol";
const NO_SUCH_METHOD: i128 = -32601;

/// A conversation with one server.
pub(super) struct Conversation {
    wire: Wire,
    bounds: Bounds,
    /// Whether requests carry their version themselves.
    carries_version: bool,
    /// Whether the server says that it has tools at all.
    has_tools: bool,
    last_id: u64,
}

enum Wire {
    Http(Box<Http>),
    Program(Box<Spoken>),
}

impl Conversation {
    pub(super) fn open(
        server: &Server,
        credentials: &Credentials,
        setting: &Setting,
        bounds: Bounds,
    ) -> Result<Self, Fault> {
        let wire = match server {
            Server::Http { url, headers } => {
                Wire::Http(Box::new(Http::open(url, headers, credentials, setting, bounds.bytes)?))
            }
            Server::Program(command) => {
                Wire::Program(Box::new(Spoken::start(command, credentials, setting, bounds.bytes)?))
            }
        };
        Ok(Self { wire, bounds, carries_version: false, has_tools: false, last_id: 0 })
    }

    /// The server as messages name it.
    pub(super) fn shown(&self) -> String {
        match &self.wire {
            Wire::Http(http) => http.shown(),
            Wire::Program(program) => program.shown(),
        }
    }

    /// All of it.
    pub(super) async fn hear(&mut self) -> Result<Heard, Fault> {
        let mut heard = self.greet().await?;
        heard.tools = self.list().await?;
        Ok(heard)
    }

    /// Leaves the server as one who will not come back.
    pub(super) async fn close(self) {
        match self.wire {
            Wire::Http(http) => http.close().await,
            Wire::Program(program) => program.close().await,
        }
    }

    /// With a handshake, and where the server refuses one, without.
    async fn greet(&mut self) -> Result<Heard, Fault> {
        let first = match self.shake_hands().await {
            Err(fault) if fault.kind == FaultKind::Refused => fault,
            done => return done,
        };
        self.carries_version = true;
        self.discover().await.map_err(|second| {
            // The server that refuses both ways has its reason in the first.
            Fault::new(second.kind, format!("{}; and without a handshake: {}", first.message, second.message))
        })
    }

    async fn shake_hands(&mut self) -> Result<Heard, Fault> {
        let mut params = Map::new();
        params.insert("protocolVersion".into(), WITH_HANDSHAKE[0].into());
        params.insert("capabilities".into(), Map::new().into());
        params.insert("clientInfo".into(), joch());
        let result = self.result("initialize", params).await?;
        let version = result.get("protocolVersion").and_then(Value::as_text).unwrap_or_default();
        self.carries_version = version == WITHOUT_HANDSHAKE;
        if !self.carries_version && !WITH_HANDSHAKE.contains(&version) {
            return Err(self.unknown_version(&[version]));
        }
        self.has_tools = has_tools(&result);
        let heard = heard(&result, result.get("serverInfo"), version);
        self.speak(version);
        if !self.carries_version {
            self.tell("notifications/initialized").await?;
        }
        Ok(heard)
    }

    async fn discover(&mut self) -> Result<Heard, Fault> {
        self.speak(WITHOUT_HANDSHAKE);
        let result = self.result("server/discover", Map::new()).await?;
        let versions = result.get("supportedVersions").map(Value::texts).unwrap_or_default();
        if !versions.contains(&WITHOUT_HANDSHAKE) {
            return Err(self.unknown_version(&versions));
        }
        self.has_tools = has_tools(&result);
        let server = result.get("_meta").and_then(|meta| meta.get(&format!("{META}/serverInfo")));
        Ok(heard(&result, server.or_else(|| result.get("serverInfo")), WITHOUT_HANDSHAKE))
    }

    async fn list(&mut self) -> Result<Vec<Value>, Fault> {
        let mut tools = Vec::new();
        let mut cursors = BTreeSet::new();
        let mut params = Map::new();
        for _ in 0..self.bounds.pages {
            let result = match self.ask("tools/list", params).await? {
                Answered::Result(result) => complete(result)?,
                // Who says that there are none need not know how to list them.
                Answered::Error { code: NO_SUCH_METHOD, .. } if !self.has_tools => return Ok(Vec::new()),
                error => return Err(self.refused("tools/list", error)),
            };
            let Some(items) = result.get("tools").and_then(Value::as_list) else {
                return Err(malformed(format!("{} answers `tools/list` without a list `tools`", self.shown())));
            };
            if tools.len() + items.len() > self.bounds.tools {
                let why = format!("{} lists more than {} tools", self.shown(), self.bounds.tools);
                return Err(Fault::new(FaultKind::TooLarge, why));
            }
            tools.extend_from_slice(items);
            let cursor = match result.get("nextCursor") {
                None | Some(Value::Null) => return Ok(tools),
                Some(Value::Text(cursor)) => cursor.clone(),
                Some(other) => {
                    return Err(malformed(format!("{} gives {} as `nextCursor`", self.shown(), other.type_name())));
                }
            };
            if !cursors.insert(cursor.clone()) {
                let why = format!("{} gives the same `nextCursor` twice: its list has no end", self.shown());
                return Err(malformed(why));
            }
            params = Map::from([("cursor".into(), cursor.into())]);
        }
        let why = format!("{} lists its tools on more than {} pages", self.shown(), self.bounds.pages);
        Err(Fault::new(FaultKind::TooLarge, why))
    }

    async fn result(&mut self, method: &str, params: Map) -> Result<Value, Fault> {
        match self.ask(method, params).await? {
            Answered::Result(result) => complete(result),
            error => Err(self.refused(method, error)),
        }
    }

    async fn ask(&mut self, method: &str, mut params: Map) -> Result<Answered, Fault> {
        if self.carries_version {
            params.insert("_meta".into(), meta());
        }
        self.last_id += 1;
        let (id, time) = (self.last_id, self.bounds.answer);
        let message = request(Some(id), method, params);
        let answered = async {
            match &mut self.wire {
                Wire::Http(http) => http.ask(id, method, message).await,
                Wire::Program(program) => program.ask(id, &message).await,
            }
        };
        match tokio::time::timeout(time, answered).await {
            Ok(answered) => answered,
            Err(_) => {
                let why = format!("{} did not answer `{method}` within {time:?}", self.shown());
                Err(Fault::new(FaultKind::Timeout, why))
            }
        }
    }

    async fn tell(&mut self, method: &str) -> Result<(), Fault> {
        let (message, time) = (request(None, method, Map::new()), self.bounds.answer);
        let told = async {
            match &mut self.wire {
                Wire::Http(http) => http.tell(message).await,
                Wire::Program(program) => program.tell(&message).await,
            }
        };
        match tokio::time::timeout(time, told).await {
            Ok(told) => told,
            Err(_) => {
                let why = format!("{} did not take `{method}` within {time:?}", self.shown());
                Err(Fault::new(FaultKind::Timeout, why))
            }
        }
    }

    /// From now on requests are of this version.
    fn speak(&mut self, version: &str) {
        if let Wire::Http(http) = &mut self.wire {
            http.speak(version, self.carries_version);
        }
    }

    fn refused(&self, method: &str, error: Answered) -> Fault {
        let said = match error {
            Answered::Error { code, message } => format!("error {code}: {message}"),
            Answered::Result(_) => "another result".to_owned(),
        };
        Fault::new(FaultKind::Refused, format!("{} answered `{method}` with {said}", self.shown()))
    }

    fn unknown_version(&self, versions: &[&str]) -> Fault {
        let known: Vec<_> = [WITHOUT_HANDSHAKE].iter().chain(&WITH_HANDSHAKE).copied().collect();
        let theirs: Vec<String> =
            versions.iter().take(8).map(|version| version.chars().take(20).collect::<String>()).collect();
        let theirs = if theirs.iter().all(String::is_empty) { "no version".to_owned() } else { theirs.join(", ") };
        malformed(format!("{} speaks {theirs} of the protocol, and joch {}", self.shown(), known.join(", ")))
    }
}

fn joch() -> Value {
    Map::from([("name".into(), "joch".into()), ("version".into(), env!("CARGO_PKG_VERSION").into())]).into()
}

fn meta() -> Value {
    Map::from([
        (format!("{META}/protocolVersion"), WITHOUT_HANDSHAKE.into()),
        (format!("{META}/clientCapabilities"), Map::new().into()),
        (format!("{META}/clientInfo"), joch()),
    ])
    .into()
}

fn has_tools(result: &Value) -> bool {
    result.at(&["capabilities", "tools"]).is_some_and(|tools| *tools != Value::Null)
}

fn heard(result: &Value, server: Option<&Value>, version: &str) -> Heard {
    let text = |value: Option<&Value>| value.and_then(Value::as_text).map(str::to_owned);
    Heard {
        name: text(server.and_then(|server| server.get("name"))),
        version: text(server.and_then(|server| server.get("version"))),
        protocol: version.to_owned(),
        instructions: text(result.get("instructions")),
        tools: Vec::new(),
    }
}

/// A result that is one: servers may also ask back first.
fn complete(result: Value) -> Result<Value, Fault> {
    match result.get("resultType") {
        None | Some(Value::Null) => Ok(result),
        Some(Value::Text(kind)) if kind == "complete" => Ok(result),
        Some(_) => Err(malformed("the answer is not complete: the server asks something back first".into())),
    }
}
