//! The evidence branch: what people and runners signed, and what was decided.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::closure::Unreadable;
use crate::eval::RunResult;
use crate::gate::{Measured, Results, Statement, Vote};
use crate::release::{Record, Votes, layout};
use crate::resource::{Digest, ResourceId};
use crate::trust::{PublicKey, Trust};

use super::error::{Error, Result};
use super::object::EntryKind;
use super::object_id::ObjectId;
use super::reader::Reader;
use super::signature;
use super::signatures;
use super::snapshot::FirstParents;

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

    /// The items below a directory whose id begins so.
    ///
    /// # Errors
    /// As [`Reader::evidence_under`].
    pub fn evidence_beginning(&self, commit: ObjectId, directory: &str, id: &str) -> Result<Vec<Item>> {
        let Some(entry) = self.snapshot().entry_at(commit, directory)? else { return Ok(Vec::new()) };
        let files = self.snapshot().files_under(entry.id)?;
        let begins = |path: &str| path.rsplit('/').next().is_some_and(|name| name.starts_with(id));
        let named = files.iter().filter(|(path, _)| begins(path) && path.ends_with(".json"));
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
        let signed = format!("{path}{}", layout::SIGNATURE);
        let entry = self.snapshot().entry_at(commit, &signed)?.filter(|entry| entry.kind == EntryKind::File);
        let both = entry.as_ref().and_then(|entry| signatures::item(blob, entry.id));
        if let Some(key) = both.and_then(|both| self.known_signer(both)) {
            return Ok(Item { id, path: path.to_owned(), bytes, key });
        }
        let signature = self.snapshot().blob_at(commit, &signed)?;
        let signature = signature.ok_or_else(|| damaged("it is not signed".into()))?;
        let armor = String::from_utf8(signature).map_err(|_| damaged("its signature is not text".into()))?;
        let key = signature::verify(&armor, EVIDENCE_NAMESPACE, &bytes)
            .map_err(|why| Error::BadSignature { object: format!("the evidence `{path}`"), why })?;
        if let Some(both) = both {
            self.remember_signer(both, &key);
        }
        Ok(Item { id, path: path.to_owned(), bytes, key })
    }

    /// When the evidence branch took in each of these files: how many commits lay before, and the commit's time.
    ///
    /// The branch only grows, which an audit checks, so the first commit that holds a file is searched for by leaps
    /// that double and then by halves: trees are read for a few commits, however far back it is.
    ///
    /// # Errors
    /// A commit or tree is missing or damaged.
    pub fn carried(&self, tip: ObjectId, paths: BTreeSet<&str>) -> Result<BTreeMap<String, (i64, DateTime<Utc>)>> {
        let mut history = History { ahead: self.snapshot().first_parents(tip), read: Vec::new() };
        let mut carried = BTreeMap::new();
        for path in paths {
            let mut holds = |back: usize| match history.back(back)? {
                Some((commit, _)) => Ok(self.snapshot().entry_at(commit, path)?.is_some()),
                None => Ok::<_, Error>(false),
            };
            if !holds(0)? {
                continue;
            }
            let (mut held, mut leap) = (0, 1);
            while holds(held + leap)? {
                held += leap;
                leap *= 2;
            }
            let mut lacks = held + leap;
            while lacks - held > 1 {
                let between = held + (lacks - held) / 2;
                if holds(between)? { held = between } else { lacks = between }
            }
            if let Some((_, time)) = history.back(held)? {
                let place = i64::try_from(held).map_or(i64::MIN, |held| -held);
                carried.insert(path.to_owned(), (place, time));
            }
        }
        Ok(carried)
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

/// Commits and their times, from the tip back, as far as they were asked for.
struct History<'s, 'r> {
    ahead: FirstParents<'s, 'r>,
    read: Vec<(ObjectId, DateTime<Utc>)>,
}

impl History<'_, '_> {
    /// The commit so many behind the tip; none before the first of all.
    fn back(&mut self, by: usize) -> Result<Option<(ObjectId, DateTime<Utc>)>> {
        while self.read.len() <= by {
            let Some(commit) = self.ahead.next() else { return Ok(None) };
            let commit = commit?;
            self.read.push((commit.id, commit.committer.time));
        }
        Ok(self.read.get(by).copied())
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
    /// Whether something was said in another ledger than this one, where it does not count.
    pub(super) fn is_of_another(&self, ledger: Option<&String>) -> bool {
        ledger.is_some_and(|ledger| *ledger != self.trust.settings.uuid)
    }

    /// Every statement about a resource, requests included, in the order in which the ledger took them in; whoever
    /// signs chooses the date, not the place. Those that `since` holds are spent.
    ///
    /// # Errors
    /// As [`Reader::evidence_under`], or an item is no statement.
    pub fn statements(&self, id: &ResourceId, since: Option<ObjectId>) -> Result<Vec<(Vote, Statement)>> {
        let items = self.reader.evidence_under(self.commit, &layout::approvals(id, None))?;
        let carried = self.reader.carried(self.commit, items.iter().map(|item| item.path.as_str()).collect())?;
        let mut votes = Vec::new();
        for item in items {
            let statement = Statement::from_json(&item.bytes)
                .map_err(|why| Error::Damaged { object: format!("the evidence `{}`", item.path), why })?;
            if !statement.predicate.changes.iter().any(|change| change.resource == *id) {
                continue;
            }
            if self.is_of_another(statement.predicate.ledger.as_ref()) {
                continue;
            }
            let principal = self.trust.principal(&item.key);
            let spent = match since {
                Some(since) => self.reader.snapshot().entry_at(since, &item.path)?.is_some(),
                None => false,
            };
            let (place, carried_at) = carried.get(&item.path).copied().unwrap_or_default();
            let predicate = statement.predicate.clone();
            votes.push((
                place,
                Vote { id: item.id, principal, key: item.key, predicate, carried_at, spent },
                statement,
            ));
        }
        votes.sort_by(|(place, a, _), (other, b, _)| {
            (place, a.predicate.stated_at, &a.id).cmp(&(other, b.predicate.stated_at, &b.id))
        });
        votes.dedup_by(|(_, a, _), (_, b, _)| a.id == b.id);
        Ok(votes.into_iter().map(|(_, vote, statement)| (vote, statement)).collect())
    }
}

impl Votes for Ballots<'_, '_> {
    fn about(
        &self,
        id: &ResourceId,
        environment: &str,
        since: Option<&str>,
    ) -> std::result::Result<Vec<Vote>, Unreadable> {
        let since = since.map(|commit| commit.parse().map_err(Unreadable)).transpose()?;
        let statements = self.statements(id, since).map_err(Error::unreadable)?;
        let here = |vote: &Vote| vote.predicate.environment == environment && vote.predicate.decision.is_some();
        Ok(statements.into_iter().map(|(vote, _)| vote).filter(here).collect())
    }
}

impl Ballots<'_, '_> {
    /// The results about an agent, of one closure or of all, in the order in which the ledger took them in.
    ///
    /// # Errors
    /// As [`Reader::evidence_under`], or an item is no result.
    pub fn results(&self, agent: &ResourceId, digest: Option<Digest>) -> Result<Vec<Measured>> {
        let items = self.reader.evidence_under(self.commit, &layout::evals(agent, digest))?;
        let carried = self.reader.carried(self.commit, items.iter().map(|item| item.path.as_str()).collect())?;
        let mut results = Vec::new();
        for item in items {
            let result = RunResult::from_json(&item.bytes)
                .map_err(|why| Error::Damaged { object: format!("the evidence `{}`", item.path), why })?;
            // Where it stands is no evidence of what it is about.
            if item.path != layout::eval_result(&result.subject.agent, result.subject.digest, &item.id) {
                continue;
            }
            let (place, carried_at) = carried.get(&item.path).copied().unwrap_or_default();
            let principal = self.trust.principal(&item.key);
            let result = Arc::new(result);
            results.push((place, Measured { id: item.id, principal, key: item.key, result, carried_at }));
        }
        results.sort_by(|(place, a), (other, b)| {
            (place, a.result.runner.finished_at, &a.id).cmp(&(other, b.result.runner.finished_at, &b.id))
        });
        Ok(results.into_iter().map(|(_, measured)| measured).collect())
    }
}

impl Results for Ballots<'_, '_> {
    fn of(&self, agent: &ResourceId, digest: Option<Digest>) -> std::result::Result<Vec<Measured>, Unreadable> {
        self.results(agent, digest).map_err(Error::unreadable)
    }
}
