//! Every stored file of a repository, read to its end. What nobody refers to counts too: Git copies it whole, and a copy
//! that is hurt can answer for one that is not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::collect::PACKING;
use super::error::{Error, Result};
use super::object::{self, ObjectKind};
use super::object_id::ObjectId;
use super::repository::Repository;
use super::signatures::{self, Signatures};

/// What was found of the files.
#[derive(Debug, Default)]
pub struct Census {
    /// How many objects were read.
    pub objects: usize,
    /// The objects that cannot be read, or have another content than their name says.
    pub hurt: BTreeMap<ObjectId, String>,
    /// The names that annotated tags give themselves, also those that no reference leads to.
    pub tags: BTreeSet<String>,
    /// What some object leads to, and is not stored: also for objects that nobody needs.
    pub missing: Vec<ObjectId>,
    /// Whose signature stands on which commit or tag, beside those that were known.
    pub signatures: Signatures,
    /// The packs that are not as they were written, by their path below the repository.
    pub packs: BTreeMap<String, String>,
}

/// How long a pack and its index are waited for: Git moves one of them into place before the other.
const PAIRING: Duration = Duration::from_millis(300);
/// The bytes of a checksum, which ends a pack and its index.
const CHECKSUM: usize = 20;

impl Repository {
    /// Reads every object that is stored, and every pack, on as many threads as there are processors: that each has the
    /// content that its name says, that what it leads to is stored too, and whose signature stands on it where that is
    /// not `known`.
    ///
    /// # Errors
    /// A directory cannot be listed.
    pub fn census(&self, known: &Signatures) -> Result<Census> {
        // Whatever is read here is read once: what libgit2 kept of it would only take memory.
        git2::opts::enable_caching(false);
        let mut census = Census::default();
        let mut ids = self.loose_ids()?;
        self.check_packs(&mut census)?;
        // What an index says is there; an index that cannot be read is told with the packs.
        if let Ok(odb) = self.odb() {
            drop(odb.foreach(|id| {
                ids.push(ObjectId::from_git2(*id));
                true
            }));
        }
        ids.sort_unstable();
        ids.dedup();
        census.objects = ids.len();
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = ids.len().div_ceil(threads).max(1);
        // Each thread has a repository of its own: libgit2 shares none.
        let (path, all) = (self.path().to_owned(), ids.as_slice());
        let parts: Vec<_> = thread::scope(|scope| {
            let parts = all.chunks(share).map(|ids| scope.spawn(|| Self::look_at(&path, ids, all, known)));
            let parts: Vec<_> = parts.collect();
            parts.into_iter().map(|part| part.join().expect("reading does not panic")).collect()
        });
        for part in parts {
            census.hurt.extend(part.hurt);
            census.tags.extend(part.tags);
            census.missing.extend(part.missing);
            census.signatures.extend(part.signatures);
        }
        Ok(census)
    }

    /// Looks at some of all objects. One that is gone meanwhile is nobody's, or is told by whoever misses it.
    fn look_at(path: &Path, ids: &[ObjectId], all: &[ObjectId], known: &Signatures) -> Census {
        let mut part = Census::default();
        let open = || Self::open(path);
        let Ok(mut repository) = open() else {
            let why = "the repository cannot be opened any more";
            part.hurt.extend(ids.iter().map(|id| (*id, why.to_owned())));
            return part;
        };
        for id in ids {
            let mut found = repository.raw(*id);
            if found.is_err()
                && let Ok(anew) = open()
            {
                // Another program may have packed it meanwhile.
                repository = anew;
                found = repository.raw(*id);
            }
            match found {
                Ok((kind, raw)) => part.take(*id, kind, &raw, all, known),
                Err(Error::Missing { .. }) => {}
                Err(Error::Damaged { why, .. }) => drop(part.hurt.insert(*id, why)),
                Err(why) => drop(part.hurt.insert(*id, why.to_string())),
            }
        }
        part
    }

    /// The objects that have files of their own, whole or not.
    pub(super) fn loose_ids(&self) -> Result<Vec<ObjectId>> {
        let mut found = Vec::new();
        for fan in listed(&self.path().join("objects"))? {
            if fan.len() == 2 {
                let names = listed(&self.path().join("objects").join(&fan))?;
                found.extend(names.iter().filter_map(|name| format!("{fan}{name}").parse::<ObjectId>().ok()));
            }
        }
        Ok(found)
    }

