//! Collecting: loose objects go into a pack, loose references into `packed-refs`, and what killed programs left goes.
//!
//! Nothing is lost on the way, wherever it is interrupted and whoever reads or writes meanwhile: an object's own file goes
//! only when a pack that is in its place and on disk was read back and gave the same bytes; a reference's own file goes
//! only under its lock, when `packed-refs` is on disk and says the same. No pack and no unreachable object is ever deleted.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::draft;
use super::durable;
use super::error::{Error, Result};
use super::journal::{self, RefUpdate};
use super::lock::Lock;
use super::loose;
use super::object::{self, ObjectKind};
use super::object_id::ObjectId;
use super::recovery;
use super::ref_update::{self, Values};
use super::reference::RefTarget;
use super::repository::Repository;
use super::settled::Standing;

/// How long to wait for another writer.
const WAIT: Duration = Duration::from_secs(30);
/// What is older was left by a program that is dead.
const OLD: Duration = Duration::from_secs(60 * 60);
/// How many references are locked at once.
const LOCKED_AT_ONCE: usize = 256;
/// How often `packed-refs` is written again because a plain Git changed a reference meanwhile.
const ATTEMPTS: usize = 8;
/// Where a pack is made, in joch's own directory.
pub(super) const PACKING: &str = "packing";
/// The new `packed-refs`, in joch's own directory.
pub(super) const PACKED_REFS: &str = "packed-refs.new";

/// What was collected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// The pack that was made; none where there was nothing to pack.
    pub pack: Option<String>,
    /// How many objects went into it.
    pub objects: usize,
    /// How many references went into `packed-refs`.
    pub references: usize,
    /// Files and directories of dead programs that went.
    pub swept: Vec<PathBuf>,
    /// Files of objects that do not hold what they should, and why. They stay as they are.
    pub damaged: Vec<String>,
}

