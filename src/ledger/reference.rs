//! Reading references: loose files and `packed-refs`, together and without tearing.

use std::path::Path;

use gix_ref::file::Store;
use gix_ref::packed::Buffer;
use gix_ref::store::WriteReflog;
use gix_ref::store::init::Options;

use super::error::{Error, Result};
use super::object_id::ObjectId;

/// How often a listing is repeated until two agree. Someone must pack references that often in a row to defeat it.
const ATTEMPTS: usize = 8;

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
        let found = self.store.try_find_packed(name, packed).map_err(|error| unreadable(name, &error))?;
        // Git's short names would let `refs/tags/refs/heads/x` answer for `refs/heads/x`.
        match found.filter(|found| found.name.as_bstr() == name) {
            None => Ok(None),
            Some(found) => match target(found.target)? {
                RefTarget::Object(id) => Ok(Some(id)),
                RefTarget::Symbolic(_) => Err(symbolic(name)),
            },
        }
    }

    /// All references whose names begin with `prefix`, by name, as they stood at one instant: read until two
    /// readings agree, because files are read one by one while others write.
    pub(super) fn prefixed(&self, prefix: &str) -> Result<Vec<(String, RefTarget)>> {
        let mut last = self.list(prefix)?;
        for _ in 0..ATTEMPTS {
            let again = self.list(prefix)?;
            if again == last {
                break;
            }
            last = again;
        }
        Ok(last)
    }

    /// As `prefixed`, where every reference must hold an object; the prefix is cut off.
    pub(super) fn objects(&self, prefix: &str) -> Result<Vec<(String, ObjectId)>> {
        let objects = self.prefixed(prefix)?.into_iter().map(|(name, target)| match target {
            RefTarget::Object(id) => Ok((name[prefix.len()..].to_owned(), id)),
            RefTarget::Symbolic(_) => Err(symbolic(&name)),
        });
        objects.collect()
    }

    /// `packed-refs` as it is now.
    pub(super) fn packed(&self) -> Result<Option<Buffer>> {
        self.store.open_packed_buffer().map_err(|error| unreadable("packed-refs", &error))
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, RefTarget)>> {
        let fail = |why: &dyn std::fmt::Display| unreadable(prefix, why);
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

fn unreadable(name: &str, why: &dyn std::fmt::Display) -> Error {
    Error::damaged(format!("the reference `{name}`"), why.to_string())
}

fn symbolic(name: &str) -> Error {
    Error::damaged(format!("the reference `{name}`"), "it names another reference and not an object")
}
