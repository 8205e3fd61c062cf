//! `joch get KIND [NAME]`: what there is, and which version of it each environment has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;

use crate::ledger::{Environment, Reader};
use crate::release::{Numbering as _, Standing, layout};
use crate::resource::{Digest, Kind, Resource, ResourceId};
use crate::trust::Trust;

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::find::{check_environment, never_released, not_found};
use super::history::unknown_to_trust;
use super::overridden::Marks;
use super::past::{Step, of_manifest, standing};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which kind.
    pub kind: Kind,
    /// Which one; all of them where none is named.
    pub name: Option<String>,
    /// Where; in every environment where none is named.
    pub environment: Option<String>,
    /// Labels that it has.
    pub labels: BTreeMap<String, String>,
}

/// What there is.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The rungs of the ladder, lowest first.
    pub ladder: Vec<String>,
    /// In order of namespace and name; environments in order of the ladder.
    pub items: Vec<Item>,
}

/// One resource.
#[derive(Debug, Clone)]
pub struct Item {
    /// Which.
    pub id: ResourceId,
    /// Its content where it was met last on the way up the ladder; none for a rung without a record.
    pub resource: Option<Arc<Resource>>,
    /// What each environment has of it.
    pub standings: Vec<Standing>,
    /// What trust has of it.
    pub trust: Option<Digest>,
}

/// Lists what there is.
///
/// # Errors
/// A name or environment that is none, or a ledger that cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let rungs: Vec<String> = match &request.environment {
        None => trust.ladder().rungs().to_vec(),
        Some(named) => {
            check_environment(trust.ladder(), named)?;
            vec![named.clone()]
        }
    };
    let mut wanted = Wanted::new(request, caller);
    if let Kind::Other(_) = wanted.kind {
        wanted.kind = as_written(&wanted.kind, &rungs, &reader)?;
    }
    let mut items = BTreeMap::new();
    for rung in &rungs {
        match &request.kind {
            Kind::Environment => list_rung(&reader.environment(rung)?, &wanted, &mut items)?,
            kind if kind.is_trust() => {}
            _ => list(&reader, &reader.environment(rung)?, &wanted, request.environment.is_some(), &mut items)?,
        }
    }
    if request.environment.is_none() || request.kind.is_trust() {
        list_trust(&trust, &wanted, &mut items);
    }
    items.retain(|_, item| item.resource.is_some() || wanted.labels.is_empty());
    if items.is_empty() {
        if let Some(name) = &request.name {
            let id = ResourceId::new(request.kind.clone(), caller.namespace(), name);
            return Err(missing(&id, request, &reader, &trust)?.into());
        }
        caller.notice(nothing(request));
    }
    let marks = Marks::read(&reader, &trust)?;
    for item in items.values_mut() {
        for standing in &mut item.standings {
            standing.overridden = match item.id.kind {
                Kind::Environment => standing.release.as_ref().and_then(|release| marks.all_of(release).pop()),
                _ => marks.of(standing.release.as_ref(), &item.id),
            };
        }
    }
    let ladder = trust.ladder().rungs().to_vec();
    let mut items: Vec<_> = items.into_values().collect();
    if request.kind == Kind::Environment {
        items.sort_by_key(|item| ladder.iter().position(|rung| *rung == item.id.name).unwrap_or(usize::MAX));
    }
    Ok(Outcome { ladder, items })
}

/// What the words of the command select.
struct Wanted {
    kind: Kind,
    namespace: Option<String>,
    name: Option<String>,
    labels: BTreeMap<String, String>,
}

impl Wanted {
    /// A name is looked up in one namespace; a list is of all of them, unless one is named.
    fn new(request: &Request, caller: &Caller<'_>) -> Self {
        let named = caller.namespace.as_deref().or_else(|| caller.variable("JOCH_NAMESPACE"));
        let namespace = if request.name.is_some() { Some(caller.namespace()) } else { named };
        Self {
            kind: request.kind.clone(),
            namespace: namespace.map(str::to_owned),
            name: request.name.clone(),
            labels: request.labels.clone(),
        }
    }

