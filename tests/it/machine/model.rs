//! The plain model: what each environment runs and holds, and every number, told in maps and sets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use joch::resource::{Digest, Kind, ResourceId};

pub(super) const RUNGS: [&str; 3] = ["dev", "staging", "prod"];
/// The only rung that demands anything.
pub(super) const GATED: usize = 2;

/// One of the six resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    A,
    B,
    T,
    U,
    P,
    Q,
}

pub(super) use Thing::{A, B, P, Q, T, U};

pub(super) const AGENTS: [Thing; 2] = [A, B];
pub(super) const SHARED: [Thing; 4] = [T, U, P, Q];

/// Contents of things, each a small number.
pub(super) type Contents = BTreeMap<Thing, u8>;

/// An agent as it runs: its own content, and its members'.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Runs {
    pub(super) own: u8,
    pub(super) members: Contents,
}

impl Thing {
    pub(super) fn id(self) -> ResourceId {
        let (kind, name) = match self {
            A => (Kind::Agent, "a"),
            B => (Kind::Agent, "b"),
            T => (Kind::Tool, "t"),
            U => (Kind::Tool, "u"),
            P => (Kind::Policy, "p"),
            Q => (Kind::Policy, "q"),
        };
        ResourceId::new(kind, "default", name)
    }

    /// What an agent of this content names.
    fn names(self, own: u8) -> Vec<Self> {
        match (self, own % 2) {
            (A, 0) => vec![T, P],
            (A, _) => vec![T, U, P],
            (B, 0) => vec![U],
            (B, _) => vec![U, T],
            _ => vec![],
        }
    }

    pub(super) fn yaml(self, content: u8) -> String {
        let id = self.id();
        let mut text = format!(
            "apiVersion: joch.dev/v1alpha1\nkind: {}\nmetadata: {{name: {}{}}}\nspec:\n  description: '{content}'\n",
            id.kind.name(),
            id.name,
            if self == A { ", labels: {tier: gold}" } else { "" }
        );
        let listed = |kind: Kind| {
            let named = self.names(content).into_iter().map(Self::id).filter(|id| id.kind == kind);
            named.map(|id| id.name).collect::<Vec<_>>().join(", ")
        };
        if self.id().kind == Kind::Agent {
            write!(text, "  tools: [{}]\n  policies: [{}]\n", listed(Kind::Tool), listed(Kind::Policy)).expect("text");
        }
        if self == Q {
            text += "  appliesTo: {agents: {selector: {matchLabels: {tier: gold}}}}\n";
        }
        text
    }

    /// `tool/t`, as `promote` takes it.
    pub(super) fn word(self) -> String {
        let id = self.id();
        format!("{}/{}", id.kind.singular(), id.name)
    }

    /// `tool t`, as `rollback` and `delete` take it.
    pub(super) fn spaced(self) -> String {
        self.word().replace('/', " ")
    }

    pub(super) fn of(id: &ResourceId) -> Self {
        AGENTS.into_iter().chain(SHARED).find(|thing| thing.id() == *id).expect("one of the six")
    }
}

/// What an environment should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rung {
    pub(super) catalog: Contents,
    pub(super) runs: BTreeMap<Thing, Runs>,
    pub(super) served: BTreeMap<Thing, BTreeSet<usize>>,
    /// Versions that nothing but a rollback brings in.
    pub(super) held: BTreeSet<(Thing, usize)>,
    pub(super) releases: u64,
}

/// What the ledger should be: its environments, and every content in the order of its number.
#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) rungs: [Rung; 3],
    pub(super) shared: BTreeMap<Thing, Vec<u8>>,
    pub(super) agents: BTreeMap<Thing, Vec<Runs>>,
    pub(super) digests: BTreeMap<(Thing, Runs), Digest>,
}

/// What a command is to do: an environment as it will be, if it changes at all.
pub(super) enum Comes {
    Nothing,
    Refusal,
    Change(Rung),
}

impl Rung {
    pub(super) fn apply(&self, set: &Contents) -> Comes {
        let mut after = self.clone();
        let changed: Contents = set
            .iter()
            .filter(|(thing, content)| SHARED.contains(thing) && self.catalog.get(thing) != Some(content))
            .map(|(thing, content)| (*thing, *content))
            .collect();
        for agent in AGENTS {
            let Some(own) = set.get(&agent) else { continue };
            let held = self.runs.get(&agent);
            let nearest = |thing: &Thing| {
                let held = held.and_then(|held| held.members.get(thing));
                set.get(thing).or(held).or(self.catalog.get(thing)).copied()
            };
            let mut members = Contents::new();
            for thing in agent.names(*own) {
                let Some(content) = nearest(&thing) else { return Comes::Refusal };
                members.insert(thing, content);
            }
            members.extend(nearest(&Q).filter(|_| agent == A).map(|content| (Q, content)));
            after.runs.insert(agent, Runs { own: *own, members });
        }
        after.ripple(&changed, |agent| !set.contains_key(&agent));
        after.catalog.extend(changed);
        self.becomes(after)
    }

