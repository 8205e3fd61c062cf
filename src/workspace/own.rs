//! Files that joch keeps for itself, or finds under a name of its own. Whoever may write there may lay a pipe in their
//! place, and joch does not wait for it. What a person names may be a pipe.

use std::fs::{self, File};
use std::io::{Error, Read as _, Result};
use std::path::Path;

/// Opens a file to read it.
///
/// # Errors
/// It is none, or cannot be opened.
pub(super) fn open(path: &Path) -> Result<File> {
    // Asked before it is opened, which would wait already.
    if fs::metadata(path)?.is_file() { File::open(path) } else { Err(Error::other("it is no file")) }
}

/// The text of a file.
///
/// # Errors
/// It is none, cannot be read, or is no text.
pub(super) fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}
