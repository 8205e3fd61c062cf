//! The only way anything is written: plan under the lock, then all references move or none.
//!
//! The order on disk is what makes a crash harmless. First objects, journal and the contents of locks are synced; then the
//! objects get their names, and these are synced; then the journal counts; then references are locked, compared and renamed, tags first and branches last, the last branch being
//! the commit point; then their directories are synced; then the journal goes.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, Utc};

use super::durable;
use super::error::{Error, Result};
use super::journal::{self, RefUpdate};
use super::lock::Lock;
use super::object::{self, Commit, ObjectKind};
use super::object_id::ObjectId;
use super::person::{Person, Stamp};
use super::recovery::{self, Interrupted};
use super::ref_update::{self, Values};
use super::reference;
use super::repository::Repository;
use super::signature;
use super::signer::Signer;
use super::snapshot::Snapshot;
use super::staged::Staged;
use super::tree_edit::{self, Edit};

/// How long a command waits for another writer: longer than a person takes to touch a key.
const WAIT: Duration = Duration::from_secs(30);

/// What to do where the disk failed at the end.
const SETTLE: &str = "when that disk is well, `joch doctor` writes it anew or undoes it, and says which";

/// A commit to be made.
#[derive(Debug, Clone)]
pub struct CommitDraft {
    /// The branch that it extends; it is made if it is not there.
    pub branch: String,
    /// The tip that the plan was made on, which must still be the branch's; of a new branch, where it begins. Further
    /// commits of the same branch in one transaction name the same tip and follow each other.
    pub parent: Option<ObjectId>,
    /// What it changes in the parent's tree, path by path.
    pub edits: Vec<(String, Edit)>,
    /// What it says.
    pub message: String,
    /// Author and committer.
    pub author: Person,
    /// When; moved forward if the parent is later.
    pub time: DateTime<Utc>,
}

/// An annotated tag to be made.
#[derive(Debug, Clone)]
pub struct TagDraft {
    /// Its name, without `refs/tags/`.
    pub name: String,
    /// The commit that it names.
    pub commit: ObjectId,
    /// What it says.
    pub message: String,
    /// The tagger.
    pub author: Person,
    /// When.
    pub time: DateTime<Utc>,
}

/// A commit that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitOutcome {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// How far its time was moved forward so as not to run backwards.
    pub clamped_by: Option<Duration>,
}

/// What is about to be written. Nothing is, until it is finished; dropped, it leaves no trace.
pub struct Transaction<'r> {
    repository: &'r Repository,
    snapshot: Snapshot<'r>,
    staged: Staged<'r>,
    tags: BTreeMap<String, ObjectId>,
    /// In the order in which they were first touched, with the tip that each had.
    branches: Vec<Branch>,
    _lock: Lock,
}

struct Branch {
    name: String,
    old: Option<ObjectId>,
    new: ObjectId,
}

impl Repository {
    /// Waits for its turn to write, and first settles what a killed process left.
    ///
    /// # Errors
    /// [`Error::Locked`] if another writer takes too long.
    pub fn begin(&self) -> Result<Transaction<'_>> {
        self.begin_within(WAIT)
    }

    /// As [`begin`](Self::begin), waiting at most `wait`.
    ///
    /// # Errors
    /// [`Error::Locked`] if another writer takes longer.
    pub fn begin_within(&self, wait: Duration) -> Result<Transaction<'_>> {
        let lock = Lock::acquire(self, wait)?;
        recovery::recover(self)?;
        Ok(Transaction {
            repository: self,
            snapshot: self.snapshot()?,
            staged: Staged::new(self),
            tags: BTreeMap::new(),
            branches: Vec::new(),
            _lock: lock,
        })
    }
}

