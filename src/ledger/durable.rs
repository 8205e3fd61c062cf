//! What it takes for bytes to outlive a power cut: the file is synced, and so is the directory that names it.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::{Error, Result};

/// How many syncs wait at once. They wait for the disk, not for a processor, and a journalling filesystem answers
/// those that wait together in one write.
const THREADS: usize = 8;

/// Syncs a file or directory.
pub(super) fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Error::io(path))
}

/// Syncs files and directories, many at once; the order among them is not kept.
pub(super) fn sync_each(paths: &[PathBuf]) -> Result<()> {
    each(paths, sync)
}

/// As [`sync_each`], of those that are there: directories that another program may remove once they are empty.
pub(super) fn sync_standing(paths: &[PathBuf]) -> Result<()> {
    each(paths, |path| match sync(path) {
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(()),
        synced => synced,
    })
}

fn each(paths: &[PathBuf], sync: impl Fn(&Path) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            sync(path)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS.min(paths.len())).map(|_| scope.spawn(work)).collect();
        let results = threads.into_iter().map(|thread| thread.join().expect("syncing does not panic"));
        results.fold(Ok(()), Result::and)
    })
}

/// Puts bytes in place of a file, whole or not at all, and syncs both file and directory.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    write(&draft, bytes)?;
    sync(&draft)?;
    fs::rename(&draft, path).map_err(Error::io(path))?;
    sync(directory_of(path))
}

/// Reads a file whole; a pipe that lies in its place is not waited for.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    // Asked before it is opened, which would wait already.
    if !fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    fs::read(path)
}

/// Writes a file without syncing it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    File::create(path).and_then(|mut file| file.write_all(bytes)).map_err(Error::io(path))
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}

/// Makes a directory and those above it that are missing, all of which outlive a power cut.
pub(super) fn make_directory(path: &Path) -> Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|path| *path != Path::new("") && !path.exists()).collect();
    fs::create_dir_all(path).map_err(Error::io(path))?;
    missing.into_iter().try_for_each(|made| sync(directory_of(made)))
}

/// A directory and all that lies in it.
pub(super) fn all_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![directory.to_owned()];
    for entry in fs::read_dir(directory).map_err(Error::io(directory))? {
        let entry = entry.map_err(Error::io(directory))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(all_below(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// The directory that names a file.
pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|above| *above != Path::new("")).unwrap_or(Path::new("."))
}
