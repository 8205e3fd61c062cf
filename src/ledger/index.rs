//! What would take a look at everything, kept by tree: which Evals and Deployments may be about an agent, and which
//! agents hold another as a child. A table says of which tree it is, and follows to another by what differs between
//! the two, so that it is never of an older state and costs what has changed.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::release::layout;
use crate::resource::{Kind, Resource, ResourceId, view};

use super::compare::changed_paths;
use super::environment::Environment;
use super::error::{Error, Result};
use super::object::EntryKind;
use super::object_id::ObjectId;

/// Where tables are kept from one command to the next. What it gives back must be what was stored: a table without
/// a line is a gate that nobody asks. What it cannot keep is derived again.
pub trait Cache {
    /// What was stored under this name.
    fn load(&self, name: &str) -> Option<Vec<u8>>;

    /// Stores it, if that can be.
    fn store(&self, name: &str, bytes: &[u8]);
}

/// Of what a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sort {
    /// The catalog entries of a kind, Evals or Deployments: by the agents that each may be about, and by name.
    About(Kind),
    /// The agents with children: by the children, at any depth.
    Parents,
}

/// Lines of `key`, tab, `source`, in order; a source is the entry or agent that the line is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    tree: Option<ObjectId>,
    lines: String,
}

/// Changes with what lines say; the version of joch stands beside it.
const FORMAT: &str = concat!("joch index 1 ", env!("CARGO_PKG_VERSION"));

impl Table {
    /// The sources of a key, in order.
    pub(super) fn sources(&self, key: &str) -> Vec<&str> {
        let lines = self.lines.lines();
        let of_key =
            |line: &'_ str| line.len() > key.len() && line.starts_with(key) && line.as_bytes()[key.len()] == b'\t';
        lines.filter(|line| of_key(line)).map(|line| &line[key.len() + 1..]).collect()
    }

    fn empty() -> Self {
        Self { tree: None, lines: String::new() }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let tree = self.tree.map_or_else(|| "-".to_owned(), |tree| tree.to_string());
        format!("{FORMAT} {tree}\n{}", self.lines).into_bytes()
    }

    fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let text = String::from_utf8(bytes).ok()?;
        let (head, lines) = text.split_once('\n')?;
        let tree = match head.strip_prefix(FORMAT)?.strip_prefix(' ')? {
            "-" => None,
            tree => Some(tree.parse().ok()?),
        };
        Some(Self { tree, lines: lines.to_owned() })
    }

    /// This table without the lines of some sources, and with others instead.
    fn with(&self, tree: Option<ObjectId>, gone: &BTreeSet<String>, new: &[String]) -> Self {
        let source = |line: &str| line.rsplit('\t').next().is_some_and(|source| gone.contains(source));
        let mut lines: Vec<&str> = self.lines.lines().filter(|line| !source(line)).collect();
        lines.extend(new.iter().map(String::as_str));
        lines.sort_unstable();
        lines.dedup();
        let mut text = lines.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        Self { tree, lines: text }
    }
}

/// The key of an agent.
pub(super) fn agent_key(agent: &ResourceId) -> String {
    format!("agent {}/{}", escaped(&agent.namespace), escaped(&agent.name))
}

/// The key of a name.
pub(super) fn name_key(name: &str) -> String {
    format!("named {}", escaped(name))
}

/// Nothing that a resource names ends a key or a line.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\t', "%09").replace('\n', "%0A").replace('\r', "%0D")
}

impl Sort {
    fn name(&self) -> String {
        match self {
            Self::About(kind) => kind.plural(),
            Self::Parents => "parents".into(),
        }
    }

    fn directory(&self) -> String {
        match self {
            Self::About(kind) => format!("{}/{}", layout::CATALOG, kind.plural()),
            Self::Parents => layout::AGENTS.to_owned(),
        }
    }

    /// The source that a file below the directory belongs to.
    fn source<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self {
            Self::About(_) => path.ends_with(".yaml").then_some(path),
            Self::Parents => path.match_indices('/').nth(1).map(|(at, _)| &path[..at]),
        }
    }
}

