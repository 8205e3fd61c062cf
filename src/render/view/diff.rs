//! `joch diff`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::bom::{AbomDelta, Became, Other};
use crate::diff::Change;
use crate::release::Word;
use crate::render::{Page, View};
use crate::resource::{Digest, Kind, Pinned, ResourceId};

use super::{changes, diff_markdown, words};

/// What differs, and what that reaches.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffResult {
    /// The resource that was named; none where files were.
    pub subject: Option<ResourceId>,
    /// The old side.
    pub from: DiffSide,
    /// The new side; nothing is known of files as a whole.
    pub to: DiffSide,
    /// What was compared, and the agents that files reach.
    pub resources: Vec<ComparedResource>,
    /// Every change.
    pub changes: Vec<Change>,
    /// Agents that the changes reach though nobody named them.
    pub affected: Vec<AffectedAgent>,
    /// Components that came, went, or moved.
    pub abom: AbomDelta,
    /// What the two environments impose beside every closure, as far as it differs.
    pub imposed: AbomDelta,
}

/// One side of a comparison.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffSide {
    /// The version.
    pub version: Option<u64>,
    /// The digest of its content.
    pub digest: Option<Digest>,
    /// The environment that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The moment that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<DateTime<Utc>>,
}

/// One resource that was compared.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComparedResource {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub change: Word,
    /// What the old side has.
    pub from: Option<Pinned>,
    /// What the new side has.
    pub to: Option<Pinned>,
}

/// An agent that a change reaches.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AffectedAgent {
    /// Always `Agent`.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where it runs.
    pub environment: String,
    /// The version that runs there.
    pub version: Option<u64>,
    /// What it holds of what changes.
    #[serde(serialize_with = "write_ids")]
    #[schemars(with = "Vec<String>")]
    pub through: Vec<ResourceId>,
}

impl View for DiffResult {
    fn kind(&self) -> &'static str {
        "DiffResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        page.line(self.title());
        if self.subject.is_none() {
            self.rows(page);
        }
        if self.changes.is_empty() {
            page.line("nothing changed");
        } else {
            page.gap();
            changes::tell(page, 0, &self.changes);
        }
        self.reach(page);
    }

    fn names(&self) -> Vec<String> {
        let changed = self.resources.iter().filter(|resource| resource.change != Word::Unchanged);
        changed.map(|resource| resource.id().to_string()).collect()
    }

    fn markdown(&self) -> String {
        diff_markdown::page(self)
    }
}

impl DiffResult {
    /// What is compared with what, both sides resolved.
    pub(super) fn title(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{subject}  {} -> {}", self.from.told(), self.to.told()),
            None => format!("{} -> files", self.from.environment.as_deref().unwrap_or_default()),
        }
    }

    fn rows(&self, page: &mut Page) {
        let changed: Vec<_> = self.resources.iter().filter(|resource| resource.change != Word::Unchanged).collect();
        let row = |resource: &&ComparedResource| {
            vec![resource.change.word().to_owned(), resource.id().to_string(), resource.versions()]
        };
        page.indented_table(2, &[], &changed.iter().map(row).collect::<Vec<_>>());
        match self.resources.len() - changed.len() {
            0 => {}
            count => page.line(format!("  {count} unchanged")),
        }
    }

    /// What the changes come to beyond the resources themselves.
    fn reach(&self, page: &mut Page) {
        if !self.abom.is_empty() {
            page.gap();
            page.line("Components");
            delta(page, &self.abom);
        }
        if !self.imposed.is_empty() {
            page.gap();
            page.line("Imposed by trust");
            delta(page, &self.imposed);
        }
        if let Some(subject) = self.subject.as_ref().filter(|_| !self.affected.is_empty()) {
            page.gap();
            page.line(if subject.kind == Kind::Agent { "Also held by" } else { "Held by" });
            let row = |agent: &AffectedAgent| {
                let through: Vec<_> = agent.through.iter().map(ResourceId::to_string).collect();
                let id = ResourceId::agent(&agent.namespace, &agent.name);
                let held = through.join(", ");
                vec![id.to_string(), words::version(agent.version), agent.environment.clone(), held]
            };
            page.indented_table(2, &[], &self.affected.iter().map(row).collect::<Vec<_>>());
        }
    }
}

