//! Which versions ran where: read from manifests, and from tags where those cannot be read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::ledger::{ObjectId, Reader};
use crate::release::layout::{self, Tag};
use crate::release::{Manifest, Record};
use crate::resource::ResourceId;

/// Releases and versions.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Such as `prod/41`.
    pub(super) releases: BTreeSet<String>,
    /// Such as `agent/default/support-triage v8`.
    pub(super) versions: BTreeSet<String>,
}

/// One release.
struct Page {
    name: String,
    manifest: Option<Arc<Manifest>>,
    /// What ran then, with the version.
    running: Arc<BTreeMap<ResourceId, u64>>,
    /// What it brought.
    brought: BTreeSet<String>,
}

/// Every release that can be named.
#[derive(Default)]
pub(super) struct Book {
    pages: HashMap<ObjectId, Page>,
    /// The releases that have a tag, and stand on no page.
    unreached: BTreeMap<String, BTreeSet<String>>,
}

impl Book {
    /// Takes up an environment: its commits, in any order.
    pub(super) fn take(
        &mut self,
        reader: &Reader<'_>,
        environment: &str,
        line: &[ObjectId],
        tags: &[(String, ObjectId)],
    ) {
        let mut tagged: HashMap<ObjectId, u64> = HashMap::new();
        let mut given: HashMap<ObjectId, Vec<(ResourceId, u64)>> = HashMap::new();
        let mut unreached = BTreeMap::new();
        for (name, target) in tags {
            match Tag::parse(name) {
                Some(Tag::Release { environment: of, number }) if of == environment => {
                    unreached.insert(number, format!("{environment}/{number}"));
                    if let Ok(tag) = reader.snapshot().tag_object(*target) {
                        tagged.insert(tag.target, number);
                    }
                }
                Some(Tag::Version { id, version }) => given.entry(*target).or_default().push((id, version)),
                _ => {}
            }
        }
        let mut ordered: BTreeMap<u64, (ObjectId, Option<Arc<Manifest>>)> = BTreeMap::new();
        for commit in line {
            let manifest = reader.manifest(*commit).ok().flatten();
            let number = manifest.as_ref().map(|manifest| manifest.release).or_else(|| tagged.get(commit).copied());
            if let Some(number) = number {
                unreached.remove(&number);
                ordered.insert(number, (*commit, manifest));
            }
        }
        let mut running = Arc::new(BTreeMap::new());
        let after: Vec<_> = ordered.values().map(|(_, manifest)| manifest.clone()).collect();
        for (at, (number, (commit, manifest))) in ordered.into_iter().enumerate() {
            let changed: Vec<(ResourceId, Option<u64>)> = match &manifest {
                Some(manifest) => moved(manifest).map(|(id, _, to)| (id, to)).collect(),
                None => {
                    // The next release says what it found, where a tag does not say what this one gave.
                    let given =
                        given.get(&commit).into_iter().flatten().map(|(id, number)| (id.clone(), Some(*number)));
                    let next = after.get(at + 1).and_then(Option::as_ref);
                    let found = next.into_iter().flat_map(|next| moved(next).map(|(id, from, _)| (id, from)));
                    given.chain(found).chain(recorded(reader, environment, number, commit)).collect()
                }
            };
            let brought = changed.iter().filter_map(|(id, to)| to.map(|to| text(id, to))).collect();
            let mut now = BTreeMap::clone(&running);
            for (id, to) in changed {
                match to {
                    Some(to) => now.insert(id, to),
                    None => now.remove(&id),
                };
            }
            running = Arc::new(now);
            let name = format!("{environment}/{number}");
            self.pages.insert(commit, Page { name, manifest, running: running.clone(), brought });
        }
        self.unreached.insert(environment.to_owned(), unreached.into_values().collect());
    }

    /// Tells of a release whose commit and manifest cannot be read what others say of it: the decisions on evidence,
    /// and the releases that were promoted from it.
    pub(super) fn complete(&mut self, reader: &Reader<'_>) {
        let silent = self.pages.values().filter(|page| page.manifest.is_none() && page.brought.is_empty());
        let silent: BTreeSet<String> = silent.map(|page| page.name.clone()).collect();
        if silent.is_empty() {
            return;
        }
        let mut records = Vec::new();
        for (commit, page) in &self.pages {
            let Some(manifest) = &page.manifest else { continue };
            let paths = manifest.agents.iter().map(|agent| layout::record(&agent.id()));
            records.extend(paths.filter_map(|path| reader.record(*commit, &path).ok().flatten()));
        }
        for name in &silent {
            let Some((environment, number)) = name.split_once('/') else { continue };
            records.extend(decided(reader, environment, number));
        }
        for page in self.pages.values_mut().filter(|page| silent.contains(&page.name)) {
            let about = |record: &&Record| {
                let source = record.source.as_ref().and_then(|source| source.release.as_ref());
                record.release == page.name || source == Some(&page.name)
            };
            let told: BTreeMap<ResourceId, u64> = records
                .iter()
                .filter(about)
                .filter_map(|record| Some((record.agent_ref.clone(), record.to_version?)))
                .collect();
            page.brought = told.iter().map(|(id, version)| text(id, *version)).collect();
            page.running =
                Arc::new(page.running.iter().map(|(id, version)| (id.clone(), *version)).chain(told).collect());
        }
    }

