//! What a verb wants of one environment, before anyone has judged it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::closure::{Closure, Shelf, Unreadable, draws};
use crate::gate::{Regression, Subject};
use crate::resource::view::about;
use crate::resource::{Digest, Kind, Resource, ResourceId};

use super::event::{Event, Word};
use super::record::{Record, Source, Undone};

/// What an environment runs for one agent.
#[derive(Debug, Clone)]
pub struct Running {
    /// The closure, read from the environment's tree.
    pub closure: Closure,
    /// The record of the release that brought it.
    pub record: Record,
}

/// A change of one environment: all of it happens, or none.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What is asked for.
    pub event: Event,
    /// The environment.
    pub environment: String,
    /// Where content comes from, for a promotion.
    pub source: Option<Source>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// Catalog entries that change.
    pub catalog: BTreeMap<ResourceId, CatalogEdit>,
    /// Agents that change.
    pub agents: BTreeMap<ResourceId, AgentEdit>,
}

/// A change of one catalog entry.
#[derive(Debug, Clone)]
pub struct CatalogEdit {
    /// What stands there now.
    pub before: Option<Arc<Resource>>,
    /// What will stand there; `None` takes it away.
    pub after: Option<Arc<Resource>>,
    /// For an Eval, the cases of its dataset, where they travel with it.
    pub cases: Option<Vec<u8>>,
}

/// A change of what runs for one agent.
#[derive(Debug, Clone)]
pub struct AgentEdit {
    /// What it does to the agent.
    pub word: Word,
    /// What runs now.
    pub before: Option<Running>,
    /// The record of the last release of this agent here, also where it was deleted.
    pub last: Option<Record>,
    /// What ran last, where the agent was deleted since: a name that returns is held against it.
    pub ran: Option<Closure>,
    /// What will run; `None` takes it away.
    pub after: Option<Closure>,
    /// Catalog entries that change on this agent's behalf.
    pub writes: BTreeSet<ResourceId>,
    /// For an agent that is promoted, all that comes along from the source, whether or not the target has it:
    /// an approval of it does not depend on what other releases brought before.
    pub brings: Option<BTreeMap<ResourceId, Digest>>,
    /// Since when the environment that it is promoted from has run exactly this.
    pub running_in_source_since: Option<DateTime<Utc>>,
    /// What it would take back.
    pub regressions: Vec<Regression>,
    /// What a rollback undoes.
    pub undoes: Option<Undone>,
    /// Whether it has served here before and comes back by rollback, which gates do not hold up.
    pub has_served: bool,
}

impl AgentEdit {
    /// What the change is held against: what runs, else what ran last.
    #[must_use]
    pub fn against(&self) -> Option<&Closure> {
        self.before.as_ref().map(|running| &running.closure).or(self.ran.as_ref())
    }
}

impl CatalogEdit {
    /// What it does to the entry.
    #[must_use]
    pub fn word(&self) -> Word {
        match (&self.before, &self.after) {
            (None, _) => Word::Created,
            (Some(_), None) => Word::Deleted,
            (Some(before), Some(after)) if before == after => Word::Unchanged,
            (Some(_), Some(_)) => Word::Updated,
        }
    }
}

