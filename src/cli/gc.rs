//! `joch gc`.

use anyhow::Result;
use clap::Args;

use crate::ops::{Caller, gc};
use crate::render::view::GcResult;

use super::exit;
use super::global::Answer;

/// Pack the objects and references of the ledger, and remove what killed programs left for more than an hour
///
/// Reading gets faster, and nothing that the ledger says changes. An object's own file goes only when a pack that is on disk
/// was read back and holds the same; no pack and no unreachable object is ever deleted. Works beside readers and writers,
/// and wherever it is interrupted. Exits 1 if an object is damaged; what is whole is packed.
#[derive(Debug, Args)]
pub(super) struct GcArgs {
    /// Show what would be packed and removed, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: GcArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let gc::Outcome { collected, dry_run } = gc::run(gc::Request { dry_run: args.dry_run }, caller)?;
    let idle = collected.objects == 0 && collected.references == 0 && collected.swept.is_empty();
    let code = if collected.damaged.is_empty() { exit::DONE } else { exit::COULD_NOT };
    let view = GcResult {
        verdict: if idle { "unchanged" } else { "collected" },
        dry_run,
        pack: collected.pack,
        objects: collected.objects,
        references: collected.references,
        swept: collected.swept.iter().map(|path| path.display().to_string()).collect(),
        damaged: collected.damaged,
    };
    Ok(Answer::with(code, view))
}
