//! `joch promote`, `rollback` and `delete`: a change of one environment, and what its gates say.

use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::{GateResult, Outcome};
use crate::release::{Event, Manifest, ManifestResource, Plan, Record, Word};
use crate::render::{Page, View};
use crate::resource::Kind;

use super::eval_started::{self, StartedEval};

/// A change that was made, stopped, or not needed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeResult {
    /// `promoted`, `rolled-back`, `deleted`; `blocked`, `pending`, `undecided`; or `unchanged`.
    #[schemars(extend("enum" = ["promoted", "rolled-back", "deleted", "blocked", "pending", "undecided", "unchanged"]))]
    pub verdict: String,
    /// The environment.
    pub environment: String,
    /// Where content comes from, for a promotion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The release, if one was made.
    pub release: Option<String>,
    /// Its commit.
    pub commit: Option<String>,
    /// The trust commit, where a record of trust was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_commit: Option<String>,
    /// Whether nothing was written because nothing was to be.
    pub dry_run: bool,
    /// Each subject with its record and what the gates say of it.
    pub agents: Vec<Judged>,
    /// The catalog entries that change.
    pub resources: Vec<ManifestResource>,
    /// What the environment had already.
    pub unchanged: Vec<String>,
    /// The evals that the release started.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evals: Vec<StartedEval>,
    /// What was asked for.
    #[serde(skip)]
    pub event: Event,
    /// What the gates come to.
    #[serde(skip)]
    pub outcome: Outcome,
}

/// One subject.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Judged {
    /// The agent, or the resource that was judged on its own.
    pub agent: String,
    /// The full record.
    pub record: Record,
    /// What the gates say.
    pub gates: Vec<GateResult>,
}

impl ChangeResult {
    /// A change as planned; without a plan it was not needed.
    #[must_use]
    pub fn of(event: Event, environment: &str, plan: Option<&Plan>) -> Self {
        let records = plan.map(|plan| plan.records.as_slice()).unwrap_or_default();
        let outcome = plan.map_or(Outcome::Open, |plan| plan.outcome);
        let made = match event {
            Event::Apply => "applied",
            Event::Promote => "promoted",
            Event::Rollback => "rolled-back",
            Event::Delete => "deleted",
        };
        let verdict = match (plan, records.first()) {
            (None, _) => "unchanged",
            (Some(_), Some(record)) => record.verdict.as_str(),
            (Some(_), None) => made,
        };
        let judged = |record: &Record| Judged {
            agent: record.agent_ref.to_string(),
            record: record.clone(),
            gates: record.gates.clone(),
        };
        let manifest: Option<&Manifest> = plan.map(|plan| &plan.manifest);
        Self {
            verdict: verdict.to_owned(),
            environment: environment.to_owned(),
            source: manifest.and_then(|manifest| manifest.source.clone()),
            release: None,
            commit: None,
            trust_commit: None,
            dry_run: false,
            agents: records.iter().map(judged).collect(),
            resources: manifest.map(|manifest| manifest.resources.clone()).unwrap_or_default(),
            unchanged: Vec::new(),
            evals: Vec::new(),
            event,
            outcome,
        }
    }

