//! `joch apply`: brings files into an environment. Never removes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;

use crate::closure::{Closure, Exchange, Layer, Missing, Sources, Unresolved, resolve};
use crate::gate::Outcome as GatesSay;
use crate::ledger::{Ballots, Environment, Reader};
use crate::release::{CatalogEdit, Context, Draft, Event, Numbering, Operator, Plan, Word, layout, plan};
use crate::resource::validate::{validate, validate_one};
use crate::resource::{Digest, Document, Kind, Resource, ResourceId, Severity};
use crate::trust::Trust;
use crate::workspace::{self, dataset, discover};

use super::caller::Caller;
use super::desk::{Desk, Operating};
use super::elsewhere::Index;
use super::failure::Failure;
use super::find::check_environment;
use super::land::{Landed, commit_time, land};
use super::project_files;
use super::reach::{edit_of, reach};
use super::trust_change::trust_change;
use super::validate::check_datasets;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Files, directories, `-`.
    pub files: Vec<String>,
    /// The environment; the first rung where none is named.
    pub environment: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Which.
    pub id: ResourceId,
    /// The version it has now; none on trust.
    pub version: Option<u64>,
    /// What happened to it.
    pub change: Word,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The environment.
    pub environment: String,
    /// The release, if one was made.
    pub landed: Option<Landed>,
    /// The trust commit, if trust changed.
    pub trust_commit: Option<String>,
    /// Every resource of the set, and every agent it reached.
    pub resources: Vec<Applied>,
    /// The plan, where anything changes in the environment.
    pub plan: Option<Plan>,
    /// Whether nothing was written because nothing was to be.
    pub dry_run: bool,
}

/// A set of resources as files hold them, with where each was read.
pub(super) struct Set {
    /// The resources.
    pub(super) resources: BTreeMap<ResourceId, Arc<Resource>>,
    /// For Evals, the cases that travel with them.
    pub(super) cases: BTreeMap<ResourceId, Vec<u8>>,
}

/// Applies the files.
///
/// # Errors
/// Invalid files, references that lead nowhere, a role that does not allow it, or a ledger that cannot be
/// written. What gates say is an outcome.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let sources = discover(&request.files, &caller.directory, caller.stdin)?;
    let mut transaction = desk.begin()?;
    let reader = desk.reader()?;
    let mut trust = reader.trust()?;
    let name = request.environment.clone().unwrap_or_else(|| trust.ladder().first().to_owned());
    check_environment(trust.ladder(), &name)?;
    if request.environment.is_none() {
        caller.notice(format!("applying to `{name}`, the first rung of the ladder"));
    }
    let environment = reader.environment(&name)?;
    let known = known_to(&sources.documents, &environment, &reader, &trust)?;
    let set = check_set(sources, &request.files, Some(&known), &desk, caller)?;
    let operating = desk.operating(caller, &trust)?;
    let elsewhere = |id: &ResourceId| Ok(environment.entry(id)?);
    let changes_trust = trust_change(&set.resources, &trust, &elsewhere)?;
    let (draft, mut resources) = draft(request, &set, &environment, &reader, &trust, &desk, caller)?;
    if !draft.is_empty() {
        check_writer(&trust, &operating, &name)?;
    }
    let branches = [layout::TRUST, layout::EVIDENCE, name.as_str()];
    let time = commit_time(&reader, &branches, caller.now, &mut caller.notices)?;
    let before = trust.clone();
    if !changes_trust.is_empty() {
        trust = changes_trust.stage(&mut transaction, &reader, &trust, &operating, request.reason.as_deref(), time)?;
    }
    for (id, resource) in set.resources.iter().filter(|(id, _)| id.kind.is_trust()) {
        let change = match before.resources.get(id) {
            None => Word::Created,
            Some(standing) if standing == resource => Word::Unchanged,
            Some(_) => Word::Updated,
        };
        resources.push(Applied { id: id.clone(), version: None, change });
    }
    let judged = match draft.is_empty() {
        true => None,
        false => Some(judge(&draft, &[], &[], &reader, &trust, &operating.operator, time)?),
    };
    let mut outcome = Outcome {
        environment: name,
        landed: None,
        trust_commit: None,
        resources,
        plan: judged,
        dry_run: request.dry_run,
    };
    number(&mut outcome, &reader)?;
    if request.dry_run {
        return Ok(outcome);
    }
    let stopped = outcome.plan.as_ref().is_some_and(|plan| plan.outcome != GatesSay::Open);
    if stopped && !changes_trust.is_empty() {
        // All or nothing: trust stays too, and the decision is told under the trust that stays.
        drop(transaction);
        transaction = desk.begin()?;
        outcome.plan = Some(judge(&draft, &[], &[], &reader, &before, &operating.operator, time)?);
    } else if !changes_trust.is_empty() {
        outcome.trust_commit = Some(trust.commit.clone());
    }
    if let Some(plan) = &outcome.plan {
        outcome.landed = land(&mut transaction, &reader, plan, &operating)?;
    }
    desk.finish(transaction, caller)?;
    Ok(outcome)
}

