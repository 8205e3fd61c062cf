//! Following references until an agent is whole. All that is missing is told at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::resource::served::{Served, Unmatched, match_candidate};
use crate::resource::{Candidate, Kind, Mention, Resource, ResourceId, Target, Tie};

use super::members::Closure;
use super::selection::selects;
use super::shelf::{Layer, Unreadable};

/// Where an agent's members come from.
///
/// A reference is looked up tier by tier: within a tier each candidate id (the referrer's namespace, then
/// `default`) in each layer. An apply has one tier, so a nearer namespace wins wherever it is held; a
/// ripple has two, so what the closure holds already stays what it is.
pub struct Sources<'a> {
    /// The tiers, nearest first.
    pub tiers: Vec<Vec<Layer<'a>>>,
    /// The policies whose selectors are asked whether they match, each id from the first layer that has it.
    pub selectable: Vec<Layer<'a>>,
    /// The closure of a child agent, resolved on its own.
    pub child: &'a dyn Fn(&ResourceId) -> Result<Option<Closure>, Unresolved>,
}

/// A reference that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The resource that holds the reference.
    pub referrer: ResourceId,
    /// Where in it the reference stands.
    pub path: String,
    /// What it names, as a person would say it.
    pub what: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} names `{}` at `{}`", self.referrer, self.what, self.path)
    }
}

/// Why an agent has no closure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// References that lead nowhere, all of them.
    Missing(Vec<Missing>),
    /// `provider:model` matches several Models and none by name.
    Ambiguous(Box<Missing>, Vec<ResourceId>),
    /// Agents that are children of each other; the ring, its first agent again at its end.
    Ring(Vec<ResourceId>),
    /// Two members that would stand in one file of the closure.
    SamePath(ResourceId, String),
    /// What is stored could not be read.
    Unreadable(Unreadable),
}

impl From<Unreadable> for Unresolved {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => {
                let lines: Vec<_> = missing.iter().map(Missing::to_string).collect();
                write!(f, "{}, which is nowhere to be found", lines.join("; "))
            }
            Self::Ambiguous(mention, matches) => {
                let matches: Vec<_> = matches.iter().map(ResourceId::to_string).collect();
                write!(f, "{mention}, and {} match it equally", matches.join(" and "))
            }
            Self::Ring(ring) => {
                let ring: Vec<_> = ring.iter().map(ResourceId::to_string).collect();
                write!(f, "agents are children of each other: {}", ring.join(" → "))
            }
            Self::SamePath(agent, path) => {
                write!(f, "two members of {agent} would both stand at `{path}` of its closure; rename one of them")
            }
            Self::Unreadable(unreadable) => unreadable.fmt(f),
        }
    }
}

impl std::error::Error for Unresolved {}

/// The closure of `agent`, its members taken from `sources`.
///
/// # Errors
/// All references that lead nowhere, or the first ambiguity or ring.
pub fn resolve(agent: &Arc<Resource>, sources: &Sources<'_>) -> Result<Closure, Unresolved> {
    let mut walk =
        Walk { sources, members: BTreeMap::new(), children: BTreeMap::new(), missing: BTreeSet::new(), queue: vec![] };
    walk.queue.push(agent.clone());
    walk.select_policies(agent)?;
    while let Some(resource) = walk.queue.pop() {
        for mention in resource.mentions().into_iter().filter(|mention| mention.tie == Tie::Member) {
            walk.follow(&resource, &mention)?;
        }
    }
    if walk.missing.is_empty() {
        let closure = Closure::new(agent.clone(), walk.members, walk.children);
        match closure.shared_path() {
            Some(path) => Err(Unresolved::SamePath(agent.id().clone(), path)),
            None => Ok(closure),
        }
    } else {
        Err(Unresolved::Missing(walk.missing.into_iter().collect()))
    }
}

