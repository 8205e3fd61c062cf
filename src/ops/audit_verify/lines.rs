//! The first-parent history of every branch, oldest first, with the place of each commit on it.

use std::collections::{BTreeMap, HashMap};

use crate::ledger::{ObjectId, ObjectKind, Reader, Result};

/// One branch.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Its commits, oldest first.
    pub(super) commits: Vec<ObjectId>,
    places: HashMap<ObjectId, usize>,
}

impl Line {
    /// The place of a commit, from 0.
    pub(super) fn place(&self, id: ObjectId) -> Option<usize> {
        self.places.get(&id).copied()
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
    let places = commits.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    Ok(Line { commits, places })
}

fn first_parent(raw: &[u8]) -> Option<ObjectId> {
    let headers = raw.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let parent = headers.into_iter().find_map(|line| line.strip_prefix(b"parent "))?;
    std::str::from_utf8(parent).ok()?.parse().ok()
}