    /// Holds every pack and its index against the checksums at their ends.
    fn check_packs(&self, census: &mut Census) -> Result<()> {
        let directory = self.path().join("objects/pack");
        let names = listed(&directory)?;
        let packs: Vec<_> = names.iter().filter(|name| name.starts_with("pack-")).collect();
        for name in packs {
            let other = match name.rsplit_once('.') {
                Some((stem, "pack")) => format!("{stem}.idx"),
                Some((stem, "idx")) => format!("{stem}.pack"),
                _ => continue,
            };
            let mut wrong = wrong_checksum(&directory.join(name));
            if wrong.is_none() && !directory.join(&other).exists() {
                thread::sleep(PAIRING);
                let alone = || directory.join(name).exists() && !directory.join(&other).exists();
                let wanting = alone() && !self.is_in_the_making(&other) && alone();
                wrong = wanting.then(|| format!("`{other}`, which belongs to it, is gone"));
            }
            if let Some(wrong) = wrong {
                census.packs.insert(format!("objects/pack/{name}"), wrong);
            }
        }
        Ok(())
    }

    /// Whether one half of a pack lies where joch or Git makes it: whoever does is slow, or dead, and what is to be in the
    /// pack still has files of its own.
    fn is_in_the_making(&self, half: &str) -> bool {
        let of_git = |name: &String| name.starts_with(".tmp-") && name.ends_with(&format!("-{half}"));
        self.own_directory().join(PACKING).join("pack").join(half).exists()
            || listed(&self.path().join("objects/pack")).is_ok_and(|names| names.iter().any(of_git))
    }
}

impl Census {
    /// Takes up one object that was read.
    fn take(&mut self, id: ObjectId, kind: ObjectKind, raw: &[u8], all: &[ObjectId], known: &Signatures) {
        if kind == ObjectKind::Tag
            && let Ok(tag) = object::parse_tag(id, raw)
        {
            self.tags.insert(tag.name);
        }
        let leads_to = match kind {
            ObjectKind::Blob => Vec::new(),
            ObjectKind::Tree => object::parse_tree(raw).unwrap_or_default().into_iter().map(|entry| entry.id).collect(),
            ObjectKind::Commit => object::parse_commit(id, raw)
                .map(|commit| commit.parents.into_iter().chain([commit.tree]).collect())
                .unwrap_or_default(),
            ObjectKind::Tag => object::parse_tag(id, raw).map(|tag| vec![tag.target]).unwrap_or_default(),
        };
        self.missing.extend(leads_to.into_iter().filter(|id| all.binary_search(id).is_err()));
        if known.key(id).is_none()
            && let Some(key) = signatures::signer(kind, raw)
        {
            self.signatures.add(id, &key);
        }
    }
}

/// What is wrong with the checksum of a pack or an index. One that is gone meanwhile was packed anew.
fn wrong_checksum(path: &Path) -> Option<String> {
    match ends_with_its_checksum(path) {
        Ok(true) => None,
        Ok(false) => Some("its bytes are not those that its checksum is of".to_owned()),
        Err(why) if why.kind() == ErrorKind::NotFound => None,
        Err(why) => Some(why.to_string()),
    }
}

fn ends_with_its_checksum(path: &Path) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let Some(mut left) = file.metadata()?.len().checked_sub(CHECKSUM as u64) else { return Ok(false) };
    let mut hasher = gix_hash::hasher(gix_hash::Kind::Sha1);
    let mut buffer = vec![0; 1 << 16];
    while left > 0 {
        let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        file.read_exact(&mut buffer[..wanted])?;
        hasher.update(&buffer[..wanted]);
        left -= wanted as u64;
    }
    let mut checksum = [0; CHECKSUM];
    file.read_exact(&mut checksum)?;
    Ok(hasher.try_finalize().is_ok_and(|found| found.as_bytes() == checksum))
}

/// The names in a directory; none if it is not there.
fn listed(directory: &Path) -> Result<Vec<String>> {
    match fs::read_dir(directory) {
        Ok(entries) => Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(why) => Err(Error::io(directory)(why)),
    }
}
