//! Which releases changed a resource in an environment. An agent's records name the release before, so its
//! past costs what it is long; other resources are looked for in the manifests of the branch.

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::ledger::{Environment, Error, ObjectId, Reader};
use crate::release::{Event, Happened, Manifest, Record, Standing, Word, layout};
use crate::resource::{Digest, Kind, ResourceId};

/// One release of one resource in one environment.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// The release, such as `prod/41`.
    pub(super) release: String,
    /// Its commit.
    pub(super) commit: ObjectId,
    pub(super) environment: String,
    pub(super) event: Event,
    pub(super) time: DateTime<Utc>,
    pub(super) operator: String,
    pub(super) reason: Option<String>,
    pub(super) change: Word,
    /// What stood there from then on; none after a deletion.
    pub(super) version: Option<u64>,
    /// Its digest.
    pub(super) digest: Option<Digest>,
}

/// Every release of a resource in an environment, newest first.
///
/// # Errors
/// A release is missing or damaged.
pub(super) fn steps(reader: &Reader<'_>, environment: &str, id: &ResourceId) -> Result<Vec<Step>> {
    if id.kind == Kind::Agent {
        let records = records(reader, environment, id)?;
        return Ok(records.into_iter().map(|(commit, record)| of_record(commit, record)).collect());
    }
    let mut steps = Vec::new();
    for commit in reader.snapshot().first_parents(reader.tip(environment)?) {
        let commit = commit?.id;
        let Some(manifest) = reader.manifest(commit)? else { break };
        steps.extend(of_manifest(commit, &manifest, id));
    }
    Ok(steps)
}

/// The latest release of a resource in an environment, also one that deleted it.
///
/// # Errors
/// As [`steps`].
pub(super) fn latest(reader: &Reader<'_>, environment: &str, id: &ResourceId) -> Result<Option<Step>> {
    if id.kind == Kind::Agent {
        let Some(record) = reader.environment(environment)?.record(id)? else { return Ok(None) };
        return Ok(Some(of_record(release_commit(reader, &record.release)?, record)));
    }
    for commit in reader.snapshot().first_parents(reader.tip(environment)?) {
        let commit = commit?.id;
        let Some(manifest) = reader.manifest(commit)? else { break };
        if let Some(step) = of_manifest(commit, &manifest, id) {
            return Ok(Some(step));
        }
    }
    Ok(None)
}

/// Every record of an agent in an environment with the commit of its release, newest first.
///
/// # Errors
/// A record is damaged, or names a release before it that is none.
pub(super) fn records(reader: &Reader<'_>, environment: &str, agent: &ResourceId) -> Result<Vec<(ObjectId, Record)>> {
    let path = layout::record(agent);
    let mut records = Vec::new();
    let mut next = reader.environment(environment)?.record(agent)?;
    while let Some(record) = next {
        next = match &record.previous_release {
            None => None,
            Some(previous) if number(previous) < number(&record.release) => {
                reader.record(release_commit(reader, previous)?, &path)?
            }
            // A record that follows itself would be followed for ever.
            Some(previous) => {
                let why = format!("it says that it follows {previous}");
                return Err(Error::Damaged { object: format!("`{path}` of release {}", record.release), why }.into());
            }
        };
        records.push((release_commit(reader, &record.release)?, record));
    }
    Ok(records)
}

/// The commit of a release named as `prod/41`.
///
/// # Errors
/// There is no such release.
pub(super) fn release_commit(reader: &Reader<'_>, release: &str) -> Result<ObjectId> {
    let found = reader.release(release)?;
    Ok(found.ok_or_else(|| Error::Missing { what: format!("the tag of release {release}") })?)
}

/// What an environment has of a resource, with the release that brought it.
///
/// # Errors
/// As [`steps`].
pub(super) fn standing(
    environment: &Environment<'_, '_>,
    step: Option<&Step>,
    version: Option<u64>,
    digest: Digest,
) -> Standing {
    Standing {
        environment: environment.name().to_owned(),
        version,
        digest: Some(digest),
        release: step.map(|step| step.release.clone()),
        time: step.map(|step| step.time),
        operator: step.map(|step| step.operator.clone()),
        overridden: None,
    }
}

impl Step {
    /// It, as histories tell it.
    pub(super) fn happened(&self) -> Happened {
        Happened {
            release: self.release.clone(),
            event: self.event,
            environment: self.environment.clone(),
            time: self.time,
            operator: self.operator.clone(),
            overridden: None,
        }
    }
}

pub(super) fn of_manifest(commit: ObjectId, manifest: &Manifest, id: &ResourceId) -> Option<Step> {
    let resource = manifest.resources.iter().find(|resource| resource.id() == *id)?;
    Some(Step {
        release: manifest.name(),
        commit,
        environment: manifest.environment.clone(),
        event: manifest.event,
        time: manifest.timestamp,
        operator: manifest.operator.principal.name.clone(),
        reason: manifest.reason.clone(),
        change: resource.change,
        version: resource.to_version,
        digest: resource.digest,
    })
}

fn of_record(commit: ObjectId, record: Record) -> Step {
    Step {
        release: record.release,
        commit,
        environment: record.environment,
        event: record.event,
        time: record.timestamp,
        operator: record.operator_identity.principal.name,
        reason: record.reason,
        change: record.change,
        version: record.to_version,
        digest: record.to_digest,
    }
}

fn number(release: &str) -> Option<u64> {
    release.rsplit('/').next()?.parse().ok()
}
