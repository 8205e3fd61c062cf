//! One case of a dataset: what the agent is asked, and what is known of a good answer.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::resource::Digest;

/// One case, whatever the format it was written in.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it is called; no two cases of a dataset share it.
    pub id: String,
    /// What the agent is asked.
    pub input: Input,
    /// The answer, or what it should do.
    pub expected: Option<Value>,
    /// What a judge looks for in this case, point by point.
    pub rubric: Vec<String>,
    /// The tools that should be called; an empty list means none, and no list that nobody said.
    pub expected_tools: Option<Vec<ExpectedCall>>,
    /// Words to group cases by.
    pub tags: Vec<String>,
    /// Whatever else the dataset says.
    pub metadata: Map<String, Value>,
}

/// What an agent is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Input {
    /// One message of a person.
    Text(String),
    /// A conversation so far; the last message waits for an answer.
    Conversation(Vec<Message>),
    /// Anything else, for targets that take structured input.
    Data(Value),
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// What is said.
    pub content: String,
}

/// A tool call that a case expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedCall {
    /// The tool.
    pub name: String,
    /// Its arguments, where they matter.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arguments: Option<Value>,
}

impl Input {
    /// What is asked as one text: a conversation one message a line, data as JSON.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Conversation(messages) => {
                messages.iter().map(|message| format!("{}: {}\n", message.role, message.content)).collect()
            }
            Self::Data(data) => data.to_string(),
        }
    }
}

impl Case {
    /// Digest of all that the case says; two cases that differ in their id alone differ.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let said = serde_json::json!({
            "id": self.id,
            "input": self.input,
            "expected": self.expected,
            "rubric": self.rubric,
            "expectedTools": self.expected_tools,
            "tags": self.tags,
            "metadata": self.metadata,
        });
        // Keys come sorted: `serde_json` keeps maps as B-trees.
        Digest::of(said.to_string())
    }
}
