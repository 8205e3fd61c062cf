//! What a resource is called: kind, namespace and name.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use super::name::DEFAULT_NAMESPACE;

/// Kind, namespace and name of a resource; all three are always known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ResourceId {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace, `default` where the file names none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ResourceId {
    /// The id of these three.
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }

    /// The id of an agent.
    pub fn agent(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self::new(Kind::Agent, namespace, name)
    }

    /// The words of a command that mean it: `agent support-triage`, with `-n` outside the default namespace.
    #[must_use]
    pub fn words(&self) -> String {
        let namespace =
            if self.namespace == DEFAULT_NAMESPACE { String::new() } else { format!(" -n {}", self.namespace) };
        format!("{} {}{namespace}", self.kind.singular(), self.name)
    }

    /// `agent/default/support-triage`: the id in full, as in tags and records.
    #[must_use]
    pub fn full(&self) -> String {
        format!("{}/{}/{}", self.kind.singular(), self.namespace, self.name)
    }
}

/// `agent/support-triage`, and `agent/team-a/support-triage` outside the default namespace.
impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace == DEFAULT_NAMESPACE {
            write!(f, "{}/{}", self.kind.singular(), self.name)
        } else {
            f.write_str(&self.full())
        }
    }
}

/// A mention of a resource in another: its namespace may be left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The kind that the field takes.
    pub kind: Kind,
    /// The namespace, if the mention names one.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl Reference {
    /// Where to look, in order: the namespace that is named, else the referrer's own and then `default`.
    #[must_use]
    pub fn candidates(&self, referrer_namespace: &str) -> Vec<ResourceId> {
        let id = |namespace: &str| ResourceId::new(self.kind.clone(), namespace, &self.name);
        match &self.namespace {
            Some(namespace) => vec![id(namespace)],
            None if referrer_namespace == DEFAULT_NAMESPACE => vec![id(DEFAULT_NAMESPACE)],
            None => vec![id(referrer_namespace), id(DEFAULT_NAMESPACE)],
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.kind.singular(), self.name),
            None => write!(f, "{}/{}", self.kind.singular(), self.name),
        }
    }
}
