//! The directory of a run: its plan, its cases, and the journal to which every answer is appended.
//!
//! It lies in the project's own directory, which Git ignores, because answers are too many and too raw for the ledger.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use super::own;
use super::project::{Trouble, write_over};

/// What is journalled.
const JOURNAL: &str = "journal.jsonl";
/// After so many lines the journal is brought to the disk.
const SYNC_EVERY: u32 = 100;

/// The directory of one run.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
}

/// The journal of a run, open for writing; nobody else has it open.
pub struct Journal {
    file: File,
    path: PathBuf,
    since_sync: u32,
    syncer: Option<(Sender<()>, JoinHandle<()>)>,
    broken: Arc<AtomicBool>,
}

impl RunDirectory {
    /// A directory for one run.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Every run in the directory `runs`, by name.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn all(runs: &Path) -> Result<Vec<Self>, Trouble> {
        let entries = match fs::read_dir(runs) {
            Ok(entries) => entries,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(why) => return Err(Trouble::at("read", runs, &why)),
        };
        let mut found: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.join(JOURNAL).is_file())
            .map(|path| Self { path })
            .collect();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of its journal.
    #[must_use]
    pub fn journal_path(&self) -> PathBuf {
        self.path.join(JOURNAL)
    }

    /// Whether a run was begun here.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.journal_path().is_file()
    }

    /// Keeps a file of the run, such as its cases, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        write_over(&self.path.join(name), bytes)
    }

    /// A file that was kept; none where it was not.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn kept(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let path = self.path.join(name);
        let read = |mut file: File| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map(|_| bytes)
        };
        match own::open(&path).and_then(read) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(Trouble::at("read", &path, &why)),
        }
    }

    /// Opens the journal to append to it. What a killed run left of a last line is cut off.
    ///
    /// # Errors
    /// Another joch is at this run, or the file cannot be opened.
    pub fn append(&self) -> Result<Journal, Trouble> {
        let path = self.journal_path();
        let trouble = |why: std::io::Error| Trouble::at("open", &path, &why);
        fs::create_dir_all(&self.path).map_err(|why| Trouble::at("make", &self.path, &why))?;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        private(&mut options);
        let mut file = options.open(&path).map_err(trouble)?;
        if file.try_lock().is_err() {
            return Err(Trouble {
                what: format!("another joch is at the run in `{}`", self.path.display()),
                next: Some("wait for it, or stop it; what it has journalled stays".into()),
            });
        }
        cut_torn_line(&mut file).map_err(trouble)?;
        Journal::new(file, path).map_err(|why| Trouble::at("open", &self.path, &why))
    }
}

impl Journal {
    fn new(file: File, path: PathBuf) -> std::io::Result<Self> {
        let (sender, receiver) = channel::<()>();
        let broken = Arc::new(AtomicBool::new(false));
        let (handle, failed) = (file.try_clone()?, Arc::clone(&broken));
        // Bringing to the disk may take long, and whoever measures latency must not wait for it.
        let thread = std::thread::spawn(move || {
            while receiver.recv().is_ok() {
                while receiver.try_recv().is_ok() {}
                if handle.sync_data().is_err() {
                    failed.store(true, Ordering::Relaxed);
                }
            }
        });
        Ok(Self { file, path, since_sync: 0, syncer: Some((sender, thread)), broken })
    }

    /// Appends one line, its newline included. A process that is killed afterwards has not lost it.
    ///
    /// # Errors
    /// The disk refuses, now or at an earlier line.
    pub fn append(&mut self, line: &str) -> Result<(), Trouble> {
        let trouble = |why: std::io::Error| Trouble::at("write", &self.path, &why);
        self.file.write_all(line.as_bytes()).map_err(trouble)?;
        self.since_sync += 1;
        if self.since_sync >= SYNC_EVERY {
            self.sync_soon()?;
        }
        Ok(())
    }

    /// Asks for what is written to be brought to the disk, and goes on.
    ///
    /// # Errors
    /// An earlier time failed.
    pub fn sync_soon(&mut self) -> Result<(), Trouble> {
        self.since_sync = 0;
        if self.broken.load(Ordering::Relaxed) {
            return Err(Trouble {
                what: format!("`{}` could not be brought to the disk", self.path.display()),
                next: None,
            });
        }
        let stopped = self.syncer.as_ref().is_some_and(|(sender, _)| sender.send(()).is_err());
        if stopped {
            self.broken.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Brings everything to the disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn finish(mut self) -> Result<(), Trouble> {
        self.stop_syncer();
        self.file.sync_all().map_err(|why| Trouble::at("write", &self.path, &why))
    }

    fn stop_syncer(&mut self) {
        if let Some((sender, thread)) = self.syncer.take() {
            drop(sender);
            drop(thread.join());
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.stop_syncer();
    }
}

/// Opens a journal to read it from its beginning.
///
/// # Errors
/// It cannot be opened.
pub fn read_journal(path: &Path) -> Result<BufReader<File>, Trouble> {
    let file = own::open(path).map_err(|why| Trouble::at("read", path, &why))?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

/// The journals at `path`: itself, that of a run's directory, or those of every run below it.
///
/// # Errors
/// There is none, or a directory cannot be read.
pub fn journals_at(path: &Path) -> Result<Vec<PathBuf>, Trouble> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut directories = vec![path.to_owned()];
    while let Some(directory) = directories.pop() {
        if directory.join(JOURNAL).is_file() {
            found.push(directory.join(JOURNAL));
            continue;
        }
        let entries = fs::read_dir(&directory).map_err(|why| Trouble::at("read", &directory, &why))?;
        directories.extend(entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()));
    }
    if found.is_empty() {
        return Err(Trouble {
            what: format!("`{}` holds no `{JOURNAL}`", path.display()),
            next: Some("name the directories or journals that `joch eval run --shard` left".into()),
        });
    }
    found.sort();
    Ok(found)
}

/// Cuts off what follows the last newline.
fn cut_torn_line(file: &mut File) -> std::io::Result<()> {
    let mut end = file.metadata()?.len();
    let whole = end;
    let mut block = vec![0; 1 << 16];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let length = usize::try_from(end - start).unwrap_or(block.len());
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block[..length])?;
        if let Some(at) = block[..length].iter().rposition(|byte| *byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    if end < whole {
        file.set_len(end)?;
    }
    Ok(())
}

/// Answers may hold what only their owner should read.
#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}
