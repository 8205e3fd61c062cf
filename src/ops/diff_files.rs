//! `joch diff -f PATH --against context:prod`: what the files would change there. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;

use crate::bom;
use crate::closure::{Closure, Exchange, Unresolved};
use crate::ledger::{Environment, Reader, Repository};
use crate::release::Numbering as _;
use crate::resource::{Kind, Pinned, Resource, ResourceId};
use crate::trust::Trust;

use super::caller::Caller;
use super::content::{Content, of_environment, pinned};
use super::cut::{cut_agent, explain_missing};
use super::desk::Desk;
use super::diff::{Affected, Outcome, changes, compared};
use super::failure::Failure;
use super::find::check_environment;
use super::project_files;
use super::reach::{edit_of, reach};
use super::set::{Set, read_set};

/// What is compared.
#[derive(Debug, Clone)]
pub struct Request {
    /// Files, directories, `-`.
    pub files: Vec<String>,
    /// An environment or a context of `joch.yaml`; the first rung where none is named.
    pub against: Option<String>,
}

/// Compares files with what an environment has.
///
/// # Errors
/// Invalid files, references that lead nowhere, a context that is none, or a ledger that cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let against = request.against.as_deref().map(|name| name.strip_prefix("context:").unwrap_or(name));
    let context = against.and_then(|name| desk.project.config.contexts.get(name)).cloned();
    let elsewhere = context.as_ref().and_then(|context| context.ledger.as_ref());
    let other = elsewhere.map(|ledger| Repository::open(desk.project.root.join(ledger))).transpose()?;
    let reader = Reader::new(other.as_ref().unwrap_or(&desk.repository).snapshot()?);
    let trust = reader.trust()?;
    let name = match (context, against) {
        (Some(context), _) => context.environment,
        (None, Some(name)) => name.to_owned(),
        (None, None) => {
            caller.notice(format!("comparing with `{}`, the first rung of the ladder", trust.ladder().first()));
            trust.ladder().first().to_owned()
        }
    };
    check_environment(trust.ladder(), &name)?;
    let set = read_set(&request.files, &desk, caller)?;
    let environment = reader.environment(&name)?;
    let mut outcome = Outcome::default();
    outcome.from.environment = Some(name);
    let mut comparison =
        Comparison { outcome, environment: &environment, old: Vec::new(), new: Vec::new(), reader: &reader };
    let exchange = comparison.shared(&set, &trust)?;
    comparison.agents(&set, exchange, &trust, &desk)?;
    Ok(comparison.finish())
}

/// The difference while it is gathered.
struct Comparison<'a, 'r> {
    outcome: Outcome,
    environment: &'a Environment<'a, 'r>,
    /// Components of the agents as they are.
    old: Vec<Pinned>,
    /// And as they would be.
    new: Vec<Pinned>,
    reader: &'a Reader<'r>,
}

impl Comparison<'_, '_> {
    /// Compares the shared resources of the set, and gives those that would be exchanged.
    fn shared(&mut self, set: &Set, trust: &Trust) -> Result<Exchange> {
        let mut exchange = Exchange::default();
        for (id, resource) in set.resources.iter().filter(|(id, _)| id.kind != Kind::Agent) {
            let to = Content::of_resource(self.number(resource)?, resource.clone());
            let there = if id.kind.is_trust() { None } else { of_environment(self.reader, self.environment, id)? };
            // What an Environment or Team imposes stands on trust beside them.
            let from = there.or_else(|| Some(Content::of_resource(None, trust.resources.get(id)?.clone())));
            let differs = from.as_ref().map(|content| content.digest) != Some(to.digest);
            if differs && !id.kind.is_trust() {
                exchange.resources.insert(id.clone(), Some(resource.clone()));
            }
            self.add(id, from.as_ref(), &to)?;
        }
        Ok(exchange)
    }