impl Environment<'_, '_> {
    /// The table of this sort as this environment's tree has it.
    pub(super) fn table(&self, sort: &Sort) -> Result<Rc<Table>> {
        let tree = self.reader().snapshot().entry_at(self.head(), &sort.directory())?.map(|entry| entry.id);
        let name = format!("{}-{}", sort.name(), self.name());
        if let Some(known) = self.reader().tables().borrow().get(&name).filter(|known| known.tree == tree) {
            return Ok(known.clone());
        }
        let in_memory = self.reader().tables().borrow().get(&name).cloned();
        let stored =
            || self.reader().cache().and_then(|cache| cache.load(&name)).and_then(Table::from_bytes).map(Rc::new);
        let known = in_memory.or_else(stored).unwrap_or_else(|| Rc::new(Table::empty()));
        let table = if known.tree == tree {
            known
        } else {
            let table = match self.followed(sort, &known, tree) {
                // What it was derived from may be gone.
                Err(_) if known.tree.is_some() => self.followed(sort, &Table::empty(), tree),
                followed => followed,
            }?;
            if let Some(cache) = self.reader().cache() {
                cache.store(&name, &table.to_bytes());
            }
            Rc::new(table)
        };
        self.reader().tables().borrow_mut().insert(name, table.clone());
        Ok(table)
    }

    /// The table of `tree`, derived from that of another.
    fn followed(&self, sort: &Sort, known: &Table, tree: Option<ObjectId>) -> Result<Table> {
        let mut gone = BTreeSet::new();
        let mut new = Vec::new();
        if known.tree.is_none() && *sort == Sort::Parents {
            for agent in self.agents()? {
                self.parent_lines(&agent, &mut new)?;
            }
            return Ok(known.with(tree, &gone, &new));
        }
        for change in changed_paths(self.reader().snapshot(), known.tree, tree)? {
            let Some(source) = sort.source(&change.path) else { continue };
            let first = gone.insert(source.to_owned());
            match sort {
                Sort::About(_) => {
                    let Some(blob) = change.new else { continue };
                    let text = self.reader().text(blob)?;
                    let record = Resource::from_canonical(&text)
                        .map_err(|why| Error::Damaged { object: format!("the blob {blob}"), why })?;
                    new.extend(view::about(&record).iter().map(|agent| format!("{}\t{source}", agent_key(agent))));
                    new.push(format!("{}\t{source}", name_key(&record.id().name)));
                }
                Sort::Parents if first => {
                    if let Some((namespace, name)) = source.split_once('/') {
                        self.parent_lines(&ResourceId::agent(namespace, name), &mut new)?;
                    }
                }
                Sort::Parents => {}
            }
        }
        Ok(known.with(tree, &gone, &new))
    }

    /// A line for each child that an agent holds, at any depth.
    fn parent_lines(&self, agent: &ResourceId, lines: &mut Vec<String>) -> Result<()> {
        let Some(tree) = self.closure_tree(agent)? else { return Ok(()) };
        if self.reader().snapshot().entry_at(tree, layout::AGENTS)?.is_none() {
            return Ok(());
        }
        let source = format!("{}/{}", agent.namespace, agent.name);
        let mut closures: Vec<_> = self.closure(agent)?.into_iter().collect();
        while let Some(closure) = closures.pop() {
            for (child, below) in closure.children() {
                lines.push(format!("{}\t{source}", agent_key(child)));
                closures.push(below.clone());
            }
        }
        Ok(())
    }

    /// The file of the catalog at a path below the directory of a kind.
    pub(super) fn entry_of(&self, kind: &Kind, path: &str) -> Result<Option<ObjectId>> {
        let path = format!("{}/{}/{path}", layout::CATALOG, kind.plural());
        let found = self.reader().snapshot().entry_at(self.head(), &path)?;
        Ok(found.filter(|entry| entry.kind == EntryKind::File).map(|entry| entry.id))
    }
}
