//! A resource at one version.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::id::ResourceId;
use super::kind::Kind;

/// A resource at one version, as records, descriptions and bills of materials list it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Pinned {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its number; `None` for what stands on the trust branch and was never released.
    pub version: Option<u64>,
    /// Digest of its canonical form.
    pub digest: Digest,
}

impl Pinned {
    /// `id` at `version`, with this content.
    #[must_use]
    pub fn new(id: &ResourceId, version: Option<u64>, digest: Digest) -> Self {
        let ResourceId { kind, namespace, name } = id.clone();
        Self { kind, namespace, name, version, digest }
    }

    /// Which resource it is.
    #[must_use]
    pub fn id(&self) -> ResourceId {
        ResourceId::new(self.kind.clone(), &self.namespace, &self.name)
    }
}

impl fmt::Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id().fmt(f)?;
        match self.version {
            Some(version) => write!(f, " v{version}"),
            None => write!(f, " {}", self.digest.short()),
        }
    }
}
