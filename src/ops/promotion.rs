//! What a promotion would change in its target: the draft that `promote` writes, `approve` signs and
//! `explain` explains.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::closure::{Closure, Exchange, Shelf};
use crate::gate::secrets_named;
use crate::ledger::{Environment, Reader};
use crate::release::{
    AgentEdit, CatalogEdit, Draft, Event, Numbering, Record, Running, Source, Target, Word, layout, regressions,
};
use crate::resource::view::{Deployment, Eval};
use crate::resource::{Digest, Kind, Pinned, Reference, Resource, ResourceId};
use crate::trust::Trust;

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::find::{check_environment, not_found};
use super::judges::judges_of;
use super::reach::{edit_of, reach};
use super::served::served;
use super::set::{Set, read_set};
use super::tips::check_tips;

/// What to promote, from where to where.
#[derive(Debug, Clone, Default)]
pub struct Move {
    /// One resource.
    pub resource: Option<ResourceId>,
    /// Files that name a set.
    pub files: Vec<String>,
    /// The rung it comes from.
    pub from: String,
    /// The rung it goes to.
    pub to: String,
    /// Why.
    pub reason: Option<String>,
}

/// A promotion, drafted.
pub(super) struct Promotion {
    /// What would change.
    pub(super) draft: Draft,
    /// What the target has already, as the source has it.
    pub(super) unchanged: Vec<ResourceId>,
}

