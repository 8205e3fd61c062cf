//! `joch describe KIND NAME`: one version of a resource, what it holds, and where it stands.

use anyhow::Result;

use crate::ledger::{Environment, Reader};
use crate::release::{Event, Record, RollbackPath, Standing};
use crate::resource::{Kind, Pinned, ResourceId};
use crate::trust::Trust;

use super::caller::Caller;
use super::content::{Content, of_environment, of_version, pinned};
use super::desk::Desk;
use super::failure::Failure;
use super::find::{check_environment, never_released, not_found};
use super::history::unknown_to_trust;
use super::overridden::Marks;
use super::past::{latest, standing};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which resource.
    pub id: ResourceId,
    /// Which version.
    pub version: Option<u64>,
    /// Or what this environment has; the newest version where neither is named.
    pub environment: Option<String>,
}

/// What there is to say.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The version that is described.
    pub content: Content,
    /// The newest version; none for what stands on trust.
    pub newest: Option<u64>,
    /// For an agent, the members of its closure.
    pub closure: Vec<Pinned>,
    /// The environments that have the resource, lowest first, at whatever version.
    pub places: Vec<Place>,
    /// For another kind, the agents that hold it or are bound by it.
    pub holders: Vec<Holder>,
}

/// What one environment has of the resource.
#[derive(Debug, Clone)]
pub struct Place {
    /// Which version, and since when.
    pub standing: Standing,
    /// What brought it.
    pub event: Option<Event>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// For an agent, the way back.
    pub rollback_path: Option<RollbackPath>,
    /// For an agent, what trust imposed when it was released.
    pub imposed: Vec<Pinned>,
    /// Whether trust imposes something else now.
    pub behind_trust: bool,
}

/// An agent that holds a resource.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Where.
    pub environment: String,
    /// Which agent.
    pub agent: ResourceId,
    /// At which version.
    pub version: Option<u64>,
    /// The version of the resource that it holds.
    pub holds: Option<u64>,
    /// Whether trust imposes it beside the agent's closure.
    pub imposed: bool,
}

/// Describes one resource.
///
/// # Errors
/// There is no such resource, version or environment; the ledger cannot be read.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let id = &request.id;
    let content = content(request, &reader, &trust)?;
    let closure = content.closure().map(|closure| pinned(&reader, closure)).transpose()?.unwrap_or_default();
    let newest = reader.version_tags(id)?.first().map(|(number, _)| *number);
    let mut outcome = Outcome { content, newest, closure, places: Vec::new(), holders: Vec::new() };
    for rung in trust.ladder().rungs() {
        let environment = reader.environment(rung)?;
        if !id.kind.is_trust() {
            outcome.places.extend(place(&reader, &environment, &trust, id)?);
        }
        if id.kind != Kind::Agent {
            outcome.holders.extend(holders(&environment, id)?);
        }
    }
    let marks = Marks::read(&reader, &trust)?;
    for place in &mut outcome.places {
        place.standing.overridden = marks.of(place.standing.release.as_ref(), id);
    }
    Ok(outcome)
}

fn content(request: &Request, reader: &Reader<'_>, trust: &Trust) -> Result<Content> {
    let id = &request.id;
    let trusted = trust.resources.get(id).map(|resource| Content::of_resource(None, resource.clone()));
    if id.kind.is_trust() {
        if request.version.is_some() || request.environment.is_some() {
            return Err(Failure::usage(format!("{id} stands on trust: it has neither versions nor an environment"))
                .next(format!("joch describe {}", id.words()))
                .into());
        }
        return trusted.ok_or_else(|| unknown_to_trust(id, trust).into());
    }
    if let Some(name) = &request.environment {
        check_environment(trust.ladder(), name)?;
        let environment = reader.environment(name)?;
        return match of_environment(reader, &environment, id)? {
            Some(content) => Ok(content),
            None => Err(not_found(id, &environment)?.into()),
        };
    }
    let newest = reader.version_tags(id)?.first().map(|(number, _)| *number);
    match (request.version.or(newest), trusted) {
        (Some(number), _) => of_version(reader, id, number),
        (None, Some(trusted)) => Ok(trusted),
        (None, None) => Err(never_released(id, reader)?.into()),
    }
}

fn place(
    reader: &Reader<'_>,
    environment: &Environment<'_, '_>,
    trust: &Trust,
    id: &ResourceId,
) -> Result<Option<Place>> {
    let Some(content) = of_environment(reader, environment, id)? else { return Ok(None) };
    let step = latest(reader, environment.name(), id)?;
    let mut place = Place {
        standing: standing(environment, step.as_ref(), content.version, content.digest),
        event: step.as_ref().map(|step| step.event),
        reason: step.and_then(|step| step.reason),
        rollback_path: None,
        imposed: Vec::new(),
        behind_trust: false,
    };
    if let Some(record) = environment.record(id)?.filter(|_| id.kind == Kind::Agent) {
        place.behind_trust = is_behind(&record, trust);
        place.rollback_path = record.rollback_path;
        place.imposed = record.imposed;
    }
    Ok(Some(place))
}

/// Whether trust imposes something else on the agent now than when it was released.
fn is_behind(record: &Record, trust: &Trust) -> bool {
    let now = trust.imposed(&record.environment, &record.agent_ref.namespace).into_iter();
    let mut now: Vec<_> = now.map(|resource| (resource.id().clone(), resource.digest())).collect();
    let mut then: Vec<_> = record.imposed.iter().map(|pinned| (pinned.id(), pinned.digest)).collect();
    now.sort();
    then.sort();
    now != then
}

/// The agents of an environment that hold a resource, as their records list what they hold.
fn holders(environment: &Environment<'_, '_>, id: &ResourceId) -> Result<Vec<Holder>> {
    let mut holders = Vec::new();
    for agent in environment.agents()? {
        let Some(record) = environment.record(&agent)? else { continue };
        let imposed = record.imposed.iter().find(|pinned| pinned.id() == *id).map(|pinned| (pinned, true));
        for (pinned, imposed) in record.members.iter().filter(|p| p.id() == *id).map(|p| (p, false)).chain(imposed) {
            holders.push(Holder {
                environment: environment.name().to_owned(),
                agent: agent.clone(),
                version: record.to_version,
                holds: pinned.version,
                imposed,
            });
        }
    }
    Ok(holders)
}
