//! The plan: what a change would write, and every gate's answer. A refusal is a plan too.
//!
//! `--dry-run` prints it, the transaction writes it, an approval signs what it is about, and an audit
//! derives it again; so there is one way in which a change can come out.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};

use crate::closure::{Closure, Shelf, Unreadable};
use crate::gate::{Holds, Moved, Observations, Outcome, Override, Overrides, Results, Subject, Vote};
use crate::resource::{ChangeClass, Digest, Kind, Reference, Requirement, Resource, ResourceId};
use crate::trust::Trust;

use super::account::{Move, record_of};
use super::bills::{Bills, bill_of};
use super::draft::{AgentEdit, CatalogEdit, Draft};
use super::event::Event;
use super::layout;
use super::manifest::{Manifest, ManifestAgent, ManifestResource};
use super::message::MessageFacts;
use super::numbers::{Numbering, Numbers};
use super::record::{Operator, Record, write_json};
use super::rules::{Rules, rules_for};

/// What people have signed.
pub trait Votes {
    /// Statements about a resource for an environment, in the order in which the ledger took them in. Those that
    /// the evidence commit `since` holds already are spent.
    ///
    /// # Errors
    /// When the evidence branch cannot be read.
    fn about(&self, id: &ResourceId, environment: &str, since: Option<&str>) -> Result<Vec<Vote>, Unreadable>;
}

/// The world that a draft is judged in: one snapshot of it.
pub struct Context<'a> {
    /// Who may say so.
    pub trust: &'a Trust,
    /// Trust as it was, where the same command changes it: what it demands counts too, so that nobody loosens
    /// a gate and passes it in one step.
    pub earlier_trust: Option<&'a Trust>,
    /// The evidence tip.
    pub evidence_commit: &'a str,
    /// Who asks.
    pub operator: &'a Operator,
    /// When.
    pub now: DateTime<Utc>,
    /// The number the release would have.
    pub number: u64,
    /// The Evals and Deployments of the target and of the source.
    pub records: &'a [Arc<Resource>],
    /// What `--require` adds.
    pub required: &'a [Requirement],
    /// What `--allow-regression` names.
    pub allowed_regressions: &'a [ResourceId],
    /// What numbers have been given.
    pub numbering: &'a dyn Numbering,
    /// What bills of materials stand beside versions.
    pub bills: &'a dyn Bills,
    /// What people have signed.
    pub votes: &'a dyn Votes,
    /// What evals measured.
    pub results: &'a dyn Results,
    /// What people saw of MCP servers.
    pub observations: &'a dyn Observations,
    /// Which versions are on hold.
    pub holds: &'a dyn Holds,
    /// What `--override` names.
    pub overrides: &'a [Override],
    /// What was overridden before.
    pub broken: &'a dyn Overrides,
    /// The catalog of the environment before the change.
    pub target: &'a dyn Shelf,
    /// The catalog of the environment that content comes from, for a promotion.
    pub source: Option<&'a dyn Shelf>,
    /// The Model that judges where an Eval names none, as the project says it.
    pub default_judge: Option<&'a Reference>,
}

/// What would become of one path of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEdit {
    /// The file holds these bytes.
    Put(Vec<u8>),
    /// The file, or the directory with all that is in it, is gone.
    Remove,
}

/// What a change would write.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the gates come to.
    pub outcome: Outcome,
    /// Whether the environment demands anything of this change.
    pub gated: bool,
    /// One record for each subject.
    pub records: Vec<Record>,
    /// The manifest of the release.
    pub manifest: Manifest,
    /// The bill of materials of each closure that changes, for an agent that stays.
    pub bills: BTreeMap<ResourceId, Vec<u8>>,
    /// The files of the environment branch that change, in order.
    pub edits: Vec<(String, FileEdit)>,
    /// The version tags of new content.
    pub version_tags: Vec<String>,
    /// The commit message.
    pub message: String,
    /// What was judged, with the digest of the rules it was judged by.
    pub subjects: Vec<(Subject, Digest)>,
}

