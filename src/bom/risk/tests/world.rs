//! A small agent that breaks no rule, before and after a change, for tests to break one thing of.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::bom::risk::{Loosened, Reach, Side, Terms, findings};
use crate::bom::{Finding, OBSERVATION_SCHEMA, Observation, ToolDefinition};
use crate::closure::Closure;
use crate::resource::sample::{labelled, one};
use crate::resource::{Digest, Kind, Map, Resource, ResourceId, Value};

/// Kind and name, labels, spec.
type Texts = BTreeMap<&'static str, (&'static str, String)>;

/// Both sides of a change, and what the target asks.
#[derive(Clone)]
pub(super) struct World {
    pub(super) from: Option<Texts>,
    pub(super) to: Texts,
    /// What stands in the child agent of each side, if there is one.
    pub(super) child: [Option<Texts>; 2],
    pub(super) seen: [Vec<Sight>; 2],
    pub(super) last_rung: bool,
    pub(super) defaults: Map,
    pub(super) min_trust_score: Option<f64>,
    pub(super) model_providers: Option<Vec<String>>,
    pub(super) publishers: Option<Vec<String>>,
    pub(super) image_registries: Option<Vec<String>>,
    pub(super) require_image_digest: bool,
    pub(super) data_residency: Vec<String>,
    pub(super) imposed: Vec<Arc<Resource>>,
    pub(super) handoffs: BTreeMap<ResourceId, Reach>,
    pub(super) held: BTreeMap<ResourceId, String>,
    pub(super) loosened: Vec<Loosened>,
}

/// What somebody saw of the MCP server `docs`.
#[derive(Clone)]
pub(super) struct Sight {
    /// How many days ago.
    pub(super) days: i64,
    pub(super) score: Option<&'static str>,
    pub(super) version: &'static str,
    /// What the server tells every model.
    pub(super) instructions: Option<&'static str>,
    /// Name and description of each tool.
    pub(super) tools: Vec<(&'static str, &'static str)>,
}

const DIGEST: &str = "sha256:5e0f3a1c9b7d42868f1e6c0a4d9b3572e8c1f06a7d5b4932810fe6c7a9d4b351";

pub(super) fn now() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().expect("a moment")
}

