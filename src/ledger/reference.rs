//! Reading references: loose files and `packed-refs`, together and without tearing.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use gix_ref::file::Store;
use gix_ref::packed::Buffer;
use gix_ref::store::WriteReflog;
use gix_ref::store::init::Options;

use super::durable;
use super::error::{Error, Result};
use super::object_id::ObjectId;

/// How often a listing is tried that loses files to `packed-refs` while it reads them.
const ATTEMPTS: usize = 32;

/// What a reference holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefTarget {
    /// An object.
    Object(ObjectId),
    /// The name of another reference.
    Symbolic(String),
}

/// The references of a repository.
pub(super) struct References {
    store: Store,
}

impl References {
    /// Those of the Git directory.
    pub(super) fn at(git_dir: &Path) -> Self {
        let options = Options { write_reflog: WriteReflog::Disable, ..Options::default() };
        Self { store: Store::at_opts(git_dir.to_owned(), gix_hash::Kind::Sha1, options) }
    }

    /// The object that a reference names now.
    ///
    /// A reference that is being packed leaves its loose file for `packed-refs`, so the latter is read second.
    pub(super) fn get(&self, name: &str) -> Result<Option<ObjectId>> {
        match self.find(name, None)? {
            Some(id) => Ok(Some(id)),
            None => self.find(name, self.packed()?.as_ref()),
        }
    }

    /// As `get`, but asks the `packed-refs` that was read before.
    pub(super) fn find(&self, name: &str, packed: Option<&Buffer>) -> Result<Option<ObjectId>> {
        // Asked before it is opened: a pipe would wait for a writer.
        if fs::metadata(self.store.git_dir().join(name)).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(self.broken(name, &"it is no file"));
        }
        let found = self.store.try_find_packed(name, packed).map_err(|error| self.broken(name, &error))?;
        // Git's short names would let `refs/tags/refs/heads/x` answer for `refs/heads/x`.
        match found.filter(|found| found.name.as_bstr() == name) {
            None => Ok(None),
            Some(found) => match target(found.target)? {
                RefTarget::Object(id) => Ok(Some(id)),
                RefTarget::Symbolic(_) => Err(symbolic(name)),
            },
        }
    }

    /// `packed-refs` as it is now.
    pub(super) fn packed(&self) -> Result<Option<Buffer>> {
        self.store.open_packed_buffer().map_err(|error| unreadable("packed-refs", &error))
    }

    /// All references whose names begin with `prefix`, by name, read one by one while others may write: see
    /// [`Standing`](super::settled::Standing).
    pub(super) fn list(&self, prefix: &str) -> Result<Vec<(String, RefTarget)>> {
        for _ in 1..ATTEMPTS {
            if let Ok(found) = self.try_list(prefix) {
                return Ok(found);
            }
            if let Some(why) = self.culprit(prefix) {
                return Err(why);
            }
            // It was packed after its name was read and before its file was.
        }
        self.try_list(prefix)
    }

    fn try_list(&self, prefix: &str) -> Result<Vec<(String, RefTarget)>> {
        let fail = |why: &dyn Display| unreadable(prefix, why);
        let packed = self.packed()?;
        let relative = prefix.try_into().map_err(|error: gix_error::Error| fail(&error))?;
        let found = self.store.iter_prefixed_packed(relative, packed.as_ref()).map_err(|error| fail(&error))?;
        found
            .map(|reference| {
                let reference = reference.map_err(|error| fail(&error))?;
                let name = reference.name.as_bstr().to_string();
                Ok((name, target(reference.target)?))
            })
            .collect()
    }

    /// A reference that holds no object id.
    fn broken(&self, name: &str, why: &dyn Display) -> Error {
        let path = self.store.git_dir().join(name);
        let empty = fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0);
        let why = if empty { "its file is empty".to_owned() } else { why.to_string() };
        Error::BrokenReference { reference: name.to_owned(), why, way_out: self.way_back(name) }
    }

    /// The command that puts a broken reference back. Of a tag, an audit tells what it held, once it is gone. Every release has a signed tag, so the newest tag of a rung names what
    /// the branch held; of other branches, the log of plain Git may know, where one moved it.
    fn way_back(&self, name: &str) -> Option<String> {
        let git = self.store.git_dir();
        if name.starts_with("refs/tags/") {
            return Some(format!(
                "rm -f '{}' && joch audit verify, which tells what it held",
                git.join(name).display()
            ));
        }
        let rung = name.strip_prefix("refs/heads/")?;
        let prefix = tag(&format!("release/{rung}/"));
        let tags = self.try_list(&prefix).unwrap_or_default();
        let newest = tags.iter().filter_map(|(name, _)| name[prefix.len()..].parse::<u64>().ok()).max();
        if let Some(number) = newest {
            return Some(put_back(git, name, &format!("{prefix}{number}^{{commit}}")));
        }
        let log = String::from_utf8(durable::read(&git.join("logs").join(name)).ok()?).ok()?;
        let id: ObjectId = log.lines().last()?.split(' ').nth(1)?.parse().ok()?;
        Some(put_back(git, name, &id.to_string()))
    }

    /// The reference that keeps a listing from being made, which does not say which it is.
    fn culprit(&self, prefix: &str) -> Option<Error> {
        let git = self.store.git_dir();
        let directory = prefix.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut ahead = vec![git.join(directory)];
        while let Some(path) = ahead.pop() {
            if path.is_dir() {
                ahead.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
                continue;
            }
            let Some(name) = path.strip_prefix(git).ok().and_then(Path::to_str) else { continue };
            if !name.starts_with(prefix) || name.ends_with(".lock") {
                continue;
            }
            if let Err(why) = self.find(name, None) {
                return Some(why);
            }
        }
        None
    }
}

/// The command that makes a reference anew at `what`. Git does not write over one that it cannot read.
#[must_use]
pub fn put_back(git: &Path, name: &str, what: &str) -> String {
    let file = git.join(name);
    format!("rm -f '{}' && git -C '{}' update-ref {name} '{what}'", file.display(), git.display())
}

/// The full name of a branch.
pub(super) fn branch(name: &str) -> String {
    format!("refs/heads/{name}")
}

/// The full name of a tag.
pub(super) fn tag(name: &str) -> String {
    format!("refs/tags/{name}")
}

/// Refuses a name that Git would not take for a reference.
pub(super) fn check_name(full: &str) -> Result<()> {
    match gix_ref::FullName::try_from(full) {
        Ok(_) if full.starts_with("refs/") => Ok(()),
        Ok(_) => Err(Error::invalid(full, "a reference begins with `refs/`")),
        Err(error) => Err(Error::invalid(full, format!("it is no name for a reference: {error}"))),
    }
}

fn target(target: gix_ref::Target) -> Result<RefTarget> {
    Ok(match target {
        gix_ref::Target::Object(id) => RefTarget::Object(ObjectId::from_gix(&id)),
        gix_ref::Target::Symbolic(name) => RefTarget::Symbolic(name.as_bstr().to_string()),
    })
}

fn unreadable(name: &str, why: &dyn Display) -> Error {
    Error::damaged(format!("the reference `{name}`"), why.to_string())
}

pub(super) fn symbolic(name: &str) -> Error {
    Error::damaged(format!("the reference `{name}`"), "it names another reference and not an object")
}
