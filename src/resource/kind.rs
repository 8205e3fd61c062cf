//! The kinds of resources, and how each is spelt in files, on the command line, in paths and in tags.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of a resource.
///
/// The order is the order in which kinds are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", from = "String")]
#[expect(missing_docs, reason = "each variant is the kind of its name; the table below says the rest")]
pub enum Kind {
    Agent,
    FrameworkAdapter,
    Model,
    ModelRoute,
    Tool,
    McpServer,
    Memory,
    Rag,
    KnowledgeSource,
    Policy,
    Budget,
    Eval,
    Deployment,
    Environment,
    Team,
    Approval,
    Secret,
    AgBom,
    /// A kind of a `*.joch.dev` group that release management does not know: kept, versioned and
    /// diffed as data.
    Other(String),
}

/// How one kind is spelt.
struct Row {
    kind: Kind,
    /// As in `kind:` of a file.
    name: &'static str,
    /// Kebab case, as in tags: `mcp-server`.
    singular: &'static str,
    /// As in paths and on the command line: `mcp-servers`.
    plural: &'static str,
    /// Short forms for the command line.
    short: &'static [&'static str],
    /// The group under which canonical records stand.
    group: &'static str,
}

const TABLE: [Row; 18] = [
    Row { kind: Kind::Agent, name: "Agent", singular: "agent", plural: "agents", short: &["ag"], group: "joch.dev" },
    Row {
        kind: Kind::FrameworkAdapter,
        name: "FrameworkAdapter",
        singular: "framework-adapter",
        plural: "adapters",
        short: &["adapter", "framework-adapters"],
        group: "runtime.joch.dev",
    },
    Row { kind: Kind::Model, name: "Model", singular: "model", plural: "models", short: &[], group: "model.joch.dev" },
    Row {
        kind: Kind::ModelRoute,
        name: "ModelRoute",
        singular: "model-route",
        plural: "model-routes",
        short: &["mr"],
        group: "model.joch.dev",
    },
    Row { kind: Kind::Tool, name: "Tool", singular: "tool", plural: "tools", short: &[], group: "tools.joch.dev" },
    Row {
        kind: Kind::McpServer,
        name: "MCPServer",
        singular: "mcp-server",
        plural: "mcp-servers",
        short: &["mcp"],
        group: "tools.joch.dev",
    },
    Row {
        kind: Kind::Memory,
        name: "Memory",
        singular: "memory",
        plural: "memories",
        short: &[],
        group: "memory.joch.dev",
    },
    Row { kind: Kind::Rag, name: "RAG", singular: "rag", plural: "rag", short: &["rags"], group: "memory.joch.dev" },
    Row {
        kind: Kind::KnowledgeSource,
        name: "KnowledgeSource",
        singular: "knowledge-source",
        plural: "knowledge-sources",
        short: &[],
        group: "memory.joch.dev",
    },
    Row {
        kind: Kind::Policy,
        name: "Policy",
        singular: "policy",
        plural: "policies",
        short: &["pol"],
        group: "joch.dev",
    },
    Row {
        kind: Kind::Budget,
        name: "Budget",
        singular: "budget",
        plural: "budgets",
        short: &[],
        group: "ops.joch.dev",
    },
    Row { kind: Kind::Eval, name: "Eval", singular: "eval", plural: "evals", short: &["ev"], group: "ops.joch.dev" },
    Row {
        kind: Kind::Deployment,
        name: "Deployment",
        singular: "deployment",
        plural: "deployments",
        short: &["deploy"],
        group: "ops.joch.dev",
    },
    Row {
        kind: Kind::Environment,
        name: "Environment",
        singular: "environment",
        plural: "environments",
        short: &["env"],
        group: "ops.joch.dev",
    },
    Row { kind: Kind::Team, name: "Team", singular: "team", plural: "teams", short: &[], group: "ops.joch.dev" },
    Row {
        kind: Kind::Approval,
        name: "Approval",
        singular: "approval",
        plural: "approvals",
        short: &[],
        group: "joch.dev",
    },
    Row { kind: Kind::Secret, name: "Secret", singular: "secret", plural: "secrets", short: &[], group: "joch.dev" },
    Row { kind: Kind::AgBom, name: "AgBOM", singular: "agbom", plural: "agboms", short: &[], group: "ops.joch.dev" },
];

/// The groups in use. The same kind is published under `joch.dev` and under its own group.
pub const GROUPS: [&str; 6] =
    ["joch.dev", "model.joch.dev", "tools.joch.dev", "memory.joch.dev", "ops.joch.dev", "runtime.joch.dev"];

