//! Where a project and its ledger are.

use std::fmt;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::beside;
use super::config::Config;
use super::own;

/// What Unix calls a disk that fails; Rust has no name for it.
const EIO: i32 = 5;

/// A file could not be found, read or written.
#[derive(Debug)]
pub struct Trouble {
    /// What could not be done, and to what.
    pub what: String,
    /// What to do next.
    pub next: Option<String>,
}

impl Trouble {
    /// `doing` failed at `path`.
    pub fn at(doing: &str, path: &Path, why: &std::io::Error) -> Self {
        let next = match why.kind() {
            std::io::ErrorKind::StorageFull => Some("free some space on that disk, then run the command again".into()),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Some("allow it on that path, then run the command again".into())
            }
            _ if why.raw_os_error() == Some(EIO) => {
                Some("see what the system's log says of that disk, then run the command again".into())
            }
            _ => None,
        };
        Self { what: format!("cannot {doing} `{}`: {why}", path.display()), next }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Trouble {}

/// A project: the directory of its `joch.yaml`, and what that says.
#[derive(Debug, Clone)]
pub struct Project {
    /// The directory.
    pub root: PathBuf,
    /// What `joch.yaml` says; all defaults where there is none.
    pub config: Config,
    /// Whether there is a `joch.yaml`.
    pub configured: bool,
}

/// The settings of a project.
pub(super) const CONFIG: &str = "joch.yaml";
/// The project's own directory, ignored by the outer Git.
const OWN: &str = ".joch";
/// The ledger within it.
const LEDGER: &str = "ledger.git";

impl Project {
    /// The project that holds `directory`: the nearest directory upwards with a `joch.yaml`, else
    /// `directory` itself.
    ///
    /// # Errors
    /// `joch.yaml` cannot be read or understood.
    pub fn find(directory: &Path) -> Result<Self, Trouble> {
        for root in directory.ancestors() {
            let path = root.join(CONFIG);
            match own::read(&path) {
                Ok(text) => {
                    let config = Config::parse(&text).map_err(|why| Trouble {
                        what: format!("`{}`: {why}", path.display()),
                        next: Some("see `docs/guide` for the settings of a project".into()),
                    })?;
                    return Ok(Self { root: root.to_owned(), config, configured: true });
                }
                Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
                Err(why) => return Err(Trouble::at("read", &path, &why)),
            }
        }
        Ok(Self { root: directory.to_owned(), config: Config::default(), configured: false })
    }

    /// Where the ledger is: what `JOCH_LEDGER` says, relative to the working `directory`, or `joch.yaml`, else `.joch/ledger.git` of the
    /// project, and in a linked worktree that of the main one.
    #[must_use]
    pub fn ledger(&self, variable: Option<&str>, directory: &Path) -> PathBuf {
        if let Some(named) = variable.filter(|named| !named.is_empty()) {
            return directory.join(named);
        }
        if let Some(named) = &self.config.ledger {
            return self.root.join(named);
        }
        let own = self.root.join(OWN).join(LEDGER);
        if own.exists() {
            return own;
        }
        let main = self.in_main_worktree().map(|root| root.join(OWN).join(LEDGER));
        main.filter(|main| main.exists()).unwrap_or(own)
    }

    /// Makes the outer Git leave the ledger alone: `.joch` is ignored, and looks to `git clean -fdx` like
    /// a repository of its own, which that spares.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn shelter_ledger(&self, ledger: &Path) -> Result<(), Trouble> {
        let own = self.root.join(OWN);
        if ledger != own.join(LEDGER) {
            return Ok(());
        }
        write_over(&own.join(".git"), format!("gitdir: {LEDGER}\n").as_bytes())?;
        let ignore = self.root.join(".gitignore");
        let line = format!("/{OWN}/");
        let text = match own::read(&ignore) {
            Ok(text) => text,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(why) => return Err(Trouble::at("read", &ignore, &why)),
        };
        let ignored = |known: &str| matches!(known.trim(), ".joch" | ".joch/" | "/.joch" | "/.joch/");
        if text.lines().any(ignored) {
            return Ok(());
        }
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        write_over(&ignore, format!("{text}{gap}{line}\n").as_bytes())
    }

    /// Writes a new `joch.yaml` that pins `trust_root`, or adds the pin to the one that is there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn pin(&self, trust_root: &str) -> Result<(), Trouble> {
        let path = self.root.join(CONFIG);
        if !self.configured {
            return write_over(&path, Config::text(trust_root).as_bytes());
        }
        let text = own::read(&path).map_err(|why| Trouble::at("read", &path, &why))?;
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        write_over(&path, format!("{text}{gap}{}", Config::text(trust_root)).as_bytes())
    }

    /// This project's directory in the main worktree, if this is a linked one of the outer Git.
    fn in_main_worktree(&self) -> Option<PathBuf> {
        let top = self.root.ancestors().find(|directory| directory.join(".git").exists())?;
        let pointer = own::read(&top.join(".git")).ok()?;
        let git_dir = top.join(pointer.strip_prefix("gitdir:")?.trim());
        let common = own::read(&git_dir.join("commondir")).ok()?;
        let main = git_dir.join(common.trim()).canonicalize().ok()?;
        let below = self.root.strip_prefix(top).ok()?;
        Some(main.parent()?.join(below))
    }
}

/// Writes a file that is not there yet, durably.
///
/// # Errors
/// It is there, or cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    if path.exists() {
        return Err(Trouble {
            what: format!("`{}` is there already", path.display()),
            next: Some("name another file, or move that one away".into()),
        });
    }
    write_over(path, bytes)
}

/// Replaces a file as a whole: a crash leaves the old one or the new one.
///
/// # Errors
/// It cannot be written.
pub fn write_over(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    write_through(path, |file| file.write_all(bytes))
}

/// The same, of what `write` writes piece by piece; it may be asked again from the beginning.
///
/// # Errors
/// It cannot be written.
pub fn write_through(path: &Path, write: impl Fn(&mut dyn Write) -> std::io::Result<()>) -> Result<(), Trouble> {
    let trouble = |why: std::io::Error| Trouble::at("write", path, &why);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(trouble)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let synced = |file: &fs::File| {
        let mut buffered = BufWriter::new(file);
        write(&mut buffered)?;
        buffered.flush()?;
        file.sync_all()
    };
    beside::replace(directory, &name, synced).map_err(trouble)?;
    fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(trouble)
}
