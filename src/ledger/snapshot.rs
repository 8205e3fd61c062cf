//! The ledger at one instant: its branches are read once, so a plan and what it is checked against never drift apart.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use gix_ref::packed::Buffer;

use super::error::{Error, Result};
use super::object::{self, Commit, Entry, EntryKind, ObjectKind, Tag};
use super::object_id::ObjectId;
use super::recent::Recent;
use super::reference::{self, RefTarget};
use super::repository::Repository;
use super::settled::Standing;

/// All branches at one instant, and the objects and tags behind them.
pub struct Snapshot<'r> {
    repository: &'r Repository,
    instant: Instant,
    packed: Option<Buffer>,
    tags: RefCell<HashMap<String, Option<ObjectId>>>,
    listings: RefCell<HashMap<String, Vec<(String, ObjectId)>>>,
    /// The objects that were read last, their hashes checked.
    objects: RefCell<Recent<ObjectId, Rc<Raw>>>,
    /// The trees that paths led through last: many paths begin the same.
    trees: RefCell<Recent<ObjectId, Rc<Vec<Entry>>>>,
    /// The trees of the commits and tags that paths were looked up in last.
    roots: RefCell<Recent<ObjectId, ObjectId>>,
}

/// The kind of an object, and its bytes.
type Raw = (ObjectKind, Vec<u8>);

/// The references at one instant: what whoever looks at the same ledger with others must share with them.
#[derive(Debug, Clone)]
pub struct Instant {
    branches: Arc<BTreeMap<String, ObjectId>>,
    /// Every reference at the instant of the branches, where an audit asked for that.
    whole: Option<Arc<BTreeMap<String, RefTarget>>>,
    /// What a journal made of the references that it names, at the same instant.
    through: Arc<BTreeMap<String, Option<ObjectId>>>,
}

/// The bytes of objects that are remembered, twice; and of an object that is.
const OBJECTS: usize = 1 << 20;
const LARGE: usize = 1 << 17;
/// How many trees are remembered, twice.
const TREES: usize = 64;
/// How many trees of commits are remembered, twice.
const ROOTS: usize = 4096;

const BRANCHES: &str = "refs/heads/";
const ALL: &str = "refs/";

impl Repository {
    /// Reads all branches. Needs no lock, and sees no transaction half done.
    ///
    /// # Errors
    /// A branch that holds no object id.
    pub fn snapshot(&self) -> Result<Snapshot<'_>> {
        Snapshot::of(self, Standing::read(self, BRANCHES)?)
    }

    /// Reads all references at one instant, so that an audit finds every tag of every branch, and no others, while others
    /// write.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot), of every reference.
    pub fn whole_snapshot(&self) -> Result<Snapshot<'_>> {
        let Standing { references, through } = Standing::read(self, ALL)?;
        let branches = Arc::new(below(&references, BRANCHES)?.into_iter().collect());
        let instant = Instant { branches, whole: Some(Arc::new(references)), through: Arc::new(through) };
        Ok(self.at(instant))
    }

    /// The ledger as another snapshot saw it: each thread of an audit has a repository of its own.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Snapshot<'_> {
        Snapshot {
            repository: self,
            instant,
            packed: None,
            tags: RefCell::default(),
            listings: RefCell::default(),
            objects: RefCell::new(Recent::new(OBJECTS)),
            trees: RefCell::new(Recent::new(TREES)),
            roots: RefCell::new(Recent::new(ROOTS)),
        }
    }
}

impl<'r> Snapshot<'r> {
    fn of(repository: &'r Repository, standing: Standing) -> Result<Self> {
        let branches = Arc::new(below(&standing.references, BRANCHES)?.into_iter().collect());
        let instant = Instant { branches, whole: None, through: Arc::new(standing.through) };
        Ok(Self { packed: repository.references().packed()?, ..repository.at(instant) })
    }

