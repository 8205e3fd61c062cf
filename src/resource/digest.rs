//! SHA-256, the one digest joch knows. Git object ids stay inside the ledger.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256, written `sha256:<64 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(extend("pattern" = "^sha256:[0-9a-f]{64}$"))]
pub struct Digest([u8; 32]);

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A digest of something that never changes, taken when it is first asked for. Whether it was asked for makes no two
/// things differ.
#[derive(Clone, Default)]
pub(crate) struct Taken(OnceLock<Digest>);

impl Taken {
    /// The digest that `take` takes.
    pub(crate) fn or(&self, take: impl FnOnce() -> Digest) -> Digest {
        *self.0.get_or_init(take)
    }
}

impl PartialEq for Taken {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Taken {}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Taken")
    }
}

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of a set of files: SHA-256 over what `sha256sum` prints for them, `<hex>  <path>` a
    /// line, the paths in bytewise order. Anyone can repeat it with `find`, `sort` and `sha256sum`.
    pub fn of_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut lines: Vec<_> = files.into_iter().collect();
        lines.sort_unstable_by_key(|(path, _)| path.as_bytes());
        let mut sum = Sha256::new();
        for (path, bytes) in lines {
            sum.update(format!("{}  {path}\n", Self::of(bytes).hex()));
        }
        Self(sum.finalize().into())
    }

    /// The 64 hex digits.
    #[must_use]
    pub fn hex(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
        text
    }

    /// The first 16 hex digits: enough for a path, never for a decision.
    #[must_use]
    pub fn short(&self) -> String {
        self.hex()[..16].to_owned()
    }
}

/// The digest of bytes that come piece by piece.
#[derive(Debug, Clone, Default)]
pub struct Digesting(Sha256);

impl Digesting {
    /// Takes up the next piece.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is not `sha256:` and 64 lower-case hex digits");
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        if hex.len() != 64 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(refuse());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| refuse())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| refuse())?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_files_has_the_digest_that_sha256sum_gives() {
        // printf 'one\n' > a; printf 'two\n' > b/c; find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
        let digest = Digest::of_files([("b/c", b"two\n".as_slice()), ("a", b"one\n")]);
        let printed = "sha256:9607e0d3a8f1d3333f304d720b9057c8c9b0c5f66715f0808abc1676cd81e311";
        assert_eq!(digest.to_string(), printed);
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }
}
