//! `joch rollback --check`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::Lack;
use crate::render::{Page, View};
use crate::resource::{Digest, ResourceId};

use super::words;

/// The versions that a rollback could take.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RollbackCheck {
    /// What would go back.
    pub resource: ResourceId,
    /// Where.
    pub environment: String,
    /// The version that is taken where none is named.
    pub choice: Option<u64>,
    /// The versions that served last, the newest first; not the one that runs.
    pub versions: Vec<CheckedVersion>,
}

/// One version.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckedVersion {
    /// Its number.
    pub version: u64,
    /// Digest of its content.
    pub digest: Digest,
    /// The release that brought it last.
    pub release: String,
    /// When that was.
    pub served_at: DateTime<Utc>,
    /// `yes`; `warned` where something speaks against it; `no` where it cannot run or was rejected.
    #[schemars(extend("enum" = ["yes", "warned", "no"]))]
    pub can_run: String,
    /// Who holds it, since when and why.
    pub held: Option<String>,
    /// Who rejected it.
    pub rejected_by: Option<String>,
    /// Whether a rollback left it.
    pub left: bool,
    /// What it cannot run without.
    pub missing: Vec<Lack>,
    /// What speaks against it and does not stop it.
    pub warnings: Vec<Lack>,
}

impl View for RollbackCheck {
    fn kind(&self) -> &'static str {
        "RollbackCheck"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        let (id, environment) = (&self.resource, &self.environment);
        if self.versions.is_empty() {
            page.line(format!("`{environment}` has served no other version of {id}"));
        } else {
            let row = |item: &CheckedVersion| {
                vec![
                    format!("v{}", item.version),
                    item.release.clone(),
                    words::time(item.served_at),
                    item.can_run.clone(),
                    item.says(),
                ]
            };
            let rows: Vec<_> = self.versions.iter().map(row).collect();
            page.table(&["VERSION", "RELEASE", "SERVED", "CAN RUN", "WHAT SPEAKS AGAINST IT"], &rows);
        }
        match self.choice {
            Some(version) => {
                page.line(format!("back: joch rollback {} --to-version {version} --env {environment}", id.words()))
            }
            None => page.line("none of them is taken unless you name it with `--to-version`"),
        }
    }

    fn names(&self) -> Vec<String> {
        self.versions.iter().map(|item| format!("v{}", item.version)).collect()
    }
}

impl CheckedVersion {
    fn says(&self) -> String {
        let mut says = Vec::new();
        says.extend(self.rejected_by.as_ref().map(|who| format!("rejected by {who}")));
        says.extend(self.held.clone());
        says.extend(self.left.then(|| "it was rolled back from".to_owned()).filter(|_| self.held.is_none()));
        says.extend(self.missing.iter().chain(&self.warnings).map(|lack| lack.message.clone()));
        if says.is_empty() { words::NONE.to_owned() } else { says.join("; ") }
    }
}