    /// Compares the agents of the set, and those that the exchange reaches.
    fn agents(&mut self, set: &Set, mut exchange: Exchange, trust: &Trust, desk: &Desk) -> Result<()> {
        let mut known = BTreeMap::new();
        for (id, closure) in self.cut(set, trust, desk)? {
            let from = of_environment(self.reader, self.environment, &id)?;
            let version = self.reader.version_of(&id, closure.digest())?;
            let to = Content::of_closure(version, closure.clone());
            known.insert(id.clone(), edit_of(self.environment, &id, Some(closure.clone()), BTreeSet::new())?);
            if from.as_ref().map(|content| content.digest) != Some(to.digest) {
                exchange.agents.insert(id.clone(), closure);
            }
            self.add(&id, from.as_ref(), &to)?;
        }
        for (id, edit) in reach(self.environment, &exchange, &known)? {
            let Some(after) = edit.after else { continue };
            let from = of_environment(self.reader, self.environment, &id)?;
            let to = Content::of_closure(self.reader.version_of(&id, after.digest())?, after);
            let through = exchange.resources.keys().chain(exchange.agents.keys());
            let holds = |part: &&ResourceId| to.closure().is_some_and(|closure| closure.find(part).is_some());
            self.outcome.affected.push(Affected {
                agent: id.clone(),
                environment: self.environment.name().to_owned(),
                version: from.as_ref().and_then(|content| content.version),
                through: through.filter(holds).cloned().collect(),
            });
            self.add(&id, from.as_ref(), &to)?;
        }
        Ok(())
    }

    /// The closures that the set's agents would have: members from the set, then from the rest of the project,
    /// then from the environment, then from any other.
    fn cut(&self, set: &Set, trust: &Trust, desk: &Desk) -> Result<BTreeMap<ResourceId, Closure>> {
        let mut whole = with_project(set, desk);
        let mut widened = false;
        loop {
            let mut cut = BTreeMap::new();
            let mut missing = Vec::new();
            for id in set.resources.keys().filter(|id| id.kind == Kind::Agent) {
                match cut_agent(id, &whole, self.environment, &mut Vec::new()) {
                    Ok(closure) => cut.extend(closure.map(|closure| (id.clone(), closure))),
                    Err(Unresolved::Missing(more)) => missing.extend(more),
                    Err(other) => return Err(Failure::refused("invalid", other.to_string()).into()),
                }
            }
            if missing.is_empty() {
                return Ok(cut);
            }
            if widened {
                missing.sort();
                missing.dedup();
                return Err(explain_missing(missing, desk));
            }
            self.widen(&mut whole, trust)?;
            widened = true;
        }
    }

    /// Adds what only other environments have, the highest first.
    fn widen(&self, whole: &mut Set, trust: &Trust) -> Result<()> {
        for rung in trust.ladder().rungs().iter().rev().filter(|rung| *rung != self.environment.name()) {
            let other = self.reader.environment(rung)?;
            for kind in other.catalog_kinds()? {
                for entry in other.entries(&kind)? {
                    if self.environment.entry(entry.id())?.is_none() {
                        whole.resources.entry(entry.id().clone()).or_insert(entry);
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, id: &ResourceId, from: Option<&Content>, to: &Content) -> Result<()> {
        self.outcome.resources.push(compared(id, from, Some(to)));
        for change in changes(id, from, Some(to)) {
            // New to this agent, and no news in the environment: what differs there is told on its own.
            let known =
                change.is_whole() && change.resource != *id && self.environment.entry(&change.resource)?.is_some();
            if !known && !self.outcome.changes.contains(&change) {
                self.outcome.changes.push(change);
            }
        }
        if let Some(closure) = from.and_then(Content::closure) {
            self.old.extend(pinned(self.reader, closure)?);
        }
        if let Some(closure) = to.closure() {
            self.new.extend(pinned(self.reader, closure)?);
        }
        Ok(())
    }

    fn number(&self, resource: &Resource) -> Result<Option<u64>> {
        Ok(self.reader.version_of(resource.id(), resource.digest())?)
    }

    fn finish(mut self) -> Outcome {
        self.outcome.abom = bom::delta(&self.old, &self.new);
        self.outcome.resources.sort_by(|a, b| a.id.cmp(&b.id));
        self.outcome.changes.sort_by(|a, b| a.resource.cmp(&b.resource));
        self.outcome
    }
}

/// The set, and what else the project holds.
fn with_project(set: &Set, desk: &Desk) -> Set {
    let mut resources: BTreeMap<ResourceId, Arc<Resource>> = BTreeMap::new();
    for (_, resource) in project_files::all(&desk.project.root) {
        resources.entry(resource.id().clone()).or_insert_with(|| Arc::new(resource));
    }
    resources.extend(set.resources.clone());
    Set { resources, datasets: BTreeMap::new() }
}
