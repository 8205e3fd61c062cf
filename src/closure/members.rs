//! A closure: one agent with everything that decides how it behaves, as a directory of canonical files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::resource::{Digest, Resource, ResourceId, Taken, Value};

/// An agent, its members, and the whole closures of its children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    agent: Arc<Resource>,
    members: BTreeMap<ResourceId, Arc<Resource>>,
    children: BTreeMap<ResourceId, Self>,
    digest: Taken,
}

/// The file of the agent itself.
const ROOT: &str = "agent.yaml";
/// The directory of child agents.
const CHILDREN: &str = "agents/";

impl Closure {
    /// The closure of `agent` with these members, none of them an agent, and these children.
    #[must_use]
    pub fn new(
        agent: Arc<Resource>,
        members: BTreeMap<ResourceId, Arc<Resource>>,
        children: BTreeMap<ResourceId, Self>,
    ) -> Self {
        Self { agent, members, children, digest: Taken::default() }
    }

    /// The agent itself.
    #[must_use]
    pub fn agent(&self) -> &Arc<Resource> {
        &self.agent
    }

    /// The id of the agent.
    #[must_use]
    pub fn id(&self) -> &ResourceId {
        self.agent.id()
    }

    /// Its members, without its children and without what these hold.
    #[must_use]
    pub fn members(&self) -> &BTreeMap<ResourceId, Arc<Resource>> {
        &self.members
    }

    /// The closures of its children.
    #[must_use]
    pub fn children(&self) -> &BTreeMap<ResourceId, Self> {
        &self.children
    }

    /// Every resource in it, children and what they hold included; the agent first. A resource that
    /// two children hold appears once for each.
    #[must_use]
    pub fn everything(&self) -> Vec<&Arc<Resource>> {
        let own = std::iter::once(&self.agent).chain(self.members.values());
        own.chain(self.children.values().flat_map(Self::everything)).collect()
    }

    /// The member of this id, in the agent itself or the nearest child that holds it.
    #[must_use]
    pub fn find(&self, id: &ResourceId) -> Option<&Arc<Resource>> {
        if self.id() == id {
            return Some(&self.agent);
        }
        self.members.get(id).or_else(|| self.children.values().find_map(|child| child.find(id)))
    }

