//! Keys that only another program can use: in an agent, in a security key, behind a passphrase, or RSA. That program is
//! `ssh-keygen`, or the one that the user's Git configuration names. Each is called as Git calls it (`gpg-interface.c`), in
//! an environment of its own, and never left waiting for someone to type.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::ledger::error::{Error, Result};
use crate::trust::PublicKey;

use super::scratch::Scratch;
use super::{SignerEnvironment, command, refuse};

/// No signature is longer: one of RSA with 16,384 bits has less than 8 KiB.
const LONGEST: u64 = 64 * 1024;

/// How to call the program for one key.
pub(super) struct Program {
    key: Key,
    hardware: bool,
    /// What signs in place of `ssh-keygen`.
    named: Option<PathBuf>,
    variables: Vec<(&'static str, OsString)>,
}

enum Key {
    File(PathBuf),
    Agent(PublicKey),
}

impl Program {
    /// A key file: private, or public with its private half beside it or in the agent.
    pub(super) fn file(path: &Path, public_key: &PublicKey, environment: &SignerEnvironment) -> Result<Self> {
        Self::new(Key::File(path.to_owned()), public_key, environment)
    }

    /// A key that the agent holds, or whatever the program asks.
    pub(super) fn agent_only(public_key: &PublicKey, environment: &SignerEnvironment) -> Result<Self> {
        Self::new(Key::Agent(public_key.clone()), public_key, environment)
    }

    fn new(key: Key, public_key: &PublicKey, environment: &SignerEnvironment) -> Result<Self> {
        let named = environment.program.as_deref();
        let named = named.map(|named| command::program("gpg.ssh.program", named, environment)).transpose()?;
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
        Ok(Self { key, hardware: public_key.is_hardware(), named, variables })
    }

    pub(super) fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<String> {
        let scratch = Scratch::make()?;
        let mut command = Command::new(self.named.as_deref().unwrap_or(Path::new("ssh-keygen")));
        command.args(["-Y", "sign", "-n", namespace, "-f"]);
        match &self.key {
            Key::File(path) => command.arg(path),
            Key::Agent(key) => command.arg(scratch.write("key.pub", format!("{key}\n").as_bytes())?).arg("-U"),
        };
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        // Programs in place of `ssh-keygen` know only what Git does: the bytes in a file, the signature beside it.
        let buffer = self.named.as_ref().map(|_| scratch.write("buffer", bytes)).transpose()?;
        match &buffer {
            Some(buffer) => command.arg(buffer).stdin(Stdio::null()),
            None => command.stdin(Stdio::piped()),
        };
        // A security key is touched while the program says so; everything else it has to say comes back in the error.
        command.stdout(Stdio::piped()).stderr(if self.hardware { Stdio::inherit() } else { Stdio::piped() });
        let mut child = command.spawn().map_err(|error| {
            let next = match &self.named {
                Some(_) => "check `git config --global gpg.ssh.program`, or name an unencrypted key with `--key FILE`",
                None => "install OpenSSH, or name an unencrypted ed25519 key",
            };
            refuse(format!("`{}` could not be started: {error}", self.name()), next)
        })?;
        if let Some(mut stdin) = child.stdin.take() {
            // It may refuse before it has read everything; what it then says is the better message.
            drop(stdin.write_all(bytes));
        }
        let output = child.wait_with_output().map_err(Error::io(self.name()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let why = format!("`{} -Y sign` failed: {}", self.name(), one_line(&said));
            return Err(refuse(why, self.way_out(&said)));
        }
        let armor = match &buffer {
            Some(buffer) => self.beside(buffer)?,
            None => output.stdout,
        };
        let text = String::from_utf8(armor).map(|text| text.replace('\r', ""));
        text.map_err(|_| {
            refuse(format!("`{}` answered with something else than text", self.name()), self.asked_again())
        })
    }

    /// The signature that the program left beside what it signed.
    fn beside(&self, buffer: &Path) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read =
            File::open(super::suffixed(buffer, ".sig")).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
        let why = |error| format!("`{}` said that it signed, and its signature cannot be read: {error}", self.name());
        read.map(|_| bytes).map_err(|error| refuse(why(error), self.asked_again()))
    }

    fn name(&self) -> String {
        self.named.as_ref().map_or_else(|| "ssh-keygen".to_owned(), |named| named.display().to_string())
    }

    /// What to look at where something else answered than was asked.
    pub(super) fn asked_again(&self) -> String {
        match &self.named {
            Some(_) => format!("check that `gpg.ssh.program` (`{}`) signs with the key that it is given", self.name()),
            None => "check which key `ssh-add -l` lists".to_owned(),
        }
    }

    fn way_out(&self, said: &str) -> String {
        match &self.key {
            _ if self.named.is_some() => {
                format!("check that `{}` is unlocked and has the key, or name another with `--key FILE`", self.name())
            }
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

/// What a program said, in one line.
pub(super) fn one_line(said: &str) -> String {
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "it gave no reason".to_owned() } else { lines.join("; ") }
}
