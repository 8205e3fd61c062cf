//! One environment at one commit: what it runs, and its catalog.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::closure::{Closure, Shelf, Touched, Unreadable};
use crate::release::{Brief, Manifest, Record, Running, layout};
use crate::resource::{Kind, Resource, ResourceId};

use super::error::{Error, Result};
use super::index::{About, Parents, agent_key, agent_named, name_key, team_key};
use super::object::EntryKind;
use super::object_id::ObjectId;
use super::reader::Reader;

/// An environment as one commit of its branch has it.
pub struct Environment<'a, 'r> {
    reader: &'a Reader<'r>,
    name: String,
    head: ObjectId,
}

impl<'a, 'r> Environment<'a, 'r> {
    pub(super) fn new(reader: &'a Reader<'r>, name: &str, head: ObjectId) -> Self {
        Self { reader, name: name.to_owned(), head }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What reads it.
    pub(super) fn reader(&self) -> &'a Reader<'r> {
        self.reader
    }

    /// The commit.
    #[must_use]
    pub fn head(&self) -> ObjectId {
        self.head
    }

    /// The manifest of its latest release; `None` before the first.
    ///
    /// # Errors
    /// It is damaged.
    pub fn manifest(&self) -> Result<Option<Arc<Manifest>>> {
        self.reader.manifest(self.head)
    }

    /// The number its next release gets.
    ///
    /// # Errors
    /// The manifest is damaged.
    pub fn next_release(&self) -> Result<u64> {
        Ok(self.manifest()?.map_or(1, |manifest| manifest.release + 1))
    }

    /// Every agent that it runs.
    ///
    /// # Errors
    /// A tree is damaged.
    pub fn agents(&self) -> Result<Vec<ResourceId>> {
        let mut agents = Vec::new();
        for namespace in self.directories(layout::AGENTS)? {
            let snapshot = self.reader.snapshot();
            let Some(tree) = snapshot.entry_at(self.head, &format!("{}/{namespace}", layout::AGENTS))? else {
                continue;
            };
            for agent in snapshot.tree(tree.id)? {
                // A deleted agent leaves its record, and no closure.
                if agent.kind == EntryKind::Directory && snapshot.entry_at(agent.id, layout::CLOSURE)?.is_some() {
                    agents.push(ResourceId::agent(&namespace, agent.name));
                }
            }
        }
        Ok(agents)
    }

    /// The Git tree of what it runs for an agent: two are the same exactly when their ids are.
    ///
    /// # Errors
    /// A tree is damaged.
    pub fn closure_tree(&self, agent: &ResourceId) -> Result<Option<ObjectId>> {
        Ok(self.reader.snapshot().entry_at(self.head, &layout::closure(agent))?.map(|entry| entry.id))
    }

    /// What it runs for an agent.
    ///
    /// # Errors
    /// The closure is damaged.
    pub fn closure(&self, agent: &ResourceId) -> Result<Option<Closure>> {
        let Some(tree) = self.closure_tree(agent)? else { return Ok(None) };
        let closure = self.reader.closure(tree)?;
        let closure = closure
            .map_err(|why| Error::Damaged { object: format!("the closure of {agent} in `{}`", self.name), why })?;
        Ok(Some(Closure::clone(&closure)))
    }

    /// The record of the latest release of an agent here, also when that deleted it.
    ///
    /// # Errors
    /// It is damaged.
    pub fn record(&self, agent: &ResourceId) -> Result<Option<Record>> {
        self.reader.record(self.head, &layout::record(agent))
    }

    /// What a list tells of that record.
    ///
    /// # Errors
    /// It is damaged.
    pub fn brief(&self, agent: &ResourceId) -> Result<Option<Brief>> {
        let path = layout::record(agent);
        let Some(bytes) = self.reader.snapshot().blob_at(self.head, &path)? else { return Ok(None) };
        let brief = Brief::from_json(&bytes);
        brief.map(Some).map_err(|why| Error::Damaged { object: format!("`{path}` of {}", self.head), why })
    }

    /// What it ran last for an agent that was deleted here; none for one that never ran.
    ///
    /// # Errors
    /// A record or closure is damaged.
    pub fn ran_last(&self, agent: &ResourceId) -> Result<Option<Closure>> {
        let Some(last) = self.record(agent)? else { return Ok(None) };
        for record in self.reader.lineage(agent, &last.release) {
            let record = record?;
            if record.to_digest.is_some() {
                let Some(commit) = self.reader.release(&record.release)? else { return Ok(None) };
                return self.reader.environment_at(&self.name, commit).closure(agent);
            }
        }
        Ok(None)
    }

    /// Whether what it runs for an agent may hold something that was touched: told from the names in its trees, so
    /// that a change costs what it reaches. An agent with children may; so may any where a policy selects.
    ///
    /// # Errors
    /// A tree is damaged.
    pub fn may_hold(&self, agent: &ResourceId, touched: &Touched) -> Result<bool> {
        let Some(tree) = self.closure_tree(agent)? else { return Ok(false) };
        if touched.selects() {
            return Ok(true);
        }
        let snapshot = self.reader.snapshot();
        for directory in snapshot.tree(tree)? {
            if directory.name == layout::AGENTS {
                return Ok(true);
            }
            if directory.kind != EntryKind::Directory || !touched.is_in(&directory.name) {
                continue;
            }
            // A file stands for what is of the agent's own namespace, a directory for another.
            for entry in snapshot.tree(directory.id)? {
                let held = if entry.kind == EntryKind::Directory {
                    let files = snapshot.tree(entry.id)?;
                    files.iter().any(|file| touched.holds(&directory.name, &entry.name, &file.name))
                } else {
                    touched.holds(&directory.name, &agent.namespace, &entry.name)
                };
                if held {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// What the closure of an agent, or of one of its children, holds of a resource.
    ///
    /// # Errors
    /// The closure is damaged.
    pub fn member(&self, agent: &ResourceId, id: &ResourceId) -> Result<Option<Arc<Resource>>> {
        let Some(tree) = self.closure_tree(agent)? else { return Ok(None) };
        let path = crate::closure::member_path(id, &agent.namespace);
        if let Some(entry) = self.reader.snapshot().entry_at(tree, &path)? {
            return self.reader.resource(entry.id).map(Some);
        }
        if self.reader.snapshot().entry_at(tree, layout::AGENTS)?.is_none() {
            return Ok(None);
        }
        let closure = self.closure(agent)?;
        let mut all = closure.iter().flat_map(Closure::everything);
        Ok(all.find(|resource| resource.id() == id).cloned())
    }

    /// What it runs for an agent, with the record that says since when.
    ///
    /// # Errors
    /// One of both is damaged, or a closure has no record.
    pub fn running(&self, agent: &ResourceId) -> Result<Option<Running>> {
        let Some(closure) = self.closure(agent)? else { return Ok(None) };
        let record = self.record(agent)?.ok_or_else(|| Error::Missing {
            what: format!("`{}` in `{}`, beside a closure", layout::record(agent), self.name),
        })?;
        Ok(Some(Running { closure, record }))
    }

    /// The catalog entry of a resource.
    ///
    /// # Errors
    /// It is damaged.
    pub fn entry(&self, id: &ResourceId) -> Result<Option<Arc<Resource>>> {
        let found = self.reader.snapshot().entry_at(self.head, &layout::catalog(id))?;
        found.map(|entry| self.reader.resource(entry.id)).transpose()
    }

    /// Every catalog entry of a kind, by namespace and name.
    ///
    /// # Errors
    /// One of them is damaged.
    pub fn entries(&self, kind: &Kind) -> Result<Vec<Arc<Resource>>> {
        self.listed(kind)?.into_iter().map(|(_, blob)| self.reader.resource(blob)).collect()
    }

    /// The Evals or Deployments, as `kind` says, that may be about one of these agents or have one of these names, in
    /// order of namespace and name.
    ///
    /// # Errors
    /// One of that kind is damaged.
    pub fn concerning(
        &self,
        kind: &Kind,
        agents: &BTreeSet<ResourceId>,
        names: &BTreeSet<String>,
    ) -> Result<Vec<Arc<Resource>>> {
        self.under(kind, agents.iter().map(agent_key).chain(names.iter().map(|name| name_key(name))))
    }

    /// The catalog entries of a kind that stand in its table under one of these texts.
    fn under(&self, kind: &Kind, keys: impl Iterator<Item = String>) -> Result<Vec<Arc<Resource>>> {
        let paths = self.sources(&About(kind), &keys.collect::<Vec<_>>())?;
        let blobs = paths.iter().filter_map(|path| self.catalog_file(kind, path).transpose());
        blobs.map(|blob| self.reader.resource(blob?)).collect()
    }

    /// The catalog entry at a path below the directory of its kind, read and not remembered.
    pub(super) fn unremembered(&self, kind: &Kind, path: &str) -> Result<Option<Resource>> {
        let Some(blob) = self.catalog_file(kind, path)? else { return Ok(None) };
        let resource = Resource::from_canonical(&self.reader.text(blob)?);
        resource.map(Some).map_err(|why| Error::Damaged { object: format!("the blob {blob}"), why })
    }

    fn catalog_file(&self, kind: &Kind, path: &str) -> Result<Option<ObjectId>> {
        let path = format!("{}/{}/{path}", layout::CATALOG, kind.plural());
        let found = self.reader.snapshot().entry_at(self.head, &path)?;
        Ok(found.filter(|entry| entry.kind == EntryKind::File).map(|entry| entry.id))
    }

    /// The agents that hold one of these as a child, at any depth.
    ///
    /// # Errors
    /// A closure is damaged.
    pub fn parents(&self, children: &BTreeSet<ResourceId>) -> Result<BTreeSet<ResourceId>> {
        let sources = self.sources(&Parents, &children.iter().map(agent_key).collect::<Vec<_>>())?;
        Ok(sources.iter().filter_map(|source| agent_named(source)).collect())
    }

    /// What the catalog holds of a kind, by namespace and name, without reading any of it.
    ///
    /// # Errors
    /// A tree is damaged.
    pub fn names(&self, kind: &Kind) -> Result<Vec<ResourceId>> {
        Ok(self.listed(kind)?.into_iter().map(|(id, _)| id).collect())
    }

    /// The kinds that its catalog holds.
    ///
    /// # Errors
    /// A tree is damaged.
    pub fn catalog_kinds(&self) -> Result<Vec<Kind>> {
        let plurals = self.directories(layout::CATALOG)?;
        let mut kinds = Vec::new();
        for plural in plurals {
            let known = Kind::known().find(|kind| kind.plural() == plural);
            kinds.extend(known.or_else(|| {
                let singular = plural.strip_suffix('s').unwrap_or(&plural);
                [singular, plural.as_str()].map(Kind::from_singular).into_iter().find(|kind| kind.plural() == plural)
            }));
        }
        kinds.sort();
        Ok(kinds)
    }

    /// The files of a kind in the catalog, each named for what it holds.
    fn listed(&self, kind: &Kind) -> Result<Vec<(ResourceId, ObjectId)>> {
        let plural = format!("{}/{}", layout::CATALOG, kind.plural());
        let mut listed = Vec::new();
        for namespace in self.directories(&plural)? {
            let Some(tree) = self.reader.snapshot().entry_at(self.head, &format!("{plural}/{namespace}"))? else {
                continue;
            };
            for entry in self.reader.snapshot().tree(tree.id)? {
                if let (EntryKind::File, Some(name)) = (entry.kind, entry.name.strip_suffix(".yaml")) {
                    listed.push((ResourceId::new(kind.clone(), &namespace, name), entry.id));
                }
            }
        }
        Ok(listed)
    }

    fn directories(&self, path: &str) -> Result<Vec<String>> {
        let Some(entry) = self.reader.snapshot().entry_at(self.head, path)? else { return Ok(Vec::new()) };
        let entries = self.reader.snapshot().tree(entry.id)?;
        Ok(entries.into_iter().filter(|entry| entry.kind == EntryKind::Directory).map(|entry| entry.name).collect())
    }
}

impl Shelf for Environment<'_, '_> {
    fn get(&self, id: &ResourceId) -> std::result::Result<Option<Arc<Resource>>, Unreadable> {
        self.entry(id).map_err(Error::unreadable)
    }

    fn of_kind(&self, kind: &Kind) -> std::result::Result<Vec<Arc<Resource>>, Unreadable> {
        self.entries(kind).map_err(Error::unreadable)
    }

    fn about(&self, kind: &Kind, agent: &ResourceId) -> std::result::Result<Vec<Arc<Resource>>, Unreadable> {
        self.concerning(kind, &BTreeSet::from([agent.clone()]), &BTreeSet::new()).map_err(Error::unreadable)
    }

    fn budgets(
        &self,
        agent: &ResourceId,
        teams: &BTreeSet<&str>,
    ) -> std::result::Result<Vec<Arc<Resource>>, Unreadable> {
        let keys = [agent_key(agent)].into_iter().chain(teams.iter().map(|team| team_key(team)));
        self.under(&Kind::Budget, keys).map_err(Error::unreadable)
    }
}