    /// What a path of a release's tree touches.
    pub(super) fn at(&self, commit: ObjectId, path: &str) -> Said {
        let Some(page) = self.pages.get(&commit) else { return Said::default() };
        let releases = BTreeSet::from([page.name.clone()]);
        if path.is_empty() || path == layout::MANIFEST {
            return Said { releases, versions: page.brought.clone() };
        }
        let held = page.running.iter().filter(|(id, _)| {
            let own = if id.kind == crate::resource::Kind::Agent { layout::agent(id) } else { layout::catalog(id) };
            lies_in(path, &own) || lies_in(&own, path) || path == layout::cases(id)
        });
        Said { releases, versions: held.map(|(id, version)| text(id, *version)).collect() }
    }

    /// What a path of a commit of trust or evidence touches: the releases that cite that commit, and the contents that
    /// the path names.
    pub(super) fn cited(&self, branch: &str, commit: ObjectId, path: &str) -> Said {
        let commit = commit.to_string();
        let mut said = Said::default();
        let parts: BTreeSet<&str> = path.split('/').collect();
        for page in self.pages.values() {
            let Some(manifest) = &page.manifest else { continue };
            let cites = if branch == layout::TRUST { &manifest.trust } else { &manifest.evidence };
            let decided =
                path.starts_with(&format!("{}/{}-", layout::decisions(&manifest.environment), manifest.release));
            if *cites == commit || decided {
                said.releases.insert(page.name.clone());
                said.versions.extend(page.brought.iter().cloned());
            }
            let agents = manifest.agents.iter().map(|agent| (agent.id(), agent.digest, agent.to_version));
            let others = manifest.resources.iter().map(|entry| (entry.id(), entry.digest, entry.to_version));
            for (id, digest, version) in agents.chain(others) {
                if let (Some(digest), Some(version)) = (digest, version)
                    && parts.contains(digest.short().as_str())
                {
                    said.versions.insert(text(&id, version));
                }
            }
        }
        said
    }

    /// What one release brought.
    pub(super) fn of_release(&self, name: &str) -> Said {
        let page = self.pages.values().find(|page| page.name == name);
        let versions = page.map(|page| page.brought.clone()).unwrap_or_default();
        Said { releases: BTreeSet::from([name.to_owned()]), versions }
    }

    /// The releases of an environment that have a tag, and no commit that can be read.
    pub(super) fn unreached(&self, environment: &str) -> BTreeSet<String> {
        self.unreached.get(environment).cloned().unwrap_or_default()
    }
}

/// What the records in the tree of a release say of it.
fn recorded(reader: &Reader<'_>, environment: &str, number: u64, commit: ObjectId) -> Vec<(ResourceId, Option<u64>)> {
    let there = reader.environment_at(environment, commit);
    let name = format!("{environment}/{number}");
    let records =
        there.agents().unwrap_or_default().into_iter().filter_map(|agent| there.record(&agent).ok().flatten());
    let own = records.filter(|record| record.release == name);
    own.map(|record| (record.agent_ref, record.to_version)).collect()
}

/// What evidence says of the decisions on a release.
fn decided(reader: &Reader<'_>, environment: &str, number: &str) -> Vec<Record> {
    let snapshot = reader.snapshot();
    let directory = snapshot
        .branch(layout::EVIDENCE)
        .and_then(|tip| snapshot.entry_at(tip, &layout::decisions(environment)).ok().flatten());
    let files = directory.and_then(|entry| snapshot.files_under(entry.id).ok()).unwrap_or_default();
    let begins = format!("{number}-");
    let items = files.into_iter().filter(|(path, _)| path.starts_with(&begins) && path.ends_with(".json"));
    items.filter_map(|(_, blob)| Record::from_json(&snapshot.blob(blob).ok()?).ok()).collect()
}

/// What a release moved: from which version, to which.
fn moved(manifest: &Manifest) -> impl Iterator<Item = (ResourceId, Option<u64>, Option<u64>)> {
    let agents = manifest.agents.iter().map(|agent| (agent.id(), agent.from_version, agent.to_version));
    let others = manifest.resources.iter().map(|entry| (entry.id(), entry.from_version, entry.to_version));
    agents.chain(others)
}

fn text(id: &ResourceId, version: u64) -> String {
    format!("{} v{version}", id.full())
}

/// Whether a path is another, or lies below it.
fn lies_in(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
