//! The id of a Git object.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The id of a Git object: SHA-1, written as 40 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ObjectId([u8; 20]);

impl ObjectId {
    /// The first ten hex digits: enough to read aloud, never for a decision.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..10].to_owned()
    }

    /// The id whose bytes these are; `None` unless there are twenty.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn to_git2(self) -> git2::Oid {
        git2::Oid::from_bytes(&self.0).expect("an id has twenty bytes")
    }

    pub(super) fn from_git2(id: git2::Oid) -> Self {
        Self::from_bytes(id.as_bytes()).expect("libgit2 is built for SHA-1")
    }

    pub(super) fn from_gix(id: &gix_hash::oid) -> Self {
        Self::from_bytes(id.as_bytes()).expect("gix is built for SHA-1")
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 40];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is no object id: expected 40 lower-case hex digits");
        if text.len() != 40 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(refuse());
        }
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| refuse())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| refuse())?;
        }
        Ok(Self(bytes))
    }
}

impl From<ObjectId> for String {
    fn from(id: ObjectId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for ObjectId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let text = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
        let id: ObjectId = text.parse().expect("an id");
        assert_eq!(id.to_string(), text);
        assert_eq!(id.short(), "4b825dc642");
        assert!(text.to_uppercase().parse::<ObjectId>().is_err());
        assert!(text[1..].parse::<ObjectId>().is_err());
    }
}
