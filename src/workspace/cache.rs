//! `.joch/cache`: what was derived and may be thrown away at any time. Every file is sealed with a key that the
//! user's own directories hold and the project does not, so that nobody who can write to the project, or fill a
//! cache that a machine of the CI starts from, decides what joch takes for derived.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::resource::Digest;

use super::{beside, own};

/// A directory of sealed files.
pub struct Cache {
    directory: PathBuf,
    key_file: Option<PathBuf>,
    key: OnceCell<Option<String>>,
    new_key: fn() -> String,
}

/// What was stored under a name. The seal is of the lengths and digests of its pieces, so that each is checked alone;
/// what another process stores meanwhile does not change it.
pub struct Sealed {
    file: File,
    pieces: Vec<Piece>,
}

struct Piece {
    begin: u64,
    length: u64,
    digest: Digest,
}

/// The first line, a seal and a length, is not longer.
const HEAD: u64 = 100;

impl Sealed {
    /// How many pieces it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pieces.len()
    }

    /// The bytes of one piece: exactly those that were stored, or none.
    #[must_use]
    pub fn piece(&self, number: usize) -> Option<Vec<u8>> {
        let piece = self.pieces.get(number)?;
        let mut file = &self.file;
        file.seek(SeekFrom::Start(piece.begin)).ok()?;
        let mut bytes = Vec::new();
        file.take(piece.length).read_to_end(&mut bytes).ok()?;
        (Digest::of(&bytes) == piece.digest).then_some(bytes)
    }
}

impl Cache {
    /// The cache at `directory`; `state` is where the user's programs keep what is theirs, and `new_key` gives what
    /// nobody can guess. Nothing is touched before something is asked for.
    #[must_use]
    pub fn new(directory: PathBuf, state: Option<PathBuf>, new_key: fn() -> String) -> Self {
        let key_file = state.map(|state| state.join("joch").join("cache-key"));
        Self { directory, key_file, key: OnceCell::new(), new_key }
    }

    /// What was stored under a name, whose pieces are read when they are asked for.
    #[must_use]
    pub fn open(&self, name: &str) -> Option<Sealed> {
        let file = own::open(&self.directory.join(name)).ok()?;
        let mut reader = BufReader::new(&file);
        let mut head = String::new();
        reader.by_ref().take(HEAD).read_line(&mut head).ok()?;
        let (sealed, length) = head.strip_suffix('\n')?.split_once(' ')?;
        let length = length.parse().ok()?;
        let mut index = String::new();
        reader.take(length).read_to_string(&mut index).ok()?;
        if sealed != seal(self.key()?, name, &index) {
            return None;
        }
        let mut pieces = Vec::new();
        let mut end = head.len() as u64 + length;
        for line in index.lines() {
            let (length, digest) = line.split_once(' ')?;
            let length: u64 = length.parse().ok()?;
            pieces.push(Piece { begin: end, length, digest: digest.parse().ok()? });
            end += length;
        }
        let whole = file.metadata().ok()?.len() == end;
        whole.then_some(Sealed { file, pieces })
    }

    /// The bytes that were stored under a name, all pieces of them: exactly those, or none.
    #[must_use]
    pub fn load(&self, name: &str) -> Option<Vec<u8>> {
        let sealed = self.open(name)?;
        (0..sealed.count()).map(|number| sealed.piece(number)).collect::<Option<Vec<_>>>().map(|all| all.concat())
    }

    /// Stores pieces of bytes under a name, all of them or none; what cannot be written is not kept. A power cut may
    /// lose them, and never leaves anything else in their place that would be taken for them.
    pub fn store(&self, name: &str, pieces: &[Cow<'_, [u8]>]) {
        let Some(key) = self.key() else { return };
        let mut index = String::new();
        for piece in pieces {
            let _ = writeln!(index, "{} {}", piece.len(), Digest::of(piece));
        }
        let head = format!("{} {}\n{index}", seal(key, name, &index), index.len());
        let write = |mut file: &File| {
            file.write_all(head.as_bytes())?;
            pieces.iter().try_for_each(|piece| file.write_all(piece))
        };
        let made = fs::create_dir_all(&self.directory);
        drop(made.and_then(|()| beside::replace(&self.directory, name, write)));
    }

    fn key(&self) -> Option<&str> {
        let key = self.key.get_or_init(|| {
            let file = self.key_file.as_deref()?;
            read_key(file).or_else(|| {
                write_key(file, &(self.new_key)());
                // Another process may have written its own first; then that one counts.
                read_key(file)
            })
        });
        key.as_deref()
    }
}

/// A key that others can read or write is none.
fn read_key(file: &Path) -> Option<String> {
    let metadata = fs::symlink_metadata(file).ok()?;
    if !metadata.is_file() || !is_private(&metadata) {
        return None;
    }
    own::read(file).ok().filter(|key| key.len() >= 32)
}

fn write_key(file: &Path, key: &str) {
    let Some(directory) = file.parent() else { return };
    let beside = directory.join(format!(".cache-key.{}.new", std::process::id()));
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(directory)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private(&mut options);
        options.open(&beside)?.write_all(key.as_bytes())?;
        // Unlike a rename, a link does not replace what another process put there meanwhile.
        fs::hard_link(&beside, file)
    };
    // Without a key nothing is kept, and everything is derived.
    drop(write());
    drop(fs::remove_file(&beside));
}

#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 == 0
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

/// A keyed digest in two rounds, so that nothing can be added to what was sealed.
fn seal(key: &str, name: &str, text: &str) -> String {
    let inner = Digest::of(format!("{key}\n{name}\n{text}"));
    Digest::of(format!("{key}\n{inner}\n")).hex()
}
