//! What a bill tells of each kind of resource. Secrets are told by name, and values that an environment fills in stay
//! open: a bill is of a version, wherever that runs.

use std::collections::BTreeSet;

use crate::resource::fields::Target;
use crate::resource::view::route_candidates;
use crate::resource::{Digest, Kind, Resource, Value};

use super::address;
use super::component::{Component, Outside, Sort, What};

/// What a resource is by itself, before anything is known of what it uses.
pub(super) fn of(resource: &Resource, reference: String, digest: Digest) -> Component {
    let id = resource.id();
    let text = |path: &[&str]| text_at(resource, path);
    let mut component = Component {
        addresses: BTreeSet::new(),
        classification: text(&["classification"]),
        depends_on: BTreeSet::new(),
        description: text(&["description"]),
        digest: Some(digest),
        facts: BTreeSet::new(),
        group: Some(id.namespace.clone()),
        name: id.name.clone(),
        number: None,
        outside: None,
        purl: None,
        reference,
        sha256: None,
        sort: sort(&id.kind),
        supplier: None,
        what: What::Resource(id.clone()),
    };
    match id.kind {
        Kind::Agent => agent(resource, &mut component),
        Kind::FrameworkAdapter => adapter(resource, &mut component),
        Kind::Model => model(resource, &mut component),
        Kind::ModelRoute => route(resource, &mut component),
        Kind::McpServer => mcp_server(resource, &mut component),
        Kind::Tool => tool(resource, &mut component),
        Kind::KnowledgeSource => {
            component.fact("knowledge:type", text(&["type"]));
            component.address(text(&["uri"]));
        }
        Kind::Memory => {
            component.fact("memory:type", text(&["type"]));
            component.fact("memory:scope", text(&["scope"]));
            component.fact("memory:backend", text(&["backend", "type"]));
            component.fact("memory:pii_mode", text(&["privacy", "piiMode"]));
        }
        Kind::Rag => component.fact("rag:vector_store", text(&["vectorStore", "type"]).or(text(&["vectorStore"]))),
        Kind::Policy => {
            let rules = resource.spec().get("rules").and_then(Value::as_list).map_or(0, <[Value]>::len);
            component.fact("policy:rules", Some(rules.to_string()));
        }
        Kind::Budget => limits(resource, &["limits"], "budget", &mut component),
        _ => {}
    }
    secrets(resource, &mut component);
    for (path, key) in resource.environment_keys() {
        component.fact("from_environment", Some(format!("{path}={key}")));
    }
    component
}

fn sort(kind: &Kind) -> Sort {
    match kind {
        Kind::Agent | Kind::Tool => Sort::Application,
        Kind::FrameworkAdapter => Sort::Framework,
        Kind::Model => Sort::Model,
        Kind::KnowledgeSource => Sort::Dataset,
        Kind::ModelRoute | Kind::McpServer | Kind::Rag | Kind::Memory => Sort::Service,
        _ => Sort::Configuration,
    }
}

fn agent(resource: &Resource, component: &mut Component) {
    for (fact, key) in
        [("entrypoint", "entrypoint"), ("python_module", "pythonModule"), ("typescript_module", "typescriptModule")]
    {
        component.fact(&format!("agent:{fact}"), text_at(resource, &["framework", key]));
    }
    component.fact("agent:instructions_digest", digest_at(resource, &["instructions"]));
    limits(resource, &["budgets"], "agent:limit", component);
}

fn adapter(resource: &Resource, component: &mut Component) {
    let text = |path: &[&str]| text_at(resource, path);
    component.fact("framework:name", text(&["framework"]));
    component.fact("framework:language", text(&["language"]));
    component.fact("framework:sdk_min_version", text(&["sdkMinVersion"]));
    component.outside = text(&["sdkMinVersion"]).map(|version| Outside { field: "sdkMinVersion", version });
}

fn model(resource: &Resource, component: &mut Component) {
    let text = |path: &[&str]| text_at(resource, path);
    if let Some(model) = text(&["model"]) {
        component.name.clone_from(&model);
        component.outside = Some(Outside { field: "model", version: model });
    }
    component.fact("model:resource", Some(resource.id().name.clone()));
    component.supplier = text(&["provider"]);
    component.group = component.supplier.clone();
    component.address(text(&["endpoint", "baseUrl"]));
    component.fact("model:endpoint", text(&["endpoint", "type"]));
    component.fact("model:context_window_tokens", text(&["limits", "contextWindowTokens"]));
    component.fact("model:max_output_tokens", text(&["limits", "maxOutputTokens"]));
    for region in texts_at(resource, &["routing", "regions"]) {
        component.fact("model:region", Some(region));
    }
}

