//! The plan: what a change would write, and every gate's answer. A refusal is a plan too.
//!
//! `--dry-run` prints it, the transaction writes it, an approval signs what it is about, and an audit
//! derives it again; so there is one way in which a change can come out.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};

use crate::bom;
use crate::closure::{Closure, Unreadable};
use crate::diff::{self, Change};
use crate::gate::{self, Counted, Evidence, GateResult, Outcome, Subject, Vote};
use crate::resource::{Digest, Kind, Pinned, Requirement, Resource, ResourceId, Value};
use crate::trust::Trust;

use super::draft::{AgentEdit, CatalogEdit, Draft};
use super::event::{Event, Word};
use super::layout;
use super::manifest::{Manifest, ManifestAgent, ManifestResource};
use super::message::MessageFacts;
use super::record::{Operator, Record, RecordedApproval, RollbackPath, RuntimeContext, SCHEMA, write_json};
use super::rules::{Rules, rules_for};

/// What numbers have been given. Numbers are names; content decides.
pub trait Numbering {
    /// The number that this content has, if it was ever released.
    ///
    /// # Errors
    /// When a tag or manifest cannot be read.
    fn version_of(&self, id: &ResourceId, digest: Digest) -> Result<Option<u64>, Unreadable>;

    /// The highest number given to a resource, 0 for none.
    ///
    /// # Errors
    /// When the tags cannot be read.
    fn highest(&self, id: &ResourceId) -> Result<u64, Unreadable>;
}

/// What people have signed.
pub trait Votes {
    /// Statements about a resource for an environment, oldest first.
    ///
    /// # Errors
    /// When the evidence branch cannot be read.
    fn about(&self, id: &ResourceId, environment: &str) -> Result<Vec<Vote>, Unreadable>;
}

/// The world that a draft is judged in: one snapshot of it.
pub struct Context<'a> {
    /// Who may say so.
    pub trust: &'a Trust,
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
    /// What people have signed.
    pub votes: &'a dyn Votes,
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
    /// The files of the environment branch that change, in order.
    pub edits: Vec<(String, FileEdit)>,
    /// The version tags of new content.
    pub version_tags: Vec<String>,
    /// The commit message.
    pub message: String,
    /// What was judged, with the digest of the rules it was judged by.
    pub subjects: Vec<(Subject, Digest)>,
}

