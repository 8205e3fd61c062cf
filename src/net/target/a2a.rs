//! Agent-to-agent endpoints: a message is sent, and a task that comes back is asked for until it is done.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::eval::{self, Binding, Case, Fault, FaultKind, Input, Reply};
use crate::net::attempts::{Callee, Failed, complaint};
use crate::net::client::{Broken, Endpoint};
use crate::net::credentials::Credentials;
use crate::net::setting::Setting;

use super::answering::{Caller, headers};
use super::reading::malformed;

#[derive(Debug)]
pub(super) struct A2a {
    caller: Caller,
    binding: Option<Binding>,
    /// What the card says, once it was asked.
    card: OnceCell<Place>,
}

/// Where an agent listens, and how.
#[derive(Debug, Clone)]
struct Place {
    endpoint: Endpoint,
    binding: Binding,
}

/// What came back.
enum Step {
    Done(Reply),
    /// A task of this id is under way.
    Working(String),
}

/// Between two questions whether a task is done: this long at first, …
const FIRST_POLL: Duration = Duration::from_millis(50);
/// … and this long in the end.
const LAST_POLL: Duration = Duration::from_secs(2);
const CARD: &str = "/.well-known/agent-card.json";

impl A2a {
    pub(super) fn open(
        a2a: &eval::A2a,
        credentials: &Credentials,
        setting: &Setting,
        time: Duration,
    ) -> Result<Self, Fault> {
        let endpoint = setting.client.endpoint(&a2a.url)?;
        let headers = headers(&a2a.headers, credentials)?;
        let caller = Caller { endpoint, headers, callee: Callee::Agent, most: setting.limits.answer, time };
        Ok(Self { caller, binding: a2a.binding, card: OnceCell::new() })
    }

    pub(super) async fn attempt(&self, case: &Case, key: &str) -> (Result<Reply, Failed>, Duration) {
        // The card is about all cases, and its time is none of theirs.
        let place = self.place().await;
        let began = Instant::now();
        match tokio::time::timeout(self.caller.time, self.talk(&place, case, key)).await {
            Ok(reply) => (reply, began.elapsed()),
            Err(_) => {
                (Err(Failed::broken(place.endpoint.timed_out(self.caller.time), Callee::Agent)), self.caller.time)
            }
        }
    }

    async fn talk(&self, place: &Place, case: &Case, key: &str) -> Result<Reply, Failed> {
        let message = message(&case.input, key);
        let configuration = json!({"blocking": true, "acceptedOutputModes": ["text/plain", "application/json"]});
        let params = json!({"message": message, "configuration": configuration});
        let mut step = match place.binding {
            Binding::JsonRpc => self.rpc(place, "message/send", params, key, Some(key)).await?,
            Binding::Http => self.ask(&place.endpoint.at("message:send"), Some(params), Some(key)).await?,
        };
        let mut pause = FIRST_POLL;
        loop {
            let task = match read(&step).map_err(Failed::finally)? {
                Step::Done(reply) => return Ok(reply),
                Step::Working(task) => task,
            };
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LAST_POLL);
            step = match place.binding {
                Binding::JsonRpc => self.rpc(place, "tasks/get", json!({"id": task}), key, None).await?,
                Binding::Http => self.ask(&place.endpoint.at(&format!("tasks/{task}")), None, None).await?,
            };
        }
    }

    /// `once` is the unit's key where the request must not be obeyed twice.
    async fn rpc(
        &self,
        place: &Place,
        method: &str,
        params: Value,
        id: &str,
        once: Option<&str>,
    ) -> Result<Value, Failed> {
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let mut answer = self.ask(&place.endpoint, Some(body), once).await?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            let why = format!("the agent answered with an error: {}", complaint(error.to_string().as_bytes()));
            return Err(Failed::finally(Fault::new(FaultKind::Refused, why)));
        }
        if answer.get("id").and_then(Value::as_str) != Some(id) {
            return Err(Failed::finally(malformed("the agent answered another request than the one it was sent")));
        }
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(Failed::finally(malformed("the answer has neither `result` nor `error`"))),
        }
    }

    async fn ask(&self, endpoint: &Endpoint, body: Option<Value>, once: Option<&str>) -> Result<Value, Failed> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let mut request = self.caller.request(method, endpoint, once);
        *request.body_mut() = body.map(|body| body.to_string().into());
        let answer = self.caller.success(endpoint.exchange(request, self.caller.most).await)?;
        let json = serde_json::from_slice(&answer.body);
        json.map_err(|why| Failed::finally(malformed(format!("the answer is not JSON: {why}"))))
    }

    /// Where and how: as `invoke` says, else as the agent's card says, else by JSON-RPC.
    async fn place(&self) -> Place {
        let here = |binding| Place { endpoint: self.caller.endpoint.clone(), binding };
        match self.binding {
            Some(binding) => here(binding),
            None => {
                let read = || async { self.read_card().await.unwrap_or_else(|| here(Binding::JsonRpc)) };
                self.card.get_or_init(read).await.clone()
            }
        }
    }

    async fn read_card(&self) -> Option<Place> {
        let mut at = self.caller.endpoint.clone();
        at.url = at.url.join(CARD).ok()?;
        let request = self.caller.request(Method::GET, &at, None);
        let time = self.caller.time.min(Duration::from_secs(10));
        let card: Result<_, Broken> = at.send(request, self.caller.most, time).await.0;
        let card = card.ok().filter(|card| card.is_success())?;
        let card: Value = serde_json::from_slice(&card.body).ok()?;
        let more = ["additionalInterfaces", "supportedInterfaces"].iter();
        let more = more.filter_map(|name| card.get(name)?.as_array()).flatten();
        let mut found = std::iter::once(&card).chain(more).filter_map(|face| self.interface(face));
        found.next()
    }

    /// An interface of the card, if joch speaks it. One of another host is not ours to call: `invoke` names where.
    fn interface(&self, face: &Value) -> Option<Place> {
        let word = ["preferredTransport", "transport", "protocolBinding"];
        let binding = match word.iter().find_map(|name| face.get(name)?.as_str())? {
            "JSONRPC" => Binding::JsonRpc,
            "HTTP+JSON" => Binding::Http,
            _ => return None,
        };
        let mut endpoint = self.caller.endpoint.clone();
        if let Some(url) = face.get("url").and_then(Value::as_str) {
            let url = endpoint.url.join(url).ok()?;
            if url.origin() != endpoint.url.origin() {
                return None;
            }
            endpoint.url = url;
        }
        Some(Place { endpoint, binding })
    }
}