fn route(resource: &Resource, component: &mut Component) {
    // Edges have no order; which Model is asked first is said here.
    for (place, candidate) in route_candidates(resource).into_iter().enumerate() {
        let named = match candidate {
            Target::Candidate(candidate) => candidate.to_string(),
            Target::Resource(reference) => reference.to_string(),
        };
        let is_primary = place == 0 && resource.spec().at(&["strategy", "primary"]).is_some();
        let first = usize::from(resource.spec().at(&["strategy", "primary"]).is_none());
        let fact =
            if is_primary { "modelroute:primary".to_owned() } else { format!("modelroute:fallback:{}", place + first) };
        component.fact(&fact, Some(named));
    }
    for residency in texts_at(resource, &["constraints", "dataResidency"]) {
        component.fact("modelroute:data_residency", Some(residency));
    }
    for (fact, key) in [("max_usd_per_call", "maxCostUsdPerCall"), ("max_usd_per_execution", "maxCostUsdPerExecution")]
    {
        component.fact(&format!("modelroute:{fact}"), text_at(resource, &["constraints", key]));
    }
}

fn mcp_server(resource: &Resource, component: &mut Component) {
    let text = |path: &[&str]| text_at(resource, path);
    component.address(text(&["endpoint", "url"]));
    component.supplier = text(&["security", "trustedPublisher"]);
    component.fact("mcp:transport", text(&["transport"]).or(text(&["transport", "type"])));
    component.fact("mcp:pinned", text(&["security", "pinServerVersion"]));
    component.fact("mcp:sandbox", text(&["security", "sandbox"]));
    component.fact("mcp:allow_stdio", text(&["security", "allowStdio"]));
    component.fact("mcp:min_trust_score", text(&["security", "minTrustScore"]));
    component.fact("mcp:on_schema_drift", text(&["discovery", "onSchemaDrift"]));
    component.fact("mcp:authenticated", Some(resource.spec().get("auth").is_some().to_string()));
    for exposed in ["tools", "resources", "prompts"] {
        for name in texts_at(resource, &["exposes", exposed]) {
            component.fact(&format!("mcp:exposes:{exposed}"), Some(name));
        }
    }
    component.outside = text(&["security", "pinnedVersion"]).map(|version| Outside { field: "pinnedVersion", version });
}

fn tool(resource: &Resource, component: &mut Component) {
    let text = |path: &[&str]| text_at(resource, path);
    component.fact("tool:type", text(&["type"]));
    component.fact("tool:method", text(&["endpoint", "method"]));
    component.fact("tool:side_effect", text(&["sideEffects", "level"]));
    component.fact("tool:idempotent", text(&["sideEffects", "idempotent"]));
    component.fact("tool:requires_approval", text(&["sideEffects", "requiresApproval"]));
    component.fact("tool:schema_digest", digest_at(resource, &["inputSchema"]));
    component.fact("tool:output_schema_digest", digest_at(resource, &["outputSchema"]));
    component.address(text(&["endpoint", "url"]));
}

fn limits(resource: &Resource, path: &[&str], lead: &str, component: &mut Component) {
    for (key, _) in resource.spec().at(path).and_then(Value::as_map).into_iter().flatten() {
        // A name of a fact holds only what the taxonomy of properties allows.
        if key.chars().all(|c| c.is_ascii_alphanumeric()) {
            let value = text_at(resource, &[path, &[key.as_str()]].concat());
            component.fact(&format!("{lead}:{}", snake(key)), value);
        }
    }
}

fn secrets(resource: &Resource, component: &mut Component) {
    for mention in resource.mentions() {
        if let Target::Resource(named) = mention.target
            && named.kind == Kind::Secret
        {
            let namespace = named.namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
            component.fact("secret_ref", Some(format!("{namespace}{}", named.name)));
        }
    }
}

impl Component {
    /// Adds a fact, if there is one.
    pub(super) fn fact(&mut self, name: &str, value: Option<String>) {
        self.facts.extend(value.map(|value| (format!("joch:{name}"), value)));
    }

    /// Adds where it is reached, if it can be shown.
    fn address(&mut self, text: Option<String>) {
        let Some(text) = text else { return };
        match address::shown(&text) {
            Some(shown) => drop(self.addresses.insert(shown)),
            None => self.fact("address", Some("not shown: it is no plain address".to_owned())),
        }
    }
}

/// Text, a number or a truth value of the `spec`, as one would write it.
pub(super) fn text_at(resource: &Resource, path: &[&str]) -> Option<String> {
    scalar(resource.spec().at(path)?)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

fn texts_at(resource: &Resource, path: &[&str]) -> Vec<String> {
    let name = |item: &Value| scalar(item).or_else(|| item.get("name").and_then(scalar));
    match resource.spec().at(path) {
        Some(Value::List(items)) => items.iter().filter_map(name).collect(),
        Some(one) => name(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Digest of the canonical form of a part of the `spec`.
fn digest_at(resource: &Resource, path: &[&str]) -> Option<String> {
    let value = resource.spec().at(path)?;
    Some(Digest::of(crate::resource::canonical::canonical(value)).to_string())
}

/// `monthlyUsd` as `monthly_usd`.
fn snake(key: &str) -> String {
    let mut out = String::new();
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
