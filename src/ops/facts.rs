//! What the checks want to know of a commit or a tag, read from the bytes as they are stored.

use super::signatures::signer_of;
use crate::audit::commit::{CommitFact, Fault, Signature};
use crate::audit::tags::{ReleaseTag, TagObject};
use crate::audit::{Finding, Rule};
use crate::ledger::{BadSignature, Error, ObjectId, ObjectKind, Reader, Result, Stamp};

/// Whose signature stands on an object.
///
/// # Errors
/// The object is missing or damaged.
pub(super) fn signature(reader: &Reader<'_>, id: ObjectId) -> Result<Signature> {
    Ok(signer_of(reader, id)?.map_err(|why| fault(&why)))
}

fn fault(why: &BadSignature) -> Fault {
    let rule = match why {
        BadSignature::Absent => Rule::Unsigned,
        BadSignature::OpenPgp | BadSignature::X509 => Rule::SignatureKind,
        BadSignature::Namespace { .. } => Rule::SignatureNamespace,
        BadSignature::Mismatch => Rule::SignatureMismatch,
        BadSignature::Unreadable(_) | BadSignature::Key(_) | BadSignature::Untouched => Rule::SignatureUnreadable,
    };
    Fault { rule, why: why.to_string() }
}

/// What is known of a commit of `branch`.
///
/// # Errors
/// A finding: the commit can be read in more ways than one, or not at all.
pub(super) fn commit_fact(reader: &Reader<'_>, branch: &str, id: ObjectId) -> std::result::Result<CommitFact, Finding> {
    let unreadable = |why: &Error| {
        let why = match why {
            Error::Damaged { why, .. } => why.clone(),
            other => other.to_string(),
        };
        let message = format!(
            "on `{branch}`: {why}, so it can be read in more ways than one; bring the branch back from a clone that \
             has it as it was"
        );
        Finding::new(Rule::CommitForm, id.to_string(), message)
    };
    let commit = reader.snapshot().commit(id).map_err(|why| unreadable(&why))?;
    let signature = signature(reader, id).map_err(|why| unreadable(&why))?;
    Ok(CommitFact {
        object: id.to_string(),
        of: branch.to_owned(),
        parents: commit.parents.len(),
        parent: commit.parents.first().map(ObjectId::to_string),
        time: commit.committer.time,
        authored: commit.author.time,
        people: [&commit.author, &commit.committer].map(person).to_vec(),
        other_headers: commit.other_headers,
        message: commit.message,
        signature,
    })
}

/// What is known of a tag in `release/`.
///
/// # Errors
/// The tag's object is missing or damaged.
pub(super) fn release_tag(reader: &Reader<'_>, id: ObjectId) -> Result<ReleaseTag> {
    if reader.snapshot().raw(id)?.0 != ObjectKind::Tag {
        return Ok(ReleaseTag { target: id.to_string(), object: None });
    }
    let tag = reader.snapshot().tag_object(id)?;
    let object = TagObject {
        name: tag.name,
        of_commit: tag.target_kind == ObjectKind::Commit,
        tagger: person(&tag.tagger),
        signature: signature(reader, id)?,
    };
    Ok(ReleaseTag { target: tag.target.to_string(), object: Some(object) })
}

/// An object that is missing or damaged, as a finding.
pub(super) fn broken(error: &Error) -> Finding {
    let next = error.next().map_or_else(String::new, |next| format!("; {next}"));
    let (rule, object) = match error {
        Error::Refused { path, .. } => (Rule::RepositoryRefused, path.display().to_string()),
        Error::Missing { what } => (Rule::ObjectMissing, what.clone()),
        Error::Damaged { object, .. } | Error::BadSignature { object, .. } => (Rule::ObjectDamaged, object.clone()),
        Error::BrokenReference { reference, .. } => (Rule::ObjectDamaged, reference.clone()),
        other => (Rule::ObjectDamaged, other.to_string()),
    };
    Finding::new(rule, object, format!("{error}{next}"))
}

fn person(stamp: &Stamp) -> (String, String) {
    (stamp.person.name.clone(), stamp.person.email.clone())
}