/// Judges `draft` and says what would be written.
///
/// # Errors
/// What cannot be read, demands that cannot be understood, or a value that the environment does not have.
pub fn plan(draft: &Draft, context: &Context<'_>) -> Result<Plan, String> {
    let mut numbers = Numbers { numbering: context.numbering, given: BTreeMap::new(), minted: Vec::new() };
    let mut resources = Vec::new();
    for (id, edit) in &draft.catalog {
        resources.push(manifest_resource(id, edit, &mut numbers)?);
    }
    let mut records = Vec::new();
    let mut agents = Vec::new();
    let mut subjects = Vec::new();
    let mut gated = false;
    for subject in draft.subjects() {
        let edit = draft.agents.get(&subject.resource);
        let rules = rules_for(&draft.environment, &subject.resource, context.trust, context.records, context.required)?;
        gated |= rules.gated;
        let record = record_of(draft, &subject, edit, &rules, &mut numbers, context)?;
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
    for record in &mut records {
        record.verdict = verdict_word(outcome, draft.event).to_owned();
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
    let edits = edits(draft, &records, &manifest);
    Ok(Plan { outcome, gated, records, manifest, edits, version_tags, message, subjects })
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

/// The numbers of a plan: known ones from the ledger, new ones given once.
struct Numbers<'a> {
    numbering: &'a dyn Numbering,
    given: BTreeMap<(ResourceId, Digest), u64>,
    minted: Vec<Pinned>,
}

impl Numbers<'_> {
    fn number(&mut self, id: &ResourceId, digest: Digest) -> Result<u64, String> {
        let key = (id.clone(), digest);
        if let Some(number) = self.given.get(&key) {
            return Ok(*number);
        }
        let number = match self.numbering.version_of(id, digest).map_err(|why| why.0)? {
            Some(number) => number,
            None => {
                let mine =
                    self.minted.iter().filter(|minted| minted.id() == *id).filter_map(|minted| minted.version).max();
                let highest = self.numbering.highest(id).map_err(|why| why.0)?;
                let number = mine.unwrap_or(0).max(highest) + 1;
                self.minted.push(Pinned::new(id, Some(number), digest));
                number
            }
        };
        self.given.insert(key, number);
        Ok(number)
    }

    fn pin(&mut self, resource: &Resource) -> Result<Pinned, String> {
        let digest = resource.digest();
        let number = self.number(resource.id(), digest)?;
        Ok(Pinned::new(resource.id(), Some(number), digest))
    }

    /// The number of content that must not get one here: what stands on trust.
    fn known(&self, resource: &Resource) -> Result<Pinned, String> {
        let digest = resource.digest();
        let number = self.numbering.version_of(resource.id(), digest).map_err(|why| why.0)?;
        Ok(Pinned::new(resource.id(), number, digest))
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

fn record_of(
    draft: &Draft,
    subject: &Subject,
    edit: Option<&AgentEdit>,
    rules: &Rules,
    numbers: &mut Numbers<'_>,
    context: &Context<'_>,
) -> Result<Record, String> {
    let after = edit.and_then(|edit| edit.after.as_ref());
    let running = edit.and_then(|edit| edit.before.as_ref());
    let entry = draft.catalog.get(&subject.resource);
    let mut members = Vec::new();
    for member in after.map(Closure::everything).unwrap_or_default() {
        if member.id().kind != Kind::Agent {
            members.push(numbers.pin(member)?);
        }
    }
    members.sort();
    members.dedup();
    let mut number =
        |digest: Option<Digest>| digest.map(|digest| numbers.number(&subject.resource, digest)).transpose();
    let (from_version, to_version) = (number(subject.from)?, number(subject.to)?);
    let evidence = Evidence {
        environment: &draft.environment,
        gated: rules.gated,
        now: context.now,
        trust: context.trust,
        operator: &context.operator.principal,
        authors: edit.map(|edit| edit.authors.clone()).unwrap_or_default(),
        gate_rules: rules.digest,
        votes: votes_on(subject, &draft.environment, context)?,
        regressions: edit.map(|edit| edit.regressions.clone()).unwrap_or_default(),
        allowed_regressions: context.allowed_regressions.to_vec(),
    };
    let free = draft.event == Event::Rollback && edit.is_some_and(|edit| edit.has_served);
    let gates = if free { Vec::new() } else { gate::evaluate(&rules.demands, subject, &evidence) };
    let approvals = if free { Vec::new() } else { approvals(&gates, subject, &evidence) };
    let old_members = running.map(|running| running.record.members.as_slice()).unwrap_or_default();
    let mut imposed = Vec::new();
    for resource in context.trust.imposed(&draft.environment, &subject.resource.namespace) {
        imposed.push(numbers.known(resource)?);
    }
    let of_kind = |kind: Kind| members.iter().filter(move |member| member.kind == kind);
    Ok(Record {
        schema: SCHEMA.into(),
        kind: "Release".into(),
        release: format!("{}/{}", draft.environment, context.number),
        verdict: String::new(),
        event: draft.event,
        change: edit.map_or_else(|| entry.map_or(Word::Unchanged, CatalogEdit::word), |edit| edit.word),
        environment: draft.environment.clone(),
        source: draft.source.clone(),
        agent_ref: subject.resource.clone(),
        from_version,
        to_version,
        from_digest: subject.from,
        to_digest: subject.to,
        diff: match (edit, entry) {
            (Some(_), _) => closure_diff(running.map(|running| &running.closure), after),
            (None, Some(entry)) => entry_diff(&subject.resource, entry),
            (None, None) => Vec::new(),
        },
        eval_results: Vec::new(),
        approvals,
        abom_diff: bom::delta(old_members, &members),
        runtime_context: runtime_context(&draft.environment, after, context.trust)?,
        operator_identity: context.operator.clone(),
        timestamp: context.now.trunc_subsecs(0),
        rollback_path: rollback_path(&draft.environment, &subject.resource, from_version, subject.from),
        reason: draft.reason.clone(),
        adapter: of_kind(Kind::FrameworkAdapter).next().cloned(),
        policies: of_kind(Kind::Policy).cloned().collect(),
        imposed,
        regressions: evidence.regressions,
        gates,
        gate_rules: rules.digest,
        writes: subject.writes,
        undoes: edit.and_then(|edit| edit.undoes.clone()),
        previous_release: edit.and_then(|edit| edit.last.as_ref()).map(|last| last.release.clone()),
        trust: context.trust.commit.clone(),
        evidence: context.evidence_commit.to_owned(),
        joch: env!("CARGO_PKG_VERSION").to_owned(),
        members,
    })
}

/// The statements that bear on a subject: not those that brought what runs now.
fn votes_on(subject: &Subject, environment: &str, context: &Context<'_>) -> Result<Vec<Vote>, String> {
    let mut votes = context.votes.about(&subject.resource, environment).map_err(|why| why.0)?;
    votes.retain(|vote| {
        let about = vote.predicate.changes.iter().find(|change| change.resource == subject.resource);
        about.is_some_and(|change| change.to == subject.to || change.to != subject.from)
    });
    Ok(votes)
}

/// What differs between two closures: each level on its own, a change that several levels share told once.
#[must_use]
pub fn closure_diff(old: Option<&Closure>, new: Option<&Closure>) -> Vec<Change> {
    let levels = |closure: Option<&Closure>| closure.map(Closure::levels).unwrap_or_default();
    let (old, new) = (levels(old), levels(new));
    let none = BTreeMap::new();
    let mut paths: Vec<_> = old.keys().chain(new.keys()).collect();
    paths.sort();
    paths.dedup();
    let mut changes: Vec<Change> = Vec::new();
    for path in paths {
        for change in diff::between_sets(old.get(path).unwrap_or(&none), new.get(path).unwrap_or(&none)) {
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
    }
    changes
}

fn entry_diff(id: &ResourceId, edit: &CatalogEdit) -> Vec<Change> {
    let body = |resource: &Option<Arc<Resource>>| resource.as_ref().map(|resource| resource.body().clone());
    diff::between(id, body(&edit.before).as_ref(), body(&edit.after).as_ref())
}

fn approvals(gates: &[GateResult], subject: &Subject, evidence: &Evidence<'_>) -> Vec<RecordedApproval> {
    let teams = gates.iter().filter(|gate| gate.gate == "approval").map(|gate| gate.name.clone());
    let mut recorded = Vec::new();
    for team in teams {
        for (vote, counted) in gate::tally(&team, subject, evidence) {
            recorded.push(RecordedApproval {
                principal: vote.principal.as_ref().map(|principal| principal.name.clone()),
                fingerprint: vote.key.fingerprint(),
                team: team.clone(),
                decision: vote.predicate.decision,
                stated_at: vote.predicate.stated_at,
                expires: vote.predicate.expires,
                counted: match counted {
                    Counted::Yes => "counted".into(),
                    Counted::SelfApproved => "self".into(),
                    Counted::No => "rejected".into(),
                    Counted::Void(why) => why,
                    Counted::Stale(changed) => format!("stale: {changed}"),
                    Counted::Expired => "expired".into(),
                    Counted::Superseded => "superseded".into(),
                },
                evidence: vote.id.clone(),
            });
        }
    }
    recorded
}

fn runtime_context(environment: &str, after: Option<&Closure>, trust: &Trust) -> Result<RuntimeContext, String> {
    let spec = trust.environment(environment).map(|record| record.spec().clone()).unwrap_or(Value::Null);
    let text = |path: &[&str]| spec.at(path).and_then(Value::as_text).map(str::to_owned);
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for resource in after.map(Closure::everything).unwrap_or_default() {
        for (path, key) in resource.environment_keys() {
            match spec.at(&["defaults", &key]) {
                Some(value) => {
                    values.insert(key, value.clone());
                }
                None => missing.push(format!("`{key}`, wanted by {} at `{path}`", resource.id())),
            }
        }
    }
    if !missing.is_empty() {
        return Err(format!(
            "`spec.defaults` of Environment `{environment}` has no {}; an admin adds it and applies the Environment",
            missing.join(", no ")
        ));
    }
    Ok(RuntimeContext {
        environment: environment.to_owned(),
        cluster: text(&["runtime", "cluster"]),
        cloud: text(&["runtime", "cloud"]),
        region: text(&["region"]),
        orchestrator: text(&["runtime", "orchestrator"]),
        values,
    })
}

fn rollback_path(
    environment: &str,
    id: &ResourceId,
    version: Option<u64>,
    digest: Option<Digest>,
) -> Option<RollbackPath> {
    let (version, digest) = (version?, digest?);
    let namespace = if id.namespace == crate::resource::name::DEFAULT_NAMESPACE {
        String::new()
    } else {
        format!(" -n {}", id.namespace)
    };
    let command = format!(
        "joch rollback {} {} --to-version {version} --env {environment}{namespace}",
        id.kind.singular(),
        id.name
    );
    Some(RollbackPath { version, digest, command })
}

fn edits(draft: &Draft, records: &[Record], manifest: &Manifest) -> Vec<(String, FileEdit)> {
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
        edits.push((layout::bom(id), FileEdit::Remove));
        for (path, text) in edit.after.as_ref().map(Closure::files).unwrap_or_default() {
            edits.push((format!("{}/{path}", layout::closure(id)), FileEdit::Put(text.into_bytes())));
        }
        let record = records.iter().find(|record| record.agent_ref == *id);
        edits.extend(record.map(|record| (layout::record(id), FileEdit::Put(record.to_json()))));
    }
    edits
}
