//! The envelope every resource comes in: which kind, which name, and the body that is versioned.

use std::collections::BTreeMap;

use super::canonical::canonical;
use super::digest::{Digest, Taken};
use super::id::ResourceId;
use super::kind::{Kind, VERSION};
use super::name::{DEFAULT_NAMESPACE, check_environment, check_kind, check_name, check_namespace, nearest};
use super::value::{Map, Value};
use super::{fields, path, yaml};

/// One resource as it is versioned: `status` dropped, the namespace written out, the apiVersion that of the
/// kind's own group. Everything else is kept as it was written, and nothing is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    id: ResourceId,
    body: Value,
    digest: Taken,
}

/// A rule that an envelope breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Path of the value at fault.
    pub(super) path: String,
    /// Id of the rule, one of [`super::rules`].
    pub(super) rule: &'static str,
    /// What is wrong.
    pub(super) message: String,
    /// The likely fix.
    pub(super) help: Option<String>,
}

impl Resource {
    /// The resource that `value` holds.
    ///
    /// # Errors
    /// The rule that its envelope breaks.
    pub fn from_value(value: Value) -> Result<Self, String> {
        Self::check(value).map_err(|fault| fault.message)
    }

    /// The resource whose stored, canonical text this is.
    ///
    /// # Errors
    /// That the text is no resource, or not in canonical form: no ledger that joch wrote holds such a text.
    pub fn from_canonical(text: &str) -> Result<Self, String> {
        let resource = Self::from_value(yaml::from_stored(text)?)?;
        if resource.canonical() != text {
            return Err(format!("the record of `{}` is not in canonical form", resource.id));
        }
        resource.digest.or(|| Digest::of(text));
        Ok(resource)
    }

    /// The resource that `value` holds, or every detail of the first rule that its envelope breaks.
    ///
    /// # Errors
    /// See above.
    pub(super) fn check(value: Value) -> Result<Self, Fault> {
        let Value::Map(mut body) = value else {
            return Err(fault("", "envelope", format!("a resource is a map, not {}", value.type_name())));
        };
        let kind = check_kind_of(&body)?;
        let (name, namespace) = check_metadata(&body, &kind)?;
        body.remove("status");
        body.insert("apiVersion".into(), kind.api_version().into());
        if let Some(Value::Map(metadata)) = body.get_mut("metadata") {
            metadata.insert("namespace".into(), Value::Text(namespace.clone()));
        }
        Ok(Self { id: ResourceId { kind, namespace, name }, body: Value::Map(body), digest: Taken::default() })
    }

    /// What it is called.
    #[must_use]
    pub fn id(&self) -> &ResourceId {
        &self.id
    }

    /// The whole of it, as it is versioned.
    #[must_use]
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// Its `spec`; [`Value::Null`] where it has none.
    #[must_use]
    pub fn spec(&self) -> &Value {
        static NONE: Value = Value::Null;
        self.body.get("spec").unwrap_or(&NONE)
    }

    /// Its labels; a number or truth value counts as the text that one would write for it.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        let labels = self.body.at(&["metadata", "labels"]).and_then(Value::as_map);
        labels.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), label_text(value)?))).collect()
    }

    /// Its canonical text: what the ledger stores.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical(&self.body)
    }

    /// The digest of its canonical text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest.or(|| Digest::of(self.canonical()))
    }

    /// Every other resource that it names, in the order of the fields' table.
    #[must_use]
    pub fn mentions(&self) -> Vec<fields::Mention> {
        fields::mentions(&self.id.kind, self.spec())
    }

    /// Every value that an environment fills in: its path, and the `KEY` of `{fromEnvironment: KEY}`.
    #[must_use]
    pub fn environment_keys(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        collect_environment_keys(&self.body, "", &mut found);
        found
    }
}

/// The key of `{fromEnvironment: KEY}`, if `value` is that.
#[must_use]
pub fn environment_key(value: &Value) -> Option<&str> {
    let map = value.as_map().filter(|map| map.len() == 1)?;
    map.get("fromEnvironment")?.as_text()
}

