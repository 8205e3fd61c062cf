//! Which files differ between two trees. Equal subtrees are skipped by their ids, so the cost follows the difference.

use gix_diff::tree::recorder::Change;
use gix_diff::tree::{Recorder, State};
use gix_object::{Data, Find, Kind, TreeRefIter};

use super::error::{Error, Result};
use super::object::ObjectKind;
use super::object_id::ObjectId;
use super::snapshot::Snapshot;

/// A file that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedPath {
    /// Its path.
    pub path: String,
    /// The file in the old tree.
    pub old: Option<ObjectId>,
    /// The file in the new tree.
    pub new: Option<ObjectId>,
}

/// The files that differ between two trees, in bytewise order of their paths; `None` is the empty tree.
///
/// # Errors
/// A tree is missing or damaged.
pub fn changed_paths(
    snapshot: &Snapshot<'_>,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
) -> Result<Vec<ChangedPath>> {
    let raw = |id: Option<ObjectId>| id.map_or(Ok(Vec::new()), |id| tree_bytes(snapshot, id));
    let (old, new) = (raw(old)?, raw(new)?);
    let mut recorder = Recorder::default();
    let trees = |raw| TreeRefIter::from_bytes(raw, gix_hash::Kind::Sha1);
    gix_diff::tree(trees(&old), trees(&new), State::default(), Objects(snapshot), &mut recorder)
        .map_err(|error| Error::damaged("a tree that was compared", error.to_string()))?;
    let changes: Result<Vec<_>> = recorder.records.into_iter().filter_map(changed_file).collect();
    let mut changes = changes?;
    // A file that became a directory, or the reverse, comes as a deletion and an addition of different paths.
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(changes)
}

/// gix's view of the objects, read and checked by the snapshot.
struct Objects<'s, 'r>(&'s Snapshot<'r>);

impl Find for Objects<'_, '_> {
    fn try_find<'a>(&self, id: &gix_hash::oid, buffer: &'a mut Vec<u8>) -> gix_error::Result<Option<Data<'a>>> {
        let (kind, bytes) = match self.0.raw(ObjectId::from_gix(id)) {
            Ok(found) => found,
            Err(Error::Missing { .. }) => return Ok(None),
            Err(error) => return Err(gix_error::Error::from_error(error)),
        };
        *buffer = bytes;
        let kind = match kind {
            ObjectKind::Blob => Kind::Blob,
            ObjectKind::Tree => Kind::Tree,
            ObjectKind::Commit => Kind::Commit,
            ObjectKind::Tag => Kind::Tag,
        };
        Ok(Some(Data { kind, object_hash: gix_hash::Kind::Sha1, data: buffer }))
    }
}

fn tree_bytes(snapshot: &Snapshot<'_>, id: ObjectId) -> Result<Vec<u8>> {
    match snapshot.raw(id)? {
        (ObjectKind::Tree, raw) => Ok(raw),
        (kind, _) => Err(Error::damaged(format!("the object {id}"), format!("it is a {} and no tree", kind.word()))),
    }
}

/// The change of a file; that of a directory is told by the files in it.
fn changed_file(change: Change) -> Option<Result<ChangedPath>> {
    let (mode, path, old, new) = match change {
        Change::Addition { entry_mode, oid, path, .. } => (entry_mode, path, None, Some(oid)),
        Change::Deletion { entry_mode, oid, path, .. } => (entry_mode, path, Some(oid), None),
        Change::Modification { entry_mode, previous_oid, oid, path, .. } => {
            (entry_mode, path, Some(previous_oid), Some(oid))
        }
    };
    if mode.is_tree() {
        return None;
    }
    let id = |id: Option<gix_hash::ObjectId>| id.map(|id| ObjectId::from_gix(&id));
    let Ok(path) = String::from_utf8(path.into()) else {
        return Some(Err(Error::damaged("a tree that was compared", "the name of an entry is not UTF-8")));
    };
    Some(Ok(ChangedPath { path, old: id(old), new: id(new) }))
}