    pub(super) fn repository(&self) -> &'r Repository {
        self.repository
    }

    /// The references as they were when this was taken.
    #[must_use]
    pub fn instant(&self) -> Instant {
        self.instant.clone()
    }

    /// The tip of a branch.
    #[must_use]
    pub fn branch(&self, name: &str) -> Option<ObjectId> {
        self.instant.branches.get(name).copied()
    }

    /// All branches with their tips, by name.
    #[must_use]
    pub fn branches(&self) -> &BTreeMap<String, ObjectId> {
        &self.instant.branches
    }

    /// What a tag points at: a commit, or the tag object of an annotated tag. The answer is remembered.
    ///
    /// # Errors
    /// The tag is there and unreadable.
    pub fn tag(&self, name: &str) -> Result<Option<ObjectId>> {
        if self.instant.whole.is_some() {
            let full = reference::tag(name);
            reference::check_name(&full)?;
            return self.look_up(&full);
        }
        if let Some(known) = self.tags.borrow().get(name) {
            return Ok(*known);
        }
        let full = reference::tag(name);
        reference::check_name(&full)?;
        let found = self.look_up(&full)?;
        self.tags.borrow_mut().insert(name.to_owned(), found);
        Ok(found)
    }

    fn look_up(&self, full: &str) -> Result<Option<ObjectId>> {
        if let Some(whole) = &self.instant.whole {
            return match whole.get(full) {
                None => Ok(None),
                Some(RefTarget::Object(id)) => Ok(Some(*id)),
                Some(RefTarget::Symbolic(_)) => Err(reference::symbolic(full)),
            };
        }
        if let Some(settled) = self.instant.through.get(full) {
            return Ok(*settled);
        }
        let references = self.repository.references();
        match references.find(full, self.packed.as_ref())? {
            Some(id) => Ok(Some(id)),
            // It may have been packed since.
            None => references.get(full),
        }
    }

    /// All tags whose names begin with `prefix`, by name, which is given in full. The answer is remembered.
    ///
    /// # Errors
    /// A tag is unreadable.
    pub fn tags(&self, prefix: &str) -> Result<Vec<(String, ObjectId)>> {
        if let Some(known) = self.listings.borrow().get(prefix) {
            return Ok(known.clone());
        }
        let full = reference::tag(prefix);
        let named = |found: Vec<(String, ObjectId)>| -> Vec<(String, ObjectId)> {
            found.into_iter().map(|(rest, id)| (format!("{prefix}{rest}"), id)).collect()
        };
        if let Some(whole) = &self.instant.whole {
            // It is in memory already.
            return Ok(named(below(whole, &full)?));
        }
        let found = named(below(&Standing::read(self.repository, &full)?.references, &full)?);
        self.listings.borrow_mut().insert(prefix.to_owned(), found.clone());
        Ok(found)
    }

    /// Every reference under `refs/`, by full name: at the instant of the branches in a
    /// [whole snapshot](Repository::whole_snapshot), else as it is now.
    ///
    /// # Errors
    /// A reference is unreadable.
    pub fn all_refs(&self) -> Result<Arc<BTreeMap<String, RefTarget>>> {
        match &self.instant.whole {
            Some(whole) => Ok(whole.clone()),
            None => Ok(Arc::new(Standing::read(self.repository, ALL)?.references)),
        }
    }

    /// The kind and bytes of an object, its hash checked.
    ///
    /// # Errors
    /// It is missing or damaged.
    pub fn raw(&self, id: ObjectId) -> Result<(ObjectKind, Vec<u8>)> {
        if let Some(known) = self.objects.borrow_mut().get(&id) {
            return Ok((*known).clone());
        }
        let found = self.repository.raw(id)?;
        if found.1.len() <= LARGE {
            self.objects.borrow_mut().put(id, Rc::new(found.clone()), found.1.len() + size_of::<ObjectId>());
        }
        Ok(found)
    }

    /// A commit.
    ///
    /// # Errors
    /// It is missing, damaged or no commit.
    pub fn commit(&self, id: ObjectId) -> Result<Commit> {
        let raw = self.typed(id, ObjectKind::Commit)?;
        object::parse_commit(id, &raw).map_err(|why| Error::damaged(format!("the commit {id}"), why))
    }

    /// An annotated tag.
    ///
    /// # Errors
    /// It is missing, damaged or no tag object.
    pub fn tag_object(&self, id: ObjectId) -> Result<Tag> {
        let raw = self.typed(id, ObjectKind::Tag)?;
        object::parse_tag(id, &raw).map_err(|why| Error::damaged(format!("the tag {id}"), why))
    }

    /// The entries of a tree, in the order of Git.
    ///
    /// # Errors
    /// It is missing, damaged or no tree.
    pub fn tree(&self, id: ObjectId) -> Result<Vec<Entry>> {
        let raw = self.typed(id, ObjectKind::Tree)?;
        object::parse_tree(&raw).map_err(|why| Error::damaged(format!("the tree {id}"), why))
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// It is missing, damaged or no blob.
    pub fn blob(&self, id: ObjectId) -> Result<Vec<u8>> {
        self.typed(id, ObjectKind::Blob)
    }

    /// What lies at a path below a tree, or below the tree of a commit or tag. The empty path is the tree itself.
    ///
    /// # Errors
    /// An object on the way is missing or damaged.
    pub fn entry_at(&self, from: ObjectId, path: &str) -> Result<Option<Entry>> {
        let is_tree = self.trees.borrow_mut().get(&from).is_some();
        let root = if is_tree { from } else { self.tree_of(from)? };
        let mut found = Entry { name: String::new(), kind: EntryKind::Directory, id: root };
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if found.kind != EntryKind::Directory {
                return Ok(None);
            }
            match object::find_entry(&self.remembered_tree(found.id)?, name) {
                Some(entry) => found = entry.clone(),
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// The bytes of the file at a path below a tree, commit or tag; `None` if there is nothing or a directory.
    ///
    /// # Errors
    /// An object is missing or damaged, or something else than a plain file is there.
    pub fn blob_at(&self, from: ObjectId, path: &str) -> Result<Option<Vec<u8>>> {
        self.file_at(from, path)?.map(|id| self.blob(id)).transpose()
    }

    /// The same, its id.
    pub(super) fn file_at(&self, from: ObjectId, path: &str) -> Result<Option<ObjectId>> {
        match self.entry_at(from, path)? {
            None => Ok(None),
            Some(entry) if entry.kind == EntryKind::Directory => Ok(None),
            Some(entry) => self.plain(&entry, path).map(Some),
        }
    }

    /// All files below a tree, with their paths relative to it, in bytewise order of the paths.
    ///
    /// # Errors
    /// A tree is missing or damaged, or holds something else than directories and plain files.
    pub fn files_under(&self, tree: ObjectId) -> Result<Vec<(String, ObjectId)>> {
        let mut files = Vec::new();
        self.collect(tree, "", &mut files)?;
        Ok(files)
    }

    /// The commit and its first parents, back to the first of all.
    #[must_use]
    pub fn first_parents(&self, from: ObjectId) -> FirstParents<'_, 'r> {
        FirstParents { snapshot: self, next: Some(from) }
    }

    /// Whether `ancestor` is `descendant` or one of its first parents.
    ///
    /// # Errors
    /// A commit on the way is missing or damaged.
    pub fn is_ancestor(&self, ancestor: ObjectId, descendant: ObjectId) -> Result<bool> {
        for commit in self.first_parents(descendant) {
            if commit?.id == ancestor {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn remembered_tree(&self, id: ObjectId) -> Result<Rc<Vec<Entry>>> {
        if let Some(tree) = self.trees.borrow_mut().get(&id) {
            return Ok(tree);
        }
        let tree = Rc::new(self.tree(id)?);
        self.trees.borrow_mut().put(id, tree.clone(), 1);
        Ok(tree)
    }

    fn typed(&self, id: ObjectId, wanted: ObjectKind) -> Result<Vec<u8>> {
        let (kind, raw) = self.raw(id)?;
        if kind != wanted {
            let why = format!("it is a {} where a {} belongs", kind.word(), wanted.word());
            return Err(Error::damaged(format!("the object {id}"), why));
        }
        Ok(raw)
    }

    fn tree_of(&self, id: ObjectId) -> Result<ObjectId> {
        if let Some(known) = self.roots.borrow_mut().get(&id) {
            return Ok(known);
        }
        let (kind, raw) = self.raw(id)?;
        let tree = match kind {
            ObjectKind::Tree => {
                // It is what is looked into next.
                let tree = object::parse_tree(&raw).map_err(|why| Error::damaged(format!("the tree {id}"), why))?;
                self.trees.borrow_mut().put(id, Rc::new(tree), 1);
                return Ok(id);
            }
            ObjectKind::Commit => self.commit(id)?.tree,
            ObjectKind::Tag => self.tree_of(self.tag_object(id)?.target)?,
            ObjectKind::Blob => {
                return Err(Error::damaged(format!("the object {id}"), "it is a file where a tree belongs"));
            }
        };
        self.roots.borrow_mut().put(id, tree, 1);
        Ok(tree)
    }

    fn collect(&self, tree: ObjectId, under: &str, files: &mut Vec<(String, ObjectId)>) -> Result<()> {
        for entry in self.tree(tree)? {
            let path = if under.is_empty() { entry.name.clone() } else { format!("{under}/{}", entry.name) };
            if entry.kind == EntryKind::Directory {
                self.collect(entry.id, &path, files)?;
            } else {
                files.push((path.clone(), self.plain(&entry, &path)?));
            }
        }
        Ok(())
    }

    /// Links and submodules lead out of the ledger; an executable bit is no content that joch writes.
    fn plain(&self, entry: &Entry, path: &str) -> Result<ObjectId> {
        match entry.kind {
            EntryKind::File => Ok(entry.id),
            _ => Err(Error::damaged(format!("`{path}`"), "it is no plain file (mode 100644)")),
        }
    }
}

/// Those of `references` that begin with `prefix`, which is cut off; each must hold an object.
fn below(references: &BTreeMap<String, RefTarget>, prefix: &str) -> Result<Vec<(String, ObjectId)>> {
    let from = references.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
    let objects = from.map(|(name, target)| match target {
        RefTarget::Object(id) => Ok((name[prefix.len()..].to_owned(), *id)),
        RefTarget::Symbolic(_) => Err(reference::symbolic(name)),
    });
    objects.collect()
}

/// The first parents of a commit; see [`Snapshot::first_parents`].
pub struct FirstParents<'s, 'r> {
    snapshot: &'s Snapshot<'r>,
    next: Option<ObjectId>,
}

impl Iterator for FirstParents<'_, '_> {
    type Item = Result<Commit>;

    fn next(&mut self) -> Option<Self::Item> {
        let commit = self.snapshot.commit(self.next.take()?);
        if let Ok(commit) = &commit {
            self.next = commit.parents.first().copied();
        }
        Some(commit)
    }
}
