//! How far the effects of a tool reach.

use crate::closure::Closure;
use crate::resource::{Kind, Map, Value};

use super::whole::{Level, Part, Whole};

/// How far, the least first: what leaves the machine reaches further than what stays, people further than systems,
/// money further than words, and code may do all of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words of the published records")]
pub enum Reach {
    ReadOnly,
    LocalWrite,
    ExternalWrite,
    Communication,
    Financial,
    CodeExecution,
    Privileged,
}

impl Reach {
    /// All of them, the least first.
    pub const ALL: [Self; 7] = [
        Self::ReadOnly,
        Self::LocalWrite,
        Self::ExternalWrite,
        Self::Communication,
        Self::Financial,
        Self::CodeExecution,
        Self::Privileged,
    ];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::LocalWrite => "local_write",
            Self::ExternalWrite => "external_write",
            Self::Communication => "communication",
            Self::Financial => "financial",
            Self::CodeExecution => "code_execution",
            Self::Privileged => "privileged",
        }
    }

    /// What a word means; `None` for any other.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reach| reach.word() == word)
    }

    /// What a Tool says; one that does not say it may do anything.
    pub(super) fn of(tool: &Part) -> Self {
        tool.text(&["sideEffects", "level"]).and_then(Self::from_word).unwrap_or(Self::Privileged)
    }
}

/// What a Tool says of its reach, in words.
pub(super) fn said(tool: &Part) -> String {
    match tool.at(&["sideEffects", "level"]) {
        None => "not said, which counts as `privileged`".to_owned(),
        Some(Value::Text(word)) if Reach::from_word(word.trim()).is_some() => format!("`{}`", word.trim()),
        Some(Value::Text(word)) => format!("{}, which counts as `privileged`", super::found::shown(word)),
        Some(_) => "no word, which counts as `privileged`".to_owned(),
    }
}

/// The furthest that any tool of a closure reaches, those of its children included. An MCP server with tools that no
/// Tool describes may do anything.
#[must_use]
pub fn highest_reach(closure: &Closure, defaults: &Map) -> Reach {
    of_whole(&Whole::of(closure, defaults))
}

pub(super) fn of_whole(whole: &Whole) -> Reach {
    let tools = whole.of_kind(&Kind::Tool).map(Reach::of);
    let servers = whole.levels.iter().flat_map(|level| level.of_kind(&Kind::McpServer).map(move |part| (level, part)));
    let unknown = servers.filter(|(level, server)| offers_more(level, server)).map(|_| Reach::Privileged);
    tools.chain(unknown).max().unwrap_or(Reach::ReadOnly)
}

/// Whether an MCP server offers tools that no Tool of the level describes, as far as its record says.
pub(super) fn offers_more(level: &Level, server: &Part) -> bool {
    let described = |name: &str| {
        level.of_kind(&Kind::Tool).any(|tool| {
            let of_server = tool
                .at(&["mcpServerRef"])
                .and_then(|named| named.as_text().or_else(|| named.get("name").and_then(Value::as_text)));
            let called = &tool.id().name;
            of_server == Some(server.id().name.as_str())
                && (called == name || called.rsplit_once('.').is_some_and(|(_, last)| last == name))
        })
    };
    match server.at(&["exposes", "tools"]) {
        Some(Value::List(names)) => !names.iter().all(|name| name.as_text().is_some_and(described)),
        Some(Value::Bool(false)) => false,
        Some(Value::Text(name)) => !described(name),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{Effect, between};
    use crate::resource::ResourceId;

    #[test]
    fn the_order_is_the_one_by_which_a_diff_says_widens() {
        let id = ResourceId::new(Kind::Tool, "default", "t");
        let body = |reach: Reach| {
            let json = format!(r#"{{"spec": {{"sideEffects": {{"level": "{}"}}}}}}"#, reach.word());
            serde_json::from_str::<Value>(&json).expect("written here")
        };
        for pair in Reach::ALL.windows(2) {
            let changes = between(&id, Some(&body(pair[0])), Some(&body(pair[1])));
            assert_eq!(changes[0].effect, Some(Effect::Widens), "{pair:?}");
        }
    }
}
