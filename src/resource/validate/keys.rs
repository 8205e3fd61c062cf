//! Keys of a Team's members. Whether a key is sound is for the room of trust to say; here only what a person
//! pastes by mistake is caught.

use std::collections::BTreeMap;

use super::Report;
use crate::resource::path;
use crate::resource::value::Value;

/// The algorithms whose keys joch takes, as an `authorized_keys` line begins.
const ALGORITHMS: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

pub(super) fn check(members: &[Value], report: &mut Report<'_>) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        let user = member.get("user").and_then(Value::as_text).unwrap_or_default();
        let at = path::entry(&path::item("spec.members", index), "keys");
        let keys = match member.get("keys") {
            Some(Value::List(keys)) => keys.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for (index, key) in keys.iter().enumerate() {
            let Value::Text(line) = key else { continue };
            let at = path::item(&at, index);
            match blob(line) {
                Err(reason) => {
                    report.error("team-key", &at, reason).help =
                        Some("paste the line of the `.pub` file, such as `ssh-ed25519 AAAA… name`".into());
                }
                Ok(blob) => {
                    let owner = *owners.entry(blob).or_insert(user);
                    if owner != user {
                        let message = format!("the key of `{owner}` stands with `{user}`, too: a key is one person's");
                        report.error("team-key", &at, message);
                    }
                }
            }
        }
    }
}

/// The part of a public key's line that is the key.
fn blob(line: &str) -> Result<&str, String> {
    if line.contains("PRIVATE KEY") {
        return Err("this is a private key: remove it, and use it no more".into());
    }
    let mut words = line.split_whitespace();
    let algorithm = words.next().unwrap_or_default();
    if !ALGORITHMS.contains(&algorithm) {
        return Err(format!("the key begins with `{algorithm}`, which is no algorithm that joch takes"));
    }
    let blob = words.next().unwrap_or_default();
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    if !blob.starts_with("AAAA") || blob.len() < 40 || !blob.bytes().all(is_base64) {
        return Err(format!("`{algorithm}` is not followed by a public key"));
    }
    Ok(blob)
}
