//! Objects of a transaction: kept in memory until it is finished, then written together.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use git2::{ObjectType, OdbLookupFlags};

use super::collect;
use super::durable;
use super::error::{Error, Result};
use super::loose;
use super::object::{self, Entry, ObjectKind};
use super::object_id::ObjectId;
use super::repository::Repository;

/// Above so many objects one pack is written: to sync files one by one would take minutes for ten thousand.
const LOOSE_AT_MOST: usize = 64;

/// How drafts of objects begin, in joch's own directory; the object's id follows.
pub(super) const DRAFT: &str = "object-";

/// Objects that no reference names yet.
pub(super) struct Staged<'r> {
    repository: &'r Repository,
    objects: HashMap<ObjectId, (ObjectKind, Vec<u8>)>,
    order: Vec<ObjectId>,
}

impl<'r> Staged<'r> {
    pub(super) fn new(repository: &'r Repository) -> Self {
        Self { repository, objects: HashMap::new(), order: Vec::new() }
    }

    /// Stages an object and gives its id.
    pub(super) fn put(&mut self, kind: ObjectKind, bytes: Vec<u8>) -> Result<ObjectId> {
        let id = hash(kind, &bytes)?;
        if self.objects.insert(id, (kind, bytes)).is_none() {
            self.order.push(id);
        }
        Ok(id)
    }

    /// An object that was staged, or that the ledger has.
    pub(super) fn raw(&self, id: ObjectId) -> Result<(ObjectKind, Vec<u8>)> {
        match self.objects.get(&id) {
            Some(staged) => Ok(staged.clone()),
            None => self.repository.raw(id),
        }
    }

    /// The entries of a tree that was staged, or that the ledger has.
    pub(super) fn tree(&self, id: ObjectId) -> Result<Vec<Entry>> {
        match self.raw(id)? {
            (ObjectKind::Tree, raw) => {
                object::parse_tree(&raw).map_err(|why| Error::damaged(format!("the tree {id}"), why))
            }
            (kind, _) => {
                Err(Error::damaged(format!("the object {id}"), format!("it is a {} and no tree", kind.word())))
            }
        }
    }

    /// Writes all objects beside their places, without syncing.
    pub(super) fn write(&self) -> Result<Written> {
        let mut written = Written { drafts: Vec::new(), there: Vec::new() };
        let mut absent = Vec::new();
        for id in &self.order {
            match self.presence(*id)? {
                Presence::Packed => {}
                // Whoever left it may not have synced it.
                Presence::Loose => written.there.push(*id),
                Presence::Absent => absent.push(*id),
            }
        }
        if absent.len() > LOOSE_AT_MOST {
            written.drafts = self.write_pack(&absent)?;
            return Ok(written);
        }
        for id in absent {
            let (kind, bytes) = &self.objects[&id];
            let beside = self.repository.own_directory().join(format!("{DRAFT}{id}"));
            written.drafts.push((beside.clone(), self.repository.loose_path(id)));
            loose::write(&beside, *kind, bytes)?;
        }
        Ok(written)
    }

    /// Whether the ledger has the object, whole. Git and libgit2 take a file's existence for the object's, even when a
    /// power cut left the file empty; such a file is removed here, so that it is written again.
    fn presence(&self, id: ObjectId) -> Result<Presence> {
        let path = self.repository.loose_path(id);
        if !path.exists() {
            // A pack that came a moment ago is not looked for: what it holds is only written once more.
            let known = self.repository.odb()?.exists_ext(id.to_git2(), OdbLookupFlags::NO_REFRESH);
            return Ok(if known { Presence::Packed } else { Presence::Absent });
        }
        match self.repository.raw(id) {
            Ok(_) => Ok(Presence::Loose),
            Err(Error::Damaged { .. }) => {
                fs::remove_file(&path).map_err(Error::io(&path))?;
                Ok(Presence::Absent)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes one pack: the objects go to a database in memory first, from which the library packs them.
    fn write_pack(&self, ids: &[ObjectId]) -> Result<Vec<(PathBuf, PathBuf)>> {
        let directory = collect::room_for_a_pack(self.repository)?;
        let failed = || Error::git_at("writing a pack", &directory);
        let git = git2::Repository::open_bare(self.repository.path()).map_err(failed())?;
        let odb = git.odb().map_err(failed())?;
        let _memory = odb.add_new_mempack_backend(i32::MAX).map_err(failed())?;
        let mut pack = git.packbuilder().map_err(failed())?;
        for id in ids {
            let (kind, bytes) = &self.objects[id];
            odb.write(object_type(*kind), bytes).map_err(failed())?;
            pack.insert_object(id.to_git2(), None).map_err(failed())?;
        }
        collect::write_pack(self.repository, &mut pack, &directory)
    }
}

/// Objects that are written and not in their places yet: there they would be seen, and a power cut could empty them. Dropped,
/// they are gone.
pub(super) struct Written {
    /// Each file as it is, and where it belongs, in this order.
    drafts: Vec<(PathBuf, PathBuf)>,
    /// Whose own file is in its place already.
    there: Vec<ObjectId>,
}

impl Written {
    /// What must be synced before anything is put in its place.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.drafts.iter().map(|(draft, _)| draft.clone())
    }

    /// Puts all in place, and sees to it that it stays there.
    pub(super) fn place(&self, repository: &Repository) -> Result<()> {
        for (draft, place) in &self.drafts {
            loose::place(draft, place)?;
        }
        let there: Vec<_> = self.there.iter().map(|id| repository.loose_path(*id)).collect();
        durable::sync_standing(&there)?;
        let placed = self.drafts.iter().map(|(_, place)| place).chain(&there);
        let mut directories: Vec<_> = placed.map(|path| durable::directory_of(path).to_owned()).collect();
        directories.push(repository.path().join("objects"));
        directories.sort_unstable();
        directories.dedup();
        durable::sync_standing(&directories)?;
        let packed: Vec<_> = self.there.iter().filter(|id| !repository.loose_path(**id).is_file()).collect();
        if packed.is_empty() {
            return Ok(());
        }
        // Git packs at any time, and removes the files of what it packed; it syncs the pack, not the directory.
        for id in packed {
            repository.raw(*id)?;
        }
        durable::sync(&repository.path().join("objects/pack"))
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for (draft, _) in &self.drafts {
            drop(fs::remove_file(draft));
        }
    }
}

enum Presence {
    Absent,
    Loose,
    Packed,
}

/// The id of an object. libgit2 refuses content that was made to collide.
pub(super) fn hash(kind: ObjectKind, bytes: &[u8]) -> Result<ObjectId> {
    let id = git2::Oid::hash_object(object_type(kind), bytes).map_err(Error::git("hashing an object"))?;
    Ok(ObjectId::from_git2(id))
}

fn object_type(kind: ObjectKind) -> ObjectType {
    match kind {
        ObjectKind::Blob => ObjectType::Blob,
        ObjectKind::Tree => ObjectType::Tree,
        ObjectKind::Commit => ObjectType::Commit,
        ObjectKind::Tag => ObjectType::Tag,
    }
}
