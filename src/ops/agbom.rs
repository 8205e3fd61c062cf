//! `joch agbom NAME`: what a version of an agent is made of. The bill that was stored when the version was cut is
//! read, and never made anew; the difference of two versions is that of their graphs.

use anyhow::Result;

use crate::bom::cyclonedx::Bill;
use crate::bom::{AbomDelta, Graph, delta, spdx as as_spdx};
use crate::ledger::{Environment, Error, ObjectId, Reader};
use crate::release::layout;
use crate::resource::{Digest, Kind, ResourceId};
use crate::trust::Trust;

use super::caller::Caller;
use super::content::{Content, of_version, pinned};
use super::desk::Desk;
use super::diff::sides;
use super::failure::Failure;
use super::find::{check_environment, never_released, not_found};
use super::revision::Side;

/// Whose bill is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The agent.
    pub id: ResourceId,
    /// The version.
    pub version: Option<u64>,
    /// The environment whose version it is.
    pub environment: Option<String>,
}

/// A bill as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The agent.
    pub agent: ResourceId,
    /// Its version.
    pub version: u64,
    /// The environment in which the bill stands.
    pub environment: String,
    /// The release that it stands in.
    pub release: String,
    /// The commit of that.
    pub commit: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its bytes.
    pub text: String,
    /// What they say.
    pub bill: Bill,
    /// The graph of the version, for another form.
    pub graph: Graph,
}

/// What two bills are to be compared.
#[derive(Debug, Clone)]
pub struct Compare {
    /// The agent.
    pub id: ResourceId,
    /// The old side.
    pub from: Option<String>,
    /// The new side.
    pub to: Option<String>,
}

/// How two versions differ in what they are made of.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The agent.
    pub agent: ResourceId,
    /// The old side.
    pub from: Side,
    /// The new side.
    pub to: Side,
    /// The components that differ.
    pub abom: AbomDelta,
}

/// Reads the bill of a version.
///
/// # Errors
/// There is no such agent, version or environment; the version is older than bills; the ledger is damaged.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Stored> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    check_kind(&request.id)?;
    let (environment, commit) = place(request, &reader, &trust, caller)?;
    stored(&request.id, &reader.environment_at(&environment, commit), request.version, &reader)
}

/// The bill of a version as SPDX 3.0.1, of the same serial number, time and content.
///
/// # Errors
/// The stored bill is of another graph than the closure beside it.
pub fn spdx(stored: &Stored) -> Result<String> {
    if stored.bill.content_digest() != Some(stored.graph.digest()) {
        return Err(Failure::could_not(
            "bom-form",
            format!("the bill of {} v{} was made in another form than this joch makes", stored.agent, stored.version),
        )
        .next("`--format cyclonedx` prints it as it is stored")
        .into());
    }
    Ok(as_spdx::document(&stored.graph, &stored.bill))
}

/// Compares what two versions are made of.
///
/// # Errors
/// A side that names nothing; neither side has the agent; the ledger cannot be read.
pub fn difference(request: &Compare, caller: &mut Caller<'_>) -> Result<Difference> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let id = &request.id;
    check_kind(id)?;
    if reader.version_tags(id)?.is_empty() {
        return Err(never_released(id, &reader)?.into());
    }
    let command = format!("joch agbom {} --diff", id.name);
    let [from, to] = sides(id, &command, request.from.as_deref(), request.to.as_deref(), trust.ladder(), &reader)?;
    let abom = difference_of(&from, &to, &reader)?;
    Ok(Difference { agent: id.clone(), from, to, abom })
}

/// The components in which two sides differ.
pub(super) fn difference_of(from: &Side, to: &Side, reader: &Reader<'_>) -> Result<AbomDelta> {
    let closure = |side: &'_ Side| side.content.as_ref().and_then(Content::closure).cloned();
    let (old, new) = (closure(from), closure(to));
    let members = |closure: &Option<_>| closure.as_ref().map_or(Ok(Vec::new()), |closure| pinned(reader, closure));
    Ok(delta(&members(&old)?, &members(&new)?).with(old.as_ref(), new.as_ref()))
}