struct Walk<'a> {
    sources: &'a Sources<'a>,
    members: BTreeMap<ResourceId, Arc<Resource>>,
    children: BTreeMap<ResourceId, Closure>,
    missing: BTreeSet<Missing>,
    queue: Vec<Arc<Resource>>,
}

impl Walk<'_> {
    fn follow(&mut self, referrer: &Arc<Resource>, mention: &Mention) -> Result<(), Unresolved> {
        match &mention.target {
            Target::Candidate(candidate) => match self.candidate_model(candidate, &referrer.id().namespace)? {
                Ok(model) => self.add(model),
                Err(Unmatched::None) => self.miss(referrer, mention, candidate.to_string()),
                Err(Unmatched::Several(several)) => {
                    return Err(Unresolved::Ambiguous(
                        Box::new(missing(referrer, mention, candidate.to_string())),
                        several,
                    ));
                }
            },
            Target::Resource(reference) => {
                let candidates = reference.candidates(&referrer.id().namespace);
                if reference.kind == Kind::Agent {
                    return self.follow_child(referrer, mention, &candidates);
                }
                match self.look_up(&candidates)? {
                    Some(member) => self.add(member),
                    None => self.miss(referrer, mention, reference.to_string()),
                }
            }
        }
        Ok(())
    }

    fn follow_child(
        &mut self,
        referrer: &Arc<Resource>,
        mention: &Mention,
        candidates: &[ResourceId],
    ) -> Result<(), Unresolved> {
        for id in candidates {
            if let Some(child) = (self.sources.child)(id)? {
                self.children.insert(id.clone(), child);
                return Ok(());
            }
        }
        let name = candidates.last().map(ResourceId::to_string).unwrap_or_default();
        self.miss(referrer, mention, name);
        Ok(())
    }

    fn look_up(&self, candidates: &[ResourceId]) -> Result<Option<Arc<Resource>>, Unreadable> {
        for tier in &self.sources.tiers {
            for id in candidates {
                for layer in tier {
                    if let Some(found) = layer.get(id)? {
                        return Ok(Some(found));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The Model that `provider:model` means, in the first tier where it means any.
    fn candidate_model(
        &self,
        candidate: &Candidate,
        namespace: &str,
    ) -> Result<Result<Arc<Resource>, Unmatched>, Unreadable> {
        for tier in &self.sources.tiers {
            let models = first_of_each(tier, &Kind::Model)?;
            let served: Vec<_> = models.values().filter_map(|model| Served::by(model)).collect();
            match match_candidate(candidate, namespace, &served) {
                Ok(id) => return Ok(models.get(&id).cloned().ok_or(Unmatched::None)),
                Err(Unmatched::None) => {}
                Err(several) => return Ok(Err(several)),
            }
        }
        Ok(Err(Unmatched::None))
    }

    fn select_policies(&mut self, agent: &Arc<Resource>) -> Result<(), Unreadable> {
        for policy in first_of_each(&self.sources.selectable, &Kind::Policy)?.into_values() {
            if selects(&policy, agent) {
                self.add(policy);
            }
        }
        Ok(())
    }

    fn add(&mut self, member: Arc<Resource>) {
        if !self.members.contains_key(member.id()) {
            self.queue.push(member.clone());
            self.members.insert(member.id().clone(), member);
        }
    }

    fn miss(&mut self, referrer: &Arc<Resource>, mention: &Mention, what: String) {
        self.missing.insert(missing(referrer, mention, what));
    }
}

fn missing(referrer: &Arc<Resource>, mention: &Mention, what: String) -> Missing {
    Missing { referrer: referrer.id().clone(), path: mention.path.clone(), what }
}

fn first_of_each(layers: &[Layer<'_>], kind: &Kind) -> Result<BTreeMap<ResourceId, Arc<Resource>>, Unreadable> {
    let mut first = BTreeMap::new();
    for layer in layers {
        for resource in layer.of_kind(kind)? {
            first.entry(resource.id().clone()).or_insert(resource);
        }
    }
    Ok(first)
}
