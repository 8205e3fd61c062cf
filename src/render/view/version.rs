//! `joch version`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Page, View};

/// Which joch this is, and which formats it reads and writes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionInfo {
    /// The version of joch.
    pub version: &'static str,
    /// The canonical form of resources.
    pub canonical_form: u32,
    /// The schema of manifests.
    pub manifest: &'static str,
    /// The schema of release records.
    pub record: &'static str,
}

impl VersionInfo {
    /// Of this program.
    #[must_use]
    pub fn of_this() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            canonical_form: crate::resource::canonical::FORM,
            manifest: crate::release::Manifest::SCHEMA,
            record: crate::release::SCHEMA,
        }
    }
}

impl View for VersionInfo {
    fn kind(&self) -> &'static str {
        "VersionInfo"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        page.line(format!("joch {}", self.version));
        if wide {
            page.field("canonical form", self.canonical_form.to_string());
            page.field("manifest", self.manifest);
            page.field("record", self.record);
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.version.to_owned()]
    }
}
