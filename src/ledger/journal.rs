//! The journal: what a transaction is about to do to the references, written down before it does it.
//!
//! `joch/txn` holds a first line with the format, one line `<reference> <old> <new>` for each change in the order in which
//! they happen, the last of which is the commit point, and a last line that shows that it is whole.

use std::fs;

use super::durable;
use super::error::{Error, Result};
use super::object::parse_commit;
use super::object_id::ObjectId;
use super::repository::Repository;

const FIRST: &str = "joch transaction 1";
const LAST: &str = "end";
const ABSENT: &str = "0000000000000000000000000000000000000000";

/// A change of one reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RefUpdate {
    /// Its full name.
    pub(super) name: String,
    /// What it must be now; `None`: it must not exist.
    pub(super) old: Option<ObjectId>,
    /// What it becomes.
    pub(super) new: ObjectId,
}

/// What a journal that was found says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Journal {
    /// The changes, in order.
    pub(super) updates: Vec<RefUpdate>,
    /// Whether it was written to its end. If not, nothing that it says has happened.
    pub(super) whole: bool,
}

/// Writes the draft of the journal; [`publish`] makes it count.
pub(super) fn draft(repository: &Repository, updates: &[RefUpdate]) -> Result<std::path::PathBuf> {
    let path = draft_path(repository);
    durable::write(&path, render(updates).as_bytes())?;
    Ok(path)
}

/// Makes the draft, which was synced, the journal.
pub(super) fn publish(repository: &Repository) -> Result<()> {
    let path = path(repository);
    fs::rename(draft_path(repository), &path).map_err(Error::io(&path))?;
    durable::sync(&repository.own_directory())
}

/// The journal that an interrupted transaction left, if one did.
pub(super) fn read(repository: &Repository) -> Result<Option<Journal>> {
    let path = path(repository);
    if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
        return Err(Error::invalid(path.display().to_string(), "the journal of joch is a file: take this away"));
    }
    match fs::read(&path) {
        Ok(bytes) => {
            let journal = parse(&String::from_utf8_lossy(&bytes));
            // Whoever may write to the directory may lay a journal there; it moves nothing that joch would not.
            let lawful = journal.updates.iter().all(|update| is_lawful(repository, update));
            Ok(Some(if lawful { journal } else { Journal { updates: Vec::new(), whole: false } }))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(&path)(error)),
    }
}

/// Whether an update is one that a transaction makes: of a branch or tag, and a branch only forward.
fn is_lawful(repository: &Repository, update: &RefUpdate) -> bool {
    let named = ["refs/heads/", "refs/tags/"].iter().any(|room| update.name.starts_with(room));
    if !named || !git2::Reference::is_valid_name(&update.name) {
        return false;
    }
    let Some(old) = update.old.filter(|_| update.name.starts_with("refs/heads/")) else { return true };
    let mut next = Some(update.new);
    while let Some(id) = next.filter(|id| *id != old) {
        // What cannot be read is judged by whoever settles the journal.
        let Ok((_, raw)) = repository.raw(id) else { return true };
        let Ok(commit) = parse_commit(id, &raw) else { return false };
        next = commit.parents.first().copied();
    }
    next == Some(old)
}

/// Whether an interrupted transaction left a journal.
pub(super) fn exists(repository: &Repository) -> bool {
    path(repository).exists()
}

/// Ends the transaction.
pub(super) fn remove(repository: &Repository) -> Result<()> {
    durable::remove(&draft_path(repository))?;
    durable::remove(&path(repository))
}

fn path(repository: &Repository) -> std::path::PathBuf {
    repository.own_directory().join("txn")
}

fn draft_path(repository: &Repository) -> std::path::PathBuf {
    repository.own_directory().join("txn.new")
}

fn render(updates: &[RefUpdate]) -> String {
    let line = |update: &RefUpdate| {
        let old = update.old.map_or_else(|| ABSENT.to_owned(), |old| old.to_string());
        format!("{} {old} {}\n", update.name, update.new)
    };
    let lines: String = updates.iter().map(line).collect();
    format!("{FIRST}\n{lines}{LAST}\n")
}

fn parse(text: &str) -> Journal {
    let mut journal = Journal { updates: Vec::new(), whole: false };
    let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    if lines.next() != Some(FIRST) {
        return journal;
    }
    for line in lines {
        if line == LAST {
            journal.whole = true;
            break;
        }
        let mut words = line.split(' ');
        let (Some(name), Some(old), Some(new)) = (words.next(), words.next(), words.next()) else { break };
        let old = if old == ABSENT { Ok(None) } else { old.parse().map(Some) };
        let (Ok(old), Ok(new)) = (old, new.parse()) else { break };
        journal.updates.push(RefUpdate { name: name.to_owned(), old, new });
    }
    journal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn updates() -> Vec<RefUpdate> {
        let id = |digit: &str| digit.repeat(40).parse().expect("an id");
        let tag = RefUpdate { name: "refs/tags/t".to_owned(), old: None, new: id("1") };
        let branch = RefUpdate { name: "refs/heads/b".to_owned(), old: Some(id("2")), new: id("3") };
        vec![tag, branch]
    }

    #[test]
    fn a_journal_is_read_as_it_was_written() {
        assert_eq!(parse(&render(&updates())), Journal { updates: updates(), whole: true });
    }

    #[test]
    fn a_torn_journal_is_known_for_one() {
        let text = render(&updates());
        for end in 0..text.len() {
            let journal = parse(&text[..end]);
            assert!(!journal.whole);
            assert!(updates().starts_with(&journal.updates));
        }
    }
}
