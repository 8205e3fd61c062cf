//! What an environment has served of a resource: the only versions that a rollback takes.

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::ledger::{Environment, ObjectId, Reader};
use crate::release::{Event, Numbering};
use crate::resource::{Digest, Kind, ResourceId};

/// One version that an environment has served.
#[derive(Debug, Clone)]
pub(super) struct Served {
    pub(super) version: u64,
    pub(super) digest: Digest,
    /// The release that brought it.
    pub(super) release: String,
    pub(super) commit: ObjectId,
    pub(super) time: DateTime<Utc>,
    /// Whether a rollback left it.
    pub(super) left: bool,
}

/// Every version of a resource that the environment has served, newest first.
///
/// # Errors
/// A record or manifest cannot be read.
pub(super) fn served(id: &ResourceId, environment: &Environment<'_, '_>, reader: &Reader<'_>) -> Result<Vec<Served>> {
    if id.kind == Kind::Agent { agent_served(id, environment, reader) } else { entry_served(id, environment, reader) }
}

/// The version that the environment has now.
///
/// # Errors
/// As [`served`].
pub(super) fn current_version(
    id: &ResourceId,
    environment: &Environment<'_, '_>,
    reader: &Reader<'_>,
) -> Result<Option<u64>> {
    if id.kind == Kind::Agent {
        return Ok(environment.record(id)?.and_then(|record| record.to_version));
    }
    match environment.entry(id)? {
        Some(entry) => Ok(reader.version_of(id, entry.digest())?),
        None => Ok(None),
    }
}

/// Every version of an agent that the environment has served, newest first.
///
/// # Errors
/// A record cannot be read.
pub(super) fn agent_served(
    id: &ResourceId,
    environment: &Environment<'_, '_>,
    reader: &Reader<'_>,
) -> Result<Vec<Served>> {
    let mut served = Vec::new();
    let mut left = BTreeSet::new();
    let Some(last) = environment.record(id)? else { return Ok(served) };
    for record in reader.lineage(id, &last.release) {
        let record = record?;
        left.extend(record.undoes.as_ref().and_then(|undone| undone.version));
        if let (Some(version), Some(digest), Some(commit)) =
            (record.to_version, record.to_digest, reader.release(&record.release)?)
        {
            served.push(Served {
                version,
                digest,
                release: record.release.clone(),
                commit,
                time: record.timestamp,
                left: left.contains(&version),
            });
        }
    }
    Ok(served)
}

/// Every version of a catalog entry that the environment has held, newest first.
fn entry_served(id: &ResourceId, environment: &Environment<'_, '_>, reader: &Reader<'_>) -> Result<Vec<Served>> {
    let mut served: Vec<Served> = Vec::new();
    let mut left = BTreeSet::new();
    for commit in reader.snapshot().first_parents(environment.head()) {
        let commit = commit?.id;
        let Some(manifest) = reader.manifest(commit)? else { continue };
        let Some(resource) = manifest.resources.iter().find(|resource| resource.id() == *id) else { continue };
        if manifest.event == Event::Rollback {
            left.extend(resource.from_version);
        }
        if let (Some(version), Some(digest)) = (resource.to_version, resource.digest) {
            let (release, time) = (manifest.name(), manifest.timestamp);
            served.push(Served { version, digest, release, commit, time, left: left.contains(&version) });
        }
    }
    Ok(served)
}
