//! What a write stands on, beside trust: the newest commits of the branches that it builds on are what joch writes
//! there. Whoever has plain Git and can push could otherwise leave a tip that nobody signed, and have honest
//! releases written on top of it until somebody runs `audit verify`.

mod evidence;
mod history;
mod release;

use std::collections::BTreeMap;

use anyhow::Result;

use crate::audit::Finding;
use crate::audit::commit::CommitFact;
use crate::ledger::{ObjectId, Reader};
use crate::release::layout;
use crate::workspace::Cache;

use super::audit_verify::check_genesis;
use super::desk::Desk;
use super::facts::{broken, commit_fact};
use super::failure::Failure;
use history::History;

/// What the cache calls the tips that were checked.
const CHECKED: &str = "tips";
/// How many commits of a branch are looked at where nothing is remembered of it: what is older is for an audit.
const NEWEST: usize = 16;
/// How many there may be since what is remembered.
const SINCE: usize = 4096;

/// Checks the newest commits of these branches: form, signature, role, order, grammar, and the tag of a release. They are
/// checked from the last tip that was checked here, which is remembered under `.joch/cache`, sealed, so that nobody else
/// says what was checked; the tip itself is checked by each command. Who changes trust says which tips they have seen, so
/// that stands on all of them. What a plan would say of a release is for `audit verify`.
///
/// # Errors
/// What no honest verb left there, or what cannot be read.
pub(super) fn check_tips(desk: &Desk, reader: &Reader<'_>, branches: &[&str]) -> Result<()> {
    let history = History::new(reader)?;
    let every = history.trust.ladder().rungs().iter().map(String::as_str).chain([layout::EVIDENCE]);
    let of_trust = branches.contains(&layout::TRUST);
    let cache = desk.cache();
    let mut known = Known::load(&cache);
    let mut checked = known.0.clone();
    for branch in every.filter(|branch| of_trust || branches.contains(branch)) {
        let now = (branch.to_owned(), [reader.tip(branch)?, reader.tip(layout::EVIDENCE)?, history.tip]);
        if desk.checked.borrow().contains(&now) {
            continue;
        }
        let seen = known.0.remove(branch);
        let tip = Tip { reader, history: &history, branch, seen: seen.as_ref() };
        tip.check().map_err(|why| refuse(branch, why))?;
        checked.insert(branch.to_owned(), Seen { tip: reader.tip(branch)?, trust: history.tip });
        desk.checked.borrow_mut().insert(now);
    }
    Known(checked).store(&cache);
    Ok(())
}

/// Why a tip is not built on.
enum Why {
    Wrong(Finding),
    Unreadable(anyhow::Error),
}

impl From<Finding> for Why {
    fn from(finding: Finding) -> Self {
        Self::Wrong(finding)
    }
}

impl From<crate::ledger::Error> for Why {
    fn from(error: crate::ledger::Error) -> Self {
        match &error {
            crate::ledger::Error::Damaged { .. } | crate::ledger::Error::Missing { .. } => Self::Wrong(broken(&error)),
            _ => Self::Unreadable(error.into()),
        }
    }
}

fn refuse(branch: &str, why: Why) -> anyhow::Error {
    let Finding { rule, object, message } = match why {
        Why::Wrong(finding) => finding,
        Why::Unreadable(why) => return why,
    };
    let message = format!("`{branch}` is not built on, for no honest verb left it so: {object}: {message} ({rule})");
    Failure::refused("forged-tip", message)
        .next("`joch audit verify` tells all of it and the way back; then try again")
        .into()
}

/// The tip of one branch.
struct Tip<'a, 'r> {
    reader: &'a Reader<'r>,
    history: &'a History<'a, 'r>,
    branch: &'a str,
    seen: Option<&'a Seen>,
}

/// One commit of a branch, as its checks see it.
struct Commit<'a> {
    id: ObjectId,
    parent: ObjectId,
    fact: &'a CommitFact,
    /// The commit and what is newer on its branch, newest first.
    above: &'a [ObjectId],
}

impl Tip<'_, '_> {
    fn check(&self) -> Result<(), Why> {
        let tip = self.reader.tip(self.branch)?;
        let (limit, last) = match self.seen {
            Some(seen) => (SINCE, Some(seen.tip)),
            None => (NEWEST, None),
        };
        let (mut ids, mut next, mut reached) = (Vec::new(), Some(tip), false);
        while let Some(id) = next.filter(|_| ids.len() < limit) {
            reached = reached || Some(id) == last;
            if reached && !ids.is_empty() {
                break;
            }
            ids.push(id);
            next = self.commit(&ids)?;
        }
        let followed = reached && self.seen.is_some_and(|seen| seen.trust == self.history.tip);
        if !followed {
            self.history.check_seen(self.branch, tip, &ids)?;
        }
        Ok(())
    }

    /// Checks the last of these, and gives its parent.
    fn commit(&self, ids: &[ObjectId]) -> Result<Option<ObjectId>, Why> {
        let Some(&id) = ids.last() else { return Ok(None) };
        let fact = commit_fact(self.reader, self.branch, id)?;
        let Some(parent) = fact.parent.as_ref().and_then(|parent| parent.parse().ok()) else {
            first(fact.check_form(None, true))?;
            first(check_genesis(self.reader, &fact, id, self.history.root()?.as_ref()))?;
            if ids.len() == 1 && self.branch != layout::EVIDENCE {
                self.last(id, 0)?;
            }
            return Ok(None);
        };
        let before = self.reader.snapshot().commit(parent)?.committer.time;
        first(fact.check_form(Some(before), false))?;
        let commit = Commit { id, parent, fact: &fact, above: ids };
        if self.branch == layout::EVIDENCE { self.evidence(&commit) } else { self.release(&commit) }?;
        Ok(Some(parent))
    }
}

/// The first of what was found, if anything was.
fn first(findings: Vec<Finding>) -> Result<(), Why> {
    findings.into_iter().next().map_or(Ok(()), |finding| Err(finding.into()))
}

/// A tip that was checked, and the tip of trust then.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    tip: ObjectId,
    trust: ObjectId,
}

/// The tips that were checked, by branch.
struct Known(BTreeMap<String, Seen>);

impl Known {
    fn load(cache: &Cache) -> Self {
        let text = cache.load(CHECKED).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let line = |line: &str| {
            let mut words = line.split(' ');
            let (branch, tip, trust) = (words.next()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            Some((branch.to_owned(), Seen { tip, trust }))
        };
        Self(text.lines().filter_map(line).collect())
    }

    fn store(&self, cache: &Cache) {
        if Self::load(cache).0 != self.0 {
            let line = |(branch, seen): (&String, &Seen)| format!("{branch} {} {}\n", seen.tip, seen.trust);
            cache.store(CHECKED, &[self.0.iter().map(line).collect::<String>().into_bytes().into()]);
        }
    }
}
