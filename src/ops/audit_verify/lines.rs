//! The first-parent history of every branch, oldest first, with the place of each commit on it.

use std::collections::BTreeMap;

use crate::ledger::{ObjectId, ObjectKind, Reader, Result};

/// One branch.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Its commits, oldest first.
    pub(super) commits: Vec<ObjectId>,
    /// Their places, in order of their ids.
    sorted: Vec<u32>,
}

impl Line {
    /// The place of a commit, from 0.
    pub(super) fn place(&self, id: ObjectId) -> Option<usize> {
        let at = self.sorted.binary_search_by_key(&id, |place| self.commits[*place as usize]).ok()?;
        Some(self.sorted[at] as usize)
    }

    /// The place of a commit whose id is text, as manifests hold it.
    pub(super) fn place_of(&self, id: &str) -> Option<usize> {
        self.place(id.parse().ok()?)
    }
}

/// Every branch, by name.
pub(super) type Lines = BTreeMap<String, Line>;

/// Follows a branch down to its first commit. A commit that is no strict one is followed all the same, so that what is
/// wrong with it hides nothing below.
///
/// # Errors
/// A commit is missing or damaged; what was found above it is lost.
pub(super) fn line(reader: &Reader<'_>, tip: ObjectId) -> Result<Line> {
    let mut commits = Vec::new();
    let mut next = Some(tip);
    while let Some(id) = next {
        commits.push(id);
        let (kind, raw) = reader.snapshot().raw(id)?;
        next = (kind == ObjectKind::Commit).then(|| first_parent(&raw)).flatten();
    }
    commits.reverse();
    commits.shrink_to_fit();
    let mut sorted: Vec<u32> = (0..u32::try_from(commits.len()).unwrap_or(u32::MAX)).collect();
    sorted.sort_unstable_by_key(|place| commits[*place as usize]);
    Ok(Line { commits, sorted })
}

fn first_parent(raw: &[u8]) -> Option<ObjectId> {
    let headers = raw.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let parent = headers.into_iter().find_map(|line| line.strip_prefix(b"parent "))?;
    std::str::from_utf8(parent).ok()?.parse().ok()
}
