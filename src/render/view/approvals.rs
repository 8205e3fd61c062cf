//! `joch approve`, `reject` and `approvals`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::diff::Weakening;
use crate::gate::{Change, Decision};
use crate::release::Record;
use crate::render::{Page, View};

use super::words;

/// A word that was given.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalResult {
    /// `approved`, `rejected`, `requested`, or `unchanged` where the same was said before.
    #[schemars(extend("enum" = ["approved", "rejected", "requested", "unchanged"]))]
    pub verdict: String,
    /// The id of the statement.
    pub id: String,
    /// Who said it.
    pub principal: String,
    /// The decision.
    pub decision: Option<Decision>,
    /// The environment.
    pub environment: String,
    /// What it is about.
    pub changes: Vec<Change>,
    /// Until when it counts.
    pub expires: DateTime<Utc>,
    /// Why.
    pub rationale: Option<String>,
    /// The evidence commit that carries it.
    pub commit: Option<String>,
    /// What to do next.
    pub next: Option<String>,
}

impl View for ApprovalResult {
    fn kind(&self) -> &'static str {
        "ApprovalResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        let verdict = if self.commit.is_some() { self.verdict.as_str() } else { "unchanged:" };
        for change in &self.changes {
            page.line(format!("{verdict} {} for {}", told(change), self.environment));
        }
        page.field("statement", &self.id[..self.id.len().min(16)]);
        page.field("by", &self.principal);
        page.field("counts until", words::time(self.expires));
        if let Some(next) = &self.next {
            page.line(format!("next: {next}"));
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.id.clone()]
    }
}

/// `agent/support-triage v7 -> v8`.
fn told(change: &Change) -> String {
    let version = |version: Option<u64>, there: bool| match (version, there) {
        (Some(version), true) => format!("v{version}"),
        (None, true) => "a version".to_owned(),
        (_, false) => "none".to_owned(),
    };
    format!(
        "{} {} -> {}",
        change.resource,
        version(change.from_version, change.from.is_some()),
        version(change.to_version, change.to.is_some())
    )
}

/// What waits for a decision, and what was decided.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ApprovalList {
    /// Newest first.
    pub items: Vec<ApprovalItem>,
    /// Whether one item is shown in full.
    #[serde(skip)]
    pub full: bool,
}

/// One of them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalItem {
    /// Its id.
    pub id: String,
    /// `requested`, `waiting`, `review`, `approved`, `rejected`, `expired`; a proposal to change trust also `done` or
    /// `void`.
    #[schemars(extend("enum" = ["requested", "waiting", "review", "approved", "rejected", "expired", "done", "void"]))]
    pub state: String,
    /// Who said or asked it.
    pub principal: Option<String>,
    /// The key.
    pub fingerprint: String,
    /// The environment.
    pub environment: String,
    /// What it is about.
    pub changes: Vec<Change>,
    /// The team in whose name it is said.
    pub team: Option<String>,
    /// Why.
    pub rationale: Option<String>,
    /// When.
    pub time: DateTime<Utc>,
    /// Until when it counts.
    pub expires: Option<DateTime<Utc>>,
    /// Why it no longer waits, or cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<String>,
    /// What a proposal would do to trust as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposedChange>,
    /// The override, where it is one that nobody has reviewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overridden: Option<OverrideWaiting>,
    /// With which command it is decided, where it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The stopped attempt, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

/// What a proposal would do to trust; its texts were checked against the digests that an agreement binds.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProposedChange {
    /// What would change.
    pub diff: Vec<crate::diff::Change>,
    /// What of it asks for less.
    pub weaker: Vec<Weakening>,
}

/// An override that waits for a second person.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverrideWaiting {
    /// The release.
    pub release: String,
    /// What it changed.
    pub resource: String,
    /// The gates that were overridden.
    pub gates: Vec<String>,
    /// The incident or ticket.
    pub ticket: String,
    /// Until when it must have been reviewed.
    pub review_by: DateTime<Utc>,
}

impl OverrideWaiting {
    fn told(&self) -> String {
        format!("{} of release {} overrode {}", self.resource, self.release, self.gates.join(", "))
    }
}

impl View for ApprovalList {
    fn kind(&self) -> &'static str {
        "ApprovalList"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        if self.full {
            self.items.iter().for_each(|item| item.in_full(page));
            return;
        }
        if self.items.is_empty() {
            page.line("nothing waits, and nothing was decided");
            return;
        }
        let row = |item: &ApprovalItem| {
            let mut what: Vec<_> = item.changes.iter().map(told).collect();
            what.extend(item.overridden.as_ref().map(OverrideWaiting::told));
            vec![
                item.id[..item.id.len().min(12)].to_owned(),
                item.state.clone(),
                what.join(", "),
                item.environment.clone(),
                item.principal.clone().unwrap_or_else(|| item.fingerprint.clone()),
                words::time(item.time),
            ]
        };
        let rows: Vec<_> = self.items.iter().map(row).collect();
        page.table(&["ID", "STATE", "CHANGE", "ENVIRONMENT", "BY", "TIME"], &rows);
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|item| item.id.clone()).collect()
    }
}

impl ApprovalItem {
    fn in_full(&self, page: &mut Page) {
        page.gap();
        page.field("id", &self.id);
        page.field("state", &self.state);
        for change in &self.changes {
            page.field("change", told(change));
        }
        if let Some(overridden) = &self.overridden {
            page.field("override", overridden.told());
            page.field("ticket", &overridden.ticket);
            page.field("review by", words::time(overridden.review_by));
        }
        page.field("environment", &self.environment);
        page.field(
            "by",
            format!("{}  {}", self.principal.as_deref().unwrap_or("a key that trust does not list"), self.fingerprint),
        );
        page.field("time", words::time(self.time));
        if let Some(expires) = self.expires {
            page.field("counts until", words::time(expires));
        }
        if let Some(rationale) = &self.rationale {
            page.field("why", rationale);
        }
        if let Some(standing) = &self.standing {
            page.field("standing", standing);
        }
        if let Some(proposal) = &self.proposal {
            page.line("what would change on trust:");
            for line in crate::diff::lines(&proposal.diff) {
                page.line(format!("  {line}"));
            }
            page.line("what asks for less:");
            for step in &proposal.weaker {
                page.line(format!("  {}: {}", step.resource, step.sentence));
            }
        }
        if let Some(record) = &self.record {
            page.line("what would change:");
            for line in crate::diff::lines(&record.diff) {
                page.line(format!("  {line}"));
            }
            super::gates::table(page, record);
        }
        if let Some(command) = &self.command {
            page.line(format!("decide: {command}"));
        }
    }
}
