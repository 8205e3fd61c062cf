//! Models as OpenAI serves them, and all who speak like it: chat completions and responses.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::eval::{Api, Case, Chat, Fault, FaultKind, Input, Reply};
use crate::net::attempts::{Callee, Failed, complaint};
use crate::net::client::Answer;
use crate::net::credentials::Credentials;
use crate::net::setting::Setting;

use super::answering::{Caller, headers, value};
use super::reading::{calls, kept, malformed, reason, usage, word};

#[derive(Debug)]
pub(super) struct OpenAi {
    caller: Caller,
    api: Api,
    instructions: Option<String>,
    /// The model and its parameters, the same in every request.
    fixed: Map<String, Value>,
}

impl OpenAi {
    pub(super) fn open(
        chat: &Chat,
        credentials: &Credentials,
        setting: &Setting,
        time: Duration,
    ) -> Result<Self, Fault> {
        let caller = caller(chat, credentials, setting, time)?;
        let mut fixed = chat.parameters.clone();
        fixed.insert("model".into(), chat.model.clone().into());
        Ok(Self { caller, api: chat.api, instructions: chat.instructions.clone(), fixed })
    }

    pub(super) async fn attempt(&self, body: &[u8], key: &str) -> (Result<Reply, Failed>, Duration) {
        let (answer, took) = self.caller.post(body.to_vec(), Some(key)).await;
        let read = |answer: Answer| {
            let json = json_of(&answer)?;
            match self.api {
                Api::Chat => read_chat(&json),
                Api::Responses => read_responses(&json),
            }
        };
        (answer.and_then(|answer| read(answer).map_err(Failed::finally)), took)
    }

    /// The body of the requests for a case.
    pub(super) fn body(&self, case: &Case) -> Vec<u8> {
        let mut body = self.fixed.clone();
        let mut said = spoken(&case.input);
        match (&self.instructions, self.api) {
            (Some(instructions), Api::Chat) => said.insert(0, message("system", instructions)),
            (Some(instructions), Api::Responses) => {
                drop(body.insert("instructions".into(), instructions.clone().into()))
            }
            (None, _) => {}
        }
        let place = if self.api == Api::Chat { "messages" } else { "input" };
        body.insert(place.into(), said.into());
        Value::Object(body).to_string().into_bytes()
    }
}

/// How requests to these APIs are made.
pub(crate) fn caller(
    chat: &Chat,
    credentials: &Credentials,
    setting: &Setting,
    time: Duration,
) -> Result<Caller, Fault> {
    let path = match chat.api {
        Api::Chat => "chat/completions",
        Api::Responses => "responses",
    };
    let mut headers = headers(&chat.headers, credentials)?;
    if let Some(key) = &chat.key {
        let bearer = format!("Bearer {}", credentials.resolve(key)?.trim());
        headers.insert("authorization", value("authorization", &bearer)?);
    }
    let endpoint = setting.client.endpoint(&chat.base_url)?.at(path);
    Ok(Caller { endpoint, headers, callee: Callee::Agent, most: setting.limits.answer, time })
}

/// The messages of an input. What a tool said is told as the user's words: a case has no ids that would tie it to a call.
pub(super) fn spoken(input: &Input) -> Vec<Value> {
    match input {
        Input::Conversation(messages) => messages
            .iter()
            .map(|said| match said.role.as_str() {
                "tool" => message("user", &format!("Result of a tool:\n{}", said.content)),
                role => message(role, &said.content),
            })
            .collect(),
        other => vec![message("user", &other.text())],
    }
}

fn message(role: &str, content: &str) -> Value {
    json!({"role": role, "content": content})
}

/// The body of an answer, which must be JSON, and may still be an error.
pub(crate) fn json_of(answer: &Answer) -> Result<Value, Fault> {
    let json: Value =
        serde_json::from_slice(&answer.body).map_err(|why| malformed(format!("the answer is not JSON: {why}")))?;
    match json.get("error").filter(|error| !error.is_null()) {
        Some(_) => Err(Fault::new(FaultKind::Refused, format!("an error came back: {}", complaint(&answer.body)))),
        None => Ok(json),
    }
}

/// A chat completion.
pub(crate) fn read_chat(json: &Value) -> Result<Reply, Fault> {
    let choice = json.pointer("/choices/0").ok_or_else(|| malformed("the answer has no `choices`"))?;
    let message = choice.get("message").filter(|message| message.is_object());
    let message = message.ok_or_else(|| malformed("the answer has no `choices[0].message`"))?;
    let tool_calls = message.get("tool_calls").map(calls).transpose().map_err(malformed)?.unwrap_or_default();
    let refusal = message.get("refusal").and_then(Value::as_str);
    let text = match message.get("content") {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(parts)) => Some(parts.iter().filter_map(|part| part.get("text")?.as_str()).collect()),
        _ => None,
    };
    let finish = choice.get("finish_reason").and_then(Value::as_str).and_then(reason);
    kept(text.as_deref().unwrap_or_default(), finish.as_deref(), refusal)?;
    if text.is_none() && tool_calls.is_empty() && finish.is_none() {
        return Err(malformed("the answer has neither `content` nor `tool_calls`"));
    }
    Ok(Reply {
        text: text.unwrap_or_default(),
        tool_calls,
        usage: json.get("usage").and_then(usage),
        model: json.get("model").and_then(word),
        cut_short: finish,
        ..Reply::default()
    })
}

fn read_responses(json: &Value) -> Result<Reply, Fault> {
    let items = json.get("output").and_then(Value::as_array);
    let items = items.ok_or_else(|| malformed("the answer has no `output`"))?;
    let status = json.get("status").and_then(Value::as_str);
    if let Some(status @ ("failed" | "cancelled" | "queued" | "in_progress")) = status {
        return Err(Fault::new(FaultKind::Refused, format!("the response is `{status}`")));
    }
    let mut reply =
        Reply { usage: json.get("usage").and_then(usage), model: json.get("model").and_then(word), ..Reply::default() };
    let mut refusal = None;
    for item in items {
        match item.get("type").and_then(Value::as_str) {
            Some("message") => {
                let parts = item.get("content").and_then(Value::as_array).into_iter().flatten();
                for part in parts {
                    reply.text.push_str(part.get("text").and_then(Value::as_str).unwrap_or_default());
                    refusal = refusal.or(part.get("refusal").and_then(Value::as_str));
                }
            }
            Some("function_call") => reply.tool_calls.extend(calls(item).map_err(malformed)?),
            _ => {}
        }
    }
    if status == Some("incomplete") {
        let why = json.pointer("/incomplete_details/reason").and_then(Value::as_str);
        reply.cut_short = Some(why.and_then(reason).unwrap_or_else(|| "incomplete".into()));
    }
    kept(&reply.text, reply.cut_short.as_deref(), refusal)?;
    Ok(reply)
}
