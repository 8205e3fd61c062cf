//! Whose signature stands on which object. What an object's id names never changes, so this is true for good.

use std::collections::HashMap;

use crate::trust::PublicKey;

use super::object::ObjectKind;
use super::object_id::ObjectId;
use super::signature::{self, Signed};

/// The signatures that hold; one that does not is not in here, and is looked at again.
#[derive(Debug, Clone, Default)]
pub struct Signatures {
    keys: Vec<PublicKey>,
    of: HashMap<ObjectId, u32>,
}

impl Signatures {
    /// The key that signed an object.
    #[must_use]
    pub fn key(&self, id: ObjectId) -> Option<&PublicKey> {
        self.keys.get(usize::try_from(*self.of.get(&id)?).ok()?)
    }

    /// That this key signed it.
    pub fn add(&mut self, id: ObjectId, key: &PublicKey) {
        let at = self.keys.iter().position(|known| known == key).unwrap_or_else(|| {
            self.keys.push(key.clone());
            self.keys.len() - 1
        });
        self.of.insert(id, u32::try_from(at).unwrap_or(u32::MAX));
    }

    /// Takes over what others know.
    pub fn extend(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        self.of.reserve(other.len());
        for (id, at) in &other.of {
            if let Some(key) = usize::try_from(*at).ok().and_then(|at| other.keys.get(at)) {
                self.add(*id, key);
            }
        }
    }

    /// Each object with its key.
    pub fn iter(&self) -> impl Iterator<Item = (ObjectId, &PublicKey)> {
        self.of.iter().filter_map(|(id, at)| Some((*id, self.keys.get(usize::try_from(*at).ok()?)?)))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

/// The key whose signature stands on a commit or a tag, if it counts.
pub(super) fn signer(kind: ObjectKind, raw: &[u8]) -> Option<PublicKey> {
    let signed = match kind {
        ObjectKind::Commit => signature::split_commit(raw),
        ObjectKind::Tag => signature::split_tag(raw),
        _ => return None,
    };
    let Signed { payload, armor } = signed.ok()?;
    signature::verify(&armor, signature::GIT, &payload).ok()
}

/// What stands for an item of evidence with its signature: both together, since either could be exchanged.
pub(super) fn item(content: ObjectId, signature: ObjectId) -> Option<ObjectId> {
    super::staged::hash(ObjectKind::Blob, format!("item {content} {signature}\n").as_bytes()).ok()
}
