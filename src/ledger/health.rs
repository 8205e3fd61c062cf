//! How a ledger's repository fares: what `doctor` looks at, none of which changes what the ledger says.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{Error, Result};
use super::journal;
use super::repository::{CONFIG, Repository};

/// What was found of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether a killed command left a transaction that is yet to be settled.
    pub interrupted: bool,
    /// The branch that `HEAD` names; `None` where it names none.
    pub head: Option<String>,
    /// Settings that are not as the ledger was made.
    pub drifted: Vec<Drift>,
    /// Objects that are in no pack.
    pub loose_objects: usize,
    /// Packs.
    pub packs: usize,
    /// References that are files of their own.
    pub loose_refs: usize,
}

/// One setting that is not as the ledger was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The setting, such as `core.fsync`.
    pub key: String,
    /// What it was made.
    pub made: String,
    /// What it is now, if anything.
    pub now: Option<String>,
}

impl Repository {
    /// Looks at the repository, without healing it.
    ///
    /// # Errors
    /// A directory or the configuration cannot be read.
    pub fn health(&self) -> Result<Health> {
        let packs = files(&self.path().join("objects/pack"), &|name| name.ends_with(".pack"))?;
        let mut loose_objects = 0;
        for fan in entries(&self.path().join("objects"))? {
            if fan.file_name().is_some_and(|name| name.len() == 2) {
                loose_objects += files(&fan, &|name| name.len() == 38)?;
            }
        }
        let head = fs::read_to_string(self.path().join("HEAD")).map_err(Error::io(self.path()))?;
        Ok(Health {
            interrupted: journal::exists(self),
            head: head.trim().strip_prefix("ref: refs/heads/").map(str::to_owned),
            drifted: self.drifted()?,
            loose_objects,
            packs,
            loose_refs: files(&self.path().join("refs"), &|name| !name.ends_with(".lock"))?,
        })
    }

    fn drifted(&self) -> Result<Vec<Drift>> {
        let path = self.path().join("config");
        let config = git2::Config::open(&path).map_err(Error::git(format!("reading `{}`", path.display())))?;
        Ok(drifted(&config))
    }
}

/// The settings of a configuration that are not as joch makes them.
pub(super) fn drifted(config: &git2::Config) -> Vec<Drift> {
    let mut drifted = Vec::new();
    let mut section = "";
    for line in CONFIG.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, made)) = line.trim().split_once(" = ") {
            let key = format!("{section}.{key}");
            let now = config.get_string(&key).ok();
            if now.as_deref() != Some(made) {
                drifted.push(Drift { key, made: made.to_owned(), now });
            }
        }
    }
    drifted
}

/// Where a program is, by the directories of `PATH`.
#[must_use]
pub fn find_program(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    std::env::split_paths(path?).map(|directory| directory.join(name)).find(|program| program.is_file())
}

/// The words with which `git --version` names its version, such as `2.47.3`; `None` if it cannot be run.
#[must_use]
pub fn git_version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").env_clear().stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().strip_prefix("git version ")?.to_owned())
}

/// How many files lie under a directory; none if it is not there.
fn files(directory: &Path, counts: &dyn Fn(&str) -> bool) -> Result<usize> {
    let mut found = 0;
    for path in entries(directory)? {
        if path.is_dir() {
            found += files(&path, counts)?;
        } else if path.file_name().and_then(OsStr::to_str).is_some_and(counts) {
            found += 1;
        }
    }
    Ok(found)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(why) => Err(Error::io(directory)(why)),
    }
}
