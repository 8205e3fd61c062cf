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
use super::object_id::ObjectId;

/// Where tables are kept from one command to the next. What it gives back must be what was stored: a table that lacks
/// a line is a gate that nobody asks. What it does not keep is derived again.
pub trait Cache {
    /// What was stored under this name.
    fn load(&self, name: &str) -> Option<Vec<u8>>;

    /// Stores it, if that can be.
    fn store(&self, name: &str, bytes: &[u8]);
}

/// Lines of text, tab, source, in order; the source is the entry or agent that the line is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    head: Head,
    lines: String,
}

/// Of what a table is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Head {
    tree: Option<ObjectId>,
    /// Digest of what else its lines depend on.
    under: Option<Digest>,
}

/// Changes with what lines say; the version of joch stands beside it.
const FORMAT: &str = concat!("joch index 1 ", env!("CARGO_PKG_VERSION"));

impl Table {
    /// Every line, as its text and its source.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.lines().filter_map(|line| line.rsplit_once('\t'))
    }

    /// The sources of the lines with this text, in order.
    pub(super) fn sources(&self, text: &str) -> Vec<&str> {
        let begin = format!("{text}\t");
        let sources = self.from(&begin).lines().map_while(|line| line.strip_prefix(begin.as_str()));
        // A line whose text goes on after a tab has another text.
        sources.filter(|source| !source.contains('\t')).collect()
    }

    /// The lines from the first that is not before `begin`, found by halves.
    fn from(&self, begin: &str) -> &str {
        let (mut low, mut high) = (0, self.lines.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let bytes = self.lines.as_bytes();
            let start = bytes[low..middle].iter().rposition(|byte| *byte == b'\n').map_or(low, |at| low + at + 1);
            let end = bytes[middle..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| middle + at);
            if &bytes[start..end] < begin.as_bytes() { low = end + 1 } else { high = start }
        }
        self.lines.get(low..).unwrap_or_default()
    }

    fn to_bytes(&self) -> Vec<u8> {
        format!("{}\n{}", self.head.line(), self.lines).into_bytes()
    }

    fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let text = String::from_utf8(bytes).ok()?;
        let (head, lines) = text.split_once('\n')?;
        Some(Self { head: Head::parse(head)?, lines: lines.to_owned() })
    }

    /// This table without the lines of some sources, and with others instead.
    fn with(&self, head: Head, gone: &BTreeSet<String>, new: &[String]) -> Self {
        let kept = |line: &&str| line.rsplit_once('\t').is_some_and(|(_, source)| !gone.contains(source));
        let mut lines: Vec<&str> = self.lines.lines().filter(kept).chain(new.iter().map(String::as_str)).collect();
        lines.sort_unstable();
        lines.dedup();
        let mut text = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        Self { head, lines: text }
    }
}

impl Head {
    fn line(&self) -> String {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let under = or_dash(self.under.map(|under| under.to_string()));
        format!("{FORMAT} {under} {}", or_dash(self.tree.map(|tree| tree.to_string())))
    }

    fn parse(line: &str) -> Option<Self> {
        let (under, tree) = line.strip_prefix(FORMAT)?.strip_prefix(' ')?.split_once(' ')?;
        let under = if under == "-" { None } else { Some(under.parse().ok()?) };
        let tree = if tree == "-" { None } else { Some(tree.parse().ok()?) };
        Some(Self { tree, under })
    }
}

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

    /// A table as this environment's tree has it.
    pub(super) fn table(&self, derive: &dyn Derive) -> Result<Rc<Table>> {
        let reader = self.reader();
        let tree = reader.snapshot().entry_at(self.head(), &derive.directory())?.map(|entry| entry.id);
        let head = Head { tree, under: derive.under() };
        let name = format!("{}-{}", derive.name(), self.name());
        let in_memory = reader.tables().borrow().get(&name).cloned();
        let stored = || reader.cache().and_then(|cache| cache.load(&name)).and_then(Table::from_bytes).map(Rc::new);
        let known = in_memory.or_else(stored).filter(|known| known.head.under == head.under);
        let table = match known {
            Some(known) if known.head == head => known,
            known => {
                let followed = known.and_then(|known| self.followed(derive, &known, &head).ok());
                // What it was derived from may be gone, and then there is nothing to follow from.
                let table = followed.map_or_else(|| self.derived(derive, &head), Ok)?;
                if let Some(cache) = reader.cache() {
                    cache.store(&name, &table.to_bytes());
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
        Ok(Table { head: Head::default(), lines: String::new() }.with(head.clone(), &BTreeSet::new(), &lines))
    }

    /// The table, derived from that of another tree.
    fn followed(&self, derive: &dyn Derive, known: &Table, head: &Head) -> Result<Table> {
        let changes = changed_paths(self.reader().snapshot(), known.head.tree, head.tree)?;
        let changed = changes.iter().filter_map(|change| derive.source(&change.path).map(str::to_owned)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_halves_wherever_it_stands() {
        let texts = ["agent a/b", "agent a/b-c", "agent a/b\tc", "named é", "team x"];
        let lines: Vec<String> =
            texts.iter().flat_map(|text| (0..5).map(move |n| format!("{text}\t{n}.yaml"))).collect();
        for few in 0..=lines.len() {
            let empty = Table { head: Head::default(), lines: String::new() };
            let table = empty.with(Head::default(), &BTreeSet::new(), &lines[..few]);
            for text in texts.iter().chain(&["", "agent", "agent a/c", "zzz"]) {
                let all = table.lines().filter(|(line, _)| line == text).map(|(_, source)| source);
                assert_eq!(table.sources(text), all.collect::<Vec<_>>(), "{text:?} among {few}");
            }
        }
    }
}