impl Plan {
    /// The same refusal, told under another trust commit than the one that it would have led to.
    #[must_use]
    pub fn under(mut self, trust: &str) -> Self {
        self.manifest.trust = trust.to_owned();
        for record in &mut self.records {
            record.trust = trust.to_owned();
        }
        self
    }
}

/// Judges `draft` and says what would be written.
///
/// # Errors
/// What cannot be read, demands that cannot be understood, or a value that the environment does not have.
pub fn plan(draft: &Draft, context: &Context<'_>) -> Result<Plan, String> {
    let mut numbers = Numbers::new(context.numbering);
    let mut resources = Vec::new();
    for (id, edit) in &draft.catalog {
        resources.push(manifest_resource(id, edit, &mut numbers)?);
    }
    let mut records = Vec::new();
    let mut agents = Vec::new();
    let mut subjects = Vec::new();
    let mut gated = false;
    let attempt = draft.attempt(context.number);
    for subject in draft.subjects() {
        let edit = draft.agents.get(&subject.resource);
        let moves = Move::of(draft, &subject, edit, context)?;
        let rules = rules_of(&subject, edit, &moves.classes, &draft.environment, context)?;
        gated |= rules.gated;
        let record = record_of((draft, attempt), &subject, edit, moves, &rules, &mut numbers, context)?;
        if edit.is_some() {
            agents.push(ManifestAgent {
                namespace: subject.resource.namespace.clone(),
                name: subject.resource.name.clone(),
                change: record.change,
                from_version: record.from_version,
                to_version: record.to_version,
                digest: record.to_digest,
            });
        }
        subjects.push((subject, rules.digest));
        records.push(record);
    }
    let outcome = Outcome::of(records.iter().flat_map(|record| &record.gates));
    let bills = bills(draft, &records, &numbers, context)?;
    for record in &mut records {
        record.verdict = verdict_word(outcome, draft.event).to_owned();
        // What gates stopped is written nowhere, and has no bill either.
        record.bom = bills.get(&record.agent_ref).filter(|_| outcome == Outcome::Open).map(Digest::of);
    }
    let manifest = Manifest {
        schema: Manifest::SCHEMA.into(),
        release: context.number,
        environment: draft.environment.clone(),
        event: draft.event,
        previous: (context.number > 1).then(|| format!("{}/{}", draft.environment, context.number - 1)),
        source: draft.source.as_ref().map(|source| source.environment.clone()),
        operator: context.operator.clone(),
        timestamp: context.now.trunc_subsecs(0),
        trust: context.trust.commit.clone(),
        evidence: context.evidence_commit.to_owned(),
        joch: env!("CARGO_PKG_VERSION").to_owned(),
        reason: draft.reason.clone(),
        agents,
        resources,
        minted: numbers.minted.clone(),
    };
    let source_commit = draft.source.as_ref().map(|source| source.commit.as_str());
    let message = MessageFacts { manifest: &manifest, records: &records, source_commit }.message();
    let version_tags = numbers.minted.iter().filter_map(|m| Some(layout::version_tag(&m.id(), m.version?))).collect();
    let edits = edits(draft, &records, &manifest, &bills);
    Ok(Plan { outcome, gated, records, manifest, bills, edits, version_tags, message, subjects })
}

/// The rules for one subject: those of trust, and where the same command changes it those it had before; and those of
/// every child agent that changes with it, so that no child slips past its own gate inside a parent.
pub(super) fn rules_of(
    subject: &Subject,
    edit: Option<&AgentEdit>,
    classes: &[ChangeClass],
    environment: &str,
    context: &Context<'_>,
) -> Result<Rules, String> {
    let rules = |id: &ResourceId, trust| rules_for(environment, id, classes, trust, context.records, context.required);
    let mut all = rules(&subject.resource, context.trust)?;
    if let Some(earlier) = context.earlier_trust {
        all = all.and(rules(&subject.resource, earlier)?);
    }
    for child in edit.map(changed_children).unwrap_or_default() {
        all = all.with(rules(&child.agent, context.trust)?);
    }
    Ok(all)
}

