//! Where references may lead beside the documents at hand, indexed once: other files of the project, trust,
//! and what environments hold. `validate` asks all of it, `apply` only what it may take members from.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::{Environment, ObjectId, Reader, Result};
use crate::resource::served::Served;
use crate::resource::validate::Elsewhere;
use crate::resource::{Document, Kind, Resource, ResourceId, Target};
use crate::trust::Trust;

/// What is known to exist, of the kinds that the documents at hand name and do not hold.
#[derive(Debug, Default)]
pub(super) struct Index {
    wanted: BTreeSet<Kind>,
    ids: BTreeMap<Kind, BTreeSet<ResourceId>>,
    models: BTreeMap<ResourceId, Served>,
}

impl Index {
    /// An empty index for what `documents` leave open: other kinds are never looked for, so that the cost
    /// follows what is asked.
    #[must_use]
    pub(super) fn of_open_references(documents: &[Document]) -> Self {
        let here: BTreeSet<_> = documents.iter().map(|document| document.resource.id()).collect();
        let mut wanted = BTreeSet::new();
        for document in documents {
            let namespace = &document.resource.id().namespace;
            for mention in document.resource.mentions() {
                match mention.target {
                    Target::Candidate(_) => wanted.insert(Kind::Model),
                    Target::Resource(to) if to.candidates(namespace).iter().any(|id| here.contains(id)) => false,
                    Target::Resource(to) => wanted.insert(to.kind),
                };
            }
        }
        Self { wanted, ..Self::default() }
    }

    /// Whether nothing is left open.
    #[must_use]
    pub(super) fn is_needless(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Adds one place. A Model that serves what one of an earlier place serves is left out: the nearer place
    /// answers, and the two do not contradict each other.
    pub(super) fn add<'r>(&mut self, resources: impl IntoIterator<Item = &'r Resource>) {
        let nearer: BTreeSet<_> = self.models.values().map(serves).collect();
        for resource in resources {
            self.add_id(resource.id().clone());
            if let Some(served) = Served::by(resource).filter(|served| !nearer.contains(&serves(served))) {
                self.models.entry(served.id.clone()).or_insert(served);
            }
        }
    }

    /// Adds trust: what stands there, and every rung as an Environment, which need not have a record.
    pub(super) fn add_trust(&mut self, trust: &Trust) {
        self.add(trust.resources.values().map(AsRef::as_ref));
        for rung in trust.ladder().rungs() {
            self.add_id(ResourceId::new(Kind::Environment, crate::resource::name::DEFAULT_NAMESPACE, rung));
        }
    }

    /// Adds the catalog and the agents of an environment. Only Models are read; of the rest, names are enough.
    ///
    /// # Errors
    /// A tree or a Model is damaged.
    pub(super) fn add_environment(&mut self, environment: &Environment<'_, '_>) -> Result<()> {
        self.add_agents(environment)?;
        for kind in self.wanted.clone() {
            for id in environment.names(&kind)? {
                self.add_id(id);
            }
        }
        if self.wanted.contains(&Kind::Model) {
            let models = environment.entries(&Kind::Model)?;
            self.add(models.iter().map(AsRef::as_ref));
        }
        Ok(())
    }

    /// Adds the agents of an environment, if an agent is looked for.
    ///
    /// # Errors
    /// A tree is damaged.
    pub(super) fn add_agents(&mut self, environment: &Environment<'_, '_>) -> Result<()> {
        if self.wanted.contains(&Kind::Agent) {
            for agent in environment.agents()? {
                self.add_id(agent);
            }
        }
        Ok(())
    }

    /// Adds what the closures of these agents hold, each tree in `known` once.
    ///
    /// # Errors
    /// A closure is damaged.
    pub(super) fn add_closures<'i>(
        &mut self,
        agents: impl IntoIterator<Item = &'i ResourceId>,
        environment: &Environment<'_, '_>,
        reader: &Reader<'_>,
        known: &mut BTreeSet<ObjectId>,
    ) -> Result<()> {
        let mut members = Vec::new();
        for agent in agents {
            let Some(tree) = environment.closure_tree(agent)?.filter(|tree| known.insert(*tree)) else { continue };
            for (_, blob) in reader.snapshot().files_under(tree)? {
                if known.insert(blob) {
                    members.push(reader.resource(blob)?);
                }
            }
        }
        self.add(members.iter().map(AsRef::as_ref));
        Ok(())
    }

    fn add_id(&mut self, id: ResourceId) {
        if self.wanted.contains(&id.kind) {
            self.ids.entry(id.kind.clone()).or_default().insert(id);
        }
    }
}

impl Elsewhere for Index {
    fn has(&self, id: &ResourceId) -> bool {
        self.ids.get(&id.kind).is_some_and(|ids| ids.contains(id))
    }

    fn all(&self, kind: &Kind) -> Vec<ResourceId> {
        self.ids.get(kind).into_iter().flatten().cloned().collect()
    }

    fn models(&self) -> Vec<Served> {
        self.models.values().cloned().collect()
    }
}

fn serves(served: &Served) -> (String, String) {
    (served.provider.clone(), served.model.clone())
}