    /// Exchanges what changed in the agents that hold it or are selected by it.
    fn ripple(&mut self, changed: &Contents, reaches: impl Fn(Thing) -> bool) {
        for (agent, runs) in self.runs.iter_mut().filter(|(agent, _)| reaches(**agent)) {
            let here =
                changed.iter().filter(|(thing, _)| runs.members.contains_key(thing) || (**thing, *agent) == (Q, A));
            let here: Contents = here.map(|(thing, content)| (*thing, *content)).collect();
            runs.members.extend(here);
        }
    }

    pub(super) fn promote(&self, thing: Thing, source: &Self) -> Comes {
        let mut after = self.clone();
        if AGENTS.contains(&thing) {
            let Some(candidate) = source.runs.get(&thing) else { return Comes::Refusal };
            if self.runs.get(&thing) == Some(candidate) {
                return Comes::Nothing;
            }
            for (member, content) in &candidate.members {
                after.catalog.entry(*member).or_insert(*content);
            }
            after.runs.insert(thing, candidate.clone());
        } else {
            let Some(content) = source.catalog.get(&thing) else { return Comes::Refusal };
            let changed = Contents::from([(thing, *content)]);
            if self.catalog.get(&thing) != Some(content) {
                after.ripple(&changed, |_| true);
            }
            after.catalog.extend(changed);
        }
        self.becomes(after)
    }

    pub(super) fn delete(&self, thing: Thing) -> Comes {
        let mut after = self.clone();
        after.runs.remove(&thing);
        if after.catalog.remove(&thing).is_some() {
            let holds = self.runs.values().any(|runs| runs.members.contains_key(&thing));
            if holds && thing != Q {
                return Comes::Refusal;
            }
            after.runs.values_mut().for_each(|runs| runs.members.retain(|member, _| *member != thing));
        }
        self.becomes(after)
    }

    pub(super) fn becomes(&self, after: Self) -> Comes {
        if after.catalog == self.catalog && after.runs == self.runs { Comes::Nothing } else { Comes::Change(after) }
    }
}

impl Model {
    /// The version that this running has: its place among all that ever ran.
    pub(super) fn version(&self, agent: Thing, runs: &Runs) -> usize {
        let known = self.agents.get(&agent).and_then(|known| known.iter().position(|one| one == runs));
        known.expect("what runs was released") + 1
    }

    /// Whether a promotion would take something back: in an environment that demands nothing, a policy.
    pub(super) fn goes_back(&self, thing: Thing, from: usize) -> bool {
        let (source, target) = (&self.rungs[from], &self.rungs[from + 1]);
        let older = |thing: &Thing, content: &u8, than: Option<&u8>| {
            let number = |content: &u8| self.shared[thing].iter().position(|known| known == content);
            than.is_some_and(|than| number(content) < number(than))
        };
        let Some(candidate) = source.runs.get(&thing) else {
            return older(&thing, &source.catalog[&thing], target.catalog.get(&thing));
        };
        let held = target.runs.get(&thing).map(|runs| runs.members.clone()).unwrap_or_default();
        let guarded = candidate.members.iter().filter(|(member, _)| from + 1 == GATED || [P, Q].contains(member));
        let mut guarded = guarded.map(|(member, content)| {
            older(member, content, held.get(member)) || older(member, content, target.catalog.get(member))
        });
        let unselected = thing == A && target.catalog.contains_key(&Q) && !candidate.members.contains_key(&Q);
        unselected || guarded.any(|older| older)
    }

    /// Whether a change brings in a version that is on hold there.
    pub(super) fn is_held(&self, rung: usize, after: &Rung) -> bool {
        let before = &self.rungs[rung];
        let mut brought = after.runs.iter().filter(|(agent, runs)| before.runs.get(agent) != Some(runs));
        brought.any(|(agent, runs)| {
            let known = self.agents.get(agent).and_then(|known| known.iter().position(|one| one == runs));
            known.is_some_and(|at| before.held.contains(&(*agent, at + 1)))
        })
    }

    pub(super) fn land(&mut self, rung: usize, mut after: Rung) {
        for (thing, content) in &after.catalog {
            let known = self.shared.entry(*thing).or_default();
            if !known.contains(content) {
                known.push(*content);
            }
        }
        for (agent, runs) in &after.runs {
            let known = self.agents.entry(*agent).or_default();
            if !known.contains(runs) {
                known.push(runs.clone());
            }
            let version = known.iter().position(|one| one == runs).expect("just there") + 1;
            after.served.entry(*agent).or_default().insert(version);
        }
        after.releases += 1;
        self.rungs[rung] = after;
    }
}
