//! The evidence branch: what people and runners signed, and what was decided.

use crate::closure::Unreadable;
use crate::gate::{Statement, Vote};
use crate::release::{Record, Votes, layout};
use crate::resource::{Digest, ResourceId};
use crate::trust::{PublicKey, Trust};

use super::error::{Error, Result};
use super::object::EntryKind;
use super::object_id::ObjectId;
use super::reader::Reader;
use super::signature;

/// The namespace in which evidence is signed.
pub const EVIDENCE_NAMESPACE: &str = "joch-evidence@v1";

/// One item of evidence whose file has the name that its content gives it, and whose signature holds.
#[derive(Debug, Clone)]
pub struct Item {
    /// SHA-256 of its bytes, in hex.
    pub id: String,
    /// Its path on the evidence branch.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The key that signed them.
    pub key: PublicKey,
}

impl Reader<'_> {
    /// The items of a directory of the evidence branch at `commit`, in order of their paths.
    ///
    /// # Errors
    /// A file is missing or damaged, has another name than its content gives it, or its signature fails.
    pub fn evidence_under(&self, commit: ObjectId, directory: &str) -> Result<Vec<Item>> {
        self.evidence_named(commit, directory, "")
    }

    /// The same, of the items whose path below the directory begins with `prefix`.
    ///
    /// # Errors
    /// As [`Reader::evidence_under`].
    pub fn evidence_named(&self, commit: ObjectId, directory: &str, prefix: &str) -> Result<Vec<Item>> {
        let Some(entry) = self.snapshot().entry_at(commit, directory)? else { return Ok(Vec::new()) };
        if entry.kind != EntryKind::Directory {
            return Ok(Vec::new());
        }
        let files = self.snapshot().files_under(entry.id)?;
        let named = files.iter().filter(|(path, _)| path.starts_with(prefix) && path.ends_with(".json"));
        named.map(|(path, blob)| self.item(commit, &format!("{directory}/{path}"), *blob)).collect()
    }

    /// One item of evidence.
    ///
    /// # Errors
    /// As [`Reader::evidence_under`].
    pub fn item(&self, commit: ObjectId, path: &str, blob: ObjectId) -> Result<Item> {
        let damaged = |why: String| Error::Damaged { object: format!("the evidence `{path}`"), why };
        let bytes = self.snapshot().blob(blob)?;
        let id = Digest::of(&bytes).hex();
        let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".json");
        if name.rsplit('-').next() != Some(&id) {
            return Err(damaged(format!("its content is {id}")));
        }
        let signature = self.snapshot().blob_at(commit, &format!("{path}{}", layout::SIGNATURE))?;
        let signature = signature.ok_or_else(|| damaged("it is not signed".into()))?;
        let armor = String::from_utf8(signature).map_err(|_| damaged("its signature is not text".into()))?;
        let key = signature::verify(&armor, EVIDENCE_NAMESPACE, &bytes)
            .map_err(|why| Error::BadSignature { object: format!("the evidence `{path}`"), why })?;
        Ok(Item { id, path: path.to_owned(), bytes, key })
    }

    /// Every decision on an environment, oldest release number first, each with its record.
    ///
    /// # Errors
    /// As [`Reader::evidence_under`], or a record cannot be read.
    pub fn decisions(&self, commit: ObjectId, environment: &str) -> Result<Vec<(Item, Record)>> {
        let items = self.evidence_under(commit, &layout::decisions(environment))?;
        let mut decisions = Vec::new();
        for item in items {
            let record = Record::from_json(&item.bytes)
                .map_err(|why| Error::Damaged { object: format!("the decision `{}`", item.path), why })?;
            decisions.push((item, record));
        }
        let number = |record: &Record| record.release.rsplit('/').next().and_then(|n| n.parse::<u64>().ok());
        decisions.sort_by_key(|(_, record)| (number(record), record.timestamp));
        Ok(decisions)
    }
}

/// The votes of the evidence tip, each signer looked up in `trust`.
pub struct Ballots<'a, 'r> {
    /// What reads them.
    pub reader: &'a Reader<'r>,
    /// The evidence commit.
    pub commit: ObjectId,
    /// Who is who.
    pub trust: &'a Trust,
}

impl Ballots<'_, '_> {
    /// Every statement about a resource, requests included, oldest first.
    ///
    /// # Errors
    /// As [`Reader::evidence_under`], or an item is no statement.
    pub fn statements(&self, id: &ResourceId) -> Result<Vec<(Vote, Statement)>> {
        let mut votes = Vec::new();
        for item in self.reader.evidence_under(self.commit, &layout::approvals(id, None))? {
            let statement = Statement::from_json(&item.bytes)
                .map_err(|why| Error::Damaged { object: format!("the evidence `{}`", item.path), why })?;
            if !statement.predicate.changes.iter().any(|change| change.resource == *id) {
                continue;
            }
            let principal = self.trust.principal(&item.key);
            let vote = Vote { id: item.id, principal, key: item.key, predicate: statement.predicate.clone() };
            votes.push((vote, statement));
        }
        votes.sort_by(|(a, _), (b, _)| (a.predicate.stated_at, &a.id).cmp(&(b.predicate.stated_at, &b.id)));
        votes.dedup_by(|(a, _), (b, _)| a.id == b.id);
        Ok(votes)
    }
}

impl Votes for Ballots<'_, '_> {
    fn about(&self, id: &ResourceId, environment: &str) -> std::result::Result<Vec<Vote>, Unreadable> {
        let statements = self.statements(id).map_err(Error::unreadable)?;
        let here = |vote: &Vote| vote.predicate.environment == environment && vote.predicate.decision.is_some();
        Ok(statements.into_iter().map(|(vote, _)| vote).filter(here).collect())
    }
}
