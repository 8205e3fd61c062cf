//! The references as they stand between transactions: read at one instant, and through the journal of a transaction that
//! is under way or that nobody could settle yet.
//!
//! Whoever cannot settle a journal, because the disk takes no writing or because another process holds the lock, sees
//! what settling it would make: the ledger before that transaction, or after it, and never between.

use std::collections::BTreeMap;

use super::error::Result;
use super::journal::{self, Journal, RefUpdate};
use super::object_id::ObjectId;
use super::recovery;
use super::reference::RefTarget;
use super::repository::Repository;

/// How often references are read until they hold still. Somebody must write that often in a row to defeat it.
const ATTEMPTS: usize = 64;

/// References at one instant.
pub(super) struct Standing {
    /// All that begin with what was asked for, by full name.
    pub(super) references: BTreeMap<String, RefTarget>,
    /// What a journal makes of the references that it names, also of others than were asked for.
    pub(super) through: BTreeMap<String, Option<ObjectId>>,
}

impl Standing {
    /// Reads all references whose names begin with `prefix`.
    ///
    /// A journal is there for as long as the references of its transaction are on their way. So one that was there before
    /// and after a reading tells what that reading is to become; and where none is there after a reading, the same again
    /// shows that none came and went meanwhile.
    pub(super) fn read(repository: &Repository, prefix: &str) -> Result<Self> {
        let references = repository.references();
        let mut before = journal::read(repository)?;
        let mut found = references.list(prefix)?;
        for _ in 0..ATTEMPTS {
            let after = journal::read(repository)?;
            match (&before, &after) {
                (Some(one), Some(other)) if one == other => return see_through(repository, prefix, found, one),
                (_, None) => {
                    let again = references.list(prefix)?;
                    if again == found {
                        break;
                    }
                    found = again;
                }
                _ => found = references.list(prefix)?,
            }
            before = after;
        }
        Ok(Self { references: found.into_iter().collect(), through: BTreeMap::new() })
    }
}

fn see_through(
    repository: &Repository,
    prefix: &str,
    found: Vec<(String, RefTarget)>,
    journal: &Journal,
) -> Result<Standing> {
    let mut references: BTreeMap<String, RefTarget> = found.into_iter().collect();
    let now = |name: &str| match references.get(name) {
        Some(RefTarget::Object(id)) => Ok(Some(*id)),
        // Not what a journal leads to, and told as what it is by whoever reads it.
        Some(RefTarget::Symbolic(_)) => Ok(None),
        None if name.starts_with(prefix) => Ok(None),
        None => repository.references().get(name),
    };
    let mut there = BTreeMap::new();
    for update in &journal.updates {
        there.insert(update.name.as_str(), now(&update.name)?);
    }
    let committed = match journal.updates.last() {
        Some(point) if journal.whole => recovery::reached(repository, point, there[point.name.as_str()])?,
        _ => false,
    };
    let through = settle(journal, committed, |name| there.get(name).copied().flatten());
    for (name, target) in through.iter().filter(|(name, _)| name.starts_with(prefix)) {
        match target {
            Some(id) => drop(references.insert(name.clone(), RefTarget::Object(*id))),
            None if matches!(references.get(name), Some(RefTarget::Object(_))) => drop(references.remove(name)),
            None => {}
        }
    }
    Ok(Standing { references, through })
}

/// What each reference of a journal is once that is settled; `committed`: whether its last one has moved.
fn settle(
    journal: &Journal,
    committed: bool,
    now: impl Fn(&str) -> Option<ObjectId>,
) -> BTreeMap<String, Option<ObjectId>> {
    let becomes = |update: &RefUpdate| match now(&update.name) {
        found if !journal.whole => found,
        found if committed && found == update.old => Some(update.new),
        found if !committed && found == Some(update.new) => update.old,
        // Somebody moved it since.
        found => found,
    };
    journal.updates.iter().map(|update| (update.name.clone(), becomes(update))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "refs/tags/t";
    const BRANCH: &str = "refs/heads/b";

    fn id(digit: u8) -> ObjectId {
        digit.to_string().repeat(40).parse().expect("an id")
    }

    /// A tag that is made at 1, and a branch that goes from 2 to 3.
    fn settled(
        tag: Option<u8>,
        branch: Option<u8>,
        committed: bool,
        whole: bool,
    ) -> (Option<ObjectId>, Option<ObjectId>) {
        let updates = vec![
            RefUpdate { name: TAG.into(), old: None, new: id(1) },
            RefUpdate { name: BRANCH.into(), old: Some(id(2)), new: id(3) },
        ];
        let now = |name: &str| if name == TAG { tag.map(id) } else { branch.map(id) };
        let found = settle(&Journal { updates, whole }, committed, now);
        (found[TAG], found[BRANCH])
    }

    #[test]
    fn before_the_commit_point_everything_is_as_it_was() {
        for tag in [None, Some(1)] {
            assert_eq!(settled(tag, Some(2), false, true), (None, Some(id(2))));
        }
    }

    #[test]
    fn after_the_commit_point_everything_is_as_it_will_be() {
        for tag in [None, Some(1)] {
            for branch in [2, 3] {
                assert_eq!(settled(tag, Some(branch), true, true), (Some(id(1)), Some(id(3))));
            }
        }
    }

    #[test]
    fn what_somebody_moved_since_stays() {
        assert_eq!(settled(Some(7), Some(8), true, true), (Some(id(7)), Some(id(8))));
        assert_eq!(settled(Some(7), Some(8), false, true), (Some(id(7)), Some(id(8))));
    }

    #[test]
    fn a_torn_journal_changes_nothing() {
        assert_eq!(settled(Some(1), Some(3), false, false), (Some(id(1)), Some(id(3))));
    }
}
