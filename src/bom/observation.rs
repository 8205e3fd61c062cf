//! What somebody saw of an MCP server at one time: its tools with their words, signed and dated.
//!
//! A `status` in a file is a claim. An observation says who looked, when, and what stood there.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::{Digest, ResourceId, Value};

/// Names the format of an observation.
pub const OBSERVATION_SCHEMA: &str = "joch.dev/observation/v1";

/// How long an observation counts, in days.
pub const OBSERVATION_DAYS: i64 = 7;

/// The body of an evidence item under `observations/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// Names the format.
    pub schema: String,
    /// The MCP server's resource.
    pub server: ResourceId,
    /// Digest of that resource as it was when somebody looked.
    pub digest: Digest,
    /// When, by the observer's clock, never before what the ledger held then.
    pub observed_at: DateTime<Utc>,
    /// How it was seen: `streamable_http`, `stdio` or `file`.
    pub transport: String,
    /// The name and version that the server gives itself.
    pub server_name: Option<String>,
    /// See `server_name`.
    pub server_version: Option<String>,
    /// The version of the protocol that was spoken.
    pub protocol_version: Option<String>,
    /// What it offers, by name.
    pub tools: Vec<ToolDefinition>,
    /// Digest of `tools`.
    pub tools_digest: Digest,
    /// How far the server is trusted, from 0 to 1, in the words of whoever scored it.
    pub trust_score: Option<Value>,
    /// Who scored it.
    pub trust_source: Option<String>,
}

/// One tool as its server describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolDefinition {
    /// Its name.
    pub name: String,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// What it says it does; models read this.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// What it takes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input_schema: Option<Value>,
    /// What it gives.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output_schema: Option<Value>,
    /// What it claims about its effects.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub annotations: Option<Value>,
}