/// Reads the files of a set and refuses it as a whole if anything is wrong with any. Where its references
/// lead is not asked: the content comes from elsewhere.
pub(super) fn read_set(files: &[String], desk: &Desk, caller: &mut Caller<'_>) -> Result<Set> {
    let sources = discover(files, &caller.directory, caller.stdin)?;
    check_set(sources, files, None, desk, caller)
}

/// What an apply may take from the ledger: the catalog of the environment, the closures that it holds for the
/// agents of the set, and trust. What an Eval or Deployment is about may also run in another environment only.
fn known_to(
    documents: &[Document],
    environment: &Environment<'_, '_>,
    reader: &Reader<'_>,
    trust: &Trust,
) -> Result<Index> {
    let mut index = Index::of_open_references(documents);
    if index.is_needless() {
        return Ok(index);
    }
    index.add_trust(trust);
    index.add_environment(environment)?;
    let agents = documents.iter().map(|document| document.resource.id()).filter(|id| id.kind == Kind::Agent);
    index.add_closures(agents, environment, reader, &mut BTreeSet::new())?;
    for rung in trust.ladder().rungs() {
        index.add_agents(&reader.environment(rung)?)?;
    }
    Ok(index)
}

/// The set that files hold, or everything that is wrong with them; with `known`, also where references lead.
fn check_set(
    sources: workspace::Sources,
    files: &[String],
    known: Option<&Index>,
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<Set> {
    let mut findings = sources.findings;
    match known {
        Some(known) => findings.extend(validate(&sources.documents, known)),
        None => findings.extend(sources.documents.iter().flat_map(validate_one)),
    }
    findings.extend(check_datasets(&sources.documents, &desk.project.root, &caller.directory));
    let bring: Vec<_> =
        project_files::point_out(&mut findings, &sources.documents, &desk.project.root, &caller.directory)
            .into_iter()
            .collect();
    findings.sort();
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        let count = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let message =
            format!("{count} {} in the files, so nothing was done", if count == 1 { "error" } else { "errors" });
        return Err(Failure::refused("invalid", message)
            .next(match bring.is_empty() {
                true => "mend the files; `joch validate -f PATH` tells all of it again".to_owned(),
                false => format!("apply them together: add {}", bring.into_iter().collect::<Vec<_>>().join(" ")),
            })
            .findings(findings)
            .into());
    }
    for finding in findings.iter().filter(|finding| finding.severity != Severity::Error) {
        caller.notice(finding.to_string());
    }
    if sources.documents.is_empty() {
        return Err(Failure::refused("empty", format!("`{}` holds no resource", files.join("`, `")))
            .next("name files with `apiVersion: joch.dev/v1alpha1` documents, or a directory that has some")
            .into());
    }
    let mut set = Set { resources: BTreeMap::new(), cases: BTreeMap::new() };
    for document in &sources.documents {
        let id = document.resource.id().clone();
        let resource = if id.kind == Kind::Eval {
            let (resource, cases) = with_dataset(document, &desk.project.root, &caller.directory)?;
            set.cases.extend(cases.map(|cases| (id.clone(), cases)));
            resource
        } else {
            document.resource.clone()
        };
        set.resources.insert(id, Arc::new(resource));
    }
    Ok(set)
}

/// The Eval with its dataset's digest, size and number of cases, and the cases if they travel with it.
fn with_dataset(document: &Document, root: &Path, directory: &Path) -> Result<(Resource, Option<Vec<u8>>)> {
    let Some(uri) = dataset::uri(&document.resource) else { return Ok((document.resource.clone(), None)) };
    let beside = directory.join(&document.file);
    let data = dataset::read(&uri, root, &beside)?;
    let resource = dataset::describe(&document.resource, &data).map_err(|why| Failure::refused("dataset", why))?;
    Ok((resource, data.travels()))
}

