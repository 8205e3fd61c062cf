//! How an agent is reached: the `invoke` of a Deployment or of an Eval, understood.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::resource::{Digest, Value};

mod facts;
mod fields;
mod read;

pub use facts::{AgentFacts, ModelFacts};

/// How an agent is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    /// By which protocol.
    pub protocol: Protocol,
    /// How long one call may take, in milliseconds.
    pub timeout_ms: u64,
    /// How many calls may be under way at a time; the Eval's own limit counts too.
    pub max_concurrency: Option<u32>,
    /// Digest of the `invoke` that this was read from.
    pub digest: Digest,
}

/// The protocols.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Protocol {
    /// A request of one's own.
    Http(Http),
    /// An API as OpenAI has it.
    OpenAi(Chat),
    /// An API as Anthropic has it.
    Anthropic(Chat),
    /// A program.
    Command(Command),
    /// An agent-to-agent endpoint.
    A2a(A2a),
    /// Recorded answers.
    Replay {
        /// The file, relative to the project.
        file: String,
    },
}

/// A request of one's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Http {
    /// The address.
    pub url: String,
    /// `POST` unless said otherwise.
    pub method: String,
    /// Headers.
    pub headers: BTreeMap<String, Text>,
    /// A JSON template; `{{input}}` stands for the input of the case.
    pub body: Option<serde_json::Value>,
    /// JSONPath of the answer's text; where none is given, the field of a usual name, or a body that is plain text.
    pub output: Option<String>,
    /// JSONPath of the tool calls; looked for where they usually stand where none is given.
    pub tool_calls: Option<String>,
    /// JSONPath of the tokens; looked for under `usage` where none is given.
    pub usage: Option<String>,
    /// JSONPath of the cost in US dollars; looked for as `cost_usd`, `costUsd` or `cost` where none is given.
    pub cost: Option<String>,
}

/// A chat API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// The address up to the API's own paths, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The model to ask for.
    pub model: String,
    /// The key.
    pub key: Option<Text>,
    /// More headers.
    pub headers: BTreeMap<String, Text>,
    /// Which of the APIs: `chat` or `responses`.
    pub api: Api,
    /// What the model is told before the case.
    pub instructions: Option<String>,
    /// Parameters such as `temperature`, passed on as they are.
    pub parameters: serde_json::Map<String, serde_json::Value>,
}

/// The APIs of OpenAI.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// `/chat/completions`
    #[default]
    Chat,
    /// `/responses`
    Responses,
}

/// A program that answers on its standard output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// Program and arguments; a program with a `/` is looked for in the project.
    pub command: Vec<String>,
    /// Whether one process answers many cases, one JSON line each.
    pub lines: bool,
    /// Variables for it beside `PATH` and `HOME`.
    pub variables: BTreeMap<String, Text>,
}

/// An agent-to-agent endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct A2a {
    /// The endpoint.
    pub url: String,
    /// Headers.
    pub headers: BTreeMap<String, Text>,
    /// How it is spoken to; the agent's card says so where none is given.
    pub binding: Option<Binding>,
}

/// How an agent-to-agent endpoint is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Binding {
    /// JSON-RPC 2.0, every call to the one address.
    JsonRpc,
    /// HTTP with JSON, `/message:send` and `/tasks/ID` under the address.
    Http,
}

/// A text that may be kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Text {
    /// It stands here.
    Plain(String),
    /// The Secret of this name in the namespace of whoever refers to it, or in `default`; `NAMESPACE/NAME` in another.
    Secret(String),
    /// The same with a text before it, such as `Bearer `.
    Prefixed {
        /// The text before it.
        prefix: String,
        /// The Secret.
        secret: String,
    },
}

impl Text {
    /// Reads a text that may be in a Secret: the text, or `{secretRef: {name: …}, prefix: …}`.
    ///
    /// # Errors
    /// How it must be written.
    pub fn read(value: &Value) -> Result<Self, String> {
        fields::text_or_secret(value)
    }
}

impl Protocol {
    /// Its word in an `invoke`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::OpenAi(_) => "openai",
            Self::Anthropic(_) => "anthropic",
            Self::Command(_) => "command",
            Self::A2a(_) => "a2a",
            Self::Replay { .. } => "replay",
        }
    }
}

impl Reach {
    /// Whether answers come from the agent itself, and not from a recording.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self.protocol, Protocol::Replay { .. })
    }

    /// The Secrets that it needs, as [`Text`] names them.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<&str> {
        let (key, texts) = match &self.protocol {
            Protocol::Http(http) => (None, Some(&http.headers)),
            Protocol::OpenAi(chat) | Protocol::Anthropic(chat) => (chat.key.as_ref(), Some(&chat.headers)),
            Protocol::Command(command) => (None, Some(&command.variables)),
            Protocol::A2a(a2a) => (None, Some(&a2a.headers)),
            Protocol::Replay { .. } => (None, None),
        };
        key.into_iter().chain(texts.into_iter().flat_map(BTreeMap::values)).filter_map(Text::secret).collect()
    }

    /// Digest of an `invoke`.
    #[must_use]
    pub fn digest_of(invoke: &Value) -> Digest {
        Digest::of(crate::resource::canonical::canonical(invoke))
    }
}

impl Text {
    /// The Secret that it needs, if it needs one.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(secret) | Self::Prefixed { secret, .. } => Some(secret),
        }
    }
}
