//! What lies outside of any ledger: programs, the key, and `joch.yaml`.

use std::ffi::OsString;

use crate::ledger::{find_program, git_version};
use crate::ops::caller::Caller;
use crate::ops::desk::open_signer;
use crate::trust::PublicKey;
use crate::workspace::Project;

use super::{Check, State};

/// The first Git that verifies SSH signatures of commits and tags with dates of validity.
const GIT: (u32, u32) = (2, 35);

/// What is signed to try a key. No verifier accepts anything in this namespace.
const TRIAL_NAMESPACE: &str = "joch-doctor@v1";

/// The programs that joch can use. It needs neither: the one is for people and auditors, the other for keys that
/// do not lie open in a file.
pub(super) fn programs(caller: &Caller<'_>) -> Vec<Check> {
    let path = caller.variables.get("PATH").map(OsString::as_os_str);
    let git = match find_program("git", path).map(|program| git_version(&program)) {
        None => Check::warn("git", "there is no `git` on `PATH`; joch works without it, plain-Git audits do not")
            .next(format!("install Git {}.{} or newer", GIT.0, GIT.1)),
        Some(None) => Check::warn("git", "`git --version` cannot be run").next("install Git again"),
        Some(Some(version)) if is_old(&version) => {
            Check::warn("git", format!("{version}, which cannot verify what the ledger signs"))
                .next(format!("install Git {}.{} or newer", GIT.0, GIT.1))
        }
        Some(Some(version)) => Check::ok("git", version),
    };
    let keygen = match find_program("ssh-keygen", path) {
        Some(program) => Check::ok("ssh-keygen", program.display().to_string()),
        None => Check::warn(
            "ssh-keygen",
            "it is not on `PATH`; keys in an agent, in hardware or behind a passphrase cannot sign",
        )
        .next("install OpenSSH, or sign with an unencrypted ed25519 key file"),
    };
    vec![git, keygen]
}

/// The key that the caller would sign with, tried out.
pub(super) fn key(caller: &Caller<'_>) -> (Option<PublicKey>, Check) {
    let signer = match open_signer(caller) {
        Ok(signer) => signer,
        // Whoever only reads needs none.
        Err(why) => return (None, Check::of_error("key", State::Warn, &why)),
    };
    let key = signer.public_key().clone();
    let told = key.fingerprint();
    if key.is_hardware() {
        return (Some(key), Check::ok("key", format!("{told}, in hardware: not tried, since it wants a touch")));
    }
    let check = match signer.sign(TRIAL_NAMESPACE, b"joch doctor\n") {
        Ok(_) => Check::ok("key", format!("{told} signs")),
        Err(why) => Check::of_error("key", State::Fail, &why.into()),
    };
    (Some(key), check)
}

/// `joch.yaml`.
pub(super) fn project(project: &Project) -> Check {
    let root = project.root.display();
    match (&project.config.trust_root, project.configured) {
        (_, false) => Check::warn("project", format!("there is no `joch.yaml` in `{root}` or above"))
            .next("`joch init` writes one, and makes the ledger"),
        (None, true) => Check::warn("project", format!("`{root}/joch.yaml` pins no trust root"))
            .next("add `trustRoot: COMMIT` once you have seen that the ledger is yours; `joch init` does it"),
        (Some(pinned), true) => Check::ok("project", format!("`{root}`, which pins the trust root {pinned}")),
    }
}

fn is_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < GIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_git_is_told_from_a_new_one() {
        for (version, old) in [("2.34.1", true), ("2.35.0", false), ("2.47.3 (Apple Git-1)", false), ("3.0", false)] {
            assert_eq!(is_old(version), old, "{version}");
        }
    }
}
