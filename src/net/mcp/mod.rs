//! MCP servers: what tools they offer, asked over streamable HTTP or over the streams of a program, and nothing else.
//!
//! joch only ever lists. Of the protocol it speaks the handshake with `initialize` and, where a server has none any
//! more, the requests that carry their version themselves.

mod conversation;
mod events;
mod http;
mod message;
mod program;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::eval::{self, Fault, FaultKind, Text};
use crate::resource::Value;

use super::credentials::Credentials;
use super::setting::Setting;
use conversation::Conversation;

/// Where a server is.
#[derive(Debug, Clone, PartialEq)]
pub enum Server {
    /// At an address, over streamable HTTP, with these headers.
    Http {
        /// The address.
        url: String,
        /// Headers of every request.
        headers: BTreeMap<String, Text>,
    },
    /// A program that is started, asked on its standard input and heard on its standard output.
    Program(eval::Command),
}

/// What a server said.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The name that it gives itself.
    pub name: Option<String>,
    /// The version that it gives itself.
    pub version: Option<String>,
    /// The version of the protocol that was spoken.
    pub protocol: String,
    /// What it tells every model that uses it.
    pub instructions: Option<String>,
    /// Its tools, as it sent them and in its order, over all pages.
    pub tools: Vec<Value>,
}

/// What is too much, and too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long one answer may take.
    pub answer: Duration,
    /// How long all of it may take.
    pub whole: Duration,
    /// Most bytes that are read, of all answers together.
    pub bytes: usize,
    /// Most pages of a list.
    pub pages: usize,
    /// Most tools on them.
    pub tools: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            whole: Duration::from_secs(120),
            bytes: 4 << 20,
            pages: 100,
            tools: crate::bom::offer::MOST_TOOLS,
        }
    }
}

/// Asks a server what tools it offers. Credentials that it repeats are masked.
///
/// # Errors
/// It cannot be reached or started, wants other credentials, breaks the protocol, or goes beyond the bounds.
pub fn hear(server: &Server, credentials: &Credentials, setting: &Setting, bounds: Bounds) -> Result<Heard, Fault> {
    let all = credentials.with(server.written_in_the_open());
    let heard = super::block_on(ask(server, credentials, setting, bounds))?;
    heard.map(|heard| masked(heard, &all)).map_err(|fault| all.mask_fault(fault))
}

impl Server {
    /// What stands in the resource itself, in a place where credentials stand.
    fn written_in_the_open(&self) -> impl Iterator<Item = &str> {
        let texts = match self {
            Self::Http { headers, .. } => headers,
            Self::Program(command) => &command.variables,
        };
        texts.values().filter_map(|text| match text {
            Text::Plain(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

async fn ask(server: &Server, credentials: &Credentials, setting: &Setting, bounds: Bounds) -> Result<Heard, Fault> {
    let mut conversation = Conversation::open(server, credentials, setting, bounds)?;
    let heard = tokio::time::timeout(bounds.whole, conversation.hear()).await;
    let shown = conversation.shown();
    conversation.close().await;
    heard.unwrap_or_else(|_| {
        let why = format!("{shown} was not through with its list after {:?}", bounds.whole);
        Err(Fault::new(FaultKind::Timeout, why))
    })
}

fn masked(heard: Heard, credentials: &Credentials) -> Heard {
    let text = |text: Option<String>| text.map(|text| credentials.mask(&text));
    Heard {
        name: text(heard.name),
        version: text(heard.version),
        protocol: credentials.mask(&heard.protocol),
        instructions: text(heard.instructions),
        tools: heard.tools.into_iter().map(|tool| credentials.mask_value(tool)).collect(),
    }
}
