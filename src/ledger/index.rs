//! What would take a look at everything, kept by tree: which Evals and Deployments may be about an agent, which agents
//! hold another as a child, and what a verb wants to know of every agent. A table says of which tree it is, and
//! follows to another by what differs between the two: it is never of an older state, and costs what has changed.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::closure::Closure;
use crate::release::{Record, layout};
use crate::resource::{Digest, Kind, ResourceId, view};

use super::compare::changed_paths;
use super::environment::Environment;
use super::error::Result;
use super::table::{Head, Kept, Table};

/// So many sources may have changed since a long table was stored before it is read, followed and stored as a whole.
const FEW: usize = 32;

/// How the lines of a table come about.
pub(super) trait Derive {
    /// What the table is called, beside its environment.
    fn name(&self) -> String;

    /// What else than the tree the lines depend on.
    fn under(&self) -> Option<Digest> {
        None
    }

    /// The directory that it is of.
    fn directory(&self) -> String;

    /// The source that a file below the directory belongs to.
    fn source<'p>(&self, path: &'p str) -> Option<&'p str>;

    /// Every source of an environment.
    fn sources(&self, environment: &Environment<'_, '_>) -> Result<BTreeSet<String>>;

    /// The lines of a source, without it; none for one that is gone.
    fn lines(&self, environment: &Environment<'_, '_>, source: &str) -> Result<Vec<String>>;
}

/// The catalog entries of a kind, Evals, Deployments or Budgets: by the agents that each may be about, by the teams that
/// draw on it, and by name.
pub(super) struct About<'k>(pub(super) &'k Kind);

/// The agents with children: by the children, at any depth.
pub(super) struct Parents;

/// What a verb wants to know of every agent; the lines are a function of the closure, the record beside it, and what
/// `under` is the digest of.
pub struct PerAgent<'f> {
    /// What the table is called.
    pub name: &'f str,
    /// Digest of what else the lines depend on.
    pub under: Option<Digest>,
    /// The lines of one agent; a line holds no tab and no line end.
    pub lines: Lines<'f>,
}

/// The lines of one agent, of its closure and the record beside it.
pub type Lines<'f> = &'f dyn Fn(&Closure, Option<&Record>) -> Result<Vec<String>>;

impl Derive for About<'_> {
    fn name(&self) -> String {
        self.0.plural()
    }

    fn directory(&self) -> String {
        format!("{}/{}", layout::CATALOG, self.0.plural())
    }

    fn source<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.ends_with(".yaml").then_some(path)
    }

    fn sources(&self, environment: &Environment<'_, '_>) -> Result<BTreeSet<String>> {
        let snapshot = environment.reader().snapshot();
        let Some(tree) = snapshot.entry_at(environment.head(), &self.directory())? else { return Ok(BTreeSet::new()) };
        let files = snapshot.files_under(tree.id)?.into_iter().map(|(path, _)| path);
        Ok(files.filter(|path| self.source(path).is_some()).collect())
    }

    fn lines(&self, environment: &Environment<'_, '_>, source: &str) -> Result<Vec<String>> {
        let Some(record) = environment.unremembered(self.0, source)? else { return Ok(Vec::new()) };
        let mut keys: Vec<String> = view::about(&record).iter().map(agent_key).collect();
        keys.push(name_key(&record.id().name));
        if let Some(scope) = view::Scope::of(&record) {
            let agents = scope.agents.iter().flat_map(|named| named.candidates(&record.id().namespace));
            keys.extend(agents.map(|agent| agent_key(&agent)));
            keys.extend(scope.teams.iter().map(|team| team_key(&team.name)));
        }
        Ok(keys)
    }
}

impl Derive for Parents {
    fn name(&self) -> String {
        "parents".to_owned()
    }

    fn directory(&self) -> String {
        layout::AGENTS.to_owned()
    }

