//! `joch version`.

use anyhow::Result;
use clap::Args;

use crate::render::view::VersionInfo;

use super::global::Answer;

/// Print the version of joch; `-o wide` or `-o json` adds the formats that it reads and writes
#[derive(Debug, Args)]
pub(super) struct VersionArgs {}

pub(super) fn run(_: VersionArgs) -> Result<Answer> {
    Ok(Answer::done(VersionInfo::of_this()))
}