fn message(input: &Input, key: &str) -> Value {
    let part = match input {
        Input::Data(data) if data.is_object() => json!({"kind": "data", "data": data}),
        other => json!({"kind": "text", "text": other.text()}),
    };
    json!({"kind": "message", "role": "user", "messageId": key, "parts": [part]})
}

/// A message is an answer, and so is what a finished task holds.
fn read(result: &Value) -> Result<Step, Fault> {
    let inner = ["message", "task"].iter().find_map(|name| result.get(name).filter(|inner| inner.is_object()));
    let result = inner.unwrap_or(result);
    let Some(status) = result.get("status") else {
        let parts = result.get("parts").ok_or_else(|| malformed("the answer is neither a message nor a task"))?;
        return Ok(Step::Done(reply(texts(parts))));
    };
    let state = status.get("state").and_then(Value::as_str).unwrap_or_default();
    let state = state.strip_prefix("TASK_STATE_").unwrap_or(state).to_ascii_lowercase().replace('_', "-");
    let said = || texts(status.pointer("/message/parts").unwrap_or(&Value::Null));
    match state.as_str() {
        "completed" => {
            let artifacts = result.get("artifacts").and_then(Value::as_array).into_iter().flatten();
            let made: Vec<String> =
                artifacts.filter_map(|made| made.get("parts")).map(texts).filter(|text| !text.is_empty()).collect();
            Ok(Step::Done(reply(if made.is_empty() { said() } else { made.join("\n") })))
        }
        // The agent asks back: that is what it answers.
        "input-required" => Ok(Step::Done(reply(said()))),
        "auth-required" => Err(Fault::new(FaultKind::Credentials, format!("the agent wants credentials: {}", said()))),
        "failed" | "rejected" | "canceled" | "cancelled" => {
            Err(Fault::new(FaultKind::Refused, format!("the agent's task is `{state}`: {}", said())))
        }
        "submitted" | "working" => {
            let task = result.get("id").and_then(Value::as_str);
            let fine = |task: &&str| {
                task.len() <= 200 && task.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
            };
            match task.filter(fine).filter(|task| !task.is_empty() && !task.starts_with('.')) {
                Some(task) => Ok(Step::Working(task.to_owned())),
                None => Err(malformed("the agent's task has no `id` that can be asked for")),
            }
        }
        other => Err(malformed(format!("the agent's task is `{other}`, which joch does not know"))),
    }
}

fn texts(parts: &Value) -> String {
    let parts = parts.as_array().into_iter().flatten();
    let text = |part: &Value| match (part.get("text"), part.get("data")) {
        (Some(Value::String(text)), _) => Some(text.clone()),
        (_, Some(data)) => Some(data.to_string()),
        _ => None,
    };
    parts.filter_map(text).collect::<Vec<_>>().join("\n")
}

fn reply(text: String) -> Reply {
    Reply { text, ..Reply::default() }
}
