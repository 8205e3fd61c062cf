//! `joch apply`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::{GateResult, Outcome, Verdict};
use crate::release::{Record, Word};
use crate::render::{Page, View};
use crate::resource::Kind;

use super::eval_started::{self, StartedEval};

/// What became of a set.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplyResult {
    /// `applied`, `unchanged`, or what gates say.
    #[schemars(extend("enum" = ["applied", "blocked", "pending", "undecided", "unchanged"]))]
    pub verdict: String,
    /// The environment.
    pub environment: String,
    /// The release, if one was made.
    pub release: Option<String>,
    /// Its commit.
    pub commit: Option<String>,
    /// The trust commit, if trust changed.
    pub trust_commit: Option<String>,
    /// What the change of trust asks less for, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks_for_less: Option<AsksForLess>,
    /// Whether nothing was written because nothing was to be.
    pub dry_run: bool,
    /// Every resource of the set and every agent that it reached.
    pub resources: Vec<ResourceChange>,
    /// Where gates were asked: each subject's record.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Record>,
    /// The evals that the release started.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evals: Vec<StartedEval>,
    /// What the gates come to.
    #[serde(skip)]
    pub outcome: Outcome,
}

/// A change of trust that asks for less.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AsksForLess {
    /// Each step that does.
    pub steps: Vec<crate::diff::Weakening>,
    /// The admins who agreed; whoever makes the change is one of them.
    pub agreed: Vec<String>,
    /// How many admins had to.
    pub needed: usize,
}

/// What became of one resource.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceChange {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The version it has now; none on trust.
    pub version: Option<u64>,
    /// What happened to it.
    pub change: Word,
}

impl View for ApplyResult {
    fn kind(&self) -> &'static str {
        "ApplyResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        if self.outcome != Outcome::Open {
            self.stopped(page);
            return;
        }
        let (shown, same): (Vec<_>, Vec<_>) =
            self.resources.iter().partition(|resource| wide || resource.change != Word::Unchanged);
        let rows: Vec<_> = shown
            .iter()
            .map(|resource| {
                let version = resource.version.map_or_else(|| "trust".to_owned(), |version| format!("v{version}"));
                vec![resource.change.word().to_owned(), resource.label(), version]
            })
            .collect();
        page.table(&[], &rows);
        if !same.is_empty() && !shown.is_empty() {
            page.line(format!("{} unchanged", same.len()));
        }
        if let Some(less) = &self.asks_for_less {
            for step in &less.steps {
                page.line(format!("asks for less: {}: {}", step.resource, step.sentence));
            }
            page.line(format!("agreed by {}, {} of {} admins", less.agreed.join(", "), less.agreed.len(), less.needed));
        }
        match (&self.release, self.dry_run) {
            (_, true) => page.line(format!("dry run: nothing was written to `{}`", self.environment)),
            (Some(release), _) => {
                page.line(format!("release {release}"));
                if let Some(commit) = &self.trust_commit {
                    page.line(format!("trust changed for every environment: {}", &commit[..commit.len().min(10)]));
                }
            }
            (None, _) if self.trust_commit.is_some() => page.line("trust changed; nothing was released"),
            (None, _) => page.line(format!("unchanged: `{}` has all of it already", self.environment)),
        }
        eval_started::lines(page, &self.evals);
    }

    fn names(&self) -> Vec<String> {
        self.resources.iter().map(ResourceChange::label).collect()
    }
}

impl ApplyResult {
    fn stopped(&self, page: &mut Page) {
        let version = |version: Option<u64>| version.map_or_else(|| "none".to_owned(), |version| format!("v{version}"));
        for record in &self.records {
            let (from, to) = (version(record.from_version), version(record.to_version));
            page.line(format!("{}  {from} -> {to}  {}", record.agent_ref, self.environment));
            super::gates::table(page, record);
        }
        page.gap();
        super::gates::stopped(page, &self.verdict, &self.records);
        let waits = |gate: &GateResult| gate.verdict == Verdict::Pending && !gate.is_waived();
        if self.records.iter().flat_map(|record| &record.gates).any(waits) {
            page.line("approve: joch approvals ls --waiting, then joch approvals decide ID --decision approve");
        }
    }
}

impl ResourceChange {
    fn label(&self) -> String {
        crate::resource::ResourceId::new(self.kind.clone(), &self.namespace, &self.name).to_string()
    }
}
