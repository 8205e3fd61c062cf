//! What can go wrong between joch and Git: every refusal says what, where, why and what to do next.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::object_id::ObjectId;
use super::signature::BadSignature;

/// What Unix calls a disk that fails; Rust has no name for it.
const EIO: i32 = 5;

/// What a disk answers that cannot take more, in Unix' numbers: an error of its own, permission, full, read-only, quota.
const DISK: [i32; 5] = [EIO, 13, 28, 30, 122];

/// What every operation of the ledger returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the ledger could not do what was asked.
#[derive(Debug)]
pub enum Error {
    /// There is no Git repository at the path, or none that can be a ledger.
    NotALedger {
        /// Where it was looked for.
        path: PathBuf,
        /// What is there instead.
        why: String,
        /// What to do next.
        way_out: String,
    },
    /// A repository that could show an auditor something else than what was signed.
    Refused {
        /// The repository.
        path: PathBuf,
        /// The property that is refused.
        what: String,
        /// The command that mends it.
        way_out: String,
    },
    /// Another writer is at work.
    Locked {
        /// The lock.
        path: PathBuf,
        /// Who holds it, as far as is known.
        holder: String,
    },
    /// A reference is not what the plan was made on.
    Moved {
        /// The full name of the reference.
        reference: String,
        /// What the plan expected; `None`: that it does not exist.
        expected: Option<ObjectId>,
        /// What is there.
        found: Option<ObjectId>,
    },
    /// An object or reference that something names is not there.
    Missing {
        /// The object or reference.
        what: String,
    },
    /// An object or reference is there and cannot be believed.
    Damaged {
        /// The object or reference.
        object: String,
        /// What is wrong with it.
        why: String,
    },
    /// A reference is there and names nothing.
    BrokenReference {
        /// Its full name.
        reference: String,
        /// What is wrong with it.
        why: String,
        /// The command that puts it back, if what it held is known.
        way_out: Option<String>,
    },
    /// The caller asked for something that Git must not hold.
    Invalid {
        /// The path, reference or text.
        what: String,
        /// The rule that it breaks.
        why: String,
    },
    /// A signature that does not count.
    BadSignature {
        /// What it stands on.
        object: String,
        /// Why it does not count.
        why: BadSignature,
    },
    /// No signature could be made.
    Signing {
        /// What went wrong.
        why: String,
        /// What to do next.
        way_out: String,
    },
    /// The disk said no.
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// All was written, and the disk would not say that it is kept: it may be, and it may be gone after a power cut.
    Unconfirmed {
        /// What was to be kept.
        path: PathBuf,
        /// What the system said.
        why: String,
        /// The command that finds out.
        way_out: String,
    },
    /// The Git library said no.
    Git {
        /// What was being done.
        doing: String,
        /// What the library said.
        why: String,
    },
}

impl Error {
    /// What to do next, if anything can be done.
    #[must_use]
    pub fn next(&self) -> Option<String> {
        match self {
            Self::NotALedger { way_out, .. }
            | Self::Refused { way_out, .. }
            | Self::Signing { way_out, .. }
            | Self::Unconfirmed { way_out, .. } => Some(way_out.clone()),
            // The kernel frees joch's own lock; Git's are files, which outlive whoever made them.
            Self::Locked { path, .. } if path.extension().is_some_and(|extension| extension == "lock") => {
                Some(format!("if no Git program is at work, rm {}", path.display()))
            }
            Self::Locked { .. } => Some("try again when it has finished".to_owned()),
            Self::Moved { .. } => Some("try again: the plan is made anew on what is there now".to_owned()),
            Self::BrokenReference { way_out: Some(way_out), .. } => Some(way_out.clone()),
            Self::BrokenReference { reference, way_out: None, .. } => {
                Some(format!("nothing here tells what it held; fetch `{reference}` from a clone that is whole"))
            }
            Self::Missing { .. } | Self::Damaged { .. } => Some(
                "`git fsck --strict` names what else is hurt; fetch it again from a clone that is whole".to_owned(),
            ),
            Self::Io { source, .. } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                    Some("free some space on that disk, then run the command again; nothing is half done".to_owned())
                }
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    Some("allow writing there, then run the command again; nothing is half done".to_owned())
                }
                _ if source.raw_os_error() == Some(EIO) => Some(
                    "see what the system's log says of that disk; when it is well, `joch doctor` settles what was begun"
                        .to_owned(),
                ),
                _ => None,
            },
            Self::Invalid { .. } | Self::BadSignature { .. } | Self::Git { .. } => None,
        }
    }

    /// The same for the rooms that know nothing of Git.
    #[must_use]
    pub fn unreadable(self) -> crate::closure::Unreadable {
        crate::closure::Unreadable(self.to_string())
    }

    pub(super) fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.as_ref().to_owned(), source }
    }

    /// What was written is in place, and `error` says that the disk did not confirm it.
    pub(super) fn unconfirmed(error: Self, way_out: &str) -> Self {
        match error {
            Self::Io { path, source } => {
                Self::Unconfirmed { path, why: source.to_string(), way_out: way_out.to_owned() }
            }
            error => error,
        }
    }

    pub(super) fn git(doing: impl Into<String>) -> impl FnOnce(git2::Error) -> Self {
        move |error| Self::Git { doing: doing.into(), why: error.message().to_owned() }
    }

    /// The same where a path was written to. The library tells the system's word for what went wrong and not its number.
    pub(super) fn git_at(doing: &str, path: &Path) -> impl FnOnce(git2::Error) -> Self {
        move |error| {
            let known = DISK.into_iter().map(std::io::Error::from_raw_os_error).find(|known| {
                let word = known.to_string();
                error.message().ends_with(word.split(" (os error").next().unwrap_or(&word))
            });
            match known {
                Some(source) => Self::Io { path: path.to_owned(), source },
                None => Self::git(doing)(error),
            }
        }
    }

    pub(super) fn damaged(object: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Damaged { object: object.into(), why: why.into() }
    }

    pub(super) fn invalid(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Invalid { what: what.into(), why: why.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotALedger { path, why, .. } => write!(f, "no ledger at `{}`: {why}", path.display()),
            Self::Refused { path, what, .. } => write!(f, "the repository `{}` is refused: {what}", path.display()),
            Self::Locked { path, holder } => {
                write!(f, "another writer is at work in this ledger: {holder} holds `{}`", path.display())
            }
            Self::Moved { reference, expected, found } => {
                let word =
                    |id: &Option<ObjectId>| id.map_or_else(|| "absent".to_owned(), |id| format!("at {}", id.short()));
                write!(f, "`{reference}` was to be {} and is {}", word(expected), word(found))
            }
            Self::Missing { what } => write!(f, "{what} is not in the ledger"),
            Self::Damaged { object, why } => write!(f, "{object} is damaged: {why}"),
            Self::BrokenReference { reference, why, .. } => write!(f, "the reference `{reference}` is damaged: {why}"),
            Self::Invalid { what, why } => write!(f, "`{what}` cannot be written: {why}"),
            Self::BadSignature { object, why } => write!(f, "the signature of {object} does not count: {why}"),
            Self::Signing { why, .. } => write!(f, "nothing was signed: {why}"),
            Self::Io { path, source } => write!(f, "`{}`: {source}", path.display()),
            Self::Unconfirmed { path, why, .. } => write!(
                f,
                "`{}`: {why}; it is written, and whether it outlives a power cut is not known",
                path.display()
            ),
            Self::Git { doing, why } => write!(f, "{doing}: {why}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
