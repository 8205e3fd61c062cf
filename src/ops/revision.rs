//! One side of a comparison, as people name it: a version, an environment, or an environment at a moment.

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::ledger::Reader;
use crate::resource::name::nearest;
use crate::resource::{Digest, Pinned, ResourceId};
use crate::trust::Ladder;

use super::content::{Content, of_environment, of_version};
use super::failure::Failure;
use super::find::check_environment;
use super::moment;

/// What a person named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Revision {
    /// `7` or `v7`.
    Version(u64),
    /// `prod`.
    Environment(String),
    /// `prod@2026-05-10T12:00Z`.
    Moment(String, DateTime<Utc>),
}

/// What that is.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// The content; none where the environment has nothing.
    pub content: Option<Content>,
    /// The environment that was named.
    pub environment: Option<String>,
    /// The moment that was named.
    pub time: Option<DateTime<Utc>>,
    /// For an agent in an environment, what trust imposed on it there.
    pub imposed: Vec<Pinned>,
}

impl Side {
    /// The version.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.content.as_ref()?.version
    }

    /// The digest.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        Some(self.content.as_ref()?.digest)
    }
}

/// Reads the text of a revision of `id`. `context:NAME` always names an environment.
///
/// # Errors
/// It names nothing, or both a version and an environment.
pub(super) fn parse(text: &str, id: &ResourceId, ladder: &Ladder, reader: &Reader<'_>) -> Result<Revision> {
    if let Some(name) = text.strip_prefix("context:") {
        check_environment(ladder, name)?;
        return Ok(Revision::Environment(name.to_owned()));
    }
    if let Some((name, time)) = text.split_once('@') {
        check_environment(ladder, name)?;
        let time = moment::parse(time).map_err(Failure::usage)?;
        return Ok(Revision::Moment(name.to_owned(), time));
    }
    let number: Option<u64> = text.strip_prefix('v').unwrap_or(text).parse().ok();
    match (number, ladder.has(text)) {
        (Some(number), true) if reader.version(id, number)?.is_some() => {
            let other = if text.starts_with('v') { format!("{number}") } else { format!("v{number}") };
            Err(Failure::usage(format!("`{text}` is an environment and a version of {id}"))
                .next(format!("write `context:{text}` for the environment, `{other}` for the version"))
                .into())
        }
        (_, true) => Ok(Revision::Environment(text.to_owned())),
        (Some(number), false) => Ok(Revision::Version(number)),
        (None, false) => Err(unknown(text, id, ladder).into()),
    }
}

/// What a revision of `id` is.
///
/// # Errors
/// There is no such version, or the ledger cannot be read.
pub(super) fn resolve(revision: &Revision, id: &ResourceId, reader: &Reader<'_>) -> Result<Side> {
    let (name, time, commit) = match revision {
        Revision::Version(number) => {
            return Ok(Side { content: Some(of_version(reader, id, *number)?), ..Side::default() });
        }
        Revision::Environment(name) => (name, None, Some(reader.tip(name)?)),
        Revision::Moment(name, time) => {
            let commit = moment::commit_at(reader, name, *time)?;
            (name, Some(*time), commit.map(|commit| commit.id))
        }
    };
    let mut side = Side { environment: Some(name.clone()), time, ..Side::default() };
    if let Some(commit) = commit {
        let environment = reader.environment_at(name, commit);
        side.content = of_environment(reader, &environment, id)?;
        side.imposed = environment.record(id)?.map(|record| record.imposed).unwrap_or_default();
    }
    Ok(side)
}

fn unknown(text: &str, id: &ResourceId, ladder: &Ladder) -> Failure {
    let rungs = ladder.rungs().join(", ");
    let failure = Failure::usage(format!("`{text}` is neither a version of {id} nor an environment ({rungs})"));
    match nearest(text, ladder.rungs().iter().map(String::as_str)) {
        Some(meant) => failure.next(format!("did you mean `{meant}`?")),
        None => failure.next("write `7` or `v7`, an environment, or `prod@2026-05-10T12:00Z`"),
    }
}