    fn names(&self, id: &ResourceId) -> bool {
        id.kind == self.kind
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == id.namespace)
            && self.name.as_ref().is_none_or(|name| *name == id.name)
    }

    fn fits(&self, resource: &Resource) -> bool {
        let labels = if self.labels.is_empty() { BTreeMap::new() } else { resource.labels() };
        self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

type Items = BTreeMap<ResourceId, Item>;

/// The kind that files spell `FeatureFlag` where a person says `feature-flags`.
fn as_written(kind: &Kind, rungs: &[String], reader: &Reader<'_>) -> Result<Kind> {
    for rung in rungs {
        let kinds = reader.environment(rung)?.catalog_kinds()?;
        if let Some(known) = kinds.into_iter().find(|known| known.plural() == kind.plural()) {
            return Ok(known);
        }
    }
    Ok(kind.clone())
}

/// Adds what an environment has; with `since` also the release that brought each.
fn list(
    reader: &Reader<'_>,
    environment: &Environment<'_, '_>,
    wanted: &Wanted,
    since: bool,
    items: &mut Items,
) -> Result<()> {
    if wanted.kind == Kind::Agent {
        return list_agents(reader, environment, wanted, items);
    }
    let entries: Vec<_> = environment.entries(&wanted.kind)?;
    let entries: Vec<_> = entries.into_iter().filter(|entry| wanted.names(entry.id()) && wanted.fits(entry)).collect();
    let steps = match since {
        true => brought(reader, environment, entries.iter().map(|entry| entry.id().clone()).collect())?,
        false => BTreeMap::new(),
    };
    for entry in entries {
        let digest = entry.digest();
        let version = reader.version_of(entry.id(), digest)?;
        add(items, &entry, standing(environment, steps.get(entry.id()), version, digest));
    }
    Ok(())
}

fn list_agents(
    reader: &Reader<'_>,
    environment: &Environment<'_, '_>,
    wanted: &Wanted,
    items: &mut Items,
) -> Result<()> {
    for id in environment.agents()?.into_iter().filter(|id| wanted.names(id)) {
        let path = format!("{}/agent.yaml", layout::closure(&id));
        let Some(blob) = reader.snapshot().entry_at(environment.head(), &path)? else { continue };
        let agent = reader.resource(blob.id)?;
        if !wanted.fits(&agent) {
            continue;
        }
        let record = environment.brief(&id)?;
        let standing = Standing {
            environment: environment.name().to_owned(),
            version: record.as_ref().and_then(|record| record.to_version),
            digest: record.as_ref().and_then(|record| record.to_digest),
            release: record.as_ref().map(|record| record.release.clone()),
            time: record.as_ref().map(|record| record.timestamp),
            operator: record.map(|record| record.operator_identity.principal.name),
            overridden: None,
        };
        add(items, &agent, standing);
    }
    Ok(())
}

/// Adds a rung of the ladder with its latest release, whether or not trust has a record of it.
fn list_rung(environment: &Environment<'_, '_>, wanted: &Wanted, items: &mut Items) -> Result<()> {
    let id = ResourceId::new(Kind::Environment, crate::resource::name::DEFAULT_NAMESPACE, environment.name());
    if !wanted.names(&id) {
        return Ok(());
    }
    let latest = environment.manifest()?;
    let standing = Standing {
        environment: environment.name().to_owned(),
        version: None,
        digest: None,
        release: latest.as_ref().map(|manifest| manifest.name()),
        time: latest.as_ref().map(|manifest| manifest.timestamp),
        operator: latest.map(|manifest| manifest.operator.principal.name.clone()),
        overridden: None,
    };
    items.insert(id.clone(), Item { id, resource: None, standings: vec![standing], trust: None });
    Ok(())
}

fn list_trust(trust: &Trust, wanted: &Wanted, items: &mut Items) {
    for (id, resource) in trust.resources.iter().filter(|(id, resource)| wanted.names(id) && wanted.fits(resource)) {
        let item = items.entry(id.clone()).or_insert_with(|| empty(id));
        item.trust = Some(resource.digest());
        item.resource.get_or_insert_with(|| resource.clone());
    }
}

fn add(items: &mut Items, resource: &Arc<Resource>, standing: Standing) {
    let item = items.entry(resource.id().clone()).or_insert_with(|| empty(resource.id()));
    item.resource = Some(resource.clone());
    item.standings.push(standing);
}

fn empty(id: &ResourceId) -> Item {
    Item { id: id.clone(), resource: None, standings: Vec::new(), trust: None }
}

/// The release that brought each of these catalog entries to what it is; one walk for all of them.
fn brought(
    reader: &Reader<'_>,
    environment: &Environment<'_, '_>,
    mut ids: BTreeSet<ResourceId>,
) -> Result<BTreeMap<ResourceId, Step>> {
    let mut found = BTreeMap::new();
    for commit in reader.snapshot().first_parents(environment.head()) {
        if ids.is_empty() {
            break;
        }
        let commit = commit?.id;
        let Some(manifest) = reader.manifest(commit)? else { break };
        for changed in &manifest.resources {
            let id = changed.id();
            if ids.remove(&id) {
                found.extend(of_manifest(commit, &manifest, &id).map(|step| (id, step)));
            }
        }
    }
    Ok(found)
}

/// Why a named resource is not listed.
fn missing(id: &ResourceId, request: &Request, reader: &Reader<'_>, trust: &Trust) -> Result<Failure> {
    if id.kind.is_trust() {
        return Ok(unknown_to_trust(id, trust));
    }
    if let Some(environment) = &request.environment {
        return not_found(id, &reader.environment(environment)?);
    }
    if reader.version_tags(id)?.is_empty() {
        return never_released(id, reader);
    }
    Ok(Failure::could_not("not-found", format!("no environment has {id} now"))
        .next(format!("`joch get {} --history` tells what became of it", id.words())))
}

fn nothing(request: &Request) -> String {
    let labelled = if request.labels.is_empty() { "" } else { " with these labels" };
    match &request.environment {
        Some(environment) => format!("there are no {}{labelled} in `{environment}`", request.kind.plural()),
        None => format!("there are no {}{labelled}", request.kind.plural()),
    }
}
