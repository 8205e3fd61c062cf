//! `joch describe KIND NAME`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::release::{Event, RollbackPath, Standing};
use crate::render::{Page, View};
use crate::resource::{Digest, Pinned, Resource, ResourceId, Value, canonical::canonical};

use super::release::list;
use super::words;

/// One version of a resource, what it holds, and where it stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// The resource as it is versioned.
    #[serde(serialize_with = "write_body")]
    #[schemars(with = "Value")]
    pub resource: Resource,
    /// Its number; none for what stands on trust.
    pub version: Option<u64>,
    /// The newest number.
    pub newest: Option<u64>,
    /// Its digest; for an agent that of its closure.
    pub digest: Digest,
    /// For an agent, every member of its closure.
    pub closure: Vec<Pinned>,
    /// The policies among them.
    pub policies: Vec<Pinned>,
    /// The framework adapter among them.
    pub adapter: Option<Pinned>,
    /// The environments that have the resource, at whatever version, lowest first.
    pub environments: Vec<DescribedPlace>,
    /// For another kind than Agent, the agents that hold it.
    pub held_by: Vec<DescribedHolder>,
}

/// What one environment has of the resource.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DescribedPlace {
    /// Which version, and since when.
    #[serde(flatten)]
    pub standing: Standing,
    /// What brought it.
    pub event: Option<Event>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// The way back.
    pub rollback_path: Option<RollbackPath>,
    /// What trust imposed beside the closure when it was released.
    pub imposed: Vec<Pinned>,
    /// Whether trust imposes something else now, which the next release takes up.
    pub behind_trust: bool,
}

/// An agent that holds the resource.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DescribedHolder {
    /// Where.
    pub environment: String,
    /// Which agent.
    pub agent: ResourceId,
    /// At which version.
    pub version: Option<u64>,
    /// The version of the resource that it holds.
    pub holds: Option<u64>,
    /// Whether trust imposes it beside the agent's closure.
    pub imposed: bool,
}

/// The field of an agent that reads better as a page than as a value.
const PROMPT: &str = "instructions";

impl View for Description {
    fn kind(&self) -> &'static str {
        "Description"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        self.head(page);
        self.places(page);
        self.holders(page);
        self.members(page, wide);
        self.body(page);
    }

    fn names(&self) -> Vec<String> {
        vec![self.resource.id().to_string()]
    }
}

impl Description {
    fn head(&self, page: &mut Page) {
        let id = self.resource.id();
        page.field("Kind", id.kind.name());
        page.field("Name", &id.name);
        page.field("Namespace", &id.namespace);
        match (self.version, self.newest) {
            (Some(version), Some(newest)) if version != newest => {
                page.field("Version", format!("v{version} (newest is v{newest})"));
            }
            (Some(version), _) => page.field("Version", format!("v{version}")),
            (None, _) => page.field("Version", "none; it stands on trust"),
        }
        page.field("Digest", self.digest.to_string());
        let labels = self.resource.labels();
        if !labels.is_empty() {
            let labels = labels.iter().map(|(key, value)| format!("{key}={value}"));
            page.field("Labels", labels.collect::<Vec<_>>().join(", "));
        }
        if let Some(adapter) = &self.adapter {
            page.field("Adapter", adapter.to_string());
        }
    }

    fn places(&self, page: &mut Page) {
        if self.resource.id().kind.is_trust() {
            return;
        }
        page.gap();
        if self.environments.is_empty() {
            return page.line("Environments: none has it now");
        }
        page.line("Environments");
        let row = |place: &DescribedPlace| {
            let standing = &place.standing;
            vec![
                standing.environment.clone(),
                words::version(standing.version),
                words::or_none(standing.release.clone().map(|name| words::marked(name, &standing.overridden))),
                words::or_none(place.event.map(Event::word)),
                words::or_none(standing.time.map(words::time)),
                words::or_none(standing.operator.clone()),
                words::or_none(place.reason.clone()),
            ]
        };
        let headings = ["NAME", "VERSION", "SINCE", "EVENT", "TIME", "OPERATOR", "REASON"];
        page.indented_table(2, &headings, &self.environments.iter().map(row).collect::<Vec<_>>());
        for place in &self.environments {
            self.aside(page, place);
        }
    }

    /// What no column has room for: what is imposed, and the way back from this version.
    fn aside(&self, page: &mut Page, place: &DescribedPlace) {
        let environment = &place.standing.environment;
        if !place.imposed.is_empty() {
            page.line(format!("  imposed in {environment}: {}", list(&place.imposed)));
        }
        if let Some(overridden) = place.standing.overridden.as_ref().filter(|overridden| overridden.open) {
            page.line(format!("  overridden in {environment}: {}", super::release::sentence(overridden)));
        }
        if place.behind_trust {
            page.line(format!(
                "  {environment} is behind trust: what is imposed changed since, and binds from its next release"
            ));
        }
        if let Some(path) = place.rollback_path.as_ref().filter(|_| place.standing.version == self.version) {
            page.line(format!("  way back in {environment}: {}", path.command));
        }
    }

    fn holders(&self, page: &mut Page) {
        if self.held_by.is_empty() {
            return;
        }
        page.gap();
        page.line("Held by");
        let row = |holder: &DescribedHolder| {
            let holds = match holder.holds {
                Some(version) => format!("v{version}"),
                None => "of trust".to_owned(),
            };
            let how = if holder.imposed { "imposed" } else { "member" };
            vec![
                holder.environment.clone(),
                words::name(&holder.agent),
                words::version(holder.version),
                holds,
                how.to_owned(),
            ]
        };
        let headings = ["ENVIRONMENT", "AGENT", "VERSION", "HOLDS", "AS"];
        page.indented_table(2, &headings, &self.held_by.iter().map(row).collect::<Vec<_>>());
    }

    fn members(&self, page: &mut Page, wide: bool) {
        if self.closure.is_empty() {
            return;
        }
        page.gap();
        page.line("Closure");
        let row = |member: &Pinned| {
            let digest = if wide { member.digest.to_string() } else { words::digits(member.digest) };
            vec![member.kind.name().to_owned(), words::name(&member.id()), words::version(member.version), digest]
        };
        let headings = ["KIND", "NAME", "VERSION", "DIGEST"];
        page.indented_table(2, &headings, &self.closure.iter().map(row).collect::<Vec<_>>());
    }

    fn body(&self, page: &mut Page) {
        let mut spec = self.resource.spec().clone();
        let prompt = match &mut spec {
            Value::Map(fields) => match fields.remove(PROMPT) {
                Some(Value::Text(text)) => Some(text),
                Some(other) => {
                    fields.insert(PROMPT.to_owned(), other);
                    None
                }
                None => None,
            },
            _ => None,
        };
        page.gap();
        page.line("Spec");
        canonical(&spec).lines().for_each(|line| page.line(format!("  {line}")));
        if let Some(prompt) = prompt {
            page.gap();
            page.line("Instructions");
            prompt.lines().for_each(|line| page.line(format!("  {line}")));
        }
    }
}

fn write_body<S: serde::Serializer>(resource: &Resource, serializer: S) -> Result<S::Ok, S::Error> {
    resource.body().serialize(serializer)
}
