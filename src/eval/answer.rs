//! What came back for one case: the agent's answer, or why there is none, and what was observed on the way.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resource::Digest;

use super::decimal::Decimal;

/// One call of the agent, repeated attempts included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The answer, or why there is none.
    pub reply: Result<Reply, Fault>,
    /// From the request to the last byte of the answer, of the attempt that was answered, in microseconds; for a
    /// call that timed out, its time limit. Waiting in a queue, pauses and other attempts are not in it. 0 where it is
    /// not known: a recording that does not say it, or a call that never came to a request.
    pub latency_us: u64,
    /// From the first request to the end, pauses and repeated attempts included, in microseconds.
    pub total_us: u64,
    /// How many requests were sent.
    pub attempts: u32,
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reply {
    /// The text; empty where the agent said nothing.
    pub text: String,
    /// The tools that it called, in order.
    pub tool_calls: Vec<ToolCall>,
    /// Tokens, where the target counts them.
    pub usage: Option<Usage>,
    /// What the call cost in US dollars, where the target itself says so.
    pub cost: Option<Decimal>,
    /// The model that answered, as the target names it.
    pub model: Option<String>,
    /// The version of the agent that answered, where the target names it.
    pub agent_version: Option<String>,
    /// Why the answer ended, where that is not as usual: `length`, `content_filter`.
    pub cut_short: Option<String>,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool.
    pub name: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Value,
}

/// Tokens of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Tokens read, those from a cache included.
    pub input: u64,
    /// Tokens written, those of reasoning included.
    pub output: u64,
}

/// Why there is no answer. The message says what happened, holds no credential, and is cut to a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What sort of failure it is.
    pub kind: FaultKind,
    /// What happened.
    pub message: String,
}

/// The sorts of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// No answer within the time limit.
    Timeout,
    /// The other side could not be reached, or broke off.
    Connection,
    /// The other side said no: a status, or an error in its own words.
    Refused,
    /// The credentials are missing or not taken.
    Credentials,
    /// Too many requests, or none left, also after waiting.
    Limit,
    /// The answer is larger than joch reads.
    TooLarge,
    /// The answer is not what it should be.
    Malformed,
    /// Nothing was recorded for this case.
    NotRecorded,
}

impl Reply {
    /// Digest of what the agent said and did; opinions and scores of programs name it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(serde_json::json!([self.text, self.tool_calls]).to_string())
    }
}

impl Usage {
    /// Both together. What an endpoint counts is believed as far as a count goes, and no sum goes beyond.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self { input: self.input.saturating_add(more.input), output: self.output.saturating_add(more.output) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl Fault {
    /// A failure of this sort; its message is cut to one line of at most 300 characters.
    #[must_use]
    pub fn new(kind: FaultKind, message: impl AsRef<str>) -> Self {
        let line: String = message.as_ref().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
        Self { kind, message: line }
    }

    /// Whether the agent had its time and did not answer.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind == FaultKind::Timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_tokens_never_goes_beyond_the_most() {
        let most = Usage { input: u64::MAX, output: 1 };
        assert_eq!(most.plus(most), Usage { input: u64::MAX, output: 2 });
    }
}
