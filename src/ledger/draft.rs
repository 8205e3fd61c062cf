//! A ledger in the making: it is complete beside its place before it is put there, so that nobody ever sees half of one.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::durable;
use super::error::{Error, Result};
use super::reference;
use super::repository::{Repository, lay_out};

/// How long to wait for somebody else who is making a ledger in the same place.
const WAIT: Duration = Duration::from_secs(30);
/// How long to sleep between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// A ledger that is not in its place yet. Dropped, it leaves no trace.
#[derive(Debug)]
pub struct Draft {
    repository: Repository,
    place: PathBuf,
    beside: Beside,
    // Closing the directory ends the turn.
    _turn: Option<File>,
}

/// The directory of a draft, which goes with the value. Renamed, it is not there to go.
#[derive(Debug)]
struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

impl Draft {
    /// Begins an empty ledger that will be at `place`, with the branch `head` as its `HEAD`. What killed processes left
    /// of theirs is removed.
    ///
    /// # Errors
    /// `place` holds something already, the disk refuses, or another process takes too long to make one there.
    pub fn begin(place: impl AsRef<Path>, head: &str) -> Result<Self> {
        let place = place.as_ref();
        reference::check_name(&reference::branch(head))?;
        let name = place.file_name().ok_or_else(|| taken(place, "the path has no name"))?.to_string_lossy();
        let parent = durable::directory_of(place);
        durable::make_directory(parent)?;
        let turn = take_turn(parent)?;
        match fs::read_dir(place).map(|mut entries| entries.next().is_none()) {
            Ok(true) => {}
            Ok(false) => return Err(taken(place, "something is there already")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(place)(error)),
        }
        if turn.is_some() {
            sweep(parent, &name)?;
        }
        let beside = Beside(parent.join(format!(".{name}.{}", std::process::id())));
        lay_out(&beside.0, head)?;
        let repository = Repository::open(&beside.0)?;
        Ok(Self { repository, place: place.to_owned(), beside, _turn: turn })
    }

    /// The ledger as far as it is made; what is written to it is in its place when that is.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Puts it in its place: whole or not at all, and on disk when this returns.
    ///
    /// # Errors
    /// The disk refuses; [`Error::Unconfirmed`] if it did so when the ledger was in its place already.
    pub fn publish(self) -> Result<Repository> {
        durable::sync_each(&durable::all_below(&self.beside.0)?)?;
        fs::rename(&self.beside.0, &self.place).map_err(Error::io(&self.place))?;
        let confirmed = durable::sync(durable::directory_of(&self.place));
        confirmed.map_err(|error| Error::unconfirmed(error, "when that disk is well, run `joch init` again"))?;
        Repository::open(&self.place)
    }
}

/// Waits until nobody else makes a ledger below `parent`. The lock is on the directory itself, so that it leaves no file;
/// a filesystem that cannot lock one gives `None`.
fn take_turn(parent: &Path) -> Result<Option<File>> {
    let Ok(directory) = File::open(parent) else { return Ok(None) };
    let since = Instant::now();
    loop {
        match directory.try_lock() {
            Ok(()) => return Ok(Some(directory)),
            Err(TryLockError::WouldBlock) if since.elapsed() < WAIT => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked { path: parent.to_owned(), holder: "another `joch init`".to_owned() });
            }
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
}

/// Removes drafts. Whoever calls this has the turn, so their makers are dead.
fn sweep(parent: &Path, name: &str) -> Result<()> {
    for path in left_over(parent, name) {
        fs::remove_dir_all(&path).map_err(Error::io(&path))?;
    }
    Ok(())
}

/// The drafts of a ledger called `name` that lie in `parent`.
pub(super) fn left_over(parent: &Path, name: &str) -> Vec<PathBuf> {
    let is_draft = |found: &str| {
        let process = found.strip_prefix('.').and_then(|rest| rest.strip_prefix(name)?.strip_prefix('.'));
        process.is_some_and(|process| !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    entries.filter(|entry| is_draft(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect()
}

fn taken(path: &Path, why: &str) -> Error {
    Error::NotALedger {
        path: path.to_owned(),
        why: why.to_owned(),
        way_out: "choose another path, or open the ledger that is there".to_owned(),
    }
}
