//! One component of an agent version, in no format's words.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::resource::{Digest, Kind, ResourceId};

/// A component. Its fields stand in the order of their names, because the digest of a graph is over them as they are
/// written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// Where it is reached, each without what may be secret in an address.
    pub addresses: BTreeSet<String>,
    /// How confidential it is, as its resource says.
    pub classification: Option<String>,
    /// The references of the components that it uses.
    pub depends_on: BTreeSet<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Digest of its content; for an agent that of its closure.
    pub digest: Option<Digest>,
    /// What else is known of it: names in the `joch` namespace, each with a value.
    pub facts: BTreeSet<(String, String)>,
    /// Its namespace; of a model its provider.
    pub group: Option<String>,
    /// Its name.
    pub name: String,
    /// The version number that a ledger gave to its content: a name, and no part of what it is.
    #[serde(skip)]
    pub number: Option<u64>,
    /// Its version in the world outside of the ledger.
    pub outside: Option<Outside>,
    /// Its package URL.
    pub purl: Option<String>,
    /// What it is called in this graph, unique there.
    pub reference: String,
    /// SHA-256 of what it is outside of the ledger, in hex: of an image, its digest.
    pub sha256: Option<String>,
    /// What sort of thing it is.
    pub sort: Sort,
    /// Who makes or serves it.
    pub supplier: Option<String>,
    /// Which resource it is, or what it is instead.
    pub what: What,
}

/// Which resource a component is, or what it is instead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// A resource of the closure.
    Resource(ResourceId),
    /// A container image.
    Image,
    /// An agent outside of the closure, to which this one may hand over.
    Peer,
}

/// What sort of thing a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Sort {
    /// An agent, or a tool that it calls.
    Application,
    /// What an agent is written in.
    Framework,
    /// A container image.
    Container,
    /// A model.
    Model,
    /// Knowledge.
    Dataset,
    /// A rule, a limit, or another record that configures.
    Configuration,
    /// Something that is reached over a protocol, and not shipped.
    Service,
}

/// A version in the world outside of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outside {
    /// What says it: `pinnedVersion`, `model`, `tag`.
    pub field: &'static str,
    /// The version.
    pub version: String,
}

impl Component {
    /// The resource that it is.
    #[must_use]
    pub fn id(&self) -> Option<&ResourceId> {
        match &self.what {
            What::Resource(id) => Some(id),
            What::Image | What::Peer => None,
        }
    }

    /// The version that a bill tells: that of the world outside where there is one, else the ledger's number. A model
    /// has none of its own, because its name is its version.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        /// A version longer than this is none that a bill can hold.
        const LONGEST: usize = 1024;
        let version = match (&self.outside, self.id().map(|id| &id.kind)) {
            (_, Some(Kind::Model)) => None,
            (Some(outside), Some(Kind::McpServer) | None) => Some(outside.version.clone()),
            (_, Some(_)) => self.number.map(|number| number.to_string()),
            (None, None) => None,
        };
        version.filter(|version| version.chars().count() <= LONGEST)
    }

    /// The word for what it is, as lists tell it: a kind, `image` or `a2a-peer`.
    #[must_use]
    pub fn word(&self) -> String {
        match &self.what {
            What::Resource(id) => id.kind.singular(),
            What::Image => "image".to_owned(),
            What::Peer => "a2a-peer".to_owned(),
        }
    }

    /// What the Agent Control Standard calls it, where that has a word.
    #[must_use]
    pub fn acs_type(&self) -> Option<&'static str> {
        let kind = match &self.what {
            What::Resource(id) => &id.kind,
            What::Peer => return Some("a2a_peer"),
            What::Image => return None,
        };
        Some(match kind {
            Kind::Model => "model",
            Kind::McpServer => "mcp_server",
            Kind::Tool => "tool",
            Kind::KnowledgeSource | Kind::Rag => "knowledge_source",
            Kind::Memory => "memory_store",
            Kind::Agent => "agent_capability",
            _ => return None,
        })
    }
}
