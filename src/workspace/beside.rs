//! Files that are replaced as a whole: the new one is written beside the old one, and renamed. What a killed process left
//! there goes when the same file is written again.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use super::own;

/// Replaces the file `name` of `directory` by what `write` writes.
///
/// # Errors
/// It cannot be written; then the old one stays.
pub(super) fn replace(directory: &Path, name: &str, write: impl Fn(&File) -> Result<()>) -> Result<()> {
    sweep(directory, name);
    let beside = directory.join(format!(".{name}.{}.new", std::process::id()));
    let replace = || -> Result<()> {
        let file = File::create(&beside)?;
        // The lock says that somebody is at work, and goes when that process does. Where it cannot be had, nothing is said.
        drop(file.lock());
        write(&file)?;
        fs::rename(&beside, directory.join(name))
    };
    let again = |why: Error| match why.kind() {
        // Somebody swept it in the instant before it was locked.
        ErrorKind::NotFound => replace(),
        _ => Err(why),
    };
    replace().or_else(again).inspect_err(|_| drop(fs::remove_file(&beside)))
}

/// Removes the drafts of a file that nobody works on. What cannot be removed is in nobody's way.
fn sweep(directory: &Path, name: &str) {
    let is_draft = |found: &str| {
        let process = found.strip_prefix('.').and_then(|rest| rest.strip_prefix(name)?.strip_prefix('.'));
        let process = process.and_then(|process| process.strip_suffix(".new"));
        process.is_some_and(|process| !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit()))
    };
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let idle = || match own::open(&path) {
            Ok(draft) => draft.try_lock().is_ok(),
            // No process of joch is at what is no file.
            Err(_) => !path.is_file(),
        };
        if is_draft(&entry.file_name().to_string_lossy()) && idle() {
            drop(fs::remove_file(path));
        }
    }
}
