//! Models as Anthropic serves them: the messages API.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::eval::{Case, Chat, Fault, Reply};
use crate::net::attempts::{Callee, Failed};
use crate::net::credentials::Credentials;
use crate::net::setting::Setting;

use super::answering::{Caller, headers, value};
use super::openai::{json_of, spoken};
use super::reading::{calls, kept, malformed, reason, usage, word};

/// The version of the API that joch speaks.
const VERSION: &str = "2023-06-01";

#[derive(Debug)]
pub(super) struct Anthropic {
    caller: Caller,
    instructions: Option<String>,
    fixed: Map<String, Value>,
}

impl Anthropic {
    pub(super) fn open(
        chat: &Chat,
        credentials: &Credentials,
        setting: &Setting,
        time: Duration,
    ) -> Result<Self, Fault> {
        let caller = caller(chat, credentials, setting, time)?;
        let mut fixed = chat.parameters.clone();
        fixed.insert("model".into(), chat.model.clone().into());
        Ok(Self { caller, instructions: chat.instructions.clone(), fixed })
    }

    pub(super) async fn attempt(&self, body: &[u8], key: &str) -> (Result<Reply, Failed>, Duration) {
        let (answer, took) = self.caller.post(body.to_vec(), Some(key)).await;
        let read = |answer| json_of(&answer).and_then(|json| read(&json)).map_err(Failed::finally);
        (answer.and_then(read), took)
    }

    /// The body of the requests for a case. This API has instructions in a field of their own.
    pub(super) fn body(&self, case: &Case) -> Vec<u8> {
        let is_system = |said: &Value| matches!(said["role"].as_str(), Some("system" | "developer"));
        let (system, messages): (Vec<Value>, Vec<Value>) = spoken(&case.input).into_iter().partition(is_system);
        let system = system.iter().filter_map(|said| said["content"].as_str());
        let system: Vec<&str> = self.instructions.as_deref().into_iter().chain(system).collect();
        let mut body = self.fixed.clone();
        if !system.is_empty() {
            body.insert("system".into(), system.join("\n\n").into());
        }
        body.insert("messages".into(), json!(messages));
        Value::Object(body).to_string().into_bytes()
    }
}

/// How requests to this API are made.
pub(crate) fn caller(
    chat: &Chat,
    credentials: &Credentials,
    setting: &Setting,
    time: Duration,
) -> Result<Caller, Fault> {
    let mut headers = headers(&chat.headers, credentials)?;
    if let Some(key) = &chat.key {
        headers.insert("x-api-key", value("x-api-key", &credentials.resolve(key)?)?);
    }
    if !headers.contains_key("anthropic-version") {
        headers.insert("anthropic-version", value("anthropic-version", VERSION)?);
    }
    let endpoint = setting.client.endpoint(&chat.base_url)?.at("messages");
    Ok(Caller { endpoint, headers, callee: Callee::Agent, most: setting.limits.answer, time })
}

fn read(json: &Value) -> Result<Reply, Fault> {
    let blocks = json.get("content").and_then(Value::as_array);
    let blocks = blocks.ok_or_else(|| malformed("the answer has no `content`"))?;
    let mut reply = Reply {
        usage: json.get("usage").and_then(usage),
        model: json.get("model").and_then(word),
        cut_short: json.get("stop_reason").and_then(Value::as_str).and_then(reason),
        ..Reply::default()
    };
    for block in blocks {
        match block.get("type").and_then(Value::as_str) {
            Some("text") => reply.text.push_str(block.get("text").and_then(Value::as_str).unwrap_or_default()),
            Some("tool_use" | "server_tool_use" | "mcp_tool_use") => {
                reply.tool_calls.extend(calls(block).map_err(malformed)?);
            }
            _ => {}
        }
    }
    kept(&reply.text, reply.cut_short.as_deref(), None)?;
    Ok(reply)
}
