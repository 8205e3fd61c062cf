//! Where a resource stands, and where it stood: what lists, histories and descriptions are made of.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::OverrideStanding;
use crate::resource::Digest;

use super::event::{Event, Word};

/// What one environment has of a resource, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The environment.
    pub environment: String,
    /// The version; none where the content has no number.
    pub version: Option<u64>,
    /// Digest of the content.
    pub digest: Option<Digest>,
    /// The release that brought it there.
    pub release: Option<String>,
    /// When that was.
    pub time: Option<DateTime<Utc>>,
    /// Who did it.
    pub operator: Option<String>,
    /// What was overridden for it, and by whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overridden: Option<OverrideStanding>,
}

/// One version, or one release of it, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Past {
    /// Its number; none for a deletion, and for what stands on trust.
    pub version: Option<u64>,
    /// Digest of its content; none for a deletion.
    pub digest: Option<Digest>,
    /// The commit that first held it; for one release, that release's.
    pub commit: String,
    /// When that was.
    pub time: DateTime<Utc>,
    /// Who did it.
    pub operator: String,
    /// What it did to the resource.
    pub change: Word,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// The releases that brought it somewhere, newest first.
    pub events: Vec<Happened>,
}

/// A release that brought a version into an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Happened {
    /// The release, such as `prod/41`.
    pub release: String,
    /// What it was.
    pub event: Event,
    /// The environment.
    pub environment: String,
    /// When.
    pub time: DateTime<Utc>,
    /// Who did it.
    pub operator: String,
    /// What was overridden for it, and by whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overridden: Option<OverrideStanding>,
}
