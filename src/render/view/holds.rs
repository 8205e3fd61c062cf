//! `joch hold`, `joch lift` and `joch get holds`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::{Hold, HoldAction};
use crate::render::{Page, View};

use super::words;

/// A hold or a lift that was signed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldResult {
    /// `held`, `lifted`, or `unchanged` where it was so already.
    #[schemars(extend("enum" = ["held", "lifted", "unchanged"]))]
    pub verdict: String,
    /// The id of the evidence item.
    pub id: Option<String>,
    /// What is said.
    pub hold: Hold,
    /// Who says it.
    pub principal: String,
    /// The evidence commit that carries it.
    pub commit: Option<String>,
    /// The command that takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl View for HoldResult {
    fn kind(&self) -> &'static str {
        "HoldResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        let what = format!("{} {}", self.hold.resource, version(&self.hold));
        let place = self.hold.environment.as_ref().map_or_else(|| "everywhere".to_owned(), |name| format!("in {name}"));
        match (self.verdict.as_str(), self.hold.action) {
            ("unchanged", HoldAction::Hold) => page.line(format!("unchanged: {what} is on hold {place} already")),
            ("unchanged", HoldAction::Lift) => page.line(format!("unchanged: {what} is not on hold {place}")),
            (verdict, _) => page.line(format!("{verdict} {what} {place}")),
        }
        if let Some(next) = &self.next {
            page.line(format!("lift: {next}"));
        }
    }

    fn names(&self) -> Vec<String> {
        self.id.iter().cloned().collect()
    }
}

/// The holds that stand.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HoldList {
    /// By resource and content.
    pub items: Vec<ListedHold>,
}

/// One of them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedHold {
    /// The id of the evidence item.
    pub id: String,
    /// What was said.
    pub hold: Hold,
    /// Who said it.
    pub principal: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The environments in which it stands, lowest first.
    pub environments: Vec<String>,
    /// The command that lifts it.
    pub lift: String,
}

impl View for HoldList {
    fn kind(&self) -> &'static str {
        "HoldList"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        if self.items.is_empty() {
            return;
        }
        let mut headings = vec!["RESOURCE", "VERSION", "ENVIRONMENT", "SINCE", "BY", "RELEASE", "REASON"];
        headings.extend(wide.then_some("LIFT"));
        let row = |item: &ListedHold| {
            let mut row = vec![
                item.hold.resource.to_string(),
                version(&item.hold),
                item.environments.join(", "),
                words::time(item.since),
                item.principal.clone(),
                words::or_none(item.hold.release.clone()),
                words::or_none(item.hold.reason.clone()),
            ];
            row.extend(wide.then(|| item.lift.clone()));
            row
        };
        page.table(&headings, &self.items.iter().map(row).collect::<Vec<_>>());
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|item| item.id.clone()).collect()
    }
}

/// `v7`, or the first digits of the content where it has no number.
fn version(hold: &Hold) -> String {
    hold.version.map_or_else(|| words::digits(hold.digest), |version| format!("v{version}"))
}
