//! Moving references, all or none: each is locked as Git locks it, compared under the lock, and renamed into place in the
//! order given.
//!
//! A lock is made with its content by a hard link to a synced file. So it is never seen empty, whoever finds it knows whose
//! it is by what it says, and many tags of one commit cost one sync. `gix-ref` could do most of this, but it also holds
//! `packed-refs.lock` meanwhile, which is empty, which a killed process leaves behind, and which Git then waits for in vain.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gix_ref::packed::Buffer;

use super::durable;
use super::error::{Error, Result};
use super::journal::RefUpdate;
use super::object_id::ObjectId;
use super::repository::Repository;
use super::uuid::new_uuid;

/// How often a directory is made again that Git removed because it was empty.
const ATTEMPTS: usize = 8;
/// How long another program may hold a reference that joch wants: longer than any that is alive does.
const PATIENCE: Duration = Duration::from_secs(5);
/// The shortest sleep between two tries; the longest is sixteen times that.
const PAUSE: Duration = Duration::from_millis(5);
/// A lock that is older than this belongs to nobody who is still at work.
const STALE: Duration = Duration::from_secs(60);

/// The files that locks are linked to: one for each new value.
pub(super) struct Values<'r> {
    repository: &'r Repository,
    ids: BTreeSet<ObjectId>,
}

impl<'r> Values<'r> {
    /// Writes them, without syncing.
    pub(super) fn write(repository: &'r Repository, updates: &[RefUpdate]) -> Result<Self> {
        let values = Self { repository, ids: updates.iter().map(|update| update.new).collect() };
        for id in &values.ids {
            let path = values.path(*id);
            // One that was left behind may be a link of a reference, which must not be written to.
            durable::remove(&path)?;
            durable::write(&path, format!("{id}\n").as_bytes())?;
        }
        Ok(values)
    }

    /// What must be synced before any reference may move.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.ids.iter().map(|id| self.path(*id)).collect()
    }

    fn path(&self, id: ObjectId) -> PathBuf {
        self.repository.own_directory().join(format!("value-{id}"))
    }
}

impl Drop for Values<'_> {
    fn drop(&mut self) {
        for path in self.paths() {
            drop(fs::remove_file(path));
        }
    }
}

/// References that are locked and found to be what was expected. Dropped, it frees what was not committed.
pub(super) struct Prepared {
    /// Of each reference the lock and the file, in order.
    locked: Vec<(PathBuf, PathBuf)>,
    committed: usize,
}

/// Locks and compares.
///
/// # Errors
/// [`Error::Moved`] if a reference is not what was expected, [`Error::Locked`] if another program is changing it.
pub(super) fn prepare(values: &Values<'_>, updates: &[RefUpdate]) -> Result<Prepared> {
    let repository = values.repository;
    let mut prepared = Prepared { locked: Vec::with_capacity(updates.len()), committed: 0 };
    for update in updates {
        let lock = lock_path(repository, &update.name);
        link(&values.path(update.new), &lock, &update.name)?;
        prepared.locked.push((lock, repository.path().join(&update.name)));
    }
    // Read after the locks are held: a reference that is locked cannot leave its file for `packed-refs` any more.
    let packed = repository.references().packed()?;
    for (update, (_, file)) in updates.iter().zip(&prepared.locked) {
        let found = repository.references().find(&update.name, packed.as_ref())?;
        if found != update.old {
            return Err(Error::Moved { reference: update.name.clone(), expected: update.old, found });
        }
        if update.old.is_none() {
            make_room(repository, packed.as_ref(), file, &update.name)?;
        }
    }
    Ok(prepared)
}

impl Prepared {
    /// Moves the references in order.
    ///
    /// # Errors
    /// The disk refuses; the references before that one have moved.
    pub(super) fn commit(&mut self) -> Result<()> {
        for (lock, file) in &self.locked[self.committed..] {
            fs::rename(lock, file).map_err(Error::io(file))?;
            self.committed += 1;
        }
        Ok(())
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        for (lock, _) in &self.locked[self.committed..] {
            drop(fs::remove_file(lock));
        }
    }
}