impl<'r> Transaction<'r> {
    /// The ledger as it was when the transaction began; nobody but plain Git can have changed it since.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot<'r> {
        &self.snapshot
    }

    /// Stages a signed commit.
    ///
    /// # Errors
    /// [`Error::Moved`] if `parent` is not the branch's tip; [`Error::Invalid`] for what Git must not hold;
    /// [`Error::Signing`].
    pub fn commit(&mut self, signer: &Signer, draft: &CommitDraft) -> Result<CommitOutcome> {
        let name = reference::branch(&draft.branch);
        reference::check_name(&name)?;
        let parent = self.parent(draft, &name)?;
        let parent = parent.map(|id| self.staged_commit(id)).transpose()?;
        let tree = tree_edit::apply(&mut self.staged, parent.as_ref().map(|parent| parent.tree), &draft.edits)?;
        let wanted = draft.time.trunc_subsecs(0);
        let time = parent.as_ref().map_or(wanted, |parent| wanted.max(parent.committer.time));
        let parent = parent.map(|parent| parent.id);
        let stamp = Stamp::utc(&draft.author, time).line();
        let headers = [
            format!("tree {tree}\n"),
            parent.map(|parent| format!("parent {parent}\n")).unwrap_or_default(),
            format!("author {stamp}\ncommitter {stamp}\n"),
        ]
        .concat();
        let message = check_message(&draft.branch, &draft.message)?;
        let armor = signer.sign(signature::GIT, format!("{headers}\n{message}").as_bytes())?;
        let signed = format!("{headers}gpgsig {}\n\n{message}", armor.replace('\n', "\n "));
        let id = self.staged.put(ObjectKind::Commit, signed.into_bytes())?;
        self.set(&draft.branch, id);
        Ok(CommitOutcome { id, tree, clamped_by: (time - wanted).to_std().ok().filter(|by| !by.is_zero()) })
    }

    /// Points a branch at a commit: one that is not there yet, or one that the commit continues.
    ///
    /// # Errors
    /// The commit is missing, or does not continue the branch.
    pub fn point_branch(&mut self, name: &str, commit: ObjectId) -> Result<()> {
        reference::check_name(&reference::branch(name))?;
        self.staged_commit(commit)?;
        if let Some(tip) = self.tip(name)
            && !self.continues(commit, tip)?
        {
            let why = format!("{} does not continue {}, the branch's tip", commit.short(), tip.short());
            return Err(Error::invalid(reference::branch(name), why));
        }
        self.set(name, commit);
        Ok(())
    }

    /// Stages a lightweight tag.
    ///
    /// # Errors
    /// [`Error::Moved`] if the tag is there already and names something else; the commit is missing.
    pub fn tag_light(&mut self, name: &str, commit: ObjectId) -> Result<()> {
        self.staged_commit(commit)?;
        self.add_tag(name, commit)
    }

    /// Stages a signed annotated tag and gives the id of the tag object.
    ///
    /// # Errors
    /// [`Error::Moved`] if the tag is there already; the commit is missing; [`Error::Signing`].
    pub fn tag_signed(&mut self, signer: &Signer, draft: &TagDraft) -> Result<ObjectId> {
        self.staged_commit(draft.commit)?;
        let message = check_message(&draft.name, &draft.message)?;
        let stamp = Stamp::utc(&draft.author, draft.time).line();
        let body = format!("object {}\ntype commit\ntag {}\ntagger {stamp}\n\n{message}", draft.commit, draft.name);
        let armor = signer.sign(signature::GIT, body.as_bytes())?;
        let id = self.staged.put(ObjectKind::Tag, format!("{body}{armor}\n").into_bytes())?;
        self.add_tag(&draft.name, id)?;
        Ok(id)
    }

    /// Writes everything: afterwards it is on disk, or nothing has changed.
    ///
    /// # Errors
    /// [`Error::Moved`] if a plain Git changed a reference meanwhile; [`Error::Io`] if the disk refuses; and
    /// [`Error::Unconfirmed`] if it refused so late that nobody knows what it kept: the next command settles that.
    pub fn finish(self) -> Result<()> {
        let updates = self.updates();
        if updates.is_empty() {
            return Ok(());
        }
        let values = Values::write(self.repository, &updates)?;
        let written = self.staged.write()?;
        let mut paths = values.paths();
        paths.extend(written.files());
        paths.push(journal::draft(self.repository, &updates)?);
        durable::sync_each(&paths)?;
        written.place(self.repository)?;
        journal::publish(self.repository)?;
        let moved = ref_update::prepare(&values, &updates).and_then(|mut prepared| prepared.commit());
        if let Err(error) = moved {
            // Some references may have moved; the journal knows which way to go from there.
            return match recovery::recover(self.repository) {
                Ok(Some(Interrupted { finished: true, .. })) => Ok(()),
                Ok(_) => Err(error),
                Err(_) => Err(Error::unconfirmed(error, SETTLE)),
            };
        }
        // Behind the commit point no error means that nothing happened. To sync again proves nothing either: the system
        // tells of a page that it could not write once, and then takes it for clean. So the journal stays, and whoever
        // comes next moves these references anew.
        ref_update::sync(self.repository, &updates).map_err(|error| Error::unconfirmed(error, SETTLE))?;
        // All is on disk, so that it is done also where this is refused; whoever comes next removes it.
        drop(journal::remove(self.repository));
        Ok(())
    }

    /// All changes in the order in which they happen: tags, then branches.
    fn updates(&self) -> Vec<RefUpdate> {
        let tags = self.tags.iter().map(|(name, id)| RefUpdate { name: reference::tag(name), old: None, new: *id });
        let moved = self.branches.iter().filter(|branch| branch.old != Some(branch.new));
        let branches =
            moved.map(|branch| RefUpdate { name: reference::branch(&branch.name), old: branch.old, new: branch.new });
        tags.chain(branches).collect()
    }

    /// What the new commit continues.
    fn parent(&self, draft: &CommitDraft, reference: &str) -> Result<Option<ObjectId>> {
        let moved = |found| Err(Error::Moved { reference: reference.to_owned(), expected: draft.parent, found });
        if let Some(branch) = self.branches.iter().find(|branch| branch.name == draft.branch) {
            let known = draft.parent == branch.old || draft.parent == Some(branch.new);
            return if known || branch.old.is_none() { Ok(Some(branch.new)) } else { moved(Some(branch.new)) };
        }
        match self.snapshot.branch(&draft.branch) {
            Some(tip) if draft.parent == Some(tip) => Ok(Some(tip)),
            Some(tip) => moved(Some(tip)),
            None => Ok(draft.parent),
        }
    }

    /// The tip of a branch as it will be.
    fn tip(&self, name: &str) -> Option<ObjectId> {
        let staged = self.branches.iter().find(|branch| branch.name == name);
        staged.map(|branch| branch.new).or_else(|| self.snapshot.branch(name))
    }

    fn set(&mut self, name: &str, new: ObjectId) {
        match self.branches.iter_mut().find(|branch| branch.name == name) {
            Some(branch) => branch.new = new,
            None => self.branches.push(Branch { name: name.to_owned(), old: self.snapshot.branch(name), new }),
        }
    }

    fn add_tag(&mut self, name: &str, id: ObjectId) -> Result<()> {
        let full = reference::tag(name);
        reference::check_name(&full)?;
        let known = self.tags.get(name).copied().map_or_else(|| self.snapshot.tag(name), |id| Ok(Some(id)))?;
        match known {
            Some(known) if known == id => Ok(()),
            Some(known) => Err(Error::Moved { reference: full, expected: None, found: Some(known) }),
            None => {
                self.tags.insert(name.to_owned(), id);
                Ok(())
            }
        }
    }

    fn continues(&self, commit: ObjectId, tip: ObjectId) -> Result<bool> {
        let mut next = Some(commit);
        while let Some(id) = next {
            if id == tip {
                return Ok(true);
            }
            next = self.staged_commit(id)?.parents.first().copied();
        }
        Ok(false)
    }

    fn staged_commit(&self, id: ObjectId) -> Result<Commit> {
        match self.staged.raw(id)? {
            (ObjectKind::Commit, raw) => {
                object::parse_commit(id, &raw).map_err(|why| Error::damaged(format!("the commit {id}"), why))
            }
            (kind, _) => Err(Error::invalid(id.to_string(), format!("it is a {} and no commit", kind.word()))),
        }
    }
}

/// A message as it is written: it ends with one line end, and nothing in it could be taken for a signature.
fn check_message(of: &str, message: &str) -> Result<String> {
    if message.contains('\0') {
        return Err(Error::invalid(of, "its message holds a NUL, which hides what follows"));
    }
    if message.lines().any(signature::begins_armor) {
        return Err(Error::invalid(of, "a line of its message would begin a signature"));
    }
    Ok(format!("{}\n", message.trim_end()))
}
