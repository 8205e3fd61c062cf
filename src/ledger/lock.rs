//! One writer at a time: a lock that the kernel takes back when its process dies, so it can never be left behind.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::sync::mpsc;
use std::time::Duration;

use super::error::{Error, Result};
use super::repository::Repository;

/// The right to write, until it is dropped.
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// To close the file would be enough, were it not that a program that is just being started still has it.
    fn drop(&mut self) {
        drop(self.file.unlock());
    }
}

impl Lock {
    /// Waits at most `wait` for the right to write.
    pub(super) fn acquire(repository: &Repository, wait: Duration) -> Result<Self> {
        let directory = repository.own_directory();
        fs::create_dir_all(&directory).map_err(Error::io(&directory))?;
        let path = directory.join("lock");
        let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open().map_err(Error::io(&path))?;
        if !file.metadata().is_ok_and(|found| found.is_file()) {
            return Err(Error::invalid(path.display().to_string(), "the lock of joch is a file: take this away"));
        }
        let mut file = match file.try_lock() {
            Ok(()) => file,
            Err(TryLockError::WouldBlock) => match queue(file, wait).map_err(Error::io(&path))? {
                Some(file) => file,
                None => return Err(Error::Locked { holder: open().map_or_else(|_| unknown(), holder), path }),
            },
            Err(TryLockError::Error(error)) => return Err(Error::io(&path)(error)),
        };
        sign_in(&mut file).map_err(Error::io(&path))?;
        Ok(Self { file })
    }
}

/// Leaves the process's number for whoever waits.
fn sign_in(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// Waits in the kernel's line, where whoever came first goes first: of many who ask again and again, somebody always
/// comes last. Nobody can be called out of that line, so it is a thread that stands in it. `None` when `wait` is over;
/// if its turn comes later all the same, it lets the next one pass.
fn queue(file: File, wait: Duration) -> io::Result<Option<File>> {
    if wait.is_zero() {
        return Ok(None);
    }
    let (turn, told) = mpsc::channel();
    std::thread::spawn(move || {
        let locked = loop {
            match file.lock() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                locked => break locked,
            }
        };
        drop(turn.send(locked.map(|()| file)));
    });
    told.recv_timeout(wait).map_or(Ok(None), |file| file.map(Some))
}

fn holder(mut file: File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => format!("process {}", text.trim()),
        _ => unknown(),
    }
}

fn unknown() -> String {
    "another process".to_owned()
}
