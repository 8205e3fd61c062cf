//! Whose signature stands on a commit or a tag, from the bytes as they are stored.

use crate::ledger::{BadSignature, ObjectId, ObjectKind, Reader, Result, Signed, signature};
use crate::trust::PublicKey;

/// The key whose signature stands on a commit or an annotated tag, or why none counts.
///
/// # Errors
/// The object is missing or damaged.
pub(super) fn signer_of(reader: &Reader<'_>, object: ObjectId) -> Result<std::result::Result<PublicKey, BadSignature>> {
    if let Some(key) = reader.known_signer(object) {
        return Ok(Ok(key));
    }
    let (kind, raw) = reader.snapshot().raw(object)?;
    let signed = if kind == ObjectKind::Tag { signature::split_tag(&raw) } else { signature::split_commit(&raw) };
    Ok(signed.and_then(|Signed { payload, armor }| signature::verify(&armor, signature::GIT, &payload)))
}
