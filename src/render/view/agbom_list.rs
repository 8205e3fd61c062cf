//! `joch agbom ls`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::bom::Finding;
use crate::render::{Page, View};
use crate::resource::{Digest, Kind, ResourceId};

use super::words;

/// Agents by what they are made of.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgbomList {
    /// In order of the ladder, then of namespace and name.
    pub items: Vec<AgbomHolder>,
}

/// One agent in one environment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgbomHolder {
    /// Always `Agent`.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The environment that runs it.
    pub environment: String,
    /// The version that it runs there.
    pub version: Option<u64>,
    /// Digest of that.
    pub digest: Digest,
    /// The release that brought it.
    pub release: Option<String>,
    /// How many components its bill has, the agent itself included.
    pub components: usize,
    /// The components that were asked for.
    pub uses: Vec<UsedComponent>,
    /// Its open findings, the worst first, where findings were asked for.
    pub findings: Vec<Finding>,
}

/// A component that was asked for.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsedComponent {
    /// `mcp-server/default/github`, `model openai/gpt-4.1-2025-04-14`, `image registry.example.com/x:1`.
    pub name: String,
    /// The version that it holds, of a resource.
    pub version: Option<u64>,
}

impl View for AgbomList {
    fn kind(&self) -> &'static str {
        "AgbomList"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        if self.items.is_empty() {
            return;
        }
        let used = self.items.iter().any(|item| !item.uses.is_empty());
        let found = self.items.iter().any(|item| !item.findings.is_empty());
        let mut headings = vec!["NAME", "ENVIRONMENT", "VERSION", "COMPONENTS"];
        headings.extend(used.then_some("USES"));
        headings.extend(found.then_some("FINDINGS"));
        headings.extend(wide.then_some(["RELEASE", "DIGEST"]).into_iter().flatten());
        let row = |item: &AgbomHolder| {
            let mut row = vec![
                words::name(&item.id()),
                item.environment.clone(),
                words::version(item.version),
                item.components.to_string(),
            ];
            row.extend(used.then(|| item.uses.iter().map(UsedComponent::told).collect::<Vec<_>>().join(", ")));
            row.extend(found.then(|| item.findings.iter().map(told).collect::<Vec<_>>().join(", ")));
            if wide {
                row.extend([words::or_none(item.release.clone()), words::digits(item.digest)]);
            }
            row
        };
        page.table(&headings, &self.items.iter().map(row).collect::<Vec<_>>());
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|item| item.id().to_string()).collect()
    }
}

impl AgbomHolder {
    fn id(&self) -> ResourceId {
        ResourceId::new(self.kind.clone(), &self.namespace, &self.name)
    }
}

impl UsedComponent {
    fn told(&self) -> String {
        self.version.map_or_else(|| self.name.clone(), |version| format!("{} v{version}", self.name))
    }
}

fn told(finding: &Finding) -> String {
    format!("{} {}", finding.rule, finding.severity.word())
}
