//! What a version of a resource is, and what an environment has of one.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;

use crate::closure::Closure;
use crate::ledger::{Environment, Error, Reader};
use crate::release::Numbering as _;
use crate::resource::{Digest, Kind, Pinned, Resource, ResourceId};

use super::failure::Failure;
use super::find::never_released;

/// One content of a resource.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its number; none for what stands on trust or in files, and was never released.
    pub version: Option<u64>,
    /// Its digest: for an agent that of its closure.
    pub digest: Digest,
    /// The content itself.
    pub body: Body,
}

/// The two forms of content.
#[derive(Debug, Clone)]
pub enum Body {
    /// An agent with everything that decides how it behaves.
    Agent(Box<Closure>),
    /// Any other resource.
    Other(Arc<Resource>),
}

impl Content {
    /// The content that a closure is.
    pub(super) fn of_closure(version: Option<u64>, closure: Closure) -> Self {
        Self { version, digest: closure.digest(), body: Body::Agent(Box::new(closure)) }
    }

    /// The content that a resource is.
    pub(super) fn of_resource(version: Option<u64>, resource: Arc<Resource>) -> Self {
        Self { version, digest: resource.digest(), body: Body::Other(resource) }
    }

    /// The resource itself, without what an agent drags along.
    #[must_use]
    pub fn resource(&self) -> &Arc<Resource> {
        match &self.body {
            Body::Agent(closure) => closure.agent(),
            Body::Other(resource) => resource,
        }
    }

    /// The closure, if it is an agent.
    #[must_use]
    pub fn closure(&self) -> Option<&Closure> {
        match &self.body {
            Body::Agent(closure) => Some(closure),
            Body::Other(_) => None,
        }
    }
}

/// One version of a resource.
///
/// # Errors
/// There is no such version, or what its release holds is not what it gave the number to.
pub(super) fn of_version(reader: &Reader<'_>, id: &ResourceId, number: u64) -> Result<Content> {
    let Some(version) = reader.version(id, number)? else {
        let known = reader.version_tags(id)?;
        let Some((newest, _)) = known.first() else { return Err(never_released(id, reader)?.into()) };
        return Err(Failure::could_not("not-found", format!("{id} has no version {number}; its newest is v{newest}"))
            .next(format!("`joch get {} --history` lists them", id.words()))
            .into());
    };
    let environment = reader.environment_at(&version.manifest.environment, version.commit);
    let found = held(&environment, id, version.digest)?.ok_or_else(|| Error::Damaged {
        object: format!("{id} v{number}"),
        why: format!("release {} gave this number and does not hold its content", version.manifest.name()),
    })?;
    Ok(Content { version: Some(number), ..found })
}

/// What an environment has of a resource; `None` where it has nothing.
///
/// # Errors
/// The content or its record is damaged.
pub(super) fn of_environment(
    reader: &Reader<'_>,
    environment: &Environment<'_, '_>,
    id: &ResourceId,
) -> Result<Option<Content>> {
    if id.kind != Kind::Agent {
        let Some(entry) = environment.entry(id)? else { return Ok(None) };
        return Ok(Some(Content::of_resource(reader.version_of(id, entry.digest())?, entry)));
    }
    let Some(running) = environment.running(id)? else { return Ok(None) };
    let mut content = Content::of_closure(running.record.to_version, running.closure);
    if running.record.to_digest != Some(content.digest) {
        // The tree decides; a record that says otherwise is for an audit to name.
        content.version = reader.version_of(id, content.digest)?;
    }
    Ok(Some(content))
}

/// The members of a closure with their versions, children before what these hold; the agent itself is not
/// among them.
///
/// # Errors
/// A tag or its release cannot be read.
pub(super) fn pinned(reader: &Reader<'_>, closure: &Closure) -> Result<Vec<Pinned>> {
    let mut pins = BTreeSet::new();
    collect(reader, closure, &mut pins)?;
    Ok(pins.into_iter().collect())
}

fn collect(reader: &Reader<'_>, closure: &Closure, pins: &mut BTreeSet<Pinned>) -> Result<()> {
    for (id, member) in closure.members() {
        let digest = member.digest();
        pins.insert(Pinned::new(id, reader.version_of(id, digest)?, digest));
    }
    for (id, child) in closure.children() {
        let digest = child.digest();
        pins.insert(Pinned::new(id, reader.version_of(id, digest)?, digest));
        collect(reader, child, pins)?;
    }
    Ok(())
}

/// The content with this digest in the tree of a release: an agent's closure, a catalog entry, or a member of
/// some closure.
fn held(environment: &Environment<'_, '_>, id: &ResourceId, digest: Digest) -> Result<Option<Content>> {
    if id.kind == Kind::Agent {
        let closure = environment.closure(id)?.map(|closure| Content::of_closure(None, closure));
        return Ok(closure.filter(|content| content.digest == digest));
    }
    if let Some(entry) = environment.entry(id)?.filter(|entry| entry.digest() == digest) {
        return Ok(Some(Content::of_resource(None, entry)));
    }
    for agent in environment.agents()? {
        let Some(closure) = environment.closure(&agent)? else { continue };
        let member = closure.everything().into_iter().find(|member| member.id() == id && member.digest() == digest);
        if let Some(member) = member {
            return Ok(Some(Content::of_resource(None, member.clone())));
        }
    }
    Ok(None)
}
