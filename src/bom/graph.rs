//! The canonical graph of what one agent version is made of: a function of its closure. Formats, differences and
//! rules all look at this graph.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::closure::Closure;
use crate::resource::fields::{Mention, Target, Tie};
use crate::resource::served::{Served, match_candidate};
use crate::resource::{Digest, Kind, Reference, Resource, ResourceId};

use super::component::{Component, Outside, Sort, What};
use super::facts;
use super::image::{Image, escaped};

/// Gives the version number of a content, where it has one.
type Numbering<'n, E> = dyn FnMut(&ResourceId, Digest) -> Result<Option<u64>, E> + 'n;

/// What an agent version is made of.
///
/// A reference is `joch:<kind>/<namespace>/<name>`, with `_` where a thing has no namespace, and without a version, so
/// that two versions of one component are called the same. A child agent may hold another content of a component than
/// its parent: then the outermost has that name, and another is followed by `@` and the way to its holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Graph {
    components: BTreeMap<String, Component>,
    root: String,
}

impl Graph {
    /// The form of graphs that this joch makes. Another graph for the same closure is another form.
    pub const FORM: u32 = 1;

    /// The graph of a closure; `number` gives the version number of a content.
    ///
    /// # Errors
    /// What `number` says.
    pub fn of<E>(closure: &Closure, number: &mut Numbering<'_, E>) -> Result<Self, E> {
        let mut graph = Self::bare(closure);
        for component in graph.components.values_mut() {
            if let (What::Resource(id), Some(digest)) = (&component.what, component.digest) {
                component.number = number(id, digest)?;
            }
        }
        Ok(graph)
    }

    /// The graph of a closure, without version numbers.
    #[must_use]
    pub fn bare(closure: &Closure) -> Self {
        let ids = closure.everything().into_iter().map(|part| part.id().clone());
        let mut weave = Weave { inside: ids.filter(|id| id.kind == Kind::Agent).collect(), ..Weave::default() };
        let root = weave.level(closure, "");
        Self { components: weave.components, root }
    }

    /// The agent.
    #[must_use]
    pub fn root(&self) -> &Component {
        &self.components[&self.root]
    }

    /// Every component, the agent included, in the order of their references.
    pub fn components(&self) -> impl Iterator<Item = &Component> {
        self.components.values()
    }

    /// The component of this reference.
    #[must_use]
    pub fn get(&self, reference: &str) -> Option<&Component> {
        self.components.get(reference)
    }

    /// SHA-256 of the graph as compact JSON: of all but version numbers, which are names. Two closures with one digest
    /// are made of the same.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(serde_json::to_vec(self).expect("texts and lists of texts"))
    }
}

/// A graph in the making.
#[derive(Default)]
struct Weave {
    components: BTreeMap<String, Component>,
    /// The reference of each component, by its name without a way and what it is in full.
    known: BTreeMap<(String, Digest), String>,
    /// Every agent that the root is made of, itself included.
    inside: BTreeSet<ResourceId>,
}

impl Weave {
    /// Takes up an agent and all that it holds; `way` leads to it from the root. The agent's reference.
    fn level(&mut self, closure: &Closure, way: &str) -> String {
        let level = Level { closure, print: Prints::of(closure) };
        let agent = self.place(&base(closure.id()), closure.digest(), way, |reference| {
            facts::of(closure.agent(), reference, closure.digest())
        });
        if !agent.is_new {
            // The same closure was met before, with all that it holds.
            return agent.reference;
        }
        let mut placed = BTreeMap::from([(closure.id().clone(), agent.reference.clone())]);
        for (id, member) in closure.members() {
            let made = |reference| facts::of(member, reference, member.digest());
            placed.insert(id.clone(), self.place(&base(id), level.print.of_member(id), way, made).reference);
        }
        let holders = || std::iter::once(closure.agent()).chain(closure.members().values());
        let mut edges: BTreeMap<ResourceId, BTreeSet<String>> = BTreeMap::new();
        for holder in holders() {
            let aside = self.aside(holder, &level, way);
            edges.entry(holder.id().clone()).or_default().extend(aside);
        }
        for (id, child) in closure.children() {
            let reference = self.level(child, &format!("{way}/{}", id.full()));
            placed.insert(id.clone(), reference);
        }
        for holder in holders() {
            let used = level.uses(holder);
            edges.entry(holder.id().clone()).or_default().extend(used.iter().filter_map(|id| placed.get(id)).cloned());
        }
        for (id, uses) in edges {
            if let Some(component) = placed.get(&id).and_then(|reference| self.components.get_mut(reference)) {
                component.depends_on.extend(uses.into_iter().filter(|used| *used != component.reference));
            }
        }
        agent.reference
    }

    /// Takes up what a resource names and what is no resource: images, and agents to hand over to.
    fn aside(&mut self, holder: &Arc<Resource>, level: &Level<'_>, way: &str) -> Vec<String> {
        let place = format!("{way}/{}", holder.id().full());
        let image = match holder.id().kind {
            Kind::Agent => facts::text_at(holder, &["framework", "image"]),
            Kind::FrameworkAdapter => facts::text_at(holder, &["adapterImage"]),
            _ => None,
        };
        let mut aside = Vec::new();
        if let Some(text) = image {
            let image = Image::read(&text);
            let base = format!("joch:image/_/{}", escaped(&image.repository));
            aside.push(self.place(&base, Digest::of(&text), &place, |reference| of_image(&image, reference)).reference);
        }
        for mention in holder.mentions().iter().filter(|mention| is_handoff(holder, mention)) {
            let Target::Resource(named) = &mention.target else { continue };
            let candidates = named.candidates(&holder.id().namespace);
            if level.closure.children().keys().any(|child| candidates.contains(child)) {
                continue;
            }
            // One may hand back to the agent that runs it, or on to another that this one runs.
            if let Some(inside) = candidates.iter().find(|id| self.inside.contains(id)) {
                aside.push(base(inside));
                continue;
            }
            let base = format!("joch:a2a-peer/{}/{}", named.namespace.as_deref().unwrap_or("_"), escaped(&named.name));
            aside.push(self.place(&base, Digest::of(&base), &place, |reference| of_peer(named, reference)).reference);
        }
        aside
    }