    fn source<'p>(&self, path: &'p str) -> Option<&'p str> {
        agent_of(path)
    }

    fn sources(&self, environment: &Environment<'_, '_>) -> Result<BTreeSet<String>> {
        every_agent(environment)
    }

    fn lines(&self, environment: &Environment<'_, '_>, source: &str) -> Result<Vec<String>> {
        let Some(agent) = agent_named(source) else { return Ok(Vec::new()) };
        let Some(tree) = environment.closure_tree(&agent)? else { return Ok(Vec::new()) };
        if environment.reader().snapshot().entry_at(tree, layout::AGENTS)?.is_none() {
            return Ok(Vec::new());
        }
        let mut lines = Vec::new();
        let mut closures: Vec<_> = environment.closure(&agent)?.into_iter().collect();
        while let Some(closure) = closures.pop() {
            for (child, below) in closure.children() {
                lines.push(agent_key(child));
                closures.push(below.clone());
            }
        }
        Ok(lines)
    }
}

impl Derive for PerAgent<'_> {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn under(&self) -> Option<Digest> {
        self.under
    }

    fn directory(&self) -> String {
        layout::AGENTS.to_owned()
    }

    fn source<'p>(&self, path: &'p str) -> Option<&'p str> {
        agent_of(path)
    }

    fn sources(&self, environment: &Environment<'_, '_>) -> Result<BTreeSet<String>> {
        every_agent(environment)
    }

    fn lines(&self, environment: &Environment<'_, '_>, source: &str) -> Result<Vec<String>> {
        let Some(agent) = agent_named(source) else { return Ok(Vec::new()) };
        let Some(closure) = environment.closure(&agent)? else { return Ok(Vec::new()) };
        (self.lines)(&closure, environment.record(&agent)?.as_ref())
    }
}

impl Environment<'_, '_> {
    /// The table of this environment's agents, as its tree has them now.
    ///
    /// # Errors
    /// A closure or record is damaged, or what the lines say.
    pub fn per_agent(&self, derive: &PerAgent<'_>) -> Result<Rc<Table>> {
        self.table(derive)
    }

    /// The sources of the lines with one of these texts, in the table as this environment's tree has it.
    pub(super) fn sources(&self, derive: &dyn Derive, texts: &[String]) -> Result<BTreeSet<String>> {
        if let Some(found) = self.looked_up(derive, texts)? {
            return Ok(found);
        }
        let table = self.table(derive)?;
        Ok(texts.iter().flat_map(|text| table.sources(text)).map(str::to_owned).collect())
    }

    /// The same, from a few pages of a long table that is kept; none where that cannot be had.
    fn looked_up(&self, derive: &dyn Derive, texts: &[String]) -> Result<Option<BTreeSet<String>>> {
        let Some(kept) = self.kept(derive)? else { return Ok(None) };
        let found: Option<Vec<_>> = texts.iter().map(|text| kept.sources(text)).collect();
        Ok(found.map(|found| found.into_iter().flatten().collect()))
    }

    /// A long table that is kept, with what little has changed since.
    fn kept(&self, derive: &dyn Derive) -> Result<Option<Rc<Kept>>> {
        let reader = self.reader();
        let (name, head) = (self.table_name(derive), self.table_head(derive)?);
        if reader.tables().borrow().contains_key(&name) {
            // It is in memory as a whole.
            return Ok(None);
        }
        if let Some(known) = reader.kept().borrow().get(&name).filter(|known| known.now == head) {
            return Ok(Some(known.clone()));
        }
        let stored = reader.cache().and_then(|cache| Kept::open(cache.open(&name)?));
        let Some(stored) = stored.filter(|stored| stored.head.under == head.under && !stored.is_short()) else {
            return Ok(None);
        };
        // What it was derived from may be gone, and then there is nothing to follow from.
        let Ok(changed) = self.changed(derive, &stored.head, &head) else { return Ok(None) };
        if changed.len() > FEW {
            return Ok(None);
        }
        let new = self.lines_of(derive, &changed)?;
        let kept = Rc::new(stored.with(head, changed, &new));
        reader.kept().borrow_mut().insert(name, kept.clone());
        Ok(Some(kept))
    }

