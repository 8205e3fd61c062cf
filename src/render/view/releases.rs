//! `joch get releases`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::OverrideStanding;
use crate::release::Manifest;
use crate::render::{Page, View};
use crate::resource::ResourceId;

use super::words;

/// Releases, newest first.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseList {
    /// The agent that was asked for.
    pub agent: Option<ResourceId>,
    /// The environment that was asked for.
    pub environment: Option<String>,
    /// Newest first.
    pub items: Vec<ListedRelease>,
}

/// One release: its name and commit, and its manifest.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedRelease {
    /// Its name, such as `prod/41`.
    pub name: String,
    /// Its commit.
    pub commit: String,
    /// What it did.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// What was overridden in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<OverrideStanding>,
}

impl View for ReleaseList {
    fn kind(&self) -> &'static str {
        "ReleaseList"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        if self.items.is_empty() {
            return;
        }
        let mut headings = vec!["RELEASE", "EVENT", "WHAT", "VERSIONS", "FROM", "TIME", "OPERATOR"];
        headings.extend(wide.then_some("COMMIT"));
        headings.push("REASON");
        let row = |item: &ListedRelease| {
            let [what, versions] = self.what(&item.manifest);
            let manifest = &item.manifest;
            let mut row =
                vec![words::marked(item.name.clone(), &item.overridden), manifest.event.to_string(), what, versions];
            row.push(words::or_none(manifest.source.clone()));
            row.extend([words::time(manifest.timestamp), manifest.operator.principal.name.clone()]);
            row.extend(wide.then(|| item.commit.clone()));
            row.push(words::or_none(manifest.reason.clone()));
            row
        };
        page.table(&headings, &self.items.iter().map(row).collect::<Vec<_>>());
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|item| item.name.clone()).collect()
    }
}

impl ReleaseList {
    /// What a release changed, and from which version to which where that is one thing.
    fn what(&self, manifest: &Manifest) -> [String; 2] {
        let asked = manifest.agents.iter().find(|agent| self.agent.as_ref() == Some(&agent.id()));
        let only = asked.or(match manifest.agents.as_slice() {
            [one] => Some(one),
            _ => None,
        });
        if let Some(agent) = only {
            return [words::name(&agent.id()), arrow(agent.from_version, agent.to_version)];
        }
        match (manifest.agents.len(), manifest.resources.as_slice()) {
            (0, [one]) => [one.id().to_string(), arrow(one.from_version, one.to_version)],
            (0, several) => [format!("{} resources", several.len()), words::NONE.to_owned()],
            (several, _) => [format!("{several} agents"), words::NONE.to_owned()],
        }
    }
}

/// `v7 -> v8`.
pub(super) fn arrow(from: Option<u64>, to: Option<u64>) -> String {
    match (from, to) {
        (None, Some(_)) => words::version(to),
        (Some(_), None) => format!("{} -> gone", words::version(from)),
        _ => format!("{} -> {}", words::version(from), words::version(to)),
    }
}
