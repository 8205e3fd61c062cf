//! What the objects of a snapshot mean: resources, manifests and records, each read once.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use crate::closure::Closure;
use crate::release::{Manifest, Record, layout};
use crate::resource::{Resource, ResourceId};
use crate::trust::{AllowedSigners, LedgerSettings, PublicKey, Trust};

use super::environment::Environment;
use super::error::{Error, Result};
use super::object_id::ObjectId;
use super::recent::Recent;
use super::repository::Repository;
use super::signatures::Signatures;
use super::snapshot::{Instant, Snapshot};
use super::table::{Cache, Kept, Table};

/// What those share who read the same ledger at the same instant, each on a thread and with a repository of its own.
#[derive(Clone)]
pub struct Shared {
    path: PathBuf,
    instant: Instant,
    known: Arc<Signatures>,
    signatures: Signatures,
}

impl Shared {
    /// Opens the repository once more.
    ///
    /// # Errors
    /// As [`Repository::open`].
    pub fn open(&self) -> Result<Repository> {
        Repository::open(&self.path)
    }

    /// Reads through a repository that was [opened](Self::open).
    #[must_use]
    pub fn reader<'o>(&self, repository: &'o Repository) -> Reader<'o> {
        let signatures = RefCell::new(self.signatures.clone());
        let reader = Reader { signatures, ..Reader::new(repository.at(self.instant.clone())) };
        reader.with_signatures(self.known.clone())
    }
}

/// A snapshot, and what was read from it so far. All reads of a command go through one.
pub struct Reader<'r> {
    snapshot: Snapshot<'r>,
    resources: RefCell<Recent<ObjectId, Arc<Resource>>>,
    manifests: RefCell<Recent<ObjectId, Option<Arc<Manifest>>>>,
    records: RefCell<Recent<ObjectId, Arc<Record>>>,
    closures: RefCell<Recent<ObjectId, Arc<Closure>>>,
    tables: RefCell<HashMap<String, Rc<Table>>>,
    known: Arc<Signatures>,
    signatures: RefCell<Signatures>,
    kept: RefCell<HashMap<String, Rc<Kept>>>,
    cache: Option<Box<dyn Cache + 'r>>,
}

/// The bytes of resources, and of manifests, that are remembered, each twice.
const REMEMBERED: usize = 2 << 20;
/// The same of records, and of closures; of all where everything is read.
const LAST: usize = 1 << 18;

impl<'r> Reader<'r> {
    /// Reads through `snapshot`.
    #[must_use]
    pub fn new(snapshot: Snapshot<'r>) -> Self {
        Self {
            snapshot,
            resources: RefCell::new(Recent::new(REMEMBERED)),
            manifests: RefCell::new(Recent::new(REMEMBERED)),
            records: RefCell::new(Recent::new(LAST)),
            closures: RefCell::new(Recent::new(LAST)),
            tables: RefCell::default(),
            known: Arc::default(),
            signatures: RefCell::default(),
            kept: RefCell::default(),
            cache: None,
        }
    }

    /// The same, with a place where what was derived is kept from one command to the next. An audit has none.
    #[must_use]
    pub fn with_cache(self, cache: impl Cache + 'r) -> Self {
        Self { cache: Some(Box::new(cache)), ..self }
    }

    /// The same, with signatures that are known to hold: for an audit, which reads everything, and most of it once.
    #[must_use]
    pub fn with_signatures(self, known: Arc<Signatures>) -> Self {
        let (resources, manifests) = (RefCell::new(Recent::new(LAST)), RefCell::new(Recent::new(LAST)));
        Self { known, resources, manifests, ..self }
    }

    /// The key whose signature is known to stand on an object.
    #[must_use]
    pub fn known_signer(&self, object: ObjectId) -> Option<PublicKey> {
        self.known.key(object).cloned().or_else(|| self.signatures.borrow().key(object).cloned())
    }

    /// Remembers whose signature stands on an object.
    pub(super) fn remember_signer(&self, object: ObjectId, key: &PublicKey) {
        self.signatures.borrow_mut().add(object, key);
    }

    /// Every signature that is known to hold: those that were known before, and those that were seen to since.
    #[must_use]
    pub fn signatures(&self) -> [Arc<Signatures>; 2] {
        [self.known.clone(), Arc::new(self.signatures.borrow().clone())]
    }

    /// What a reader on another thread needs to read the same.
    #[must_use]
    pub fn shared(&self) -> Shared {
        Shared {
            path: self.snapshot.repository().path().to_owned(),
            instant: self.snapshot.instant(),
            known: self.known.clone(),
            signatures: self.signatures.borrow().clone(),
        }
    }