    fn table_name(&self, derive: &dyn Derive) -> String {
        format!("{}-{}", derive.name(), self.name())
    }

    fn table_head(&self, derive: &dyn Derive) -> Result<Head> {
        let tree = self.reader().snapshot().entry_at(self.head(), &derive.directory())?.map(|entry| entry.id);
        Ok(Head { tree, under: derive.under() })
    }

    /// The sources that differ between what a table was of and what it is to be of.
    fn changed(&self, derive: &dyn Derive, old: &Head, new: &Head) -> Result<BTreeSet<String>> {
        let changes = changed_paths(self.reader().snapshot(), old.tree, new.tree)?;
        Ok(changes.iter().filter_map(|change| derive.source(&change.path).map(str::to_owned)).collect())
    }

    /// A table as this environment's tree has it.
    pub(super) fn table(&self, derive: &dyn Derive) -> Result<Rc<Table>> {
        let reader = self.reader();
        let (name, head) = (self.table_name(derive), self.table_head(derive)?);
        let in_memory = reader.tables().borrow().get(&name).cloned();
        let stored = || reader.cache().and_then(|cache| Kept::open(cache.open(&name)?)?.whole()).map(Rc::new);
        let known = in_memory.or_else(stored).filter(|known| known.head.under == head.under);
        let table = match known {
            Some(known) if known.head == head => known,
            known => {
                let followed = known.and_then(|known| self.followed(derive, &known, &head).ok());
                // What it was derived from may be gone, and then there is nothing to follow from.
                let table = followed.map_or_else(|| self.derived(derive, &head), Ok)?;
                if let Some(cache) = reader.cache() {
                    cache.store(&name, &table.pieces());
                }
                Rc::new(table)
            }
        };
        reader.tables().borrow_mut().insert(name, table.clone());
        Ok(table)
    }

    /// The table, derived from nothing.
    fn derived(&self, derive: &dyn Derive, head: &Head) -> Result<Table> {
        let lines = self.lines_of(derive, &derive.sources(self)?)?;
        Ok(Table::empty().with(head.clone(), &BTreeSet::new(), &lines))
    }

    /// The table, derived from that of another tree.
    fn followed(&self, derive: &dyn Derive, known: &Table, head: &Head) -> Result<Table> {
        let changed = self.changed(derive, &known.head, head)?;
        let lines = self.lines_of(derive, &changed)?;
        Ok(known.with(head.clone(), &changed, &lines))
    }

    fn lines_of(&self, derive: &dyn Derive, sources: &BTreeSet<String>) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for source in sources {
            lines.extend(derive.lines(self, source)?.into_iter().map(|line| format!("{line}\t{source}")));
        }
        Ok(lines)
    }
}

/// The text of an agent's lines.
pub(super) fn agent_key(agent: &ResourceId) -> String {
    format!("agent {}/{}", escaped(&agent.namespace), escaped(&agent.name))
}

/// The text of a name's lines.
pub(super) fn name_key(name: &str) -> String {
    format!("named {}", escaped(name))
}

/// The text of the lines of what a team draws on.
pub(super) fn team_key(team: &str) -> String {
    format!("team {}", escaped(team))
}

/// The agent that a source names.
pub(super) fn agent_named(source: &str) -> Option<ResourceId> {
    source.split_once('/').map(|(namespace, name)| ResourceId::agent(namespace, name))
}

/// Nothing that a resource names ends a text or a line.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\t', "%09").replace('\n', "%0A").replace('\r', "%0D")
}

/// The agent that a file below the directory of agents belongs to.
fn agent_of(path: &str) -> Option<&str> {
    path.match_indices('/').nth(1).map(|(at, _)| &path[..at])
}

fn every_agent(environment: &Environment<'_, '_>) -> Result<BTreeSet<String>> {
    let agents = environment.agents()?.into_iter();
    Ok(agents.map(|agent| format!("{}/{}", agent.namespace, agent.name)).collect())
}