    /// The component that is called `base` and is `print` in full: the one that is there, or a new one.
    fn place(&mut self, base: &str, print: Digest, way: &str, make: impl FnOnce(String) -> Component) -> Placed {
        let key = (base.to_owned(), print);
        if let Some(known) = self.known.get(&key) {
            return Placed { reference: known.clone(), is_new: false };
        }
        let reference = match self.components.contains_key(base) {
            true => format!("{base}@{}", way.trim_start_matches('/')),
            false => base.to_owned(),
        };
        self.components.insert(reference.clone(), make(reference.clone()));
        self.known.insert(key, reference.clone());
        Placed { reference, is_new: true }
    }
}

/// Where a component stands.
struct Placed {
    reference: String,
    is_new: bool,
}

/// One agent with what it holds, without its children.
struct Level<'c> {
    closure: &'c Closure,
    print: Prints,
}

impl Level<'_> {
    /// The members and children that a resource uses. The agent also uses every policy that selects it, which nobody
    /// names.
    fn uses(&self, resource: &Resource) -> BTreeSet<ResourceId> {
        let mut used = uses(self.closure, resource);
        if resource.id() == self.closure.id() {
            let mentioned: BTreeSet<_> =
                self.closure.members().values().flat_map(|member| uses(self.closure, member)).collect();
            used.extend(self.closure.members().keys().filter(|id| !mentioned.contains(*id)).cloned());
            let selected = |policy: &&ResourceId| policy.kind == Kind::Policy;
            let selects = |id: &ResourceId| crate::closure::selects(&self.closure.members()[id], resource);
            used.extend(self.closure.members().keys().filter(selected).filter(|id| selects(id)).cloned());
        }
        used
    }
}

/// What each member is in full: its content, and that of everything that it uses. Two levels may hold one tool and
/// have it lead to two servers.
struct Prints(BTreeMap<ResourceId, Digest>);

impl Prints {
    fn of(closure: &Closure) -> Self {
        let mut prints = Self(BTreeMap::new());
        for id in closure.members().keys() {
            prints.add(closure, id, &mut Vec::new());
        }
        prints
    }

    fn of_member(&self, id: &ResourceId) -> Digest {
        self.0[id]
    }

    fn add(&mut self, closure: &Closure, id: &ResourceId, above: &mut Vec<ResourceId>) -> Option<Digest> {
        if let Some(known) = self.0.get(id) {
            return Some(*known);
        }
        let member = closure.members().get(id)?;
        let mut lines = vec![member.digest().to_string()];
        // Records of kinds of a writer's own may name each other in a ring; the ring is not followed twice.
        if !above.contains(id) {
            above.push(id.clone());
            for used in uses(closure, member) {
                lines.extend(self.add(closure, &used, above).map(|print| print.to_string()));
            }
            above.pop();
        }
        let print = Digest::of(lines.join("\n"));
        if above.is_empty() || !above.contains(id) {
            self.0.insert(id.clone(), print);
        }
        Some(print)
    }
}

/// The members and children of a closure that a resource of it names.
fn uses(closure: &Closure, resource: &Resource) -> BTreeSet<ResourceId> {
    let namespace = &resource.id().namespace;
    let held = |id: &ResourceId| match id.kind {
        Kind::Agent => closure.children().contains_key(id),
        _ => closure.members().contains_key(id),
    };
    let mut used = BTreeSet::new();
    for mention in resource.mentions() {
        let found = match &mention.target {
            Target::Resource(named) if mention.tie == Tie::Member || is_handoff(resource, &mention) => {
                named.candidates(namespace).into_iter().find(held)
            }
            Target::Candidate(candidate) => {
                let models: Vec<_> = closure.members().values().filter_map(|member| Served::by(member)).collect();
                match_candidate(candidate, namespace, &models).ok()
            }
            Target::Resource(_) => None,
        };
        used.extend(found);
    }
    used
}

fn is_handoff(holder: &Resource, mention: &Mention) -> bool {
    holder.id().kind == Kind::Agent && mention.path.starts_with("spec.handoffs.")
}

fn base(id: &ResourceId) -> String {
    format!("joch:{}", id.full())
}

fn of_image(image: &Image, reference: String) -> Component {
    Component {
        addresses: BTreeSet::new(),
        classification: None,
        depends_on: BTreeSet::new(),
        description: None,
        digest: None,
        facts: BTreeSet::new(),
        group: None,
        name: image.repository.clone(),
        number: None,
        outside: image.version().map(|(field, version)| Outside { field, version }),
        purl: Some(image.purl()),
        reference,
        sha256: image.sha256.clone(),
        sort: Sort::Container,
        supplier: None,
        what: What::Image,
    }
}

fn of_peer(named: &Reference, reference: String) -> Component {
    Component {
        addresses: BTreeSet::new(),
        classification: None,
        depends_on: BTreeSet::new(),
        description: None,
        digest: None,
        facts: BTreeSet::new(),
        group: named.namespace.clone(),
        name: named.name.clone(),
        number: None,
        outside: None,
        purl: None,
        reference,
        sha256: None,
        sort: Sort::Service,
        supplier: None,
        what: What::Peer,
    }
}
