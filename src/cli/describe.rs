//! `joch describe`.

use anyhow::Result;

use crate::ops::{Caller, releases};
use crate::render::view::ReleaseDescription;

use super::global::Answer;

/// Describes the release called `prod/41`.
pub(super) fn release(name: &str, caller: &mut Caller<'_>) -> Result<Answer> {
    let full = releases::describe(name, caller)?;
    Ok(Answer::done(ReleaseDescription {
        name: full.manifest.name(),
        commit: full.commit,
        manifest: full.manifest.as_ref().clone(),
        records: full.records,
        commands: full.commands,
    }))
}
