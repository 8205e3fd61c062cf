//! `joch agbom NAME --diff`: the components in which two versions differ.

use schemars::JsonSchema;
use serde::Serialize;

use crate::bom::AbomDelta;
use crate::render::escape::fenced;
use crate::render::{Page, View, escape, markdown_text};
use crate::resource::ResourceId;

use super::DiffSide;
use super::diff::delta_lines;

/// How two versions of an agent differ in what they are made of.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgbomDiff {
    /// The agent.
    pub agent: ResourceId,
    /// The old side.
    pub from: DiffSide,
    /// The new side.
    pub to: DiffSide,
    /// The components that came, went, or moved.
    pub abom: AbomDelta,
}

impl View for AgbomDiff {
    fn kind(&self) -> &'static str {
        "AgbomDiff"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        page.line(self.title());
        if self.abom.is_empty() {
            return page.line("both are made of the same components");
        }
        page.gap();
        delta_lines(&self.abom).into_iter().for_each(|line| page.line(format!("  {line}")));
    }

    fn names(&self) -> Vec<String> {
        delta_lines(&self.abom).iter().filter_map(|line| Some(line.split(' ').nth(1)?.to_owned())).collect()
    }

    fn markdown(&self) -> String {
        let title = markdown_text(&self.title());
        if self.abom.is_empty() {
            return format!("### {title}\n\nBoth are made of the same components.\n");
        }
        // Hosts colour a line by its first letter, and know `!` for what changed.
        let lines: String =
            delta_lines(&self.abom).iter().map(|line| escape(line).replacen('~', "!", 1) + "\n").collect();
        format!("### {title}\n\n{}", fenced("diff", &lines))
    }
}

impl AgbomDiff {
    fn title(&self) -> String {
        format!("{}  {} -> {}", self.agent, self.from.told(), self.to.told())
    }
}