/// What the set would change in the environment, and what it would leave as it is.
fn draft(
    request: &Request,
    set: &Set,
    environment: &Environment<'_, '_>,
    reader: &Reader<'_>,
    trust: &Trust,
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<(Draft, Vec<Applied>)> {
    let mut draft = Draft {
        event: Event::Apply,
        environment: environment.name().to_owned(),
        source: None,
        reason: request.reason.clone(),
        catalog: BTreeMap::new(),
        agents: BTreeMap::new(),
    };
    let mut applied = Vec::new();
    for (id, resource) in set.resources.iter().filter(|(id, _)| id.kind != Kind::Agent && !id.kind.is_trust()) {
        let before = environment.entry(id)?;
        let edit = CatalogEdit { before, after: Some(resource.clone()), cases: set.cases.get(id).cloned() };
        applied.push(Applied { id: id.clone(), version: None, change: edit.word() });
        if edit.word() != Word::Unchanged {
            draft.catalog.insert(id.clone(), edit);
        }
    }
    let cut = cut_agents(set, environment).map_err(|missing| explain_missing(missing, desk, trust))??;
    tell_differing_files(&cut, set, desk, caller);
    let mut exchange = Exchange::default();
    for (id, edit) in &draft.catalog {
        exchange.resources.insert(id.clone(), edit.after.clone());
    }
    for (agent, closure) in cut {
        if environment.closure(&agent)?.as_ref() == Some(&closure) {
            applied.push(Applied { id: agent, version: None, change: Word::Unchanged });
            continue;
        }
        exchange.agents.insert(agent.clone(), closure.clone());
        let writes = draft.catalog.keys().filter(|id| closure.find(id).is_some()).cloned().collect();
        let edit = edit_of(environment, &agent, Some(closure), writes)?;
        draft.agents.insert(agent, edit);
    }
    let mut known = draft.agents.clone();
    for unchanged in applied.iter().filter(|applied| applied.id.kind == Kind::Agent) {
        // An agent of the set that came out the same is not cut again by a ripple.
        known.insert(unchanged.id.clone(), edit_of(environment, &unchanged.id, None, BTreeSet::new())?);
    }
    draft.agents.extend(reach(environment, &exchange, &known)?);
    applied.extend(draft.agents.iter().map(|(id, edit)| Applied { id: id.clone(), version: None, change: edit.word }));
    let _ = reader;
    Ok((draft, applied))
}

type Cut = BTreeMap<ResourceId, Closure>;

/// The closures of the set's agents. What is missing is told for all of them at once.
fn cut_agents(set: &Set, environment: &Environment<'_, '_>) -> Result<Result<Cut>, Vec<Missing>> {
    let mut cut = BTreeMap::new();
    let mut missing = Vec::new();
    for (id, _) in set.resources.iter().filter(|(id, _)| id.kind == Kind::Agent) {
        match cut_agent(id, set, environment, &mut Vec::new()) {
            Ok(Some(closure)) => {
                cut.insert(id.clone(), closure);
            }
            Ok(None) => {}
            Err(Unresolved::Missing(more)) => missing.extend(more),
            Err(Unresolved::Unreadable(why)) => return Ok(Err(why.into())),
            Err(other) => {
                let failure = Failure::refused("invalid", other.to_string());
                return Ok(Err(failure.next("name the Model in full, or take one child out of the ring").into()));
            }
        }
    }
    missing.sort();
    missing.dedup();
    if missing.is_empty() { Ok(Ok(cut)) } else { Err(missing) }
}

/// The closure of one agent: of the set, else as the environment holds it. `above` are the agents whose
/// child it is.
pub(super) fn cut_agent(
    id: &ResourceId,
    set: &Set,
    environment: &Environment<'_, '_>,
    above: &mut Vec<ResourceId>,
) -> Result<Option<Closure>, Unresolved> {
    if let Some(at) = above.iter().position(|parent| parent == id) {
        let mut ring = above[at..].to_vec();
        ring.push(id.clone());
        return Err(Unresolved::Ring(ring));
    }
    let held = environment.closure(id).map_err(|why| Unresolved::Unreadable(why.unreadable()))?;
    let Some(agent) = set.resources.get(id) else { return Ok(held) };
    above.push(id.clone());
    let path = std::cell::RefCell::new(above.clone());
    let child = |child: &ResourceId| {
        let mut above = path.borrow().clone();
        if !set.resources.contains_key(child)
            && let Some(kept) = held.as_ref().and_then(|held| held.children().get(child))
        {
            return Ok(Some(kept.clone()));
        }
        cut_agent(child, set, environment, &mut above)
    };
    let mut layers = vec![Layer::Set(&set.resources)];
    layers.extend(held.as_ref().map(Layer::Held));
    layers.push(Layer::Catalog(environment));
    let sources = Sources { tiers: vec![layers.clone()], selectable: layers, child: &child };
    let closure = resolve(agent, &sources)?;
    above.pop();
    Ok(Some(closure))
}

/// Says what is missing, and which file of the project would bring it.
pub(super) fn explain_missing(missing: Vec<Missing>, desk: &Desk, _trust: &Trust) -> anyhow::Error {
    let lines: Vec<_> = missing.iter().map(|missing| format!("  {missing}")).collect();
    let files =
        project_files::holding(&desk.project.root, &missing.iter().map(|m| m.what.as_str()).collect::<Vec<_>>());
    let message = format!(
        "{} {} nowhere in the set or in the ledger:\n{}",
        missing.len(),
        if missing.len() == 1 { "reference leads" } else { "references lead" },
        lines.join("\n")
    );
    let next = if files.is_empty() {
        "write the missing resources, and apply them together".to_owned()
    } else {
        format!(
            "apply them together: add {}",
            files.iter().map(|file| format!("-f {file}")).collect::<Vec<_>>().join(" ")
        )
    };
    Failure::refused("missing-reference", message).next(next).into()
}

/// Project files outside the set are never content; one that differs from the member that was taken from
/// the ledger is told.
fn tell_differing_files(cut: &Cut, set: &Set, desk: &Desk, caller: &mut Caller<'_>) {
    let taken: BTreeMap<&ResourceId, Digest> = cut
        .values()
        .flat_map(Closure::everything)
        .filter(|member| !set.resources.contains_key(member.id()))
        .map(|member| (member.id(), member.digest()))
        .collect();
    if taken.is_empty() {
        return;
    }
    for (file, resource) in project_files::all(&desk.project.root) {
        if taken.get(resource.id()).is_some_and(|digest| *digest != resource.digest()) {
            caller.notice(format!(
                "{} comes from the ledger; `{file}` differs and was not applied (add `-f {file}`)",
                resource.id()
            ));
        }
    }
}

/// Judges a draft in one environment.
pub(super) fn judge(
    draft: &Draft,
    required: &[crate::resource::Requirement],
    allowed: &[ResourceId],
    reader: &Reader<'_>,
    trust: &Trust,
    operator: &Operator,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Plan> {
    let environment = reader.environment(&draft.environment)?;
    let source = draft.source.as_ref().map(|source| reader.environment(&source.environment)).transpose()?;
    let records = guards(draft, &environment, source.as_ref())?;
    let evidence = reader.tip(layout::EVIDENCE)?;
    let ballots = Ballots { reader, commit: evidence, trust };
    let evidence = evidence.to_string();
    let context = Context {
        trust,
        evidence_commit: &evidence,
        operator,
        now,
        number: environment.next_release()?,
        records: &records,
        required,
        allowed_regressions: allowed,
        numbering: reader,
        votes: &ballots,
    };
    plan(draft, &context).map_err(|why| Failure::refused("plan", why).into())
}

/// The Evals and Deployments that guard a change: those that the target has, those that the draft brings, and those
/// of the source.
pub(super) fn guards(
    draft: &Draft,
    target: &Environment<'_, '_>,
    source: Option<&Environment<'_, '_>>,
) -> Result<Vec<Arc<Resource>>> {
    let mut records = Vec::new();
    for kind in [Kind::Eval, Kind::Deployment] {
        records.extend(target.entries(&kind)?);
        records.extend(draft.catalog.values().filter_map(|edit| edit.after.clone()).filter(|r| r.id().kind == kind));
        if let Some(source) = source {
            records.extend(source.entries(&kind)?);
        }
    }
    Ok(records)
}

/// Checks that the operator may write to the environment.
pub(super) fn check_writer(trust: &Trust, operating: &Operating, environment: &str) -> Result<(), Failure> {
    trust.check_writer(&operating.operator.principal, environment).map_err(|why| {
        let admins = trust.admins().into_iter().collect::<Vec<_>>().join(", ");
        Failure::credentials("role", why).next(format!("ask an admin: {admins}"))
    })
}

/// Gives every listed resource its number.
fn number(outcome: &mut Outcome, reader: &Reader<'_>) -> Result<()> {
    let environment = reader.environment(&outcome.environment)?;
    for applied in &mut outcome.resources {
        if applied.id.kind.is_trust() {
            continue;
        }
        let planned = outcome.plan.as_ref().and_then(|plan| {
            let agent =
                plan.manifest.agents.iter().find(|agent| agent.id() == applied.id).map(|agent| agent.to_version);
            agent.or_else(|| plan.manifest.resources.iter().find(|r| r.id() == applied.id).map(|r| r.to_version))
        });
        applied.version = match planned {
            Some(version) => version,
            None if applied.id.kind == Kind::Agent => {
                environment.record(&applied.id)?.and_then(|record| record.to_version)
            }
            None => match environment.entry(&applied.id)? {
                Some(entry) => reader.version_of(&applied.id, entry.digest())?,
                None => None,
            },
        };
    }
    outcome.resources.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(())
}