/// The one version of the resource format.
pub const VERSION: &str = "v1alpha1";

impl Kind {
    /// Every kind that release management knows, in listing order.
    pub fn known() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.kind.clone())
    }

    /// The kind written `name` in a file: `MCPServer`. Case counts. A kind that is not known is
    /// [`Kind::Other`].
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        TABLE.iter().find(|row| row.name == name).map_or_else(|| Self::Other(name.to_owned()), |row| row.kind.clone())
    }

    /// The known kind that a person means by `word`: singular, plural, short or as in a file, in any case.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        TABLE
            .iter()
            .find(|row| {
                row.name.eq_ignore_ascii_case(&word)
                    || row.singular == word
                    || row.plural == word
                    || row.plural.replace('-', "") == word
                    || row.short.contains(&word.as_str())
            })
            .map(|row| row.kind.clone())
    }

    /// The known kind of a tag or path segment in kebab case, singular; or another kind so spelt.
    #[must_use]
    pub fn from_singular(segment: &str) -> Self {
        TABLE
            .iter()
            .find(|row| row.singular == segment)
            .map_or_else(|| Self::Other(pascal(segment)), |row| row.kind.clone())
    }

    /// As in `kind:` of a file.
    #[must_use]
    pub fn name(&self) -> &str {
        match (self, self.row()) {
            (Self::Other(name), _) => name,
            (_, Some(row)) => row.name,
            (_, None) => unreachable!("every kind but Other has a row"),
        }
    }

    /// Kebab case, as in tags: `mcp-server`.
    #[must_use]
    pub fn singular(&self) -> String {
        self.row().map_or_else(|| kebab(self.name()), |row| row.singular.to_owned())
    }

    /// As in paths: `mcp-servers`.
    #[must_use]
    pub fn plural(&self) -> String {
        self.row().map_or_else(
            || {
                let singular = self.singular();
                if singular.ends_with('s') { singular } else { singular + "s" }
            },
            |row| row.plural.to_owned(),
        )
    }

    /// Shorter forms for the command line.
    #[must_use]
    pub fn short(&self) -> &'static [&'static str] {
        self.row().map_or(&[], |row| row.short)
    }

    /// The apiVersion under which a record of this kind is stored.
    #[must_use]
    pub fn api_version(&self) -> String {
        format!("{}/{VERSION}", self.row().map_or("joch.dev", |row| row.group))
    }

    /// Whether records of this kind live on the trust branch, not in an environment.
    #[must_use]
    pub fn is_trust(&self) -> bool {
        matches!(self, Self::Environment | Self::Team)
    }

    /// Every spelling that [`Kind::from_word`] accepts, for suggestions.
    pub fn words() -> impl Iterator<Item = &'static str> {
        TABLE.iter().flat_map(|row| [row.singular, row.plural].into_iter().chain(row.short.iter().copied()))
    }

    fn row(&self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.kind == *self)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.name().to_owned()
    }
}

impl From<String> for Kind {
    fn from(name: String) -> Self {
        Self::from_name(&name)
    }
}

/// `FeatureFlags` as `feature-flags`.
fn kebab(name: &str) -> String {
    let mut out = String::new();
    let mut after_lower = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && after_lower {
            out.push('-');
        }
        after_lower = !letter.is_ascii_uppercase();
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// `feature-flags` as `FeatureFlags`.
fn pascal(segment: &str) -> String {
    segment
        .split('-')
        .filter_map(|part| {
            let first = part.get(..1)?;
            Some(first.to_ascii_uppercase() + &part[1..])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_may_spell_a_kind_any_way() {
        for word in ["agent", "Agents", "AG", "agents"] {
            assert_eq!(Kind::from_word(word), Some(Kind::Agent));
        }
        for word in ["mcp", "mcp-server", "MCPServers", "mcp-servers", "mcpserver"] {
            assert_eq!(Kind::from_word(word), Some(Kind::McpServer), "{word}");
        }
        assert_eq!(Kind::from_word("nothing"), None);
    }

    #[test]
    fn a_kind_of_its_own_is_spelt_by_rule() {
        let flags = Kind::from_name("FeatureFlags");
        assert_eq!((flags.singular().as_str(), flags.plural().as_str()), ("feature-flags", "feature-flags"));
        assert_eq!(Kind::from_singular("feature-flags"), flags);
    }
}
