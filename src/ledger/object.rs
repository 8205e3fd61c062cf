//! Git objects read into values: commits, tags and trees. Strict, because what can be read two ways can deceive.

use std::cmp::Ordering;

use super::header::{Header, Headers};
use super::object_id::ObjectId;
use super::person::Stamp;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// The bytes of a file.
    Blob,
    /// A directory.
    Tree,
    /// A commit.
    Commit,
    /// An annotated tag.
    Tag,
}

impl ObjectKind {
    /// The word that Git has for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Tree => "tree",
            Self::Commit => "commit",
            Self::Tag => "tag",
        }
    }
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// Its parents, the first first.
    pub parents: Vec<ObjectId>,
    /// Who says they wrote it.
    pub author: Stamp,
    /// Who says they committed it.
    pub committer: Stamp,
    /// What it says.
    pub message: String,
    /// The names of all other headers, `gpgsig` among them.
    pub other_headers: Vec<String>,
}

/// An annotated tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its id.
    pub id: ObjectId,
    /// What it points at.
    pub target: ObjectId,
    /// What that is, as the tag says.
    pub target_kind: ObjectKind,
    /// The name that the tag gives itself; that of its reference may differ.
    pub name: String,
    /// Who says they made it.
    pub tagger: Stamp,
    /// What it says, its signature included.
    pub message: String,
}

/// An entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, one component of a path.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its object.
    pub id: ObjectId,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory, mode 40000.
    Directory,
    /// A file, mode 100644.
    File,
    /// An executable file, mode 100755.
    Executable,
    /// A symbolic link, mode 120000.
    Link,
    /// A commit of another repository, mode 160000.
    Submodule,
}

impl EntryKind {
    /// The kinds with the mode that Git writes for each.
    const MODES: [(Self, &'static str); 5] = [
        (Self::Directory, "40000"),
        (Self::File, "100644"),
        (Self::Executable, "100755"),
        (Self::Link, "120000"),
        (Self::Submodule, "160000"),
    ];

    fn mode(self) -> &'static str {
        Self::MODES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, mode)| mode)
    }
}

/// Reads a raw commit: tree, parents, author, committer in this order, then any others, then the message.
///
/// # Errors
/// What is not of that form.
pub fn parse_commit(id: ObjectId, raw: &[u8]) -> Result<Commit, String> {
    let headers = Headers::parse(raw)?;
    let mut lines = headers.lines.iter().peekable();
    let mut next = |key: &str| lines.next_if(|line| line.key == key).map(Header::value).transpose();
    let mut parents = Vec::new();
    let missing = |key: &str| format!("it has no `{key}` in its place");
    let tree = next("tree")?.ok_or_else(|| missing("tree"))?.parse()?;
    while let Some(parent) = next("parent")? {
        parents.push(parent.parse()?);
    }
    let mut demand = |key: &str| next(key)?.ok_or_else(|| missing(key));
    let author = Stamp::parse(&demand("author")?)?;
    let committer = Stamp::parse(&demand("committer")?)?;
    let text_under = |line: &Header<'_>| line.value().map(|_| line.key.to_owned());
    let other_headers: Vec<_> = lines.map(text_under).collect::<Result<_, _>>()?;
    if let Some(twice) =
        other_headers.iter().find(|key| ["tree", "parent", "author", "committer"].contains(&key.as_str()))
    {
        return Err(format!("it has `{twice}` a second time"));
    }
    let message = text(headers.body)?;
    Ok(Commit { id, tree, parents, author, committer, message, other_headers })
}

/// Reads a raw annotated tag: object, type, tag and tagger, in this order and nothing else, then the message.
///
/// # Errors
/// What is not of that form.
pub fn parse_tag(id: ObjectId, raw: &[u8]) -> Result<Tag, String> {
    let headers = Headers::parse(raw)?;
    let keys: Vec<_> = headers.lines.iter().map(|line| line.key).collect();
    if keys != ["object", "type", "tag", "tagger"] {
        return Err(format!("its headers are `{}` and not `object type tag tagger`", keys.join(" ")));
    }
    let value = |index: usize| headers.lines[index].value();
    let kind = value(1)?;
    let kinds = [ObjectKind::Blob, ObjectKind::Tree, ObjectKind::Commit, ObjectKind::Tag];
    let target_kind = kinds.into_iter().find(|known| known.word() == kind);
    Ok(Tag {
        id,
        target: value(0)?.parse()?,
        target_kind: target_kind.ok_or_else(|| format!("it points at a `{kind}`, which is no kind of object"))?,
        name: value(2)?,
        tagger: Stamp::parse(&value(3)?)?,
        message: text(headers.body)?,
    })
}

/// Reads a raw tree; entries out of order or twice are refused, because readers would differ over them.
///
/// # Errors
/// What is not of that form.
pub fn parse_tree(mut raw: &[u8]) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    while !raw.is_empty() {
        let space = raw.iter().position(|byte| *byte == b' ').ok_or("an entry has no mode")?;
        let nul = raw.iter().position(|byte| *byte == 0).filter(|nul| *nul > space).ok_or("an entry has no name")?;
        let end = nul + 1 + 20;
        let id = raw.get(nul + 1..end).and_then(ObjectId::from_bytes).ok_or("an entry has no id")?;
        let name = std::str::from_utf8(&raw[space + 1..nul]).map_err(|_| "the name of an entry is not UTF-8")?;
        let mode = &raw[..space];
        let (kind, _) = EntryKind::MODES
            .into_iter()
            .find(|(_, known)| known.as_bytes() == mode)
            .ok_or_else(|| format!("`{name}` has the mode `{}`", String::from_utf8_lossy(mode)))?;
        if is_no_name(name) {
            return Err(format!("`{name}` is no name of an entry"));
        }
        let entry = Entry { name: name.to_owned(), kind, id };
        if entries.last().is_some_and(|last| order(place(last), place(&entry)).is_ge() || last.name == entry.name) {
            return Err(format!("`{name}` is out of order or there twice"));
        }
        entries.push(entry);
        raw = &raw[end..];
    }
    Ok(entries)
}

