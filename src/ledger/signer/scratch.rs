//! A directory that only this user can enter, for what a signing program reads and writes: it lives for one call.

use std::fs;
use std::path::PathBuf;

use crate::ledger::error::{Error, Result};
use crate::ledger::uuid::new_uuid;

/// The directory. What programs make of its files is checked afterwards.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn make() -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "nothing is renamed: the files live for one call")]
        let path = std::env::temp_dir().join(format!("joch-{}", new_uuid()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        builder.create(&path).map_err(Error::io(&path))?;
        Ok(Self(path))
    }

    /// A file in it with these bytes.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.0.join(name);
        fs::write(&path, bytes).map_err(Error::io(&path))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
