//! One writer at a time: a lock that the kernel takes back when its process dies, so it can never be left behind.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::time::{Duration, Instant};

use super::error::{Error, Result};
use super::repository::Repository;

/// How long to sleep between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// The right to write, until it is dropped.
pub(super) struct Lock {
    // Closing the file frees the lock.
    _file: File,
}

impl Lock {
    /// Waits at most `wait` for the right to write.
    pub(super) fn acquire(repository: &Repository, wait: Duration) -> Result<Self> {
        let directory = repository.own_directory();
        fs::create_dir_all(&directory).map_err(Error::io(&directory))?;
        let path = directory.join("lock");
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
        let mut file = options.open(&path).map_err(Error::io(&path))?;
        let since = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if since.elapsed() < wait => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(Error::Locked { holder: holder(&mut file), path }),
                Err(TryLockError::Error(error)) => return Err(Error::io(&path)(error)),
            }
        }
        sign_in(&mut file).map_err(Error::io(&path))?;
        Ok(Self { _file: file })
    }
}

/// Leaves the process's number for whoever waits.
fn sign_in(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.rewind().and_then(|()| file.read_to_string(&mut text)) {
        Ok(_) if !text.trim().is_empty() => format!("process {}", text.trim()),
        _ => "another process".to_owned(),
    }
}