impl Draft {
    /// Whether it changes anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.catalog.is_empty()
    }

    /// What tells this attempt from others: what is asked for, where, and every subject of it.
    #[must_use]
    pub fn attempt(&self, number: u64) -> Digest {
        let mut lines = vec![format!("{} {}/{number}", self.event, self.environment)];
        lines.extend(self.subjects().iter().map(|subject| {
            let digest = |digest: Option<Digest>| digest.map_or_else(|| "-".to_owned(), |digest| digest.hex());
            format!(
                "{} {} {} {}",
                subject.resource.full(),
                digest(subject.from),
                digest(subject.to),
                subject.writes.hex()
            )
        }));
        Digest::of(lines.join("\n"))
    }

    /// What is judged: every changed closure; and each changed catalog entry that reaches no closure here,
    /// so that an Eval or Deployment cannot be loosened unseen.
    #[must_use]
    pub fn subjects(&self) -> Vec<Subject> {
        let digest = |resource: &Option<Arc<Resource>>| resource.as_ref().map(|resource| resource.digest());
        let agents = self.agents.iter().map(|(id, edit)| Subject {
            resource: id.clone(),
            from: edit.before.as_ref().map(|running| running.closure.digest()),
            to: edit.after.as_ref().map(Closure::digest),
            writes: edit.brings.as_ref().map_or_else(|| self.writes(&edit.writes), brought),
        });
        let entries = self.catalog.iter().filter(|(id, _)| self.stands_alone(id)).map(|(id, edit)| Subject {
            resource: id.clone(),
            from: digest(&edit.before),
            to: digest(&edit.after),
            writes: self.writes(&BTreeSet::new()),
        });
        agents.chain(entries).collect()
    }

    /// Whether a catalog entry is judged on its own: no changed closure answers for it.
    fn stands_alone(&self, id: &ResourceId) -> bool {
        let answered = self.agents.values().any(|edit| edit.writes.contains(id));
        let guards = matches!(id.kind, Kind::Eval | Kind::Deployment);
        let replaced = self.catalog.get(id).is_some_and(|edit| edit.word() != Word::Created);
        !answered || (guards && replaced)
    }

    /// Digest of these catalog changes.
    pub(crate) fn writes(&self, ids: &BTreeSet<ResourceId>) -> Digest {
        let line = |id: &ResourceId| {
            let after = self.catalog.get(id).and_then(|edit| edit.after.as_ref());
            format!("{}  {}\n", after.map_or_else(|| "-".to_owned(), |resource| resource.digest().hex()), id.full())
        };
        Digest::of(ids.iter().map(line).collect::<String>())
    }
}

/// The catalog of an environment as a draft would leave it.
pub(super) struct Drafted<'a> {
    pub(super) draft: &'a Draft,
    pub(super) before: &'a dyn Shelf,
}

impl Shelf for Drafted<'_> {
    fn get(&self, id: &ResourceId) -> Result<Option<Arc<Resource>>, Unreadable> {
        match self.draft.catalog.get(id) {
            Some(edit) => Ok(edit.after.clone()),
            None => self.before.get(id),
        }
    }

    fn of_kind(&self, kind: &Kind) -> Result<Vec<Arc<Resource>>, Unreadable> {
        let mut held: BTreeMap<_, _> =
            self.before.of_kind(kind)?.into_iter().map(|resource| (resource.id().clone(), resource)).collect();
        for (id, edit) in self.draft.catalog.iter().filter(|(id, _)| id.kind == *kind) {
            match &edit.after {
                Some(after) => drop(held.insert(id.clone(), after.clone())),
                None => drop(held.remove(id)),
            }
        }
        Ok(held.into_values().collect())
    }

    fn about(&self, kind: &Kind, agent: &ResourceId) -> Result<Vec<Arc<Resource>>, Unreadable> {
        let standing = self.before.about(kind, agent)?.into_iter();
        let mut held: BTreeMap<_, _> = standing
            .filter(|resource| !self.draft.catalog.contains_key(resource.id()))
            .map(|resource| (resource.id().clone(), resource))
            .collect();
        let edited = self.draft.catalog.iter().filter(|(id, _)| id.kind == *kind);
        for after in edited.filter_map(|(_, edit)| edit.after.as_ref()).filter(|after| about(after).contains(agent)) {
            held.insert(after.id().clone(), after.clone());
        }
        Ok(held.into_values().collect())
    }

    fn budgets(&self, agent: &ResourceId, teams: &BTreeSet<&str>) -> Result<Vec<Arc<Resource>>, Unreadable> {
        let standing = self.before.budgets(agent, teams)?.into_iter();
        let mut held: BTreeMap<_, _> = standing
            .filter(|budget| !self.draft.catalog.contains_key(budget.id()))
            .map(|budget| (budget.id().clone(), budget))
            .collect();
        for after in self.draft.catalog.values().filter_map(|edit| edit.after.as_ref()) {
            if draws(after, agent, teams) {
                held.insert(after.id().clone(), after.clone());
            }
        }
        Ok(held.into_values().collect())
    }
}

/// Digest of what comes along.
fn brought(brings: &BTreeMap<ResourceId, Digest>) -> Digest {
    Digest::of(brings.iter().map(|(id, digest)| format!("{}  {}\n", digest.hex(), id.full())).collect::<String>())
}
