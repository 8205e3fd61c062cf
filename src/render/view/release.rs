//! `joch describe release prod/41`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::{Decision, Judgement, OverrideStanding};
use crate::release::{Manifest, Record};
use crate::render::{Page, View};
use crate::resource::Pinned;

use super::releases::arrow;
use super::{changes, gates, words};

/// One release in full.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseDescription {
    /// Its name, such as `prod/41`.
    pub name: String,
    /// Its commit.
    pub commit: String,
    /// What it did.
    pub manifest: Manifest,
    /// The record of each agent that it changed.
    pub records: Vec<Record>,
    /// What was overridden in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<OverrideStanding>,
    /// Commands that show the same with plain Git.
    pub commands: Vec<String>,
}

impl View for ReleaseDescription {
    fn kind(&self) -> &'static str {
        "ReleaseDescription"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        let manifest = &self.manifest;
        page.field("Release", words::marked(self.name.clone(), &self.overridden));
        let source = manifest.source.as_ref().map(|source| format!(" from {source}")).unwrap_or_default();
        page.field("Event", format!("{}{source}", manifest.event));
        page.field("Time", words::time(manifest.timestamp));
        page.field("Operator", format!("{} ({})", manifest.operator.principal, manifest.operator.fingerprint));
        page.field("Reason", manifest.reason.as_deref().unwrap_or("none was given"));
        page.field("Follows", manifest.previous.as_deref().unwrap_or("nothing; it is the first"));
        page.field("Commit", &self.commit);
        for overridden in &self.overridden {
            page.field("Overridden", sentence(overridden));
        }
        page.field("Decided", format!("under trust {} and evidence {}", manifest.trust, manifest.evidence));
        for record in &self.records {
            page.gap();
            account(page, record);
        }
        if !manifest.resources.is_empty() {
            page.gap();
            page.line("Catalog");
            let row = |resource: &crate::release::ManifestResource| {
                let versions = arrow(resource.from_version, resource.to_version);
                vec![resource.change.word().to_owned(), resource.id().to_string(), versions]
            };
            page.indented_table(2, &[], &manifest.resources.iter().map(row).collect::<Vec<_>>());
        }
        page.gap();
        page.line("The same with plain Git");
        for command in &self.commands {
            page.line(format!("  {command}"));
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.name.clone()]
    }
}

/// What happened to one agent.
fn account(page: &mut Page, record: &Record) {
    let versions = arrow(record.from_version, record.to_version);
    page.line(format!("{} {versions} ({})", record.agent_ref, record.change.word()));
    let row = |label: &str, text: String| vec![label.to_owned(), text];
    let mut facts = Vec::new();
    facts.extend(record.to_digest.map(|digest| row("digest", digest.to_string())));
    facts.extend(record.adapter.as_ref().map(|adapter| row("adapter", adapter.to_string())));
    facts.extend((!record.policies.is_empty()).then(|| row("policies", list(&record.policies))));
    facts.extend((!record.imposed.is_empty()).then(|| row("imposed", list(&record.imposed))));
    facts.extend(record.undoes.as_ref().map(|undone| row("undoes", undone.release.clone())));
    facts.extend(record.rollback_path.as_ref().map(|path| row("way back", path.command.clone())));
    page.indented_table(2, &[], &facts);
    if !record.gates.is_empty() {
        page.line("  gates");
        gates::table(page, record);
    }
    if !record.obligations.is_empty() {
        page.line("  for the runtime");
        let row = |one: &crate::policy::Obligation| {
            vec![format!("{} rules[{}]", one.policy, one.rule), one.context.clone(), one.must.clone()]
        };
        page.indented_table(4, &[], &record.obligations.iter().map(row).collect::<Vec<_>>());
    }
    if !record.approvals.is_empty() {
        page.line("  approvals");
        let rows: Vec<_> = record.approvals.iter().map(approval).collect();
        page.indented_table(4, &[], &rows);
    }
    for regression in &record.regressions {
        page.line(format!("  takes back {}", regression.resource));
    }
    // A first version, and one that went, is told by `describe`; all of it again would bury the rest.
    if record.from_version.is_some() && record.to_version.is_some() && !record.diff.is_empty() {
        page.line("  changes");
        changes::tell(page, 2, &record.diff);
    }
}

/// Who overrode what, why, and who has reviewed it.
pub(super) fn sentence(overridden: &OverrideStanding) -> String {
    let OverrideStanding { gates, by, ticket, reason, expires, .. } = overridden;
    let gates = gates.join(", ");
    let said = match (&overridden.reviewer, overridden.decision) {
        (Some(who), Some(Judgement::Accept)) => format!("accepted by {who}"),
        (Some(who), Some(Judgement::Reject)) => format!("rejected by {who}"),
        _ => format!("to be reviewed by {}", words::time(*expires)),
    };
    let why = overridden.rationale.as_ref().map_or_else(String::new, |why| format!(": {}", crate::release::fold(why)));
    format!("{gates} by {by} for {}: {}; {said}{why}", crate::release::fold(ticket), crate::release::fold(reason))
}

fn approval(approval: &crate::release::RecordedApproval) -> Vec<String> {
    let decision = match approval.decision {
        Some(Decision::Approve) => "approve",
        Some(Decision::Reject) => "reject",
        None => "request",
    };
    let person = approval.principal.clone().unwrap_or_else(|| approval.fingerprint.clone());
    vec![person, decision.to_owned(), approval.team.clone(), words::time(approval.stated_at), approval.counted.clone()]
}

pub(super) fn list(pinned: &[Pinned]) -> String {
    pinned.iter().map(Pinned::to_string).collect::<Vec<_>>().join(", ")
}
