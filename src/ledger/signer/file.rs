//! Keys that lie open in a file: signing with them costs no process.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use ssh_key::private::KeypairData;
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey};

use crate::ledger::error::{Error, Result};
use crate::trust::PublicKey;

use super::{beside, refuse};

/// Writes a new ed25519 key pair without a passphrase: the private half to `path`, the public one beside it.
///
/// # Errors
/// A file is there already, or the disk refuses.
pub fn generate_key(path: impl AsRef<Path>, comment: &str) -> Result<PublicKey> {
    let path = path.as_ref();
    let failed = |error: ssh_key::Error| refuse(format!("no key could be made: {error}"), "make one with `ssh-keygen`");
    let mut key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).map_err(failed)?;
    key.set_comment(comment);
    write_new(path, key.to_openssh(LineEnding::LF).map_err(failed)?.as_bytes(), 0o600)?;
    let public = key.public_key().to_openssh().map_err(failed)?;
    write_new(&beside(path), format!("{}\n", public.trim_end()).as_bytes(), 0o644)?;
    PublicKey::from_data(key.public_key().key_data()).map_err(|why| refuse(why, "make one with `ssh-keygen`"))
}

/// Whether this file is all it takes. RSA is left to `ssh-keygen`: the library cannot sign with it (RustCrypto/SSH #387), and
/// its arithmetic leaks timing (RUSTSEC-2023-0071).
pub(super) fn can_sign(key: &PrivateKey) -> bool {
    matches!(key.key_data(), KeypairData::Ed25519(_) | KeypairData::Ecdsa(_))
}

pub(super) fn sign(key: &PrivateKey, namespace: &str, bytes: &[u8]) -> Result<String> {
    let signed = key.sign(namespace, HashAlg::Sha512, bytes).and_then(|signature| signature.to_pem(LineEnding::LF));
    signed.map_err(|error| refuse(format!("the key failed: {error}"), "try another key"))
}

/// Refuses a private key that others can read, as `ssh` does.
pub(super) fn check_mode(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path).map_err(Error::io(path))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let why = format!("others can read the private key `{}` (mode {mode:o})", path.display());
            return Err(refuse(why, format!("chmod 600 {}", path.display())));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path).map_err(Error::io(path))?;
    file.write_all(bytes).map_err(Error::io(path))
}