/// The child agents, at any depth, whose closures an edit changes.
pub(super) fn changed_children(edit: &AgentEdit) -> Vec<Moved> {
    fn collect(old: Option<&Closure>, new: &Closure, changed: &mut Vec<Moved>) {
        for (id, child) in new.children() {
            let before = old.and_then(|old| old.children().get(id));
            if before != Some(child) {
                let from = before.map(Closure::digest);
                changed.push(Moved { agent: id.clone(), from, to: Some(child.digest()) });
                collect(before, child, changed);
            }
        }
    }
    let mut changed = Vec::new();
    if let Some(after) = &edit.after {
        collect(edit.before.as_ref().map(|running| &running.closure), after, &mut changed);
    }
    changed
}

/// The word for what came of a change, in records and results.
fn verdict_word(outcome: Outcome, event: Event) -> &'static str {
    match outcome {
        Outcome::Blocked => "blocked",
        Outcome::Undecided => "undecided",
        Outcome::Pending => "pending",
        Outcome::Open => event.done(),
    }
}

fn manifest_resource(
    id: &ResourceId,
    edit: &CatalogEdit,
    numbers: &mut Numbers<'_>,
) -> Result<ManifestResource, String> {
    let before = edit.before.as_ref().map(|resource| numbers.pin(resource)).transpose()?;
    let after = edit.after.as_ref().map(|resource| numbers.pin(resource)).transpose()?;
    Ok(ManifestResource {
        kind: id.kind.clone(),
        namespace: id.namespace.clone(),
        name: id.name.clone(),
        change: edit.word(),
        from_version: before.and_then(|pinned| pinned.version),
        to_version: after.as_ref().and_then(|pinned| pinned.version),
        digest: after.map(|pinned| pinned.digest),
    })
}

/// The bill of every closure that stays.
fn bills(
    draft: &Draft,
    records: &[Record],
    numbers: &Numbers<'_>,
    context: &Context<'_>,
) -> Result<BTreeMap<ResourceId, Vec<u8>>, String> {
    let mut bills = BTreeMap::new();
    for (id, edit) in &draft.agents {
        let number = records.iter().find(|record| record.agent_ref == *id).and_then(|record| record.to_version);
        if let (Some(after), Some(number)) = (&edit.after, number) {
            bills.insert(id.clone(), bill_of(after, number, numbers, context)?);
        }
    }
    Ok(bills)
}

fn edits(
    draft: &Draft,
    records: &[Record],
    manifest: &Manifest,
    bills: &BTreeMap<ResourceId, Vec<u8>>,
) -> Vec<(String, FileEdit)> {
    let mut edits = vec![(layout::MANIFEST.to_owned(), FileEdit::Put(write_json(manifest)))];
    for (id, edit) in &draft.catalog {
        edits.push((
            layout::catalog(id),
            edit.after.as_ref().map_or(FileEdit::Remove, |resource| FileEdit::Put(resource.canonical().into_bytes())),
        ));
        if id.kind == Kind::Eval {
            edits.push((layout::cases(id), edit.cases.clone().map_or(FileEdit::Remove, FileEdit::Put)));
        }
    }
    for (id, edit) in &draft.agents {
        edits.push((layout::closure(id), FileEdit::Remove));
        let bill = bills.get(id).cloned();
        edits.push((layout::bom(id), bill.map_or(FileEdit::Remove, FileEdit::Put)));
        for (path, text) in edit.after.as_ref().map(Closure::files).unwrap_or_default() {
            edits.push((format!("{}/{path}", layout::closure(id)), FileEdit::Put(text.into_bytes())));
        }
        let record = records.iter().find(|record| record.agent_ref == *id);
        edits.extend(record.map(|record| (layout::record(id), FileEdit::Put(record.to_json()))));
    }
    edits
}