/// Sees to it that moves last.
///
/// Git packs references at any time: then a reference stands in `packed-refs`, its file is gone, and its directory too
/// if it was the last. Git syncs that file, though not the directory that names it.
///
/// # Errors
/// The disk refuses.
pub(super) fn sync(repository: &Repository, updates: &[RefUpdate]) -> Result<()> {
    let files: Vec<_> = updates.iter().map(|update| repository.path().join(&update.name)).collect();
    // A directory that was made for a reference is named by the one above it, up to `refs`.
    let above = |file: &PathBuf| -> Vec<PathBuf> {
        file.ancestors().skip(1).take_while(|above| *above != repository.path()).map(Path::to_owned).collect()
    };
    let directories: BTreeSet<PathBuf> = files.iter().flat_map(above).collect();
    durable::sync_standing(&Vec::from_iter(directories))?;
    // Looked at afterwards: what is still there has not been packed before its directory was synced.
    if files.iter().all(|file| file.is_file()) {
        return Ok(());
    }
    durable::sync_standing(&[repository.path().join("packed-refs")])?;
    durable::sync(repository.path())
}

/// Where Git locks a reference.
pub(super) fn lock_path(repository: &Repository, name: &str) -> PathBuf {
    repository.path().join(format!("{name}.lock"))
}

fn link(value: &Path, lock: &Path, name: &str) -> Result<()> {
    let directory = durable::directory_of(lock);
    let since = Instant::now();
    let (mut vanished, mut taken) = (0, 0);
    while vanished < ATTEMPTS {
        match fs::create_dir_all(directory) {
            Err(error) if matches!(error.kind(), ErrorKind::NotADirectory | ErrorKind::AlreadyExists) => {
                return Err(Error::invalid(name, "a part of its name is a reference already"));
            }
            made => made.map_err(Error::io(directory))?,
        }
        match fs::hard_link(value, lock) {
            Err(error) if error.kind() == ErrorKind::NotFound => vanished += 1,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let age = age(lock);
                if since.elapsed() >= PATIENCE || age.is_some_and(|age| age >= STALE) {
                    return Err(Error::Locked { path: lock.to_owned(), holder: holder(age) });
                }
                std::thread::sleep(pause(taken));
                taken += 1;
            }
            linked => return linked.map_err(Error::io(lock)),
        }
    }
    Err(Error::io(lock)(ErrorKind::NotFound.into()))
}

/// How long ago a lock was made.
fn age(lock: &Path) -> Option<Duration> {
    fs::symlink_metadata(lock).and_then(|metadata| metadata.modified()).ok()?.elapsed().ok()
}

fn holder(age: Option<Duration>) -> String {
    match age.filter(|age| *age >= STALE) {
        Some(age) => format!("a Git program that was killed, it seems, {} minutes ago", age.as_secs() / 60),
        None => "another Git program, or one that was killed,".to_owned(),
    }
}

/// Longer from try to try, and never the same for two that wait for one another.
fn pause(tries: u32) -> Duration {
    let bytes = new_uuid();
    let jitter = u32::from_str_radix(&bytes[..2], 16).unwrap_or_default();
    let pause = PAUSE * (1 << tries.min(4));
    pause / 2 + pause * jitter / 512
}

/// Sees that a new reference is no prefix of another, nor another of it: the rename would fail when others have moved.
fn make_room(repository: &Repository, packed: Option<&Buffer>, file: &Path, name: &str) -> Result<()> {
    let clash = |other: &str| Err(Error::invalid(name, format!("`{other}` is a reference already")));
    if file.is_dir() {
        remove_empty(file);
        if file.is_dir() {
            return clash(&format!("{name}/…"));
        }
    }
    let Some(packed) = packed else { return Ok(()) };
    let mut above = name;
    while let Some((parent, _)) = above.rsplit_once('/').filter(|(parent, _)| parent.matches('/').count() > 1) {
        if repository.references().find(parent, Some(packed))?.is_some() {
            return clash(parent);
        }
        above = parent;
    }
    let below = packed
        .iter_prefixed(format!("{name}/").into())
        .map_err(|error| Error::damaged("packed-refs", error.to_string()))?;
    match below.flatten().next() {
        Some(other) => clash(&other.name.as_bstr().to_string()),
        None => Ok(()),
    }
}

/// Removes a directory that holds nothing but empty directories; what holds more stays.
fn remove_empty(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_empty(&entry.path());
        }
    }
    drop(fs::remove_dir(directory));
}
