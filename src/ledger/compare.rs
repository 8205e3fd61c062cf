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
    let mut changes: Vec<_> = recorder.records.into_iter().filter_map(changed_file).collect();
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

fn changed_file(change: Change) -> Option<ChangedPath> {
    let path = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    let id = |id: &gix_hash::ObjectId| Some(ObjectId::from_gix(id));
    let changed = match &change {
        Change::Addition { entry_mode, oid, path: at, .. } => {
            (!entry_mode.is_tree()).then(|| ChangedPath { path: path(at), old: None, new: id(oid) })
        }
        Change::Deletion { entry_mode, oid, path: at, .. } => {
            (!entry_mode.is_tree()).then(|| ChangedPath { path: path(at), old: id(oid), new: None })
        }
        Change::Modification { entry_mode, previous_oid, oid, path: at, .. } => {
            (!entry_mode.is_tree()).then(|| ChangedPath { path: path(at), old: id(previous_oid), new: id(oid) })
        }
    };
    changed
}
