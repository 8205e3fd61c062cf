//! What an earlier audit found clean, kept in `.joch/cache` under the user's seal. Only what is clean is kept, and only
//! what follows from objects, which their ids name: a signature, and the judgement of a release in its surroundings. The
//! bytes of all objects are read and hashed again each time, and order, numbers, roles and tags are judged again.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::ledger::{ObjectId, Reader, Signatures};
use crate::release::layout;
use crate::resource::Digest;
use crate::workspace::Cache;

use super::lines::Lines;

/// The name of the file.
const FILE: &str = "verified";
/// Changes with what a line means; the version of joch stands beside it.
const FORMAT: &str = concat!("joch verified 1 ", env!("CARGO_PKG_VERSION"));

/// What was found clean.
#[derive(Default)]
pub(super) struct Verdicts {
    /// The rungs of the newest trust, under which it was judged.
    ladder: String,
    /// The tips of the branches then.
    tips: BTreeMap<String, ObjectId>,
    clean: HashMap<ObjectId, Digest>,
    /// What was judged beforehand and found clean.
    beforehand: Vec<HashMap<ObjectId, Digest>>,
    /// The signatures that held.
    pub(super) signatures: Signatures,
    /// How many releases were taken for clean.
    pub(super) believed: usize,
    /// How many were found clean.
    found: usize,
}

impl Verdicts {
    /// What is kept; nothing where there is nothing that this joch sealed.
    pub(super) fn load(cache: &Cache) -> Self {
        let text = cache.load(FILE).and_then(|bytes| String::from_utf8(bytes).ok());
        text.and_then(|text| Self::parse(&text)).unwrap_or_default()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != FORMAT {
            return None;
        }
        let mut verdicts = Self { ladder: lines.next()?.to_owned(), ..Self::default() };
        let mut keys = Vec::new();
        for line in lines {
            let (word, rest) = line.split_once(' ')?;
            if word == "key" {
                keys.push(rest.parse().ok()?);
                continue;
            }
            let (id, rest) = rest.split_once(' ')?;
            let id: ObjectId = id.parse().ok()?;
            match word {
                "tip" => drop(verdicts.tips.insert(rest.to_owned(), id)),
                "clean" => drop(verdicts.clean.insert(id, rest.parse().ok()?)),
                "signed" => verdicts.signatures.add(id, keys.get(rest.parse::<usize>().ok()?)?),
                _ => return None,
            }
        }
        Some(verdicts)
    }

    /// Forgets judgements that were made in another past: every branch must still hold what it held then.
    pub(super) fn hold_against(&mut self, reader: &Reader<'_>, lines: &Lines) {
        let ladder = ladder(reader);
        let grown =
            self.tips.iter().all(|(branch, tip)| lines.get(branch).is_some_and(|line| line.place(*tip).is_some()));
        if !grown || ladder != self.ladder {
            self.clean.clear();
        }
        self.ladder = ladder;
    }

    /// Whether a release was found clean in these surroundings: by an earlier audit or, where all before it is `clean`,
    /// beforehand.
    pub(super) fn was_clean(&mut self, release: ObjectId, context: Digest, clean: bool) -> bool {
        if self.clean.get(&release) == Some(&context) {
            self.believed += 1;
            return true;
        }
        let found = self.beforehand.iter_mut().find_map(|found| found.remove(&release));
        let beforehand = clean && found == Some(context);
        if beforehand {
            self.is_clean(release, context);
        }
        beforehand
    }

    /// The releases of a branch that an earlier audit did not find clean; all of them, where trust has moved since.
    pub(super) fn unknown(&self, reader: &Reader<'_>, commits: &[ObjectId]) -> Vec<usize> {
        let same = self.tips.get(layout::TRUST).copied() == reader.snapshot().branch(layout::TRUST);
        let unknown = |(place, id): (usize, &ObjectId)| (!(same && self.clean.contains_key(id))).then_some(place);
        commits.iter().enumerate().skip(1).filter_map(unknown).collect()
    }

    /// These were judged beforehand, and are clean in these surroundings.
    pub(super) fn judged(&mut self, found: Vec<HashMap<ObjectId, Digest>>) {
        self.beforehand = found;
    }

    /// A release was found clean in these surroundings.
    pub(super) fn is_clean(&mut self, release: ObjectId, context: Digest) {
        self.found += 1;
        self.clean.insert(release, context);
    }

    /// How many releases are clean.
    pub(super) fn clean_releases(&self) -> usize {
        self.believed + self.found
    }

    /// Keeps them: for an audit that found nothing at all.
    pub(super) fn store(&self, cache: &Cache, reader: &Reader<'_>) {
        let mut text = format!("{FORMAT}\n{}\n", self.ladder);
        for (branch, tip) in reader.snapshot().branches() {
            text.push_str(&format!("tip {tip} {branch}\n"));
        }
        let signatures = reader.signatures();
        let mut keys = Vec::new();
        let mut signed = String::with_capacity(signatures.iter().map(|some| some.len() * 52).sum());
        for (id, key) in signatures.iter().flat_map(|some| some.iter()) {
            let at = keys.iter().position(|known| *known == key).unwrap_or_else(|| {
                keys.push(key);
                keys.len() - 1
            });
            signed.push_str(&format!("signed {id} {at}\n"));
        }
        text.extend(keys.iter().map(|key| format!("key {key}\n")));
        let mut clean = String::with_capacity(self.clean.len() * 120);
        clean.extend(self.clean.iter().map(|(id, context)| format!("clean {id} {context}\n")));
        cache.store(FILE, &[text, signed, clean].map(|text| Cow::Owned(text.into_bytes())));
    }
}

/// The rungs of the newest trust, in one line.
fn ladder(reader: &Reader<'_>) -> String {
    let trust = reader.tip(layout::TRUST).and_then(|tip| reader.trust_at(tip));
    trust.map(|trust| trust.ladder().rungs().join(" ")).unwrap_or_default()
}