fn sound() -> Texts {
    let adapter = format!(
        "{{framework: sdk, adapterImage: 'registry.example/joch/adapter:1.6@{DIGEST}', sdkMinVersion: '0.2.9', \
         conformance: {{lastPassedAt: '2026-05-08'}}}}"
    );
    let texts = [
        (
            "Agent helper",
            "{tier: gold}",
            "{framework: {adapterRef: sdk, sdkVersion: '0.3.0'}, modelRoute: {routeRef: route}, instructions: Help., \
              tools: [look, mail], mcpServers: [docs], memories: {conversation: notes}, ragRefs: [shelf], \
              policies: [extra], handoffs: {allowedAgents: [desk]}}",
        ),
        ("FrameworkAdapter sdk", "{}", adapter.as_str()),
        (
            "Model gpt",
            "{}",
            "{provider: openai, model: gpt-4.1-2025-04-14, endpoint: {type: hosted, baseUrl: 'https://api.example/v1'}, \
              auth: {secretRef: {name: model-key}}, routing: {regions: [eu]}}",
        ),
        (
            "Model large",
            "{}",
            "{provider: openai, model: gpt-5-2026-01-01, endpoint: {type: hosted, baseUrl: 'https://api.example/v1'}, \
              auth: {secretRef: {name: model-key}}, routing: {regions: [EU-central-1]}}",
        ),
        (
            "ModelRoute route",
            "{}",
            "{strategy: {primary: 'openai:gpt', fallback: ['openai:large']}, \
              constraints: {maxCostUsdPerCall: 0.1, dataResidency: eu}}",
        ),
        (
            "Tool look",
            "{}",
            "{type: rest, description: Looks something up., endpoint: {method: GET, url: 'https://shop.example/find'}, \
              inputSchema: {type: object, properties: {token: {type: string}}}, \
              sideEffects: {level: read_only, idempotent: true}, safety: {allowedAgents: [helper], \
              deniedNamespaces: [sandbox], rateLimit: {callsPerMinute: 10}}, \
              observability: {redactFields: [token], logArgs: true}}",
        ),
        (
            "Tool mail",
            "{}",
            "{type: rest, description: Sends a mail., endpoint: {method: POST, url: 'https://mail.example/send', \
              auth: {type: bearer, secretRef: {name: mail-key}}}, \
              sideEffects: {level: external_write, requiresApproval: true}}",
        ),
        (
            "Tool docs.search",
            "{}",
            "{type: mcp, mcpServerRef: docs, sideEffects: {level: read_only, requiresApproval: false}}",
        ),
        (
            "MCPServer docs",
            "{}",
            "{transport: streamable_http, endpoint: {url: 'https://mcp.example/docs'}, exposes: {tools: [search]}, \
              discovery: {onSchemaDrift: quarantine}, security: {sandbox: true, allowStdio: false, \
              pinServerVersion: true, pinnedVersion: '1.2.0', trustedPublisher: acme, minTrustScore: 0.8}, \
              policies: [calls], scanning: {promptInjectionScan: true, redactFieldsInResults: [keys]}}",
        ),
        (
            "Memory notes",
            "{}",
            "{type: conversation, privacy: {piiHandling: redact, encryption: required}, \
              access: {readableBy: [helper], writableBy: [helper]}}",
        ),
        ("RAG shelf", "{}", "{sources: [handbook], permissions: {inheritFromSource: true, enforceAtQueryTime: true}}"),
        ("KnowledgeSource handbook", "{}", "{classification: internal, permissions: {mode: source_inherited}}"),
        (
            "Policy guard",
            "{}",
            "{appliesTo: {agents: {selector: {matchLabels: {tier: gold}}}}, rules: [\
              {name: no-code, when: {tool.sideEffect: [code_execution, privileged]}, action: {deny: true}}, \
              {when: {tool.name: mail}, require: {approval: human, \
              approvalRouting: {approvers: ['team:leads'], onTimeout: deny}}}, \
              {when: {cost.runUsd: '> 5'}, action: {deny: true}}]}",
        ),
        ("Policy extra", "{}", "{rules: [{when: {data.contains: payment_card}, action: {redact: true}}]}"),
        ("Policy calls", "{}", "{rules: [{when: {mcpResult.injectionScan.hit: true}, action: {deny: true}}]}"),
    ];
    texts.into_iter().map(|(head, labels, spec)| (head, (labels, spec.to_owned()))).collect()
}

impl World {
    /// The same sound agent before and after.
    pub(super) fn new() -> Self {
        let sight = Sight {
            days: 1,
            score: Some("0.9"),
            version: "1.2.0",
            instructions: None,
            tools: vec![("search", "Searches the docs.")],
        };
        Self {
            from: Some(sound()),
            to: sound(),
            child: [None, None],
            seen: [vec![sight.clone()], vec![sight]],
            last_rung: true,
            defaults: Map::new(),
            min_trust_score: None,
            model_providers: None,
            publishers: None,
            image_registries: None,
            require_image_digest: false,
            data_residency: vec!["eu".into()],
            imposed: Vec::new(),
            handoffs: BTreeMap::new(),
            held: BTreeMap::new(),
            loosened: Vec::new(),
        }
    }

    /// Nothing ran before.
    pub(super) fn first(&mut self) -> &mut Self {
        self.from = None;
        self
    }

    /// Writes another text in the record as it will be.
    pub(super) fn edit(&mut self, head: &'static str, old: &str, new: &str) -> &mut Self {
        edit(&mut self.to, head, old, new);
        self
    }

    /// Writes another text in the record as it was.
    pub(super) fn edit_from(&mut self, head: &'static str, old: &str, new: &str) -> &mut Self {
        edit(self.from.as_mut().expect("something ran"), head, old, new);
        self
    }

    /// The same on both sides.
    pub(super) fn edit_both(&mut self, head: &'static str, old: &str, new: &str) -> &mut Self {
        self.edit_from(head, old, new).edit(head, old, new)
    }

    /// Brings a member.
    pub(super) fn add(&mut self, head: &'static str, spec: &str) -> &mut Self {
        self.to.insert(head, ("{}", spec.to_owned()));
        self
    }

    /// Takes a member.
    pub(super) fn remove(&mut self, head: &'static str) -> &mut Self {
        self.to.remove(head).expect("it is there");
        self
    }

