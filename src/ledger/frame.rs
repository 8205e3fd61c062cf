//! What holds a repository together beside its objects: `HEAD`, the settings, and the names and files of references. Read
//! as files, so that it can be told what is wrong with them where no library takes this for a repository any more.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::durable::read;
use super::health::{Drift, drifted};
use super::object_id::ObjectId;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The branch that `HEAD` names, or what is wrong with it.
    pub head: Result<String, String>,
    /// What is wrong with the settings.
    pub settings: Vec<String>,
    /// Every reference by its full name, with the object that it names, or what is wrong with it.
    pub references: BTreeMap<String, Result<ObjectId, String>>,
    /// The lines of `packed-refs` that say nothing.
    pub packed: Vec<String>,
    /// Files outside of `refs` that plain Git takes for references: `heads/prod` names this file first.
    pub outside: Vec<String>,
}

/// The settings that Git's own clones have no word of: one of them says that joch made the repository.
const OWN: [&str; 5] =
    ["core.fsync", "core.fsyncmethod", "core.logallrefupdates", "extensions.preciousobjects", "gc.pruneexpire"];

impl Frame {
    /// Reads the files of the repository at `path`; `None` where there is none.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        if !path.join("objects").is_dir() || !path.join("refs").is_dir() {
            return None;
        }
        let (mut references, packed) = packed(path);
        loose(&path.join("refs"), "refs", &mut references);
        let mut outside = Vec::new();
        stray(path, "", &mut outside);
        outside.sort();
        Some(Self { head: head(path), settings: settings(path), references, packed, outside })
    }
}

/// What lies in a repository beside references, and the directory of which they are.
const NO_REFERENCES: [&str; 11] =
    ["objects", "refs", "packed-refs", "shallow", "joch", "logs", "hooks", "info", "branches", "worktrees", "modules"];
/// How many such files are named.
const STRAY: usize = 100;

/// Files that read as references and lie where none belongs. Names in capitals, such as `ORIG_HEAD`, are Git's own.
fn stray(directory: &Path, name: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, file) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let known = NO_REFERENCES.contains(&file.trim_end_matches(".lock"));
        let own = name.is_empty() && (known || file == file.to_ascii_uppercase());
        if own || found.len() >= STRAY {
            continue;
        }
        let below = if name.is_empty() { file } else { format!("{name}/{file}") };
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
            stray(&path, &below, found);
        } else if is_reference(&path) {
            found.push(below);
        }
    }
}

/// Whether a file reads as a reference: the id of an object, or the name of another reference.
fn is_reference(path: &Path) -> bool {
    let small = fs::metadata(path).is_ok_and(|found| found.len() < 4096);
    let Some(bytes) = small.then(|| read(path).ok()).flatten() else { return false };
    let text = String::from_utf8_lossy(&bytes);
    text.starts_with("ref:") || text.get(..40).is_some_and(|id| id.parse::<ObjectId>().is_ok())
}

fn head(path: &Path) -> Result<String, String> {
    let bytes = read(&path.join("HEAD")).map_err(|why| format!("it cannot be read: {why}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    let named = text.strip_suffix('\n').and_then(|line| line.strip_prefix("ref: refs/heads/"));
    named.filter(|name| !name.is_empty()).map(str::to_owned).ok_or_else(|| "it names no branch".to_owned())
}

/// What is wrong with the settings: they are those that joch makes, or those of a clone that Git made.
fn settings(path: &Path) -> Vec<String> {
    let file = path.join("config");
    let Some(text) = read(&file).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return vec!["its file cannot be read".to_owned()];
    };
    let config = match git2::Config::open(&file) {
        Ok(config) => config,
        Err(why) => return vec![format!("its file cannot be understood: {}", why.message())],
    };
    let now = |key: &str| config.get_string(key).ok();
    let format = now("core.repositoryformatversion");
    if format.is_none() {
        return vec!["`core.repositoryformatversion` is not set, which every repository has".to_owned()];
    }
    let said = text.to_ascii_lowercase();
    let own = OWN.iter().any(|key| now(key).is_some()) || said.contains("preciousobjects") || said.contains("fsync");
    if format.as_deref() == Some("0") && !own {
        return Vec::new();
    }
    let told = |Drift { key, made, now }: Drift| {
        let is = now.map_or_else(|| "not set".to_owned(), |now| format!("`{now}`"));
        format!("`{key}` is {is} and was made `{made}`")
    };
    drifted(&config).into_iter().map(told).collect()
}

/// References, each with what it names or what is wrong with it.
type Named = BTreeMap<String, Result<ObjectId, String>>;

/// The references of `packed-refs`, and the lines there that are none.
fn packed(path: &Path) -> (Named, Vec<String>) {
    let mut named = BTreeMap::new();
    let mut strange = Vec::new();
    let text = read(&path.join("packed-refs")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    for line in text.split_inclusive('\n') {
        // A line without an end was cut.
        let Some(line) = line.strip_suffix('\n') else {
            strange.push(line.to_owned());
            continue;
        };
        if line.starts_with(['#', '^']) {
            continue;
        }
        let target = line.get(..40).and_then(|id| id.parse::<ObjectId>().ok());
        match (target, line.get(40..).and_then(|rest| rest.strip_prefix(" refs/"))) {
            (Some(id), Some(name)) => drop(named.insert(format!("refs/{name}"), Ok(id))),
            _ => strange.push(line.to_owned()),
        }
    }
    (named, strange)
}

/// The references that are files of their own, which count before those of `packed-refs`.
fn loose(directory: &Path, name: &str, named: &mut Named) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, below) = (entry.path(), format!("{name}/{}", entry.file_name().to_string_lossy()));
        if path.is_dir() {
            loose(&path, &below, named);
        } else if !below.ends_with(".lock") {
            let target = match read(&path) {
                Ok(bytes) if bytes.is_empty() => Err("its file is empty".to_owned()),
                Ok(bytes) => match String::from_utf8_lossy(&bytes).trim_end().parse() {
                    Ok(id) => Ok(id),
                    // A reference that names another is judged by the grammar of references.
                    Err(_) if bytes.starts_with(b"ref: refs/") => continue,
                    Err(_) => Err("its file holds no object id".to_owned()),
                },
                Err(why) if why.kind() == io::ErrorKind::NotFound => continue,
                Err(why) => Err(format!("its file cannot be read: {why}")),
            };
            named.insert(below, target);
        }
    }
}
