//! Editing a tree: files put, subtrees grafted, paths removed. Only the directories on the way are read and written.

use std::collections::BTreeMap;

use super::error::{Error, Result};
use super::object::{self, Entry, EntryKind, ObjectKind};
use super::object_id::ObjectId;
use super::staged::Staged;

/// What happens at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A file with these bytes lies there.
    Put(Vec<u8>),
    /// This tree lies there; it must be in the ledger.
    Graft(ObjectId),
    /// Nothing lies there. A directory that this empties goes too.
    Remove,
}

/// Applies edits to a tree (`None`: the empty one) and gives the new tree, which may be empty.
///
/// Of two edits of one path the later counts; an edit below a grafted path changes what was grafted.
pub(super) fn apply(staged: &mut Staged<'_>, tree: Option<ObjectId>, edits: &[(String, Edit)]) -> Result<ObjectId> {
    let mut root = Level::default();
    for (path, edit) in edits {
        check_path(path)?;
        root.insert(path, edit);
    }
    match write(staged, tree, &root, "")? {
        Some(tree) => Ok(tree),
        None => staged.put(ObjectKind::Tree, Vec::new()),
    }
}

/// Refuses a path that Git must not hold: it would lead elsewhere when checked out, on one system or another.
pub(super) fn check_path(path: &str) -> Result<()> {
    let refuse = |why: &str| Err(Error::invalid(path, why));
    for name in path.split('/') {
        if matches!(name, "" | "." | "..") {
            return refuse("a path is made of names between single slashes, none of them `.` or `..`");
        }
        if name.chars().any(|c| c.is_control() || c == '\\' || is_ignorable(c)) {
            return refuse("it holds a backslash or a character that cannot be seen");
        }
        let stem = name.split(':').next().unwrap_or(name).trim_end_matches([' ', '.']).to_ascii_lowercase();
        if stem == ".git" || stem == "git~1" {
            return refuse("Git would take it for its own directory");
        }
    }
    Ok(())
}

/// The edits of one directory.
#[derive(Default)]
struct Level<'e> {
    here: BTreeMap<&'e str, &'e Edit>,
    below: BTreeMap<&'e str, Self>,
}

impl<'e> Level<'e> {
    fn insert(&mut self, path: &'e str, edit: &'e Edit) {
        match path.split_once('/') {
            None => drop(self.here.insert(path, edit)),
            Some((name, rest)) => self.below.entry(name).or_default().insert(rest, edit),
        }
    }
}

fn write(staged: &mut Staged<'_>, tree: Option<ObjectId>, level: &Level<'_>, at: &str) -> Result<Option<ObjectId>> {
    let entries = tree.map_or(Ok(Vec::new()), |tree| staged.tree(tree))?;
    let mut entries: BTreeMap<String, Entry> = entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
    for (name, edit) in &level.here {
        let (kind, id) = match edit {
            Edit::Remove => {
                entries.remove(*name);
                continue;
            }
            Edit::Put(bytes) => (EntryKind::File, staged.put(ObjectKind::Blob, bytes.clone())?),
            Edit::Graft(tree) => {
                staged.tree(*tree)?;
                (EntryKind::Directory, *tree)
            }
        };
        entries.insert((*name).to_owned(), Entry { name: (*name).to_owned(), kind, id });
    }
    for (name, level) in &level.below {
        let at = if at.is_empty() { (*name).to_owned() } else { format!("{at}/{name}") };
        let subtree = match entries.get(*name) {
            None => None,
            Some(entry) if entry.kind == EntryKind::Directory => Some(entry.id),
            Some(_) => return Err(Error::invalid(at, "it is a file, and something is to lie below it")),
        };
        match write(staged, subtree, level, &at)? {
            Some(id) => {
                let entry = Entry { name: (*name).to_owned(), kind: EntryKind::Directory, id };
                entries.insert((*name).to_owned(), entry);
            }
            None => drop(entries.remove(*name)),
        }
    }
    if entries.is_empty() {
        return Ok(None);
    }
    staged.put(ObjectKind::Tree, object::write_tree(entries.into_values().collect())).map(Some)
}

/// The characters that HFS+ leaves out of a name when it compares (Git's `utf8.c`, `next_hfs_char`).
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        for path in [
            "",
            "/a",
            "a//b",
            "a/",
            "../a",
            "a/./b",
            ".git/config",
            "a/.GIT",
            "a/.git. ",
            "git~1",
            ".g\u{200c}it",
            "a\\b",
            "a\nb",
        ] {
            assert!(check_path(path).is_err(), "{path:?}");
        }
        for path in ["a", "a/b.yaml", ".gitignore", "agents/default/x/closure/agent.yaml", "ä"] {
            assert!(check_path(path).is_ok(), "{path:?}");
        }
    }
}