fn check_kind(id: &ResourceId) -> Result<(), Failure> {
    if id.kind == Kind::Agent {
        return Ok(());
    }
    Err(Failure::usage(format!("{id} has no bill of materials: agents have"))
        .next(format!("`joch describe {}` tells which agents hold it", id.words())))
}

/// The environment and the commit where the bill stands.
fn place(request: &Request, reader: &Reader<'_>, trust: &Trust, caller: &mut Caller<'_>) -> Result<(String, ObjectId)> {
    let id = &request.id;
    if let Some(number) = request.version {
        // It says what there is where there is no such version.
        of_version(reader, id, number)?;
        if let Some(version) = reader.version(id, number)? {
            return Ok(
                elsewhere(id, number, reader, trust)?.unwrap_or((version.manifest.environment.clone(), version.commit))
            );
        }
    }
    if let Some(name) = &request.environment {
        check_environment(trust.ladder(), name)?;
        let environment = reader.environment(name)?;
        if environment.closure_tree(id)?.is_none() {
            return Err(not_found(id, &environment)?.into());
        }
        return Ok((name.clone(), environment.head()));
    }
    for rung in trust.ladder().rungs().iter().rev() {
        let environment = reader.environment(rung)?;
        if environment.closure_tree(id)?.is_some() {
            caller.notice(format!("{id} as `{rung}` runs it"));
            return Ok((rung.clone(), environment.head()));
        }
    }
    if reader.version_tags(id)?.is_empty() {
        return Err(never_released(id, reader)?.into());
    }
    Err(Failure::could_not("not-found", format!("no environment runs {id} now"))
        .next(format!("`joch agbom {} --version N`; `joch get {} --history` lists the versions", id.name, id.words()))
        .into())
}

/// A version from before there were bills may have got one where it was released later: the lowest environment that
/// runs it with one.
fn elsewhere(id: &ResourceId, number: u64, reader: &Reader<'_>, trust: &Trust) -> Result<Option<(String, ObjectId)>> {
    if let Some(version) = reader.version(id, number)?
        && reader.snapshot().entry_at(version.commit, &layout::bom(id))?.is_some()
    {
        return Ok(None);
    }
    for rung in trust.ladder().rungs() {
        let environment = reader.environment(rung)?;
        let record = environment.record(id)?;
        if record.is_some_and(|record| record.to_version == Some(number) && record.bom.is_some()) {
            return Ok(Some((rung.clone(), environment.head())));
        }
    }
    Ok(None)
}

/// The bill that stands at a commit.
fn stored(
    id: &ResourceId,
    environment: &Environment<'_, '_>,
    version: Option<u64>,
    reader: &Reader<'_>,
) -> Result<Stored> {
    let (path, commit) = (layout::bom(id), environment.head());
    let damaged = |why: String| Error::Damaged { object: format!("`{path}` of {commit}"), why };
    let running = environment.running(id)?.ok_or_else(|| damaged("there is no closure beside it".to_owned()))?;
    let number = version.or(running.record.to_version);
    let number = number.ok_or_else(|| damaged("the record beside it names no version".to_owned()))?;
    let Some(named) = running.record.bom else {
        let why = format!("{id} v{number} has no bill of materials: it was released by a joch that wrote none");
        return Err(Failure::could_not("no-bom", why)
            .next(format!(
                "release it again, which writes one: promote it, or `joch apply -f` the agent; the components of two \
                 versions can be compared all the same: `joch agbom {} --diff`",
                id.name
            ))
            .into());
    };
    let bytes = reader.snapshot().blob_at(commit, &path)?.ok_or_else(|| damaged("it is missing".to_owned()))?;
    let digest = Digest::of(&bytes);
    if digest != named {
        return Err(damaged(format!("it is {digest}, and the record beside it names {named}")).into());
    }
    let bill = Bill::from_json(&bytes).map_err(damaged)?;
    let text = String::from_utf8(bytes).map_err(|why| damaged(why.to_string()))?;
    let graph =
        Graph::of(&running.closure, &mut |id, digest| crate::release::Numbering::version_of(reader, id, digest))
            .map_err(|why| anyhow::anyhow!(why.0))?;
    Ok(Stored {
        agent: id.clone(),
        version: number,
        environment: environment.name().to_owned(),
        release: running.record.release,
        commit: commit.to_string(),
        digest,
        text,
        bill,
        graph,
    })
}