impl DiffSide {
    /// `v7 (1f0c2d1a)`, and which environment has it.
    pub(super) fn told(&self) -> String {
        let place = match (&self.environment, self.time) {
            (Some(environment), Some(time)) => format!("{environment}@{}", words::time(time)),
            (Some(environment), None) => environment.clone(),
            (None, _) => String::new(),
        };
        let content = self.digest.map(|digest| numbered(self.version, digest));
        match (content, place.is_empty()) {
            (Some(content), true) => content,
            (Some(content), false) => format!("{place} {content}"),
            (None, _) => format!("{place} (nothing)"),
        }
    }
}

impl ComparedResource {
    /// Which it is.
    pub(super) fn id(&self) -> ResourceId {
        ResourceId::new(self.kind.clone(), &self.namespace, &self.name)
    }

    /// `v1 (1f0c2d1a) -> new (a274b86f)`.
    pub(super) fn versions(&self) -> String {
        let one = |pinned: &Pinned| numbered(pinned.version, pinned.digest);
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!("{} -> {}", one(from), one(to)),
            (None, Some(to)) => one(to),
            (Some(from), None) => format!("{} -> gone", one(from)),
            (None, None) => words::NONE.to_owned(),
        }
    }
}

/// A version with what tells its content apart; content that was never released is `new`.
fn numbered(version: Option<u64>, digest: Digest) -> String {
    let version = version.map_or_else(|| "new".to_owned(), |version| format!("v{version}"));
    format!("{version} ({})", words::digits(digest))
}

fn delta(page: &mut Page, delta: &AbomDelta) {
    for line in delta_lines(delta) {
        page.line(format!("  {line}"));
    }
}

/// A line for each component that differs.
pub(super) fn delta_lines(delta: &AbomDelta) -> Vec<String> {
    let added = delta.added.iter().map(|pinned| format!("+ {}", component(pinned)));
    let removed = delta.removed.iter().map(|pinned| format!("- {}", component(pinned)));
    let moved = delta.changed.iter().map(|moved| {
        let version = |version: Option<u64>| version.map_or_else(|| "new".to_owned(), |version| format!("v{version}"));
        let id = ResourceId::new(moved.kind.clone(), &moved.namespace, &moved.name);
        let outside = moved.moved.as_ref().map_or_else(String::new, |moved| format!(" ({moved})"));
        format!("~ {id} {} -> {}{outside}", version(moved.from), version(moved.to))
    });
    added.chain(removed).chain(moved).chain(delta.others.iter().map(other)).collect()
}

/// `~ image/registry.example.com/x 1.6 -> 1.7`
fn other(other: &Other) -> String {
    let namespace = other.namespace.as_ref().map_or_else(String::new, |namespace| format!("{namespace}/"));
    let name = format!("{}/{namespace}{}", other.what, other.name);
    let told = |version: &Option<String>| version.clone().unwrap_or_else(|| "no version".to_owned());
    let line = match other.change {
        Became::Added => format!("+ {name} {}", other.to.clone().unwrap_or_default()),
        Became::Removed => format!("- {name} {}", other.from.clone().unwrap_or_default()),
        Became::Changed => format!("~ {name} {} -> {}", told(&other.from), told(&other.to)),
    };
    line.trim_end().to_owned()
}

fn component(pinned: &Pinned) -> String {
    match pinned.version {
        Some(version) => format!("{} v{version}", pinned.id()),
        None => format!("{} new", pinned.id()),
    }
}

fn write_ids<S: Serializer>(ids: &[ResourceId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(ResourceId::full))
}
