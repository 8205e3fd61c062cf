//! What a policy in Rego sees: one JSON document, the same for the embedded engine and for people who run their own.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::closure::Closure;
use crate::diff::Change;
use crate::resource::{Digest, Kind, Pinned, Resource, Value};

use super::facts::World;

/// Names the format of the document.
pub const INPUT_SCHEMA: &str = "joch.dev/gate-input/v1";

/// The input of a policy: who moves from where to where, what it is and was, and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// Names the format.
    pub schema_version: String,
    /// The candidate, with the values that the target fills in.
    pub object: Object,
    /// What the target runs now; null where it runs nothing.
    pub old_object: Option<Object>,
    /// The change that is asked for.
    pub request: Asked,
    /// `spec.params` of the policy that is asked.
    pub params: Value,
    /// What changes, in the words of `joch diff`.
    pub diff: Vec<Change>,
    /// What it is made of, and what comes and goes.
    pub agbom: Components,
    /// What is known of it beside its own content.
    pub facts: Facts,
}

/// An agent with everything that decides how it behaves.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GateInputObject")]
pub struct Object {
    /// The agent.
    #[serde(flatten)]
    pub agent: Member,
    /// Digest of its closure: its version.
    pub closure: Digest,
    /// Its adapters.
    pub adapters: Vec<Member>,
    /// Its Models.
    pub models: Vec<Member>,
    /// Its ModelRoutes.
    pub model_routes: Vec<Member>,
    /// Its tools.
    pub tools: Vec<Member>,
    /// Its MCP servers.
    pub mcp_servers: Vec<Member>,
    /// Its policies.
    pub policies: Vec<Member>,
    /// Its budgets.
    pub budgets: Vec<Member>,
    /// Everything else that it holds: memories, knowledge, kinds that joch does not know.
    pub others: Vec<Member>,
    /// Its child agents.
    pub children: Vec<Self>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GateInputMember")]
pub struct Member {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Digest of its content.
    pub digest: Digest,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its `spec`.
    pub spec: Value,
    /// Of an MCP server: whether only one version of it is accepted, and which is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// Of a tool: how far its effects reach; `privileged` where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side_effect: Option<String>,
    /// Of a tool: whether a person allows each call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires_approval: Option<bool>,
}

/// The change that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "GateInputRequest")]
pub struct Asked {
    /// The environment it comes from; null for what is applied.
    pub from: Option<String>,
    /// The environment it goes to.
    pub to: String,
    /// The agent, as `agent/default/support-triage`.
    pub agent: String,
    /// Who asks for it; empty where nobody does yet.
    pub operator: String,
}

/// Components of an agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "GateInputComponents")]
pub struct Components {
    /// What the candidate is made of, children included.
    pub components: Vec<Pinned>,
    /// Contents that the target does not run yet.
    pub added: Vec<Pinned>,
    /// Contents that the target would run no more.
    pub removed: Vec<Pinned>,
}

/// What is known beside the content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GateInputFacts")]
pub struct Facts {
    /// The target.
    pub environment: String,
    /// The providers that the target allows; null where it does not say.
    pub allowed_model_providers: Option<Vec<String>>,
    /// What was seen of MCP servers, by `namespace/name`; nothing of those that nobody has looked at lately.
    pub mcp_servers: BTreeMap<String, Seen>,
    /// What one run costs, in US dollars; null where nobody knows.
    pub run_cost_usd: Option<Value>,
}

/// What was seen of an MCP server.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GateInputSighting")]
pub struct Seen {
    /// How far it is trusted, from 0 to 1; null where nobody scored it.
    pub trust_score: Option<Value>,
    /// Whether its tools changed; null where nobody can tell.
    pub schema_drift: Option<bool>,
    /// Who saw it, and when.
    pub source: String,
}

impl Input {
    /// What policies see of one agent.
    #[must_use]
    pub fn of(
        candidate: &Closure,
        running: Option<&Closure>,
        asked: &Asked,
        diff: &[Change],
        world: &World<'_>,
    ) -> Self {
        Self {
            schema_version: INPUT_SCHEMA.to_owned(),
            object: Object::of(candidate, world),
            old_object: running.map(|running| Object::of(running, world)),
            request: asked.clone(),
            params: Value::Map(BTreeMap::new()),
            diff: diff.to_vec(),
            agbom: Components::of(candidate, running),
            facts: Facts::of(candidate, world),
        }
    }

