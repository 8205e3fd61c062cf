//! What a rule's `when` may ask about: every key, what it takes, and when it can be known.

use crate::resource::name::nearest;

/// One key of a `when`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As it is written, such as `tool.sideEffect`.
    pub name: &'static str,
    /// What it is a property of.
    pub family: Family,
    /// What values it has.
    pub takes: Takes,
    /// What it tells, in a few words.
    pub doc: &'static str,
}

/// What a fact is a property of. A rule is judged once for every one of these that the agent has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// The agent itself.
    Agent,
    /// One of its tools.
    Tool,
    /// One of its MCP servers.
    Server,
    /// One of the Models that may answer for it.
    Model,
    /// One run of it, as far as that can be projected.
    Run,
    /// One call while it runs: nothing that can be known before.
    Runtime,
}

/// What values a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// Whatever the runtime compares.
    Anything,
}

/// What stands before the name of a label.
pub(super) const LABELS: &str = "agent.labels";

const fn key(name: &'static str, family: Family, takes: Takes, doc: &'static str) -> Key {
    Key { name, family, takes, doc }
}

/// Every key, in order of name.
pub static KEYS: &[Key] = &[
    key("agent.env", Family::Agent, Takes::Text, "the environment that it would run in"),
    key("agent.framework", Family::Agent, Takes::Text, "the framework of its adapter"),
    key("agent.labels", Family::Agent, Takes::Text, "one of its labels, as `agent.labels.KEY`; `env` is the target"),
    key("agent.name", Family::Agent, Takes::Text, "its name"),
    key("agent.namespace", Family::Agent, Takes::Text, "its namespace"),
    key("cost.runUsd", Family::Run, Takes::Number, "what a run costs, as projected from evals, in US dollars"),
    key("data.contains", Family::Runtime, Takes::Anything, "what data of a call holds"),
    key("env", Family::Agent, Takes::Text, "the same as `agent.env`"),
    key("framework", Family::Agent, Takes::Text, "the same as `agent.framework`"),
    key("mcpResult.injectionScan.hit", Family::Runtime, Takes::Anything, "what a scan of a result found"),
    key("mcpServer.name", Family::Server, Takes::Text, "its name"),
    key("mcpServer.schemaDrift", Family::Server, Takes::Bool, "whether its tools changed, as observed"),
    key("mcpServer.trustScore", Family::Server, Takes::Number, "how far it is trusted, from 0 to 1, as observed"),
    key("model.name", Family::Model, Takes::Text, "the name of the Model, or of the model with its provider"),
    key("model.provider", Family::Model, Takes::Text, "who serves it"),
    key("model.region", Family::Model, Takes::Text, "a region that may serve it"),
    key("model.tier", Family::Model, Takes::Text, "its label `tier`"),
    key("namespace", Family::Agent, Takes::Text, "the same as `agent.namespace`"),
    key("tool.name", Family::Tool, Takes::Text, "its name"),
    key("tool.requiresApproval", Family::Tool, Takes::Bool, "whether a person allows each call"),
    key("tool.sideEffect", Family::Tool, Takes::Word(crate::resource::fields::LEVELS), "how far its effects reach"),
    key("tool.type", Family::Tool, Takes::Word(&["function", "rest", "mcp", "os"]), "how it is called"),
];

/// The key of this name; `agent.labels.KEY` is one for every `KEY`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    let label = name.strip_prefix(LABELS).and_then(|rest| rest.strip_prefix('.')).is_some_and(|key| !key.is_empty());
    let name = if label { LABELS } else { name };
    KEYS.iter().find(|key| key.name == name)
}

/// The key that was likely meant.
#[must_use]
pub fn meant(name: &str) -> Option<&'static str> {
    nearest(name, KEYS.iter().map(|key| key.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_order_and_a_label_is_found_by_its_prefix() {
        assert!(KEYS.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(find("agent.labels.team").map(|key| key.name), Some("agent.labels"));
        assert_eq!(find("agent.labels."), None);
        assert_eq!(meant("tool.sideEffects"), Some("tool.sideEffect"));
    }
}
