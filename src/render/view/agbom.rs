//! `joch agbom NAME`: the components of a stored bill.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Page, View, markdown_text};
use crate::resource::{Digest, ResourceId};

use super::words;

/// What a version of an agent is made of, as its stored bill tells it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgbomResult {
    /// The agent.
    pub agent: ResourceId,
    /// Its version.
    pub version: u64,
    /// The environment in which the bill stands.
    pub environment: String,
    /// The release that it stands in.
    pub release: String,
    /// The commit of that.
    pub commit: String,
    /// The digest of the document.
    pub digest: Digest,
    /// The digest of what it tells, whoever wrote it when.
    pub content_digest: Option<Digest>,
    /// The serial number of the document, the same for every version of the agent.
    pub serial_number: String,
    /// Every component, the agent first.
    pub components: Vec<BillComponent>,
}

/// One component of a bill.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BillComponent {
    /// What it is called in its bill.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its type in CycloneDX; `service` for one of the services.
    #[serde(rename = "type")]
    pub sort: String,
    /// Its namespace, or who serves it.
    pub group: Option<String>,
    /// Its name.
    pub name: String,
    /// The number that the ledger gave to its content.
    pub version: Option<u64>,
    /// The version that it has by itself: the tag of an image, the version to which a server is pinned.
    pub outside: Option<String>,
    /// Digest of its content in the ledger.
    pub digest: Option<Digest>,
}

const HEADINGS: [&str; 5] = ["TYPE", "COMPONENT", "VERSION", "OUTSIDE", "DIGEST"];

impl View for AgbomResult {
    fn kind(&self) -> &'static str {
        "AgbomResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        page.line(self.title());
        page.gap();
        page.table(&HEADINGS, &self.components.iter().map(|component| component.row(wide)).collect::<Vec<_>>());
        page.gap();
        page.line("the document: --format cyclonedx, or --format spdx");
    }

    fn names(&self) -> Vec<String> {
        self.components.iter().map(|component| component.reference.clone()).collect()
    }

    fn markdown(&self) -> String {
        let mut out = format!(
            "### {}\n\n| Type | Component | Version | Outside | Digest |\n|---|---|---|---|---|\n",
            markdown_text(&self.title())
        );
        for component in &self.components {
            let cells: Vec<_> =
                component.row(false).iter().map(|cell| markdown_text(cell).replace('\n', " ")).collect();
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        out
    }
}

impl AgbomResult {
    fn title(&self) -> String {
        let count = self.components.len();
        let content = words::digits(self.content_digest.unwrap_or(self.digest));
        format!("{} v{} is made of {count} components ({content})", self.agent, self.version)
    }
}

impl BillComponent {
    fn row(&self, wide: bool) -> Vec<String> {
        let digest = |digest: Digest| if wide { digest.to_string() } else { words::digits(digest) };
        vec![
            self.sort.clone(),
            self.reference.strip_prefix("joch:").unwrap_or(&self.reference).to_owned(),
            words::version(self.version),
            words::or_none(self.outside.clone()),
            words::or_none(self.digest.map(digest)),
        ]
    }
}
