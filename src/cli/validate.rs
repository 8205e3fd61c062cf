//! `joch validate`.

use anyhow::Result;
use clap::Args;

use crate::ops::{Caller, validate};
use crate::render::view::ValidationResult;

use super::exit;
use super::global::Answer;

/// Check resource files: syntax, fields, names, thresholds, references; everything that is wrong, at once
///
/// A reference is looked up in the given paths, then in the rest of the project, then in the ledger if there is
/// one. Exits 2 if anything stands in the way of applying the files. `-o name` lists the resources that were read.
#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// File, directory, or `-` for standard input; may be repeated
    #[arg(short = 'f', long = "filename", required = true, value_name = "PATH")]
    files: Vec<String>,
}

pub(super) fn run(args: ValidateArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let outcome = validate::run(&validate::Request { files: args.files }, caller)?;
    let code = if outcome.is_valid() { exit::DONE } else { exit::REFUSED };
    let names = outcome.documents.iter().map(|document| document.resource.id().to_string()).collect();
    Ok(Answer::with(code, ValidationResult::new(outcome.files, names, outcome.findings)))
}
