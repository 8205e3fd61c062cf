//! Objects of a transaction: kept in memory until it is finished, then written together.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use git2::{ObjectType, OdbLookupFlags};

use super::error::{Error, Result};
use super::object::{self, Entry, ObjectKind};
use super::object_id::ObjectId;
use super::repository::Repository;

/// Above so many objects one pack is written: to sync files one by one would take minutes for ten thousand.
const LOOSE_AT_MOST: usize = 64;

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

    /// Writes all objects, without syncing, and gives the files and directories that must be synced.
    pub(super) fn write(&self) -> Result<Vec<PathBuf>> {
        let mut unwritten = Vec::new();
        let mut written = Vec::new();
        for id in &self.order {
            match self.presence(*id)? {
                Presence::Packed => {}
                // A killed process may have left it, and nobody synced it then.
                Presence::Loose(path) => written.push(path),
                Presence::Absent => unwritten.push(*id),
            }
        }
        if unwritten.len() > LOOSE_AT_MOST {
            written.extend(self.write_pack(&unwritten)?);
        } else {
            written.extend(self.write_loose(&unwritten)?);
        }
        let mut paths: Vec<_> = written.iter().filter_map(|path| path.parent()).map(PathBuf::from).collect();
        paths.push(self.repository.path().join("objects"));
        paths.sort_unstable();
        paths.dedup();
        paths.extend(written);
        Ok(paths)
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
            Ok(_) => Ok(Presence::Loose(path)),
            Err(Error::Damaged { .. }) => {
                fs::remove_file(&path).map_err(Error::io(&path))?;
                Ok(Presence::Absent)
            }
            Err(error) => Err(error),
        }
    }

    fn write_loose(&self, ids: &[ObjectId]) -> Result<Vec<PathBuf>> {
        let odb = self.repository.odb()?;
        for id in ids {
            let (kind, bytes) = &self.objects[id];
            odb.write(object_type(*kind), bytes).map_err(Error::git(format!("writing the object {id}")))?;
        }
        Ok(ids.iter().map(|id| self.repository.loose_path(*id)).collect())
    }

    /// Writes one pack: the objects go to a database in memory first, from which the library packs them.
    fn write_pack(&self, ids: &[ObjectId]) -> Result<Vec<PathBuf>> {
        let failed = || Error::git("writing a pack");
        let git = git2::Repository::open_bare(self.repository.path()).map_err(failed())?;
        let odb = git.odb().map_err(failed())?;
        let _memory = odb.add_new_mempack_backend(i32::MAX).map_err(failed())?;
        let mut pack = git.packbuilder().map_err(failed())?;
        for id in ids {
            let (kind, bytes) = &self.objects[id];
            odb.write(object_type(*kind), bytes).map_err(failed())?;
            pack.insert_object(id.to_git2(), None).map_err(failed())?;
        }
        let directory = self.repository.path().join("objects").join("pack");
        pack.write(&directory, 0o444).map_err(failed())?;
        let name = pack
            .name()
            .map_err(failed())?
            .ok_or_else(|| Error::Git { doing: "writing a pack".to_owned(), why: "it has no name".to_owned() })?;
        Ok(["pack", "idx"].iter().map(|extension| directory.join(format!("pack-{name}.{extension}"))).collect())
    }
}

enum Presence {
    Absent,
    Loose(PathBuf),
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