impl Repository {
    /// What [`collect`](Self::collect) would do.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub fn collectable(&self) -> Result<Collected> {
        let (loose, damaged) = self.loose_objects()?;
        let (references, swept) = (self.loose_references()?.len(), self.left_over()?);
        Ok(Collected { pack: None, objects: loose.len(), references, swept, damaged })
    }

    /// Packs and sweeps, when it is its turn to write.
    ///
    /// # Errors
    /// [`Error::Locked`] if another writer takes too long; the disk refuses, and nothing is lost.
    pub fn collect(&self) -> Result<Collected> {
        let _lock = Lock::acquire(self, WAIT)?;
        recovery::recover(self)?;
        let mut swept = self.left_over()?;
        swept.retain(|path| remove(path).is_ok());
        let (loose, damaged) = self.loose_objects()?;
        let pack = self.pack_objects(&loose);
        // Also where that failed: what was begun takes space, which a full disk needs.
        sweep(self)?;
        let pack = pack?;
        // What a tag names is read from its object, and no reference is touched where that may not be told.
        let is_whole = damaged.is_empty();
        let references = if is_whole { self.pack_references().inspect_err(|_| drop(sweep(self)))? } else { 0 };
        Ok(Collected { pack, objects: loose.len(), references, swept, damaged })
    }

    /// The objects that are whole files of their own, and what is wrong with the other such files.
    fn loose_objects(&self) -> Result<(Vec<ObjectId>, Vec<String>)> {
        let (mut whole, mut damaged) = (Vec::new(), Vec::new());
        for id in self.loose_ids()? {
            match loose::read(&self.loose_path(id), id) {
                Ok(Some(_)) => whole.push(id),
                Ok(None) => {}
                Err(why @ Error::Damaged { .. }) => damaged.push(why.to_string()),
                Err(why) => return Err(why),
            }
        }
        whole.sort_unstable();
        Ok((whole, damaged))
    }

    /// Packs these, and removes their own files.
    fn pack_objects(&self, ids: &[ObjectId]) -> Result<Option<String>> {
        if ids.is_empty() {
            return Ok(None);
        }
        let directory = room_for_a_pack(self)?;
        let failed = || Error::git_at("writing a pack", &directory);
        let mut builder = self.git().packbuilder().map_err(failed())?;
        for id in ids {
            builder.insert_object(id.to_git2(), None).map_err(failed())?;
        }
        let files = write_pack(self, &mut builder, &directory)?;
        drop(builder);
        self.check_pack(durable::directory_of(&directory), ids)?;
        let drafts: Vec<_> = files.iter().map(|(draft, _)| draft.clone()).collect();
        durable::sync_each(&drafts)?;
        for (draft, place) in &files {
            loose::place(draft, place)?;
        }
        durable::sync(&self.path().join("objects/pack"))?;
        for id in ids {
            durable::remove(&self.loose_path(*id))?;
        }
        Ok(files.first().and_then(|(_, place)| name_of(place)).map(str::to_owned))
    }

    /// Reads every object from the pack in `making` and nothing else, and compares.
    fn check_pack(&self, making: &Path, ids: &[ObjectId]) -> Result<()> {
        let damaged = |id: &ObjectId, why: &str| Error::damaged(format!("the new pack, of the object {id},"), why);
        let alone = git2::Odb::new().map_err(Error::git("opening the new pack"))?;
        let path = making.to_str().ok_or_else(|| Error::invalid(making.to_string_lossy(), "it is no Unicode"))?;
        alone.add_disk_alternate(path).map_err(Error::git("opening the new pack"))?;
        for id in ids {
            let packed = alone.read(id.to_git2()).map_err(|error| damaged(id, error.message()))?;
            let (kind, bytes) =
                loose::read(&self.loose_path(*id), *id)?.ok_or_else(|| damaged(id, "its file is gone"))?;
            if packed.kind().str() != kind.word() || packed.data() != bytes {
                return Err(damaged(id, "it holds something else"));
            }
        }
        Ok(())
    }

    /// The references that are files of their own, and hold an object.
    fn loose_references(&self) -> Result<Vec<(String, ObjectId)>> {
        let listed = Standing::read(self, "refs/")?.references.into_iter();
        let objects = listed.filter_map(|(name, target)| match target {
            RefTarget::Object(id) => Some((name, id)),
            RefTarget::Symbolic(_) => None,
        });
        Ok(objects.filter(|(name, _)| self.path().join(name).is_file()).collect())
    }

    fn pack_references(&self) -> Result<usize> {
        let loose = self.loose_references()?;
        if loose.is_empty() {
            return Ok(0);
        }
        self.write_packed()?;
        let mut packed = 0;
        for some in loose.chunks(LOCKED_AT_ONCE) {
            packed += self.prune(some)?;
        }
        Ok(packed)
    }

    /// Writes `packed-refs` anew, under the lock that Git takes for it. Like those of references, the lock has its content
    /// from the beginning, so that whoever finds it knows whose it is.
    fn write_packed(&self) -> Result<()> {
        let new = self.own_directory().join(PACKED_REFS);
        let (place, lock) = (self.path().join("packed-refs"), self.path().join("packed-refs.lock"));
        for _ in 0..ATTEMPTS {
            let text = self.render_packed()?;
            durable::remove(&new)?;
            durable::write(&new, text.as_bytes())?;
            durable::sync(&new)?;
            // A lock that outlives a power cut is known by this file, which must outlive it, too.
            durable::sync(&self.own_directory())?;
            match fs::hard_link(&new, &lock) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    durable::remove(&new)?;
                    return Err(Error::Locked { path: lock, holder: "another Git program".to_owned() });
                }
                linked => linked.map_err(Error::io(&lock))?,
            }
            // Nobody but who holds the lock moves a reference into `packed-refs`, or out of it.
            let is_so = self.render_packed()? == text;
            if is_so {
                fs::rename(&lock, &place).map_err(Error::io(&place))?;
                durable::sync(self.path())?;
                return durable::remove(&new);
            }
            durable::remove(&lock)?;
            durable::sync(self.path())?;
        }
        durable::remove(&new)?;
        Err(Error::Locked { path: place, holder: "another Git program".to_owned() })
    }

    /// All references as `packed-refs` holds them, each tag object with what it names.
    fn render_packed(&self) -> Result<String> {
        let mut text = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        for (name, target) in Standing::read(self, "refs/")?.references {
            let RefTarget::Object(id) = target else { continue };
            text += &format!("{id} {name}\n");
            let mut peeled = id;
            while let (ObjectKind::Tag, raw) = self.raw(peeled)? {
                let damaged = |why| Error::damaged(format!("the tag {peeled}"), why);
                peeled = object::parse_tag(peeled, &raw).map_err(damaged)?.target;
            }
            if peeled != id {
                text += &format!("^{peeled}\n");
            }
        }
        Ok(text)
    }

    /// Removes the files of references that `packed-refs` holds, under their locks. The journal says which these are: a
    /// transaction that changes nothing, after which a killed process leaves no lock.
    fn prune(&self, references: &[(String, ObjectId)]) -> Result<usize> {
        let same = |(name, id): &(String, ObjectId)| RefUpdate { name: name.clone(), old: Some(*id), new: *id };
        let updates: Vec<_> = references.iter().map(same).collect();
        let values = Values::write(self, &updates)?;
        let mut paths = values.paths();
        paths.push(journal::draft(self, &updates)?);
        durable::sync_each(&paths)?;
        journal::publish(self)?;
        let pruned = match ref_update::prepare(&values, &updates) {
            Ok(_locked) => {
                // Compared once more: each must be in `packed-refs` as it is, for that is all that stays of it.
                let packed = self.references().packed()?;
                for update in &updates {
                    let name = update.name.as_str();
                    let kept = packed.as_ref().and_then(|packed| packed.try_find(name).ok().flatten());
                    if kept.is_some_and(|kept| ObjectId::from_gix(&kept.target()) == update.new) {
                        durable::remove(&self.path().join(name))?;
                    }
                }
                updates.len()
            }
            // A plain Git is at one of them; they stay as they are.
            Err(Error::Locked { .. } | Error::Moved { .. }) => 0,
            Err(error) => return Err(error),
        };
        // What the power brings back of a lock is known by the journal, which goes when all locks are gone for good.
        ref_update::sync(self, &updates)?;
        journal::remove(self)?;
        Ok(pruned)
    }

    /// What dead programs left in the repository and beside it: drafts that nobody has touched for an hour.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub fn left_over(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for directory in entries(&self.path().join("objects"))?.iter().filter(|path| path.is_dir()) {
            let begins = |name: &str| ["tmp_", "pack_git2_", ".tmp-"].iter().any(|draft| name.starts_with(draft));
            found.extend(entries(directory)?.into_iter().filter(|path| name_of(path).is_some_and(begins)));
        }
        if let (Some(beside), Some(name)) = (self.path().parent(), name_of(self.path())) {
            found.extend(draft::left_over(beside, name));
        }
        found.retain(|path| is_old(path));
        found.sort_unstable();
        Ok(found)
    }
}

