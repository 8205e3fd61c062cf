//! A ledger's repository: made once with settings that outlive a power cut, opened once and not trusted blindly.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use git2::{ErrorClass, ErrorCode, RepositoryOpenFlags};

use super::draft::Draft;
use super::durable;
use super::error::{Error, Result};
use super::loose;
use super::object::ObjectKind;
use super::object_id::ObjectId;
use super::reference::{self, References};
use super::refusal;

/// What plain Git programs are told, so that they too write safely: sync everything, never prune, never collect
/// beside a writer. `preciousObjects` makes Git itself refuse what would delete objects.
pub(super) const CONFIG: &str = "\
[core]
\trepositoryformatversion = 1
\tfilemode = true
\tbare = true
\tfsync = all
\tfsyncMethod = fsync
\tlogAllRefUpdates = always
[extensions]
\tpreciousObjects = true
[gc]
\tauto = 0
\tpruneExpire = never
";

/// A Git repository that holds a ledger.
pub struct Repository {
    path: PathBuf,
    git: git2::Repository,
    references: References,
}

impl Repository {
    /// Makes an empty ledger at `path`, whose `HEAD` is the branch `head`.
    ///
    /// # Errors
    /// As [`Draft::begin`] and [`Draft::publish`].
    pub fn create(path: impl AsRef<Path>, head: &str) -> Result<Self> {
        Draft::begin(path, head)?.publish()
    }

    /// Opens the repository at `path`: a bare one, or the `.git` directory of another.
    ///
    /// Runs no program and searches no parent directory.
    ///
    /// # Errors
    /// [`Error::NotALedger`] if there is none, [`Error::Refused`] if it could show an auditor something else than what
    /// was signed (shallow, partial, replace refs, grafts, alternates), if another user owns it, or if joch cannot read
    /// its format (reftable, SHA-256).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        refusal::check_layout(path)?;
        let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::BARE | RepositoryOpenFlags::NO_DOTGIT;
        let git = git2::Repository::open_ext(path, flags, std::iter::empty::<&str>()).map_err(|error| {
            match (error.class(), error.code()) {
                (_, ErrorCode::Owner) => refusal::foreign_owner(path),
                (ErrorClass::Repository, ErrorCode::NotFound) => refusal::no_repository(path),
                _ => Error::git(format!("opening `{}`", path.display()))(error),
            }
        })?;
        let path = git.path().to_owned();
        let references = References::at(&path);
        refusal::check_replacements(&path, &references)?;
        Ok(Self { path, git, references })
    }

    /// The Git directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Points `HEAD` at a branch, which need not exist yet.
    ///
    /// # Errors
    /// The name is none that Git knows, or the disk refuses.
    pub fn set_head(&self, branch: &str) -> Result<()> {
        reference::check_name(&reference::branch(branch))?;
        durable::replace(&self.path.join("HEAD"), head_line(branch).as_bytes())
    }

    /// The kind and bytes of an object, its hash checked.
    ///
    /// Asked a second time before it is said to be missing: a plain Git that packs objects meanwhile takes each from one
    /// place to another.
    pub(super) fn raw(&self, id: ObjectId) -> Result<(ObjectKind, Vec<u8>)> {
        match self.look_for(id) {
            Err(Error::Missing { .. }) => {
                self.odb()?.refresh().map_err(Error::git("looking for packs"))?;
                self.look_for(id)
            }
            found => found,
        }
    }

    fn look_for(&self, id: ObjectId) -> Result<(ObjectKind, Vec<u8>)> {
        if let Some(found) = loose::read(&self.loose_path(id), id)? {
            return Ok(found);
        }
        let odb = self.odb()?;
        let object = match odb.read(id.to_git2()) {
            Ok(object) => object,
            Err(error) if error.code() == ErrorCode::NotFound => {
                return Err(Error::Missing { what: format!("the object {id}") });
            }
            Err(error) => return Err(Error::damaged(format!("the object {id}"), error.message())),
        };
        let kind = match object.kind() {
            git2::ObjectType::Blob => ObjectKind::Blob,
            git2::ObjectType::Tree => ObjectKind::Tree,
            git2::ObjectType::Commit => ObjectKind::Commit,
            git2::ObjectType::Tag => ObjectKind::Tag,
            git2::ObjectType::Any => return Err(Error::damaged(format!("the object {id}"), "it is of no kind")),
        };
        Ok((kind, object.data().to_vec()))
    }

    /// Where an object lies when it is in no pack.
    pub(super) fn loose_path(&self, id: ObjectId) -> PathBuf {
        let hex = id.to_string();
        self.path.join("objects").join(&hex[..2]).join(&hex[2..])
    }

    pub(super) fn odb(&self) -> Result<git2::Odb<'_>> {
        self.git.odb().map_err(Error::git("opening the object database"))
    }

    pub(super) fn git(&self) -> &git2::Repository {
        &self.git
    }

    pub(super) fn references(&self) -> &References {
        &self.references
    }

    /// Where joch keeps its lock and journal.
    pub(super) fn own_directory(&self) -> PathBuf {
        self.path.join("joch")
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Writes a bare repository into `path`, without hooks or templates, and syncs nothing.
pub(super) fn lay_out(path: &Path, head: &str) -> Result<()> {
    for directory in ["", "joch", "objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags"] {
        let directory = path.join(directory);
        fs::create_dir(&directory).map_err(Error::io(&directory))?;
    }
    durable::write(&path.join("HEAD"), head_line(head).as_bytes())?;
    durable::write(&path.join("config"), CONFIG.as_bytes())
}

fn head_line(branch: &str) -> String {
    format!("ref: {}\n", reference::branch(branch))
}
