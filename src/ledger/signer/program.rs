//! Keys that only `ssh-keygen` can use: in an agent, in a security key, behind a passphrase, or RSA. Called as Git calls
//! it (`gpg-interface.c`), in an environment of its own, and never left waiting for someone to type.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::ledger::error::{Error, Result};
use crate::trust::PublicKey;

use super::{SignerEnvironment, refuse};

/// How to call `ssh-keygen` for one key.
pub(super) struct Program {
    key: Key,
    hardware: bool,
    variables: Vec<(&'static str, OsString)>,
}

enum Key {
    File(PathBuf),
    Agent(PublicKey),
}

impl Program {
    /// A key file: private, or public with its private half beside it or in the agent.
    pub(super) fn file(path: &Path, public_key: &PublicKey, environment: &SignerEnvironment) -> Self {
        Self::new(Key::File(path.to_owned()), public_key, environment)
    }

    /// A key that the agent holds.
    pub(super) fn agent_only(public_key: &PublicKey, environment: &SignerEnvironment) -> Self {
        Self::new(Key::Agent(public_key.clone()), public_key, environment)
    }

    fn new(key: Key, public_key: &PublicKey, environment: &SignerEnvironment) -> Self {
        let mut variables = environment.variables.clone();
        let names = |name: &str| variables.iter().any(|(known, _)| *known == name);
        if !names("SSH_ASKPASS") {
            // Without this, `ssh-keygen` opens the terminal and waits. A program that fails is an empty passphrase.
            variables.retain(|(name, _)| *name != "SSH_ASKPASS_REQUIRE");
            variables.push(("SSH_ASKPASS", "false".into()));
            variables.push(("SSH_ASKPASS_REQUIRE", "force".into()));
        } else if !names("SSH_ASKPASS_REQUIRE") {
            variables.push(("SSH_ASKPASS_REQUIRE", "force".into()));
        }
        variables.push(("LC_ALL", "C".into()));
        Self { key, hardware: public_key.is_hardware(), variables }
    }

    pub(super) fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<String> {
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", "sign", "-n", namespace, "-f"]);
        let _held = match &self.key {
            Key::File(path) => {
                command.arg(path);
                None
            }
            Key::Agent(key) => {
                let file = PublicFile::write(key)?;
                command.arg(&file.0).arg("-U");
                Some(file)
            }
        };
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // A security key is touched while `ssh-keygen` says so; everything else it has to say comes back in the error.
        command.stderr(if self.hardware { Stdio::inherit() } else { Stdio::piped() });
        let mut child = command.spawn().map_err(|error| {
            refuse(
                format!("`ssh-keygen` could not be started: {error}"),
                "install OpenSSH, or name an unencrypted ed25519 key",
            )
        })?;
        if let Some(mut stdin) = child.stdin.take() {
            // It may refuse before it has read everything; what it then says is the better message.
            drop(stdin.write_all(bytes));
        }
        let output = child.wait_with_output().map_err(Error::io("ssh-keygen"))?;
        if output.status.success() {
            return String::from_utf8(output.stdout)
                .map_err(|_| refuse("`ssh-keygen` answered with something else than text", "try another key"));
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(refuse(format!("`ssh-keygen -Y sign` failed: {}", one_line(&said)), self.way_out(&said)))
    }

    fn way_out(&self, said: &str) -> String {
        match &self.key {
            Key::Agent(key) => {
                format!("add the key `{}` to the agent with `ssh-add`, and check SSH_AUTH_SOCK", key.fingerprint())
            }
            Key::File(path) if said.contains("passphrase") => {
                let private = path.with_extension("");
                let path = if path.extension().is_some_and(|extension| extension == "pub") { &private } else { path };
                format!("ssh-add {}", path.display())
            }
            Key::File(path) => format!("check the key with `ssh-keygen -y -f {}`", path.display()),
        }
    }
}

/// A public key in a file of its own for as long as `ssh-keygen` reads it. What it leads to is checked afterwards.
struct PublicFile(PathBuf);

impl PublicFile {
    fn write(key: &PublicKey) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("joch-{}-{}.pub", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        #[expect(clippy::disallowed_methods, reason = "nothing is renamed: the file lives for one call")]
        let path = std::env::temp_dir().join(name);
        let file = fs::OpenOptions::new().write(true).create_new(true).open(&path);
        let mut file = file.map_err(Error::io(&path))?;
        let held = Self(path);
        writeln!(file, "{key}").map_err(Error::io(&held.0))?;
        Ok(held)
    }
}

impl Drop for PublicFile {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

fn one_line(said: &str) -> String {
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "it gave no reason".to_owned() } else { lines.join("; ") }
}