    /// Gives a record other labels.
    pub(super) fn label(&mut self, head: &'static str, labels: &'static str) -> &mut Self {
        self.to.get_mut(head).expect("it is there").0 = labels;
        self
    }

    /// What is found.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let after = closure(&self.to, self.child[1].as_ref());
        let before = self.from.as_ref().map(|from| closure(from, self.child[0].as_ref()));
        let seen_before = before.as_ref().map(|before| seen(before, &self.seen[0])).unwrap_or_default();
        let seen_after = seen(&after, &self.seen[1]);
        let from = before.as_ref().map(|closure| Side { closure, observed: &seen_before, at: now(), values: None });
        let to = Side { closure: &after, observed: &seen_after, at: now(), values: None };
        findings(from.as_ref(), &to, &self.terms())
    }

    /// The closure as it will be.
    pub(super) fn closure(&self) -> Closure {
        closure(&self.to, self.child[1].as_ref())
    }

    /// What is found where this closure takes the place of that of the world.
    pub(super) fn after(&self, planted: &Closure) -> Vec<Finding> {
        let before = self.closure();
        let (seen_before, seen_after) = (seen(&before, &self.seen[0]), seen(planted, &self.seen[1]));
        let from = Side { closure: &before, observed: &seen_before, at: now(), values: None };
        let to = Side { closure: planted, observed: &seen_after, at: now(), values: None };
        findings(Some(&from), &to, &self.terms())
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            environment: "prod",
            last_rung: self.last_rung,
            defaults: &self.defaults,
            min_trust_score: self.min_trust_score,
            model_providers: self.model_providers.as_deref(),
            publishers: self.publishers.as_deref(),
            image_registries: self.image_registries.as_deref(),
            require_image_digest: self.require_image_digest,
            data_residency: &self.data_residency,
            imposed: &self.imposed,
            handoffs: &self.handoffs,
            held: &self.held,
            loosened: &self.loosened,
        }
    }
}

fn edit(texts: &mut Texts, head: &str, old: &str, new: &str) {
    let spec = &mut texts.get_mut(head).expect("it is there").1;
    assert!(spec.contains(old), "{head}: {spec}");
    *spec = spec.replace(old, new);
}

fn closure(texts: &Texts, child: Option<&Texts>) -> Closure {
    let mut agent = None;
    let mut members = BTreeMap::new();
    for (head, (labels, spec)) in texts {
        let resource = labelled(head, labels, spec);
        if resource.id().kind == Kind::Agent {
            agent = Some(resource);
        } else {
            members.insert(resource.id().clone(), resource);
        }
    }
    let children = child.map(|child| closure(child, None)).map(|child| (child.id().clone(), child));
    Closure::new(agent.expect("an agent"), members, children.into_iter().collect())
}

fn seen(closure: &Closure, sights: &[Sight]) -> BTreeMap<ResourceId, Vec<Arc<Observation>>> {
    let id = ResourceId::new(Kind::McpServer, "default", "docs");
    let Some(server) = closure.find(&id) else { return BTreeMap::new() };
    let digest = server.digest();
    let all = sights.iter().map(|sight| Arc::new(observation(&id, digest, sight))).collect();
    BTreeMap::from([(id, all)])
}

fn observation(server: &ResourceId, digest: Digest, sight: &Sight) -> Observation {
    let tool = |(name, description): &(&str, &str)| ToolDefinition {
        name: (*name).to_owned(),
        description: Some((*description).to_owned()),
        ..ToolDefinition::default()
    };
    Observation {
        schema: OBSERVATION_SCHEMA.into(),
        server: server.clone(),
        digest,
        observed_at: now() - TimeDelta::days(sight.days),
        transport: "streamable_http".into(),
        server_name: None,
        server_version: Some(sight.version.to_owned()),
        protocol_version: None,
        instructions: sight.instructions.map(str::to_owned),
        tools: sight.tools.iter().map(tool).collect(),
        tools_digest: Digest::of(format!("{:?}", sight.tools)),
        trust_score: sight.score.map(|score| serde_json::from_str::<Value>(score).expect("a number")),
        trust_source: None,
    }
}

/// A policy that the environment imposes.
pub(super) fn imposed(spec: &str) -> Vec<Arc<Resource>> {
    vec![one("Policy imposed", spec)]
}