/// What leads out of its directory, or into Git's own, wherever the tree is checked out; some systems take `.GIT` for
/// `.git`.
fn is_no_name(name: &str) -> bool {
    matches!(name, "" | "." | "..") || name.contains('/') || name.eq_ignore_ascii_case(".git")
}

/// The entry of this name in a tree that was read, which is in order: the directories of a fleet are long.
pub(super) fn find_entry<'e>(entries: &'e [Entry], name: &str) -> Option<&'e Entry> {
    let at = |directory| entries.binary_search_by(|entry| order(place(entry), (name, directory))).ok();
    at(false).or_else(|| at(true)).map(|index| &entries[index])
}

/// Writes a tree in the one order that Git knows.
#[must_use]
pub fn write_tree(mut entries: Vec<Entry>) -> Vec<u8> {
    entries.sort_by(|one, other| order(place(one), place(other)));
    let mut raw = Vec::new();
    for entry in entries {
        raw.extend_from_slice(entry.kind.mode().as_bytes());
        raw.push(b' ');
        raw.extend_from_slice(entry.name.as_bytes());
        raw.push(0);
        raw.extend_from_slice(entry.id.as_bytes());
    }
    raw
}

/// What decides where an entry stands: its name, and whether it is a directory.
fn place(entry: &Entry) -> (&str, bool) {
    (&entry.name, entry.kind == EntryKind::Directory)
}

/// Git sorts a directory as if its name ended with a slash.
fn order(one: (&str, bool), other: (&str, bool)) -> Ordering {
    let common = one.0.len().min(other.0.len());
    let next = |(name, directory): (&str, bool)| name.as_bytes().get(common).copied().or(directory.then_some(b'/'));
    one.0.as_bytes()[..common].cmp(&other.0.as_bytes()[..common]).then_with(|| next(one).cmp(&next(other)))
}

fn text(bytes: &[u8]) -> Result<String, String> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => Err("its message hides text behind a NUL".to_owned()),
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err("its message is not UTF-8".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    fn id() -> ObjectId {
        ID.parse().expect("an id")
    }

    fn commit(headers: &str) -> Result<Commit, String> {
        parse_commit(id(), format!("{headers}\n\nwhy\n").as_bytes())
    }

    #[test]
    fn a_commit_with_two_authors_is_refused() {
        let honest = format!("tree {ID}\nparent {ID}\nauthor A <a@x> 1 +0000\ncommitter C <c@x> 2 +0000");
        let read = commit(&format!("{honest}\nencoding x")).expect("a commit");
        assert_eq!(
            (read.parents.len(), read.message.as_str(), read.other_headers),
            (1, "why\n", vec!["encoding".to_owned()])
        );
        assert!(commit(&format!("{honest}\nauthor B <b@x> 1 +0000")).is_err());
        assert!(commit(&format!("tree {ID}\ncommitter C <c@x> 2 +0000")).is_err());
        assert!(parse_commit(id(), format!("{honest}\n\nwhy\0hidden").as_bytes()).is_err());
    }

    #[test]
    fn a_header_that_is_no_text_is_refused_and_hides_nothing() {
        let honest = |parent: &[u8], more: &[u8]| {
            let (tree, parent) = (format!("tree {ID}\nparent {ID}\n"), [b"parent ", parent, b"\n"].concat());
            let people = "author A <a@x> 1 +0000\ncommitter C <c@x> 2 +0000\n";
            [tree.as_bytes(), &parent, people.as_bytes(), more, b"\nwhy\n"].concat()
        };
        let read = |raw: &[u8]| parse_commit(id(), raw).map(|commit| commit.parents.len());
        assert_eq!(read(&honest(ID.as_bytes(), b"")), Ok(2));
        let odd = [&ID.as_bytes()[1..], b"\xc0"].concat();
        assert_eq!(read(&honest(&odd, b"")), Err("the header `parent` is not UTF-8".to_owned()));
        assert_eq!(read(&honest(ID.as_bytes(), b"x \xc0\n")), Err("the header `x` is not UTF-8".to_owned()));
        let hidden = read(&honest(ID.as_bytes(), b"x y\n z\0\n"));
        assert!(hidden.is_err_and(|why| why.contains("`x` holds a NUL")));
    }

    #[test]
    fn a_tree_is_written_in_the_order_of_git_and_read_only_in_it() {
        let entry = |name: &str, kind| Entry { name: name.to_owned(), kind, id: id() };
        let directory = entry("a", EntryKind::Directory);
        let file = entry("a.b", EntryKind::File);
        let raw = write_tree(vec![directory.clone(), file.clone()]);
        let read = vec![file.clone(), directory.clone()];
        assert_eq!(parse_tree(&raw), Ok(read.clone()));
        for entry in &read {
            assert_eq!(find_entry(&read, &entry.name), Some(entry));
        }
        assert_eq!(find_entry(&read, "a.c"), None);
        let one = |entry: &Entry| write_tree(vec![entry.clone()]);
        assert!(parse_tree(&[one(&directory), one(&file)].concat()).is_err());
        assert!(parse_tree(&[one(&file), one(&file)].concat()).is_err());
        assert!(parse_tree(&raw[..raw.len() - 1]).is_err());
        for name in ["", ".", "..", ".git", ".GIT", "a/b"] {
            assert!(parse_tree(&one(&entry(name, EntryKind::File))).is_err(), "{name}");
        }
    }
}