/// An empty directory in which a pack can be made.
pub(super) fn room_for_a_pack(repository: &Repository) -> Result<PathBuf> {
    let directory = repository.own_directory().join(PACKING).join("pack");
    fs::create_dir_all(&directory).map_err(Error::io(&directory))?;
    Ok(directory)
}

/// Writes a pack into such a directory, and gives its files, each with its place: the index last, with which the pack
/// begins to be one.
pub(super) fn write_pack(
    repository: &Repository,
    pack: &mut git2::PackBuilder<'_>,
    directory: &Path,
) -> Result<Vec<(PathBuf, PathBuf)>> {
    pack.write(directory, 0o444).map_err(Error::git_at("writing a pack", directory))?;
    let name = pack.name().ok().flatten();
    let name = name.ok_or_else(|| Error::Git { doing: "writing a pack".into(), why: "it has no name".into() })?;
    let place = repository.path().join("objects").join("pack");
    let files = ["pack", "idx"].map(|extension| format!("pack-{name}.{extension}"));
    Ok(files.map(|file| (directory.join(&file), place.join(file))).to_vec())
}

/// What an interrupted collection left, of which nothing counts. The caller holds joch's lock.
pub(super) fn sweep(repository: &Repository) -> Result<()> {
    let own = repository.own_directory();
    let (new, lock) = (own.join(PACKED_REFS), repository.path().join("packed-refs.lock"));
    if durable::read(&new).is_ok_and(|text| durable::read(&lock).is_ok_and(|locked| locked == text)) {
        durable::remove(&lock)?;
    }
    remove(&new)?;
    let making = own.join(PACKING);
    let place = repository.path().join("objects/pack");
    // A pack whose index was not renamed after it is none yet, and its objects are files of their own still.
    for index in entries(&making.join("pack"))?.iter().filter(|path| path.extension().is_some_and(|end| end == "idx")) {
        let placed = place.join(index.file_name().unwrap_or_default());
        if !placed.exists() {
            durable::remove(&placed.with_extension("pack"))?;
        }
    }
    remove(&making)
}

fn is_old(path: &Path) -> bool {
    let age = fs::symlink_metadata(path).and_then(|metadata| metadata.modified()).map(|then| then.elapsed());
    age.is_ok_and(|age| age.is_ok_and(|age| age > OLD))
}

/// Removes a file, or a directory with all that is in it, if it is there.
fn remove(path: &Path) -> Result<()> {
    if !path.is_dir() {
        return durable::remove(path);
    }
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(why) => Err(Error::io(directory)(why)),
    }
}
