//! `release.json`: what the latest release of an environment did. Git keeps the older ones.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::{Digest, Kind, Pinned, ResourceId};

use super::event::{Event, Word};
use super::record::Operator;

/// The manifest of one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Names the format: `joch.dev/release/v1`.
    pub schema: String,
    /// Its number in the environment.
    pub release: u64,
    /// The environment.
    pub environment: String,
    /// What it did.
    pub event: Event,
    /// The release before it, such as `prod/40`.
    pub previous: Option<String>,
    /// The environment that content came from.
    pub source: Option<String>,
    /// Who did it.
    pub operator: Operator,
    /// When, by the operator's clock.
    pub timestamp: DateTime<Utc>,
    /// The trust commit under which it was decided.
    pub trust: String,
    /// The evidence commit under which it was decided.
    pub evidence: String,
    /// The joch that wrote it.
    pub joch: String,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// The agents it changed.
    pub agents: Vec<ManifestAgent>,
    /// The catalog entries it changed.
    pub resources: Vec<ManifestResource>,
    /// The version numbers it gave, each bound to its content: `{kind, namespace, name, version, sha256}`.
    #[serde(with = "minted")]
    #[schemars(with = "Vec<minted::Row>")]
    pub minted: Vec<Pinned>,
}

/// How a manifest writes the numbers it gave: the digest as `sha256sum` prints it.
mod minted {
    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::resource::{Digest, Kind, Pinned};

    /// A version number that a release gave, bound to its content.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[schemars(rename = "Minted")]
    pub(super) struct Row {
        kind: Kind,
        namespace: String,
        name: String,
        version: Option<u64>,
        #[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
        sha256: String,
    }

    pub(super) fn serialize<S: Serializer>(minted: &[Pinned], serializer: S) -> Result<S::Ok, S::Error> {
        let row = |pinned: &Pinned| Row {
            kind: pinned.kind.clone(),
            namespace: pinned.namespace.clone(),
            name: pinned.name.clone(),
            version: pinned.version,
            sha256: pinned.digest.hex(),
        };
        serializer.collect_seq(minted.iter().map(row))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Pinned>, D::Error> {
        let rows = Vec::<Row>::deserialize(deserializer)?;
        let pinned = |row: Row| {
            let digest: Digest = row.sha256.parse().map_err(serde::de::Error::custom)?;
            Ok(Pinned { kind: row.kind, namespace: row.namespace, name: row.name, version: row.version, digest })
        };
        rows.into_iter().map(pinned).collect()
    }
}

/// One agent that a release changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestAgent {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What happened to it.
    pub change: Word,
    /// What ran before.
    pub from_version: Option<u64>,
    /// What runs now.
    pub to_version: Option<u64>,
    /// Digest of the closure that runs now.
    pub digest: Option<Digest>,
}

impl ManifestAgent {
    /// Which agent it is.
    #[must_use]
    pub fn id(&self) -> ResourceId {
        ResourceId::agent(&self.namespace, &self.name)
    }
}

/// One catalog entry that a release changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestResource {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What happened to it.
    pub change: Word,
    /// What stood there before.
    pub from_version: Option<u64>,
    /// What stands there now.
    pub to_version: Option<u64>,
    /// Digest of what stands there now.
    pub digest: Option<Digest>,
}

impl ManifestResource {
    /// Which resource it is.
    #[must_use]
    pub fn id(&self) -> ResourceId {
        ResourceId::new(self.kind.clone(), &self.namespace, &self.name)
    }
}

impl Manifest {
    /// The format this joch writes.
    pub const SCHEMA: &'static str = "joch.dev/release/v1";

    /// `prod/41`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.environment, self.release)
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// A newer schema, or what is not a manifest.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        super::record::read_json(bytes, Self::SCHEMA)
    }

    /// As it is stored: indented JSON in the order of the fields, with a newline at its end.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        super::record::write_json(self)
    }
}
