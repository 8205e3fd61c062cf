//! A person's public key: one spelling for every way it is written down, and its fingerprint.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg};

/// The fewest bits of an RSA key that joch takes (NIST SP 800-131A).
const RSA_BITS: usize = 2048;

/// A public SSH key, `<type> <base64>`; the comment is dropped, so two spellings of one key are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PublicKey {
    text: String,
}

impl PublicKey {
    /// The fingerprint as `ssh-keygen -l` prints it: `SHA256:` and base64 without padding.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.data().fingerprint(HashAlg::Sha256).to_string()
    }

    /// The type of the key: `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, …
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }

    /// Whether the private half lives in a security key that wants a touch.
    #[must_use]
    pub fn is_hardware(&self) -> bool {
        self.algorithm().starts_with("sk-")
    }

    /// The key as the cryptography wants it.
    pub(crate) fn data(&self) -> KeyData {
        let key = ssh_key::PublicKey::from_openssh(&self.text).expect("the text was written from a key");
        key.key_data().clone()
    }

    /// The key out of a signature or a key file.
    ///
    /// # Errors
    /// The rule that the key breaks.
    pub(crate) fn from_data(data: &KeyData) -> Result<Self, String> {
        accept(data)?;
        let text = ssh_key::PublicKey::new(data.clone(), "").to_openssh().map_err(|error| error.to_string())?;
        Ok(Self { text: text.trim_end().to_owned() })
    }
}

/// One line of a `.pub` file: `<type> <base64> [comment]`.
impl FromStr for PublicKey {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let line = line.trim();
        let mut words = line.split_ascii_whitespace();
        let (Some(kind), Some(base64)) = (words.next(), words.next()) else {
            return Err(format!("`{line}` is no public key: expected `<type> <base64>`, the line of a `.pub` file"));
        };
        if line.contains(['\n', '\r']) {
            return Err("a public key is one line; this is several".to_owned());
        }
        if line.starts_with("-----BEGIN") {
            return Err("this is a private key or another container; give the line of the `.pub` file".to_owned());
        }
        if kind.ends_with("-cert-v01@openssh.com") {
            return Err(format!("`{kind}` is an SSH certificate; name the plain key that it certifies"));
        }
        if kind.contains(['=', ',', '"']) || kind == "restrict" || kind.starts_with("no-") || kind == "cert-authority" {
            return Err(format!("`{kind}` is an option of authorized_keys; give only `<type> <base64>`"));
        }
        let key = ssh_key::PublicKey::from_openssh(&format!("{kind} {base64}"))
            .map_err(|error| format!("`{kind} …` is no public key that joch can read: {error}"))?;
        Self::from_data(key.key_data())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.text
    }
}

impl TryFrom<String> for PublicKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The kinds of key whose signatures joch can check itself.
fn accept(data: &KeyData) -> Result<(), String> {
    match data.algorithm() {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256 => Ok(()),
        Algorithm::Rsa { .. } => {
            let bits = data.rsa().and_then(|key| key.n.as_positive_bytes()).map_or(0, |n| n.len() * 8);
            if bits >= RSA_BITS {
                Ok(())
            } else {
                Err(format!("an RSA key of {bits} bits is too short: {RSA_BITS} at least"))
            }
        }
        other => Err(format!("keys of type `{other}` are not supported; use ed25519, ecdsa or rsa")),
    }
}

#[cfg(test)]
impl PublicKey {
    /// The key whose 32 bytes are all `seed`; nobody has its private half.
    pub(super) fn of_seed(seed: u8) -> Self {
        let data = KeyData::Ed25519(ssh_key::public::Ed25519PublicKey([seed; 32]));
        Self::from_data(&data).expect("an ed25519 key is accepted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPs9PnTCuWWRrz3cRYQHC0XHdxqT/rODgYwkWOJBUHpE";

    fn refusal(line: &str) -> String {
        line.parse::<PublicKey>().expect_err("it is refused")
    }

    #[test]
    fn a_comment_makes_no_other_key() {
        let bare: PublicKey = KEY.parse().expect("a key");
        let commented: PublicKey = format!("  {KEY} ana@laptop of hers\n").parse().expect("a key");
        assert_eq!(bare, commented);
        assert_eq!(bare.to_string(), KEY);
        assert_eq!(bare.algorithm(), "ssh-ed25519");
    }

    #[test]
    fn certificates_options_and_private_keys_are_refused_by_name() {
        assert!(refusal("ssh-ed25519-cert-v01@openssh.com AAAA").contains("certificate"));
        assert!(refusal(&format!("command=\"x\" {KEY}")).contains("authorized_keys"));
        assert!(refusal(&format!("restrict {KEY}")).contains("authorized_keys"));
        assert!(refusal("-----BEGIN OPENSSH PRIVATE KEY-----").contains("private key"));
        assert!(refusal(&format!("{KEY}\n{KEY}")).contains("several"));
        assert!(refusal("ssh-dss AAAA").contains("no public key"));
    }
}
