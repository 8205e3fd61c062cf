//! `.joch/seen.json`: the newest tips that this checkout has seen, so that a ledger shown in an older state is noticed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;

use crate::audit::{Finding, Memory};
use crate::ledger::{ObjectId, Reader};
use crate::workspace::{read_own, write_over};

use super::desk::Desk;

/// Remembers the tips that `reader` sees: after a write, and after an audit that found nothing. A branch that no longer
/// holds what was remembered of it keeps its old memory, so that forgetting takes more than looking.
///
/// # Errors
/// The file cannot be written.
pub(super) fn remember(desk: &Desk, reader: &Reader<'_>) -> Result<()> {
    let old = recall(desk);
    let mut tips: BTreeMap<String, String> =
        reader.snapshot().branches().iter().map(|(branch, tip)| (branch.clone(), tip.to_string())).collect();
    for (branch, tip) in &old.tips {
        if !holds(reader, branch, tip) {
            tips.insert(branch.clone(), tip.clone());
        }
    }
    let new = Memory::new(tips);
    if new != old {
        write_over(&path(desk), &new.to_json())?;
    }
    Ok(())
}

/// What was seen and is no longer there. It must have been [recalled](recall) before `reader` looked: what another
/// command wrote and remembered since is nothing that was lost.
pub(super) fn forgotten(seen: &Memory, reader: &Reader<'_>) -> Vec<Finding> {
    seen.check(|branch, tip| holds(reader, branch, tip))
}

/// What is remembered: nothing, where the file is missing or says nothing that this joch understands.
pub(super) fn recall(desk: &Desk) -> Memory {
    let text = read_own(&path(desk)).unwrap_or_default();
    Memory::from_json(text.as_bytes()).unwrap_or_default()
}

fn path(desk: &Desk) -> PathBuf {
    desk.own().join("seen.json")
}

fn holds(reader: &Reader<'_>, branch: &str, tip: &str) -> bool {
    let (Some(now), Ok(then)) = (reader.snapshot().branch(branch), tip.parse::<ObjectId>()) else { return false };
    reader.snapshot().is_ancestor(then, now).unwrap_or(false)
}
