//! Signing, with the key that a person already has: here when the key lies open in a file, else through `ssh-keygen` or
//! the program that the person's own Git configuration names, called as Git calls it.

mod command;
mod file;
mod program;
mod scratch;

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::trust::PublicKey;

use super::error::{Error, Result};
use super::signature;
use program::Program;

pub use command::default_key;
pub use file::generate_key;

/// What signing may know of the process: nothing else is handed to the programs that sign.
#[derive(Debug, Clone, Default)]
pub struct SignerEnvironment {
    /// Where `~` leads.
    pub home: Option<PathBuf>,
    /// The variables that signing programs need, by name.
    pub variables: Vec<(&'static str, OsString)>,
    /// What signs in place of `ssh-keygen`: Git's `gpg.ssh.program`, as the user or the system set it.
    pub program: Option<String>,
}

/// The variables that reach the programs that sign: where programs are, who asks, the agent, and a window that asks for a
/// passphrase or a finger.
pub const SIGNER_VARIABLES: [&str; 13] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "XAUTHORITY",
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "SSH_SK_PROVIDER",
    "DISPLAY",
    "WAYLAND_DISPLAY",
];

impl SignerEnvironment {
    /// Takes what signing needs from a process environment.
    pub fn from_variables(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let variables: Vec<_> = SIGNER_VARIABLES.into_iter().filter_map(|name| Some((name, get(name)?))).collect();
        Self { home: get("HOME").map(PathBuf::from), variables, program: None }
    }
}

/// A key that can sign; how it does so is settled when it is opened.
pub struct Signer {
    public_key: PublicKey,
    means: Means,
}

enum Means {
    File(Box<ssh_key::PrivateKey>),
    Program(Program),
}

impl Signer {
    /// Opens a key: the path of a private key, the path of a `.pub` file whose private half lies beside it or in the
    /// agent, or the public key itself (`key::ssh-ed25519 AAAA…`, as in Git's `user.signingKey`), which the agent must hold.
    ///
    /// # Errors
    /// [`Error::Signing`] with what to do, when there is no key or joch cannot use it.
    pub fn open(key: &str, environment: &SignerEnvironment) -> Result<Self> {
        Self::find(key, environment, false)
    }

    /// Opens the key that Git's own configuration names. A program that is named beside it signs with every such key, also
    /// with one that lies open.
    ///
    /// # Errors
    /// As [`Signer::open`].
    pub fn open_as_git(key: &str, environment: &SignerEnvironment) -> Result<Self> {
        Self::find(key, environment, environment.program.is_some())
    }

    fn find(key: &str, environment: &SignerEnvironment, by_program: bool) -> Result<Self> {
        if let Some(literal) = literal_key(key) {
            let public_key: PublicKey = literal.parse().map_err(|why: String| refuse(why, "name another key"))?;
            let means = Means::Program(Program::agent_only(&public_key, environment)?);
            return Ok(Self { public_key, means });
        }
        let path = expand(key, environment.home.as_deref());
        let text = fs::read_to_string(&path).map_err(|error| {
            let why = format!("the key `{}` cannot be read: {error}", path.display());
            refuse(why, "name a key file, or make one with `ssh-keygen -t ed25519`")
        })?;
        if text.contains("-----BEGIN") {
            Self::private(&path, &text, environment, by_program)
        } else {
            let public_key = parse_public(&path, &text)?;
            let means = Means::Program(Program::file(&path, &public_key, environment)?);
            Ok(Self { public_key, means })
        }
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Signs bytes for a purpose; the armored signature, without the end of its last line.
    ///
    /// # Errors
    /// [`Error::Signing`] with what to do.
    pub fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<String> {
        let armor = match &self.means {
            Means::File(key) => file::sign(key, namespace, bytes)?,
            Means::Program(program) => program.sign(namespace, bytes)?,
        };
        let armor = armor.trim_end().to_owned();
        match signature::verify(&armor, namespace, bytes) {
            Ok(key) if key == self.public_key => Ok(armor),
            Ok(key) => {
                let why = format!("`{}` was asked and `{}` answered", self.public_key.fingerprint(), key.fingerprint());
                Err(refuse(why, self.means.asked_again()))
            }
            Err(why) => Err(refuse(format!("the new signature does not count: {why}"), self.means.asked_again())),
        }
    }

    fn private(path: &Path, text: &str, environment: &SignerEnvironment, by_program: bool) -> Result<Self> {
        if text.contains("PGP PRIVATE KEY") || text.contains("-----BEGIN CERTIFICATE") {
            let why = format!("`{}` is no SSH key; joch signs with SSH keys only", path.display());
            return Err(refuse(why, "make one with `ssh-keygen -t ed25519`"));
        }
        file::check_mode(path)?;
        let key = ssh_key::PrivateKey::from_openssh(text).ok();
        let public_key = match &key {
            Some(key) => {
                PublicKey::from_data(key.public_key().key_data()).map_err(|why| refuse(why, "name another key"))?
            }
            // An older format (PEM), which only `ssh-keygen` reads; its public half lies beside it.
            None => {
                let beside = beside(path);
                let text = fs::read_to_string(&beside).map_err(|_| {
                    let why = format!(
                        "`{}` is in no format that joch reads, and `{}` is not there",
                        path.display(),
                        beside.display()
                    );
                    let way_out = format!("ssh-keygen -y -f {} > {}", path.display(), beside.display());
                    Error::Signing { why, way_out }
                })?;
                parse_public(&beside, &text)?
            }
        };
        let means = match key {
            Some(key) if file::can_sign(&key) && !by_program => Means::File(Box::new(key)),
            _ => Means::Program(Program::file(path, &public_key, environment)?),
        };
        Ok(Self { public_key, means })
    }
}

impl Means {
    /// What to look at where something else answered than was asked.
    fn asked_again(&self) -> String {
        match self {
            Self::Program(program) => program.asked_again(),
            Self::File(_) => "try another key".to_owned(),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

/// Whether this is a public key that stands in place of a path, as Git allows it.
#[must_use]
pub fn is_literal_key(key: &str) -> bool {
    literal_key(key).is_some()
}

/// The public key that stands in place of a path, in the ways Git allows.
fn literal_key(key: &str) -> Option<&str> {
    key.strip_prefix("key::").or_else(|| {
        let types = ["ssh-", "ecdsa-", "sk-"];
        (types.iter().any(|kind| key.starts_with(kind)) && key.contains(' ')).then_some(key)
    })
}

fn expand(key: &str, home: Option<&Path>) -> PathBuf {
    match (key.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(key),
    }
}

fn beside(path: &Path) -> PathBuf {
    suffixed(path, ".pub")
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn parse_public(path: &Path, text: &str) -> Result<PublicKey> {
    text.parse().map_err(|why: String| refuse(format!("`{}`: {why}", path.display()), "name another key"))
}

fn refuse(why: impl Into<String>, way_out: impl Into<String>) -> Error {
    Error::Signing { why: why.into(), way_out: way_out.into() }
}
