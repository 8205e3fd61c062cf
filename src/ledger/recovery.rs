//! After a crash: the journal is finished or undone, so that the ledger is as before the transaction or as after it.
//!
//! The last reference of the journal is the commit point: if it moved, the rest is done too, else the rest is undone.
//! Everything needed is in the journal and the object database, so whoever comes next can do it, without any key.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use super::collect;
use super::durable;
use super::error::{Error, Result};
use super::journal::{self, RefUpdate};
use super::lock::Lock;
use super::object::{self, ObjectKind};
use super::object_id::ObjectId;
use super::ref_update::{self, Values};
use super::repository::Repository;
use super::staged::DRAFT;

/// A transaction that was interrupted, and how it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    /// Whether all its references have moved; else none has.
    pub finished: bool,
    /// The full names of these references, in the order in which they move.
    pub references: Vec<String>,
}

impl Repository {
    /// Finishes or undoes what a killed process left, if nobody is writing; readers call it before they look. Gives what
    /// it settled.
    ///
    /// Does nothing where nothing can be written.
    ///
    /// # Errors
    /// The journal is there and cannot be settled.
    pub fn heal(&self) -> Result<Option<Interrupted>> {
        if !journal::exists(self) {
            return Ok(None);
        }
        match Lock::acquire(self, Duration::ZERO).and_then(|_lock| recover(self)) {
            Err(Error::Locked { .. }) => Ok(None),
            Err(Error::Io { source, .. }) if cannot_write(&source) => Ok(None),
            settled => settled,
        }
    }
}

/// Settles the journal. The caller holds the lock.
pub(super) fn recover(repository: &Repository) -> Result<Option<Interrupted>> {
    let Some(journal) = journal::read(repository)? else {
        sweep(repository)?;
        return Ok(None);
    };
    let mut emptied = BTreeSet::new();
    for update in &journal.updates {
        remove_stale_lock(repository, update)?;
        if remove_emptied(repository, update)? {
            emptied.insert(update.name.as_str());
        }
    }
    // References may be links to these files, which must not be written to again; nor does a rename between two links of
    // one file do anything.
    sweep(repository)?;
    // It counts only once it is whole, and no reference moves before that.
    let finished = journal.whole && is_committed(repository, &journal.updates)?;
    if finished {
        finish(repository, &journal.updates, &emptied)?;
    } else if journal.whole {
        undo(repository, &journal.updates, &emptied)?;
    }
    // Whoever moved the references may have been killed before they were synced.
    ref_update::sync(repository, &journal.updates)?;
    journal::remove(repository)?;
    let moved = journal.updates.into_iter().filter(|update| update.old != Some(update.new));
    let references: Vec<_> = moved.map(|update| update.name).collect();
    // Nothing was to move where references were only locked, to be packed.
    Ok((!references.is_empty()).then_some(Interrupted { finished, references }))
}

/// Whether the commit point moved; a plain Git may have moved it on since.
fn is_committed(repository: &Repository, updates: &[RefUpdate]) -> Result<bool> {
    let Some(point) = updates.last() else { return Ok(false) };
    reached(repository, point, repository.references().get(&point.name)?)
}

/// The same of a commit point that stands at `tip`.
pub(super) fn reached(repository: &Repository, point: &RefUpdate, tip: Option<ObjectId>) -> Result<bool> {
    let Some(tip) = tip.filter(|_| tip != point.old) else { return Ok(false) };
    Ok(tip == point.new || descends(repository, tip, point.new)?)
}

/// Moves the references that are still as they were; and once more those that have moved, because the disk may have
/// failed to keep that, and says so only once. Then syncing their directories says something again.
fn finish(repository: &Repository, updates: &[RefUpdate], emptied: &BTreeSet<&str>) -> Result<()> {
    let mut left = Vec::new();
    for update in updates {
        let found = repository.references().get(&update.name)?;
        let is_to_move = found == Some(update.new) || found == update.old || emptied.contains(update.name.as_str());
        if is_to_move && update.old != Some(update.new) {
            left.push(RefUpdate { old: found, ..update.clone() });
        }
    }
    apply(repository, &left)
}

/// Puts back what was moved, unless someone moved it again since.
fn undo(repository: &Repository, updates: &[RefUpdate], emptied: &BTreeSet<&str>) -> Result<()> {
    let mut back = Vec::new();
    for update in updates {
        let found = repository.references().get(&update.name)?;
        let moved = found == Some(update.new) || emptied.contains(update.name.as_str());
        match update.old {
            Some(old) if moved && found != Some(old) => {
                back.push(RefUpdate { name: update.name.clone(), old: found, new: old });
            }
            None if found == Some(update.new) => delete(repository, &update.name)?,
            _ => {}
        }
    }
    apply(repository, &back)
}

fn apply(repository: &Repository, updates: &[RefUpdate]) -> Result<()> {
    if updates.is_empty() {
        return Ok(());
    }
    let values = Values::write(repository, updates)?;
    durable::sync_each(&values.paths())?;
    ref_update::prepare(&values, updates)?.commit()
}

/// Removes a reference, also where a plain Git packed it meanwhile.
fn delete(repository: &Repository, name: &str) -> Result<()> {
    let doing = || format!("removing `{name}`, which an interrupted transaction left");
    let mut reference = repository.git().find_reference(name).map_err(Error::git(doing()))?;
    reference.delete().map_err(Error::git(doing()))
}

/// A lock of ours says what the journal says: the new value, or the old one, where a recovery was killed that put it back.
/// Another program's does not, and stays.
fn remove_stale_lock(repository: &Repository, update: &RefUpdate) -> Result<()> {
    let lock = ref_update::lock_path(repository, &update.name);
    let Ok(bytes) = durable::read(&lock) else { return Ok(()) };
    let is_ours = [Some(update.new), update.old].iter().flatten().any(|id| bytes == format!("{id}\n").as_bytes());
    if is_ours { durable::remove(&lock) } else { Ok(()) }
}

/// A reference of no bytes is what some filesystems make of a rename that a power cut interrupted: it is absent.
fn remove_emptied(repository: &Repository, update: &RefUpdate) -> Result<bool> {
    let file = repository.path().join(&update.name);
    let empty = fs::metadata(&file).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0);
    if empty {
        durable::remove(&file)?;
    }
    Ok(empty)
}

/// Removes the files that locks were linked to, a journal that never counted, half an object, and a collection.
fn sweep(repository: &Repository) -> Result<()> {
    collect::sweep(repository)?;
    let directory = repository.own_directory();
    for entry in fs::read_dir(&directory).map_err(Error::io(&directory))?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("value-") || name == "txn.new" || name.starts_with(DRAFT) {
            durable::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// What cannot be read is no reason to undo: the journal stays until the answer is known.
fn descends(repository: &Repository, tip: ObjectId, ancestor: ObjectId) -> Result<bool> {
    let mut next = Some(tip);
    while let Some(id) = next {
        if id == ancestor {
            return Ok(true);
        }
        let damaged = |why| Error::damaged(format!("the commit {id}"), why);
        let (kind, raw) = repository.raw(id)?;
        if kind != ObjectKind::Commit {
            return Err(damaged(format!("it is a {}", kind.word())));
        }
        next = object::parse_commit(id, &raw).map_err(damaged)?.parents.first().copied();
    }
    Ok(false)
}

fn cannot_write(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied)
}