/// Drafts a promotion.
///
/// # Errors
/// The rungs are not neighbours, the source has no such resource, or files differ from the source.
pub(super) fn draft(
    wanted: &Move,
    reader: &Reader<'_>,
    trust: &Trust,
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<Promotion> {
    for name in [&wanted.from, &wanted.to] {
        check_environment(trust.ladder(), name)?;
    }
    trust.ladder().check_step(&wanted.from, &wanted.to).map_err(|why| {
        Failure::refused("one-rung", why).next("promote rung by rung; each step leaves its own record")
    })?;
    check_tips(desk, reader, &[&wanted.from, &wanted.to])?;
    let source = reader.environment(&wanted.from)?;
    let target = reader.environment(&wanted.to)?;
    let named = match &wanted.resource {
        Some(id) => vec![id.clone()],
        None => named_by_files(wanted, &source, trust, desk, caller)?,
    };
    let way = Way {
        source: &source,
        above: trust.ladder().from(&wanted.to),
        default_judge: desk.project.config.judge.as_ref(),
        numbering: reader,
        reader,
    };
    draft_of(named, wanted.reason.clone(), &target, &way, &mut caller.notices)
}

/// Drafts the promotion of what is named into `target`.
///
/// # Errors
/// The source has no such resource, or it would take back what the target has.
pub(super) fn draft_of(
    named: Vec<ResourceId>,
    reason: Option<String>,
    target: &Environment<'_, '_>,
    way: &Way<'_, '_>,
    notices: &mut Vec<String>,
) -> Result<Promotion> {
    let source = way.source;
    let mut promotion = Promotion {
        draft: Draft {
            event: Event::Promote,
            environment: target.name().to_owned(),
            source: Some(Source {
                environment: source.name().to_owned(),
                release: source.manifest()?.map(|manifest| manifest.name()),
                commit: source.head().to_string(),
            }),
            reason,
            catalog: BTreeMap::new(),
            agents: BTreeMap::new(),
        },
        unchanged: Vec::new(),
    };
    let (agents, shared): (Vec<_>, Vec<_>) = named.into_iter().partition(|id| id.kind == Kind::Agent);
    for id in &shared {
        add_shared(id, &mut promotion, target, way)?;
    }
    for id in &agents {
        add_agent(id, &mut promotion, target, way, notices)?;
    }
    let exchange =
        Exchange { resources: shared_changes(&promotion.draft, &shared), agents: promoted(&promotion.draft) };
    let mut reached = reach(target, &exchange, &promotion.draft.agents)?;
    for (id, edit) in &mut reached {
        edit.running_in_source_since = running_since(id, edit, source)?;
    }
    promotion.draft.agents.extend(reached);
    Ok(promotion)
}

/// The resources that files name. Their content comes from the source; where the two differ, it stops.
fn named_by_files(
    wanted: &Move,
    source: &Environment<'_, '_>,
    trust: &Trust,
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<Vec<ResourceId>> {
    let Set { resources, .. } = read_set(&wanted.files, desk, caller)?;
    let mut named = Vec::new();
    let mut differing = Vec::new();
    for (id, file) in resources {
        if id.kind.is_trust() {
            if trust.resources.get(&id) != Some(&file) {
                caller.notice(format!(
                    "{id} differs from trust, and is not promoted: environments and teams are applied"
                ));
            }
            continue;
        }
        let elsewhere = Deployment::of(&file).and_then(|deployment| deployment.environment);
        if elsewhere.is_some_and(|environment| !trust.ladder().from(&wanted.to).contains(&environment.name)) {
            continue;
        }
        let held = if id.kind == Kind::Agent {
            source.closure(&id)?.map(|closure| closure.agent().clone())
        } else {
            source.entry(&id)?
        };
        match held {
            Some(held) if held == file => named.push(id),
            Some(_) => differing.push(format!("{id} differs")),
            None => differing.push(format!("{id} is not there")),
        }
    }
    if !differing.is_empty() {
        let message = format!(
            "the files name what is promoted, and `{}` has something else: {}",
            wanted.from,
            differing.join(", ")
        );
        return Err(Failure::refused("files-differ", message)
            .next(format!("look at it with `joch diff -f PATH --against context:{0}`; bring the files there first, or check out what `{0}` has", wanted.from))
            .into());
    }
    Ok(named)
}

fn add_shared(
    id: &ResourceId,
    promotion: &mut Promotion,
    target: &Environment<'_, '_>,
    way: &Way<'_, '_>,
) -> Result<()> {
    let Way { source, default_judge, numbering, reader, .. } = *way;
    let Some(after) = source.entry(id)? else { return Err(not_found(id, source)?.into()) };
    let before = target.entry(id)?;
    if before.as_ref() == Some(&after) {
        promotion.unchanged.push(id.clone());
        return Ok(());
    }
    let number = |resource: &Resource| numbering.version_of(id, resource.digest());
    let old = before.as_deref().map(number).transpose()?.flatten();
    let new = number(&after)?;
    if old > new {
        let version =
            |version: Option<u64>| version.map_or_else(|| "a version".to_owned(), |version| format!("v{version}"));
        let message = format!(
            "`{}` has {id} {}, and `{}` only {}: a promotion does not take it back",
            target.name(),
            version(old),
            source.name(),
            version(new)
        );
        // A rollback takes only what the target has served.
        let back = match new {
            Some(new) if served(id, target, reader)?.iter().any(|served| served.version == new) => {
                format!("joch rollback {} --to-version {new} --env {}", id.words(), target.name())
            }
            _ => format!("`joch apply -f FILE --env {}` with the content of {}", target.name(), version(new)),
        };
        let next = format!("{back}; or apply the newer one to `{}` first", source.name());
        return Err(Failure::refused("regression", message).next(next).into());
    }
    let cases = cases_of(&after, source, reader)?;
    if id.kind == Kind::Eval {
        for judge in judges_of(&after, default_judge, source)? {
            if target.entry(judge.id())?.is_none() {
                let edit = CatalogEdit { before: None, after: Some(judge.clone()), cases: None };
                promotion.draft.catalog.entry(judge.id().clone()).or_insert(edit);
            }
        }
    }
    promotion.draft.catalog.insert(id.clone(), CatalogEdit { before, after: Some(after), cases });
    Ok(())
}

fn add_agent(
    id: &ResourceId,
    promotion: &mut Promotion,
    target: &Environment<'_, '_>,
    way: &Way<'_, '_>,
    notices: &mut Vec<String>,
) -> Result<()> {
    let Way { source, numbering, reader, .. } = *way;
    let Some(candidate) = source.running(id)? else { return Err(not_found(id, source)?.into()) };
    if source.closure_tree(id)? == target.closure_tree(id)? {
        promotion.unchanged.push(id.clone());
        return Ok(());
    }
    let mut writes = BTreeSet::new();
    let along = brought_along(id, &candidate.closure, way)?;
    let brings = along.iter().map(|(resource, _)| (resource.id().clone(), resource.digest())).collect();
    for (brought, cases) in along {
        let entry = brought.id().clone();
        match target.entry(&entry)? {
            None => {
                writes.insert(entry.clone());
                let edit = CatalogEdit { before: None, after: Some(brought), cases };
                promotion.draft.catalog.entry(entry).or_insert(edit);
            }
            Some(standing) if standing != brought && !promotion.draft.catalog.contains_key(&entry) => {
                notices.push(format!(
                    "{entry} in the catalog of `{}` differs and stays: promote it on its own to replace it",
                    target.name()
                ));
            }
            Some(_) => {}
        }
    }
    let mut edit = edit_of(target, id, Some(candidate.closure.clone()), writes)?;
    edit.brings = Some(brings);
    weigh(id, &mut edit, &candidate, target, numbering, reader)?;
    promotion.draft.agents.insert(id.clone(), edit);
    Ok(())
}

/// Adds to the edit of an agent that is promoted how long the source has run it, and what it would take back.
pub(super) fn weigh(
    id: &ResourceId,
    edit: &mut AgentEdit,
    candidate: &Running,
    target: &Environment<'_, '_>,
    numbering: &dyn Numbering,
    reader: &Reader<'_>,
) -> Result<()> {
    edit.running_in_source_since = Some(candidate.record.timestamp);
    let applied = applied_there(id, edit.before.as_ref(), reader)?;
    edit.regressions = found_regressions(candidate, edit.before.as_ref(), &applied, target, numbering)?;
    Ok(())
}

/// Since when the source has run exactly what a shared resource makes of an agent in the target.
pub(super) fn running_since(
    id: &ResourceId,
    edit: &AgentEdit,
    source: &Environment<'_, '_>,
) -> Result<Option<DateTime<Utc>>> {
    let running = source.running(id)?.filter(|running| Some(&running.closure) == edit.after.as_ref());
    Ok(running.map(|running| running.record.timestamp))
}

type Brought = Vec<(Arc<Resource>, Option<Vec<u8>>)>;

/// Where what comes along is taken from, and how far up it goes.
pub(super) struct Way<'a, 'r> {
    /// The environment that it comes from.
    pub(super) source: &'a Environment<'a, 'r>,
    /// The target, and the rungs above it.
    pub(super) above: &'a [String],
    /// The Model that judges where an Eval names none.
    pub(super) default_judge: Option<&'a Reference>,
    /// What numbers have been given.
    pub(super) numbering: &'a dyn Numbering,
    /// What reads all of it.
    pub(super) reader: &'a Reader<'r>,
}

/// What a promotion of an agent adds where the target lacks it: the members of its closure, the Secrets these
/// name, Evals that name it with the Models that judge, and its Deployments to that environment or to one above
/// it. Those travel up with the agent, so that what the last rung demands is there when the agent arrives below it.
fn brought_along(id: &ResourceId, closure: &Closure, way: &Way<'_, '_>) -> Result<Brought> {
    let Way { source, above, default_judge, reader, .. } = *way;
    let members = closure.everything().into_iter().filter(|member| member.id().kind != Kind::Agent);
    let mut brought: Brought = members.map(|member| (member.clone(), None)).collect();
    let itself = BTreeSet::from([id.clone()]);
    for eval in source.concerning(&Kind::Eval, &itself, &BTreeSet::new())? {
        if Eval::of(&eval).is_some_and(|view| view.measures(id, &eval.id().namespace)) {
            let cases = cases_of(&eval, source, reader)?;
            let judges = judges_of(&eval, default_judge, source)?;
            brought.push((eval, cases));
            brought.extend(judges.into_iter().map(|judge| (judge, None)));
        }
    }
    for deployment in source.concerning(&Kind::Deployment, &itself, &BTreeSet::new())? {
        let Some(view) = Deployment::of(&deployment) else { continue };
        let of = |agent: crate::resource::Reference| agent.candidates(&deployment.id().namespace).contains(id);
        if view.agent.is_some_and(of) && view.environment.is_some_and(|named| above.contains(&named.name)) {
            brought.push((deployment, None));
        }
    }
    let named = closure.everything().into_iter().chain(brought.iter().map(|(resource, _)| resource));
    let secrets = secrets_of(named, source)?;
    brought.extend(secrets.into_iter().map(|secret| (secret, None)));
    Ok(brought)
}

/// The digests of what a promotion of an agent brings along.
pub(super) fn brings(id: &ResourceId, closure: &Closure, way: &Way<'_, '_>) -> Result<BTreeMap<ResourceId, Digest>> {
    let along = brought_along(id, closure, way)?;
    Ok(along.into_iter().map(|(resource, _)| (resource.id().clone(), resource.digest())).collect())
}

/// The closures that a draft promotes, for the parents whose children they are.
fn promoted(draft: &Draft) -> BTreeMap<ResourceId, Closure> {
    draft.agents.iter().filter_map(|(id, edit)| Some((id.clone(), edit.after.clone()?))).collect()
}

/// The Secrets that a closure names and the source has: records of where a value is, never the value.
fn secrets_of<'r>(
    resources: impl Iterator<Item = &'r Arc<Resource>>,
    source: &Environment<'_, '_>,
) -> Result<Vec<Arc<Resource>>> {
    let mut secrets = BTreeMap::new();
    for resource in resources {
        for reference in secrets_named(resource) {
            for id in reference.candidates(&resource.id().namespace) {
                if let Some(secret) = source.entry(&id)? {
                    secrets.insert(id, secret);
                    break;
                }
            }
        }
    }
    Ok(secrets.into_values().collect())
}

fn cases_of(resource: &Resource, environment: &Environment<'_, '_>, reader: &Reader<'_>) -> Result<Option<Vec<u8>>> {
    if resource.id().kind != Kind::Eval {
        return Ok(None);
    }
    Ok(reader.snapshot().blob_at(environment.head(), &layout::cases(resource.id()))?)
}

fn found_regressions(
    candidate: &Running,
    running: Option<&Running>,
    applied: &[Record],
    target: &Environment<'_, '_>,
    numbering: &dyn Numbering,
) -> Result<Vec<crate::gate::Regression>> {
    let mut catalog = Vec::new();
    for member in &candidate.record.members {
        if let Some(entry) = target.entry(&member.id())?
            && entry.digest() != member.digest
        {
            let version = numbering.version_of(entry.id(), entry.digest())?;
            catalog.push(Pinned::new(entry.id(), version, entry.digest()));
        }
    }
    let mut policies = Vec::new();
    for policy in target.of_kind(&Kind::Policy)? {
        let version = numbering.version_of(policy.id(), policy.digest())?;
        policies.push((policy, version));
    }
    let target = Target { running, applied, catalog: &catalog, policies: &policies };
    Ok(regressions(&candidate.closure, &candidate.record.members, candidate.record.to_version, &target))
}

/// The records of an agent since its last promotion or rollback, newest first.
fn applied_there(id: &ResourceId, running: Option<&Running>, reader: &Reader<'_>) -> Result<Vec<Record>> {
    let Some(running) = running else { return Ok(Vec::new()) };
    let mut records = Vec::new();
    for record in reader.lineage(id, &running.record.release) {
        let record = record?;
        if record.event != Event::Apply {
            break;
        }
        records.push(record);
    }
    Ok(records)
}

/// The catalog changes of a draft that reach other agents: those that were asked for, not those that an
/// agent brings along where the target had none.
fn shared_changes(draft: &Draft, shared: &[ResourceId]) -> BTreeMap<ResourceId, Option<Arc<Resource>>> {
    let asked = draft.catalog.iter().filter(|(id, edit)| shared.contains(id) && edit.word() != Word::Unchanged);
    asked.map(|(id, edit)| (id.clone(), edit.after.clone())).collect()
}
