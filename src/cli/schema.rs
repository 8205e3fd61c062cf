//! `joch schema`.

use anyhow::Result;
use clap::Args;

use crate::ops::parse_kind;
use crate::render::view::{KindList, Verbatim};
use crate::resource::schema;

use super::global::Answer;

/// Print the JSON Schema (draft 07) of a kind of resource, for editors; without a kind, list the kinds
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Kind: singular, plural or short, in any case
    #[arg(value_name = "KIND")]
    kind: Option<String>,
    /// One schema for all kinds, told apart by `kind:`
    #[arg(long, conflicts_with = "kind")]
    all: bool,
}

pub(super) fn run(args: SchemaArgs) -> Result<Answer> {
    let schema = match &args.kind {
        Some(word) => schema::of_kind(&parse_kind(word)?),
        None if args.all => schema::bundle(),
        None => return Ok(Answer::done(KindList::all())),
    };
    Ok(Answer::done(Verbatim(format!("{schema:#}\n"))))
}