    /// Its files: path relative to the closure, and canonical text.
    ///
    /// `agent.yaml`, `<plural>/<name>.yaml`, `<plural>/<namespace>/<name>.yaml` for a member of another
    /// namespace, and a child's whole closure under `agents/<child>/`.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, String> {
        let namespace = &self.id().namespace;
        let mut files = BTreeMap::from([(ROOT.to_owned(), self.agent.canonical())]);
        for (id, member) in &self.members {
            files.insert(member_path(id, namespace), member.canonical());
        }
        for (id, child) in &self.children {
            let directory = within(id, namespace);
            files.extend(child.files().into_iter().map(|(path, text)| (format!("{CHILDREN}{directory}/{path}"), text)));
        }
        files
    }

    /// A path at which two of its members would stand: a child of one namespace and a member of a child may ask for
    /// the same.
    #[must_use]
    pub(super) fn shared_path(&self) -> Option<String> {
        let namespace = &self.id().namespace;
        let own = self.members.keys().map(|id| member_path(id, namespace));
        let below = self.children.iter().flat_map(|(id, child)| {
            let directory = within(id, namespace);
            child.files().into_keys().map(move |path| format!("{CHILDREN}{directory}/{path}"))
        });
        let mut seen = BTreeSet::new();
        own.chain(below).find(|path| !seen.insert(path.clone()))
    }

    /// SHA-256 over what `sha256sum` prints for the files; the identity of an agent version.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest.or(|| {
            let files = self.files();
            Digest::of_files(files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())))
        })
    }

    /// Reads a closure back from its files. What each file holds is told by its content; that its path
    /// is the one that content belongs at is checked.
    ///
    /// # Errors
    /// The file that is not canonical, stands at a wrong path, or is missing.
    pub fn from_files(files: &BTreeMap<String, String>) -> Result<Self, String> {
        let read = |path: &str, text: &str| Resource::from_canonical(text).map_err(|why| format!("`{path}`: {why}"));
        let root = files.get(ROOT).ok_or("a closure holds `agent.yaml`")?;
        let agent = Arc::new(read(ROOT, root)?);
        let mut members = BTreeMap::new();
        let mut nested: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
        for (path, text) in files {
            if path == ROOT {
                continue;
            }
            if let Some(rest) = path.strip_prefix(CHILDREN) {
                let (child, inner) = split_child(rest, files)?;
                nested.entry(child).or_default().insert(inner, text.clone());
                continue;
            }
            let member = Arc::new(read(path, text)?);
            members.insert(member.id().clone(), member);
        }
        let children = nested
            .values()
            .map(|inner| Self::from_files(inner).map(|child| (child.id().clone(), child)))
            .collect::<Result<_, _>>()?;
        let closure = Self::new(agent, members, children);
        let expected = closure.files();
        // Contents are canonical, so the paths decide; a file too many would say one thing and mean another.
        match expected.keys().zip(files.keys()).find(|(expected, found)| expected != found) {
            Some((expected, found)) => Err(format!("`{found}` stands where `{expected}` belongs")),
            None if expected.len() == files.len() => Ok(closure),
            None => Err("two of its files hold the same resource".into()),
        }
    }

    /// Its resources as data, for a diff: those of the agent under the empty path, those of each child
    /// under the child's path. A child may hold another version of what its parent holds.
    #[must_use]
    pub fn levels(&self) -> BTreeMap<String, BTreeMap<ResourceId, Value>> {
        let body = |resource: &Arc<Resource>| (resource.id().clone(), resource.body().clone());
        let own = std::iter::once(&self.agent).chain(self.members.values()).map(body).collect();
        let mut levels = BTreeMap::from([(String::new(), own)]);
        for (id, child) in &self.children {
            for (path, resources) in child.levels() {
                levels.insert(format!("{}/{path}", id.full()), resources);
            }
        }
        levels
    }

    /// The agents of it, each under the path that [`Closure::levels`] gives it.
    #[must_use]
    pub fn agents(&self) -> BTreeMap<String, &Arc<Resource>> {
        let mut agents = BTreeMap::from([(String::new(), &self.agent)]);
        for (id, child) in &self.children {
            agents.extend(child.agents().into_iter().map(|(path, agent)| (format!("{}/{path}", id.full()), agent)));
        }
        agents
    }
}

/// Where a member stands in the closure of an agent of `namespace`.
#[must_use]
pub fn member_path(id: &ResourceId, namespace: &str) -> String {
    format!("{}/{}.yaml", id.kind.plural(), within(id, namespace))
}

/// `name`, or `namespace/name` outside the agent's own namespace.
fn within(id: &ResourceId, namespace: &str) -> String {
    if id.namespace == *namespace { id.name.clone() } else { format!("{}/{}", id.namespace, id.name) }
}

/// `x/tools/t.yaml` as (`x`, `tools/t.yaml`), and `ns/x/tools/t.yaml` as (`ns/x`, …): the child's
/// directory is the one that holds its `agent.yaml`. A child may have the name of another's namespace, and
/// a tool may be called `agent`, so the longer directory is asked first, and an agent must stand there.
fn split_child<'a>(rest: &'a str, files: &BTreeMap<String, String>) -> Result<(&'a str, String), String> {
    let cuts: Vec<_> = rest.match_indices('/').take(2).map(|(at, _)| rest.split_at(at)).collect();
    for (child, inner) in cuts.into_iter().rev() {
        let root = files.get(&format!("{CHILDREN}{child}/{ROOT}"));
        if root.is_some_and(|text| text.lines().any(|line| line == "kind: Agent")) {
            return Ok((child, inner[1..].to_owned()));
        }
    }
    Err(format!("`{CHILDREN}{rest}` belongs to no child: there is no `{ROOT}` beside it"))
}