    pub(super) fn cache(&self) -> Option<&(dyn Cache + 'r)> {
        self.cache.as_deref()
    }

    pub(super) fn tables(&self) -> &RefCell<HashMap<String, Rc<Table>>> {
        &self.tables
    }

    pub(super) fn kept(&self) -> &RefCell<HashMap<String, Rc<Kept>>> {
        &self.kept
    }

    /// The snapshot itself.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot<'r> {
        &self.snapshot
    }

    /// The tip of a branch that every ledger has.
    ///
    /// # Errors
    /// There is no such branch.
    pub fn tip(&self, branch: &str) -> Result<ObjectId> {
        self.snapshot.branch(branch).ok_or_else(|| Error::Missing { what: format!("the branch `{branch}`") })
    }

    /// An environment as its branch has it.
    ///
    /// # Errors
    /// There is no such branch.
    pub fn environment(&self, name: &str) -> Result<Environment<'_, 'r>> {
        Ok(self.environment_at(name, self.tip(name)?))
    }

    /// An environment as a commit of its branch has it.
    #[must_use]
    pub fn environment_at(&self, name: &str, commit: ObjectId) -> Environment<'_, 'r> {
        Environment::new(self, name, commit)
    }

    /// The resource that a blob holds in canonical form.
    ///
    /// # Errors
    /// The blob is missing, damaged, or no canonical resource.
    pub fn resource(&self, blob: ObjectId) -> Result<Arc<Resource>> {
        if let Some(known) = self.resources.borrow_mut().get(&blob) {
            return Ok(known);
        }
        let text = self.text(blob)?;
        let resource = Resource::from_canonical(&text).map_err(|why| damaged(blob, why))?;
        let resource = Arc::new(resource);
        self.resources.borrow_mut().put(blob, resource.clone(), text.len());
        Ok(resource)
    }

    /// The text that a blob holds.
    ///
    /// # Errors
    /// The blob is missing, damaged or no text.
    pub fn text(&self, blob: ObjectId) -> Result<String> {
        String::from_utf8(self.snapshot.blob(blob)?).map_err(|_| damaged(blob, "it is not UTF-8".into()))
    }

    /// The manifest of the release that a commit is; `None` for one that holds none, as the genesis does.
    ///
    /// # Errors
    /// The commit or manifest is missing or damaged.
    pub fn manifest(&self, commit: ObjectId) -> Result<Option<Arc<Manifest>>> {
        if let Some(known) = self.manifests.borrow_mut().get(&commit) {
            return Ok(known);
        }
        let (read, length) = match self.snapshot.blob_at(commit, layout::MANIFEST)? {
            None => (None, 0),
            Some(bytes) => {
                let manifest = Manifest::from_json(&bytes)
                    .map_err(|why| Error::Damaged { object: format!("`{}` of {commit}", layout::MANIFEST), why })?;
                (Some(Arc::new(manifest)), bytes.len())
            }
        };
        self.manifests.borrow_mut().put(commit, read.clone(), length + size_of::<Manifest>());
        Ok(read)
    }

    /// The record of an agent at a commit of an environment.
    ///
    /// # Errors
    /// It is damaged, or of a newer schema.
    pub fn record(&self, commit: ObjectId, path: &str) -> Result<Option<Record>> {
        let Some(blob) = self.snapshot.file_at(commit, path)? else { return Ok(None) };
        if let Some(known) = self.records.borrow_mut().get(&blob) {
            return Ok(Some(Record::clone(&known)));
        }
        let bytes = self.snapshot.blob(blob)?;
        let record =
            Record::from_json(&bytes).map_err(|why| Error::Damaged { object: format!("`{path}` of {commit}"), why })?;
        self.records.borrow_mut().put(blob, Arc::new(record.clone()), bytes.len());
        Ok(Some(record))
    }

    /// The decision that a blob of evidence holds.
    ///
    /// # Errors
    /// It is missing, damaged, or no record.
    pub fn decision(&self, blob: ObjectId) -> Result<Record> {
        if let Some(known) = self.records.borrow_mut().get(&blob) {
            return Ok(Record::clone(&known));
        }
        let bytes = self.snapshot.blob(blob)?;
        let record = Record::from_json(&bytes).map_err(|why| damaged(blob, why))?;
        self.records.borrow_mut().put(blob, Arc::new(record.clone()), bytes.len());
        Ok(record)
    }

    /// The closure whose files this tree holds.
    ///
    /// # Errors
    /// An object is missing or damaged; the inner error is what makes it no closure.
    pub(super) fn closure(&self, tree: ObjectId) -> Result<std::result::Result<Arc<Closure>, String>> {
        if let Some(known) = self.closures.borrow_mut().get(&tree) {
            return Ok(Ok(known));
        }
        let (mut files, mut length) = (BTreeMap::new(), 0);
        for (path, blob) in self.snapshot.files_under(tree)? {
            let text = self.text(blob)?;
            length += text.len();
            files.insert(path, text);
        }
        let closure = Closure::from_files(&files).map(Arc::new);
        if let Ok(closure) = &closure {
            self.closures.borrow_mut().put(tree, closure.clone(), length);
        }
        Ok(closure)
    }

    /// The record that a release, such as `prod/41`, left for an agent.
    ///
    /// # Errors
    /// The release or the record cannot be read.
    pub fn record_of(&self, agent: &ResourceId, release: &str) -> Result<Option<Record>> {
        let Some(commit) = self.release(release)? else { return Ok(None) };
        Ok(self.record(commit, &layout::record(agent))?.filter(|record| record.release == release))
    }

    /// The records of an agent in an environment from a release on backwards, newest first. Each names the one before;
    /// one that does not lead back is an error, so that a forged record cannot lead in a ring.
    pub fn lineage<'l>(&'l self, agent: &'l ResourceId, last: &str) -> impl Iterator<Item = Result<Record>> + 'l {
        let mut next = Some(last.to_owned());
        std::iter::from_fn(move || {
            let name = next.take()?;
            match self.record_of(agent, &name) {
                Ok(None) => None,
                Ok(Some(record)) => {
                    next = record.previous_release.clone();
                    if next.as_ref().is_some_and(|before| !leads_back(before, &name)) {
                        let why = format!("its record of {agent} names `{}` as the release before", next.take()?);
                        return Some(Err(Error::Damaged { object: format!("the release {name}"), why }));
                    }
                    Some(Ok(record))
                }
                Err(error) => Some(Err(error)),
            }
        })
    }

    /// The commit of a release, such as `prod/41`.
    ///
    /// # Errors
    /// Its tag cannot be read.
    pub fn release(&self, name: &str) -> Result<Option<ObjectId>> {
        let Some(tag) = self.snapshot.tag(&format!("release/{name}"))? else { return Ok(None) };
        Ok(Some(self.snapshot.tag_object(tag)?.target))
    }

    /// Trust at the tip of its branch.
    ///
    /// # Errors
    /// See [`Reader::trust_at`].
    pub fn trust(&self) -> Result<Trust> {
        self.trust_at(self.tip(layout::TRUST)?)
    }

    /// Trust at one commit of its branch.
    ///
    /// # Errors
    /// A file of it is missing or cannot be understood.
    pub fn trust_at(&self, commit: ObjectId) -> Result<Trust> {
        let damaged = |path: &str| {
            let object = format!("`{path}` of the trust commit {}", commit.short());
            move |why| Error::Damaged { object, why }
        };
        let file = |path: &str| -> Result<String> {
            let bytes = self.snapshot.blob_at(commit, path)?;
            let bytes = bytes.ok_or_else(|| damaged(path)("it is missing".to_owned()))?;
            String::from_utf8(bytes).map_err(|_| damaged(path)("it is not UTF-8".to_owned()))
        };
        let settings = LedgerSettings::parse(&file(layout::SETTINGS)?).map_err(damaged(layout::SETTINGS))?;
        let signers = AllowedSigners::parse(&file(layout::SIGNERS)?).map_err(damaged(layout::SIGNERS))?;
        let tree = self.snapshot.commit(commit)?.tree;
        let mut resources = BTreeMap::new();
        for (path, blob) in self.snapshot.files_under(tree)? {
            if path.contains('/') && path.ends_with(".yaml") {
                let resource = self.resource(blob)?;
                resources.insert(resource.id().clone(), resource);
            }
        }
        Trust::new(commit.to_string(), settings, resources, signers).map_err(damaged("teams"))
    }
}

/// Whether a release comes before another of the same environment.
fn leads_back(before: &str, release: &str) -> bool {
    let parts = |name: &str| {
        let (environment, number) = name.split_once('/')?;
        Some((environment.to_owned(), number.parse::<u64>().ok()?))
    };
    parts(before).zip(parts(release)).is_some_and(|((one, before), (other, number))| one == other && before < number)
}

fn damaged(blob: ObjectId, why: String) -> Error {
    Error::Damaged { object: format!("the blob {blob}"), why }
}