    fn headline(&self, page: &mut Page, wide: bool) {
        let from = self.source.as_ref().map_or_else(String::new, |source| format!("{source} -> "));
        for judged in &self.agents {
            let record = &judged.record;
            let version =
                |version: Option<u64>| version.map_or_else(|| "none".to_owned(), |version| format!("v{version}"));
            let (old, new) = (version(record.from_version), version(record.to_version));
            page.line(format!("{}  {old} -> {new}  {from}{}", judged.agent, self.environment));
            // Of what is new as a whole, every class would stand there.
            if record.from_version.is_some() && !record.change_classes.is_empty() {
                let words: Vec<_> = record.change_classes.iter().map(|class| class.word()).collect();
                page.line(format!("  classes: {}", words.join(", ")));
            }
            for line in crate::diff::lines(&record.diff).iter().filter(|_| self.dry_run) {
                page.line(format!("  {line}"));
            }
            for regression in &record.regressions {
                page.line(format!("  takes back: {}", regression.sentence()));
            }
            super::gates::table(page, record);
        }
        let alone = |kind: &Kind, name: &str| {
            self.agents
                .iter()
                .any(|judged| judged.record.agent_ref.kind == *kind && judged.record.agent_ref.name == name)
        };
        let others: Vec<_> = self.resources.iter().filter(|resource| !alone(&resource.kind, &resource.name)).collect();
        let (brought, changed): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|resource| resource.change == Word::Created && !self.agents.is_empty());
        for resource in changed {
            let version = resource.to_version.map_or_else(String::new, |version| format!(" v{version}"));
            page.line(format!("{}{version}  {}  {from}{}", resource.id(), resource.change.word(), self.environment));
        }
        if wide {
            for resource in brought {
                page.line(format!("  brings {} v{}", resource.id(), resource.to_version.unwrap_or_default()));
            }
        } else if !brought.is_empty() {
            page.line(format!("  brings what {} lacked: {}", self.environment, counted(&brought)));
        }
    }
}

/// `4 tools, 2 models, 1 eval`.
fn counted(resources: &[&ManifestResource]) -> String {
    let mut counts: Vec<(&Kind, usize)> = Vec::new();
    for resource in resources {
        match counts.iter_mut().find(|(kind, _)| *kind == &resource.kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((&resource.kind, 1)),
        }
    }
    let told = counts
        .iter()
        .map(|(kind, count)| format!("{count} {}", if *count == 1 { kind.singular() } else { kind.plural() }));
    told.collect::<Vec<_>>().join(", ")
}

impl View for ChangeResult {
    fn kind(&self) -> &'static str {
        match self.event {
            Event::Apply => "ApplyResult",
            Event::Promote => "PromotionResult",
            Event::Rollback => "RollbackResult",
            Event::Delete => "DeletionResult",
        }
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        for name in &self.unchanged {
            page.line(format!("{name} is the same already in {}", self.environment));
        }
        self.headline(page, wide);
        if self.outcome != Outcome::Open {
            page.gap();
            super::gates::stopped(page, &self.verdict, self.agents.iter().map(|judged| &judged.record));
            self.how_to_approve(page);
            return;
        }
        match (&self.release, self.dry_run) {
            (_, true) => page.line(format!("dry run: nothing was written to {}", self.environment)),
            (Some(release), _) => {
                let broken = self.agents.iter().any(|judged| !judged.record.overrides.is_empty());
                let mark = if broken { ", overridden" } else { "" };
                page.line(format!("{} as release {release}{mark}", self.verdict));
                let meant = self.agents.iter().filter(|judged| judged.record.change != Word::Affected);
                let undo = meant.chain(&self.agents).find_map(|judged| judged.record.rollback_path.as_ref());
                if let Some(undo) = undo {
                    page.line(format!("undo: {}", undo.command));
                }
            }
            (None, _) if self.trust_commit.is_some() => page.line(self.verdict.clone()),
            (None, _) => page.line("unchanged"),
        }
        eval_started::lines(page, &self.evals);
    }

    fn names(&self) -> Vec<String> {
        self.agents.iter().map(|judged| judged.agent.clone()).collect()
    }
}

impl ChangeResult {
    fn how_to_approve(&self, page: &mut Page) {
        let waiting = self.agents.iter().find(|judged| {
            let asks = |gate: &crate::gate::GateResult| matches!(gate.gate.as_str(), "approval" | "weakening");
            judged.gates.iter().any(|gate| asks(gate) && gate.verdict == crate::gate::Verdict::Pending)
        });
        let Some(judged) = waiting else { return };
        let id = &judged.record.agent_ref;
        match (&self.source, self.event) {
            (Some(source), Event::Promote) if self.agents.len() == 1 => {
                page.line(format!("approve: joch approve {} --from {source} --to {}", id.words(), self.environment));
            }
            _ => page.line("approve: joch approvals ls, then joch approvals decide ID --decision approve"),
        }
    }
}