/// `value` with every `{fromEnvironment: KEY}` filled in.
///
/// # Errors
/// The key that `defaults` lacks.
pub fn filled(value: &Value, defaults: &Map) -> Result<Value, String> {
    if let Some(key) = environment_key(value) {
        return defaults.get(key).cloned().ok_or_else(|| key.to_owned());
    }
    Ok(match value {
        Value::List(items) => Value::List(items.iter().map(|item| filled(item, defaults)).collect::<Result<_, _>>()?),
        Value::Map(map) => {
            let filled = map.iter().map(|(key, value)| Ok((key.clone(), filled(value, defaults)?)));
            Value::Map(filled.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

/// The text that a label's value counts as; `None` for what cannot be a label.
pub(super) fn label_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

/// Whether an apiVersion is of a group that joch reads.
#[must_use]
pub fn is_ours(api_version: &str) -> bool {
    let group = api_version.split_once('/').map_or(api_version, |(group, _)| group);
    group == "joch.dev" || group.ends_with(".joch.dev")
}

fn check_kind_of(body: &Map) -> Result<Kind, Fault> {
    let api_version = match body.get("apiVersion") {
        Some(Value::Text(text)) => text,
        Some(other) => {
            return Err(fault("apiVersion", "envelope", format!("`apiVersion` is text, not {}", other.type_name())));
        }
        None => {
            return Err(fault("", "envelope", "`apiVersion` is missing".into())
                .help(format!("write `apiVersion: joch.dev/{VERSION}`")));
        }
    };
    if !is_ours(api_version) {
        return Err(fault("apiVersion", "foreign-resource", format!("`{api_version}` is not an apiVersion of joch"))
            .help(format!("joch reads `joch.dev/{VERSION}` and the groups `*.joch.dev`")));
    }
    if api_version.split_once('/').map(|(_, version)| version) != Some(VERSION) {
        let group = api_version.split('/').next().unwrap_or_default();
        return Err(fault("apiVersion", "api-version", format!("`{api_version}` is not a version that joch reads"))
            .help(format!("write `apiVersion: {group}/{VERSION}`")));
    }
    let name = match body.get("kind") {
        Some(Value::Text(text)) => text,
        Some(other) => return Err(fault("kind", "envelope", format!("`kind` is text, not {}", other.type_name()))),
        None => return Err(fault("", "envelope", "`kind` is missing".into()).help("write, say, `kind: Agent`".into())),
    };
    let kind = Kind::from_name(name);
    if let Kind::Other(_) = kind {
        let known: Vec<_> = Kind::known().collect();
        if let Some(meant) = nearest(name, known.iter().map(Kind::name)) {
            return Err(
                fault("kind", "kind", format!("`{name}` is not a kind")).help(format!("did you mean `kind: {meant}`?"))
            );
        }
        check_kind(name).map_err(|rule| fault("kind", "kind", format!("`{name}`: {rule}")))?;
    }
    Ok(kind)
}

fn check_metadata(body: &Map, kind: &Kind) -> Result<(String, String), Fault> {
    let metadata = match body.get("metadata") {
        Some(Value::Map(metadata)) => metadata,
        Some(other) => {
            return Err(fault("metadata", "envelope", format!("`metadata` is a map, not {}", other.type_name())));
        }
        None => {
            return Err(fault("", "envelope", "`metadata` is missing".into())
                .help("write `metadata:` and below it, indented, `name: …`".into()));
        }
    };
    let name = text_of(metadata, "name")?
        .ok_or_else(|| fault("metadata", "name-resource", "`metadata.name` is missing".into()))?;
    let namespace = text_of(metadata, "namespace")?.unwrap_or(DEFAULT_NAMESPACE);
    let (checked, rule): (_, &'static str) = if *kind == Kind::Environment {
        (check_environment(name), "name-environment")
    } else {
        (check_name(name), "name-resource")
    };
    checked.map_err(|broken| {
        let refused = fault("metadata.name", rule, format!("`{name}` cannot be a name: {broken}"));
        match respelt(name) {
            Some(meant) => refused.help(format!("write, say, `{meant}`")),
            None => refused,
        }
    })?;
    check_namespace(namespace).map_err(|broken| {
        fault("metadata.namespace", "name-namespace", format!("`{namespace}` cannot be a namespace: {broken}"))
    })?;
    Ok((name.to_owned(), namespace.to_owned()))
}

fn text_of<'a>(metadata: &'a Map, key: &str) -> Result<Option<&'a str>, Fault> {
    match metadata.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(other) => {
            let at = path::entry("metadata", key);
            let rule = if key == "name" { "name-resource" } else { "name-namespace" };
            let fault = fault(&at, rule, format!("`{at}` is text, not {}", other.type_name()));
            Err(fault.help(format!("quote it: `{key}: \"…\"`")))
        }
    }
}

/// A name that is allowed and looks like `name`.
fn respelt(name: &str) -> Option<String> {
    let dashed: String =
        name.to_lowercase().chars().map(|c| if c.is_whitespace() || c == '/' { '-' } else { c }).collect();
    (dashed != name && check_name(&dashed).is_ok()).then_some(dashed)
}

fn collect_environment_keys(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    if let Some(key) = environment_key(value) {
        found.push((at.to_owned(), key.to_owned()));
        return;
    }
    match value {
        Value::Map(map) => {
            for (key, value) in map {
                collect_environment_keys(value, &path::entry(at, key), found);
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_environment_keys(item, &path::item(at, index), found);
            }
        }
        _ => {}
    }
}

fn fault(path: &str, rule: &'static str, message: String) -> Fault {
    Fault { path: path.to_owned(), rule, message, help: None }
}

impl Fault {
    fn help(mut self, help: String) -> Self {
        self.help = Some(help);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::yaml::{Found, read};

    fn resource(text: &str) -> Resource {
        let mut read = read("x.yaml", text, Found::Named);
        assert_eq!(read.findings, []);
        read.documents.remove(0).resource
    }

    const AGENT: &str = "
apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: { name: triage, labels: { tier: 1, team: support } } # a comment
status: { phase: Running }
spec:
  tools: [search, { name: refund, namespace: billing }]
  model: openai:gpt-4o
  mcpServers: [{ name: github }]
  region: { fromEnvironment: REGION }
  memories: { chat: { name: short } }
";

    #[test]
    fn what_is_versioned_has_no_status_and_a_namespace() {
        let agent = resource(AGENT);
        assert_eq!(agent.id(), &ResourceId::agent("default", "triage"));
        assert_eq!(agent.body().get("status"), None);
        assert_eq!(agent.body().at(&["metadata", "namespace"]), Some(&"default".into()));
        assert_eq!(agent.labels(), BTreeMap::from([("team".into(), "support".into()), ("tier".into(), "1".into())]));
        assert_eq!(agent.environment_keys(), [("spec.region".into(), "REGION".into())]);
    }

    #[test]
    fn both_groups_of_a_kind_are_one() {
        let own = AGENT.replace("kind: Agent", "kind: Eval");
        let group = own.replace("joch.dev", "ops.joch.dev");
        assert_eq!(resource(&own), resource(&group));
        assert!(resource(&own).canonical().starts_with("apiVersion: ops.joch.dev/v1alpha1\n"));
    }

    #[test]
    fn a_stored_record_is_read_only_if_it_is_canonical() {
        let agent = resource(AGENT);
        assert_eq!(Resource::from_canonical(&agent.canonical()), Ok(agent.clone()));
        assert!(Resource::from_canonical(AGENT).is_err());
        assert!(Resource::from_canonical(&(agent.canonical() + "# x\n")).is_err());
    }

    #[test]
    fn mentions_come_from_the_table() {
        let mentions = resource(AGENT).mentions();
        let told: Vec<_> = mentions.iter().map(|mention| format!("{} {}", mention.path, mention.target)).collect();
        let expected = [
            "spec.model openai:gpt-4o",
            "spec.tools[0] tool/search",
            "spec.tools[1] tool/billing/refund",
            "spec.mcpServers[0] mcp-server/github",
            "spec.memories.chat memory/short",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_kind_that_joch_does_not_know_is_kept_and_a_misspelt_one_refused() {
        let of = |kind: &str| {
            let text = AGENT.replace("kind: Agent", &format!("kind: {kind}"));
            read("x.yaml", &text, Found::Named).documents.first().map(|document| document.resource.id().full())
        };
        for kind in [
            "Execution",
            "Trace",
            "ToolCall",
            "Conversation",
            "StateCheckpoint",
            "Handoff",
            "Artifact",
            "OrgSettings",
            "FeatureFlags",
            "NotificationChannel",
        ] {
            assert!(of(kind).is_some(), "{kind}");
        }
        for kind in ["agent", "Agnet", "Agents", "McpServer", "release", "Release", "a-b", "\"\""] {
            assert_eq!(of(kind), None, "{kind}");
        }
        assert_eq!(of("FeatureFlags"), Some("feature-flags/default/triage".into()));
    }
}
