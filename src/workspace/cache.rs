//! `.joch/cache`: what was derived and may be thrown away at any time. Every file is sealed with a key that the
//! user's own directories hold and the project does not, so that nobody who can write to the project, or fill a
//! cache that a machine of the CI starts from, decides what joch takes for derived.

use std::cell::OnceCell;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::resource::Digest;

use super::beside;

/// A directory of sealed files.
pub struct Cache {
    directory: PathBuf,
    key_file: Option<PathBuf>,
    key: OnceCell<Option<String>>,
    new_key: fn() -> String,
}

/// How many hex digits a seal has.
const SEAL: usize = 64;

impl Cache {
    /// The cache at `directory`; `state` is where the user's programs keep what is theirs, and `new_key` gives what
    /// nobody can guess. Nothing is touched before something is asked for.
    #[must_use]
    pub fn new(directory: PathBuf, state: Option<PathBuf>, new_key: fn() -> String) -> Self {
        let key_file = state.map(|state| state.join("joch").join("cache-key"));
        Self { directory, key_file, key: OnceCell::new(), new_key }
    }

    /// The bytes that were stored under a name: exactly those, or none.
    #[must_use]
    pub fn load(&self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.directory.join(name)).ok()?;
        let key = self.key()?;
        let body = bytes.split_off(SEAL.min(bytes.len()));
        (bytes == seal(key, name, &body).as_bytes()).then_some(body)
    }

    /// Stores bytes under a name, whole or not at all; what cannot be written is not kept. A power cut may lose them,
    /// and never leaves anything else in their place that would be taken for them.
    pub fn store(&self, name: &str, bytes: &[u8]) {
        let Some(key) = self.key() else { return };
        let sealed = [seal(key, name, bytes).as_bytes(), bytes].concat();
        let made = fs::create_dir_all(&self.directory);
        drop(made.and_then(|()| beside::replace(&self.directory, name, |mut file| file.write_all(&sealed))));
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
    fs::read_to_string(file).ok().filter(|key| key.len() >= 32)
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
fn seal(key: &str, name: &str, bytes: &[u8]) -> String {
    let inner = Digest::of([format!("{key}\n{name}\n").as_bytes(), bytes].concat());
    Digest::of(format!("{key}\n{inner}\n")).hex()
}