    /// The same, for a policy with `params`.
    #[must_use]
    pub fn with_params(mut self, policy: &Resource) -> Self {
        if let Some(params) = policy.spec().get("params").filter(|params| **params != Value::Null) {
            self.params = params.clone();
        }
        self
    }

    /// As the engine reads it.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("it holds only what JSON can")
    }
}

impl Object {
    fn of(closure: &Closure, world: &World<'_>) -> Self {
        let named = [
            Kind::FrameworkAdapter,
            Kind::Model,
            Kind::ModelRoute,
            Kind::Tool,
            Kind::McpServer,
            Kind::Policy,
            Kind::Budget,
        ];
        let members = |is: &dyn Fn(&Kind) -> bool| -> Vec<Member> {
            let members = closure.members().values().filter(|member| is(&member.id().kind));
            members.map(|member| Member::of(member, world)).collect()
        };
        let of = |kind: Kind| members(&|other| *other == kind);
        Self {
            agent: Member::of(closure.agent(), world),
            closure: closure.digest(),
            adapters: of(Kind::FrameworkAdapter),
            models: of(Kind::Model),
            model_routes: of(Kind::ModelRoute),
            tools: of(Kind::Tool),
            mcp_servers: of(Kind::McpServer),
            policies: of(Kind::Policy),
            budgets: of(Kind::Budget),
            others: members(&|kind| !named.contains(kind)),
            children: closure.children().values().map(|child| Self::of(child, world)).collect(),
        }
    }
}

impl Member {
    fn of(resource: &Resource, world: &World<'_>) -> Self {
        let spec = world.spec(resource);
        let id = resource.id().clone();
        let flag = |path: &[&str]| spec.at(path).and_then(Value::as_bool).unwrap_or(false);
        let text = |path: &[&str]| spec.at(path).and_then(Value::as_text).filter(|text| !text.is_empty());
        let is_server = id.kind == Kind::McpServer;
        let is_tool = id.kind == Kind::Tool;
        let version = text(&["security", "pinnedVersion"]).is_some();
        let level = text(&["sideEffects", "level"]).unwrap_or("privileged").to_owned();
        Self {
            digest: resource.digest(),
            labels: resource.labels(),
            pinned: is_server.then(|| flag(&["security", "pinServerVersion"]) && version),
            side_effect: is_tool.then_some(level),
            requires_approval: is_tool.then(|| flag(&["sideEffects", "requiresApproval"])),
            kind: id.kind,
            namespace: id.namespace,
            name: id.name,
            spec,
        }
    }
}

impl Components {
    fn of(candidate: &Closure, running: Option<&Closure>) -> Self {
        let pins = |closure: &Closure| -> BTreeSet<Pinned> {
            let parts = closure.everything().into_iter().filter(|part| part.id().kind != Kind::Agent);
            parts.map(|part| Pinned::new(part.id(), None, part.digest())).collect()
        };
        let (new, old) = (pins(candidate), running.map(pins).unwrap_or_default());
        Self {
            added: new.difference(&old).cloned().collect(),
            removed: old.difference(&new).cloned().collect(),
            components: new.into_iter().collect(),
        }
    }
}

impl Facts {
    fn of(candidate: &Closure, world: &World<'_>) -> Self {
        let servers = candidate.everything().into_iter().filter(|part| part.id().kind == Kind::McpServer);
        let seen = servers.filter_map(|server| {
            let sighting = world.sightings.get(&server.digest())?;
            let name = format!("{}/{}", server.id().namespace, server.id().name);
            let seen = Seen {
                trust_score: sighting.trust_score.map(Value::Number),
                schema_drift: sighting.schema_drift,
                source: sighting.source.clone(),
            };
            Some((name, seen))
        });
        Self {
            environment: world.environment.to_owned(),
            allowed_model_providers: world.allowed_providers(),
            mcp_servers: seen.collect(),
            run_cost_usd: world.run_cost.as_ref().map(|cost| Value::Number(cost.usd)),
        }
    }
}
