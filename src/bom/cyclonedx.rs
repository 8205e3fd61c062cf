//! A graph as a CycloneDX 1.6 document: the form in which a ledger stores a bill of materials.
//!
//! Whatever the standard has no field for is a property in the namespace `joch`, or `acs` for the type of the Agent
//! Control Standard, which has words for types that are none of CycloneDX. The same graph, version and time make the
//! same bytes.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::resource::{Digest, ResourceId};

use super::component::{Component, Sort, What};
use super::graph::Graph;
use super::serial;

/// Of which version a bill is, and who writes it.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// The UUID of the ledger.
    pub ledger: &'a str,
    /// The version number of the agent.
    pub version: u64,
    /// When that version was released first.
    pub time: DateTime<Utc>,
    /// The version of the joch that writes.
    pub joch: &'a str,
}

/// A bill of materials as it is stored: of CycloneDX, what joch writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bill {
    #[serde(rename = "$schema")]
    schema: String,
    bom_format: String,
    spec_version: String,
    /// The same for every version of one agent.
    pub serial_number: String,
    /// The version number of the agent.
    pub version: u64,
    /// The agent, and who wrote this when.
    pub metadata: Metadata,
    /// What the agent is made of.
    pub components: Vec<Part>,
    /// What it reaches over a protocol.
    pub services: Vec<Service>,
    /// Who uses whom.
    pub dependencies: Vec<Dependency>,
    /// How complete this is.
    pub compositions: Vec<Composition>,
}

/// The agent, and who wrote this when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    timestamp: String,
    tools: Tools,
    /// The agent.
    pub component: Part,
    /// The digest and the form of the graph.
    pub properties: Vec<Property>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tools {
    components: Vec<Part>,
}

/// A component of CycloneDX.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[serde(default)]
pub struct Part {
    #[serde(rename = "type")]
    sort: String,
    /// What the other parts call it.
    #[serde(rename = "bom-ref", skip_serializing_if = "String::is_empty")]
    pub reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Organization>,
    /// Its namespace, or who serves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<ExternalReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_card: Option<ModelCard>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data: Vec<Data>,
    /// What else is known of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
}

/// A service of CycloneDX.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[serde(default)]
pub struct Service {
    /// What the other parts call it.
    #[serde(rename = "bom-ref")]
    pub reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<Organization>,
    /// Its namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    endpoints: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticated: Option<bool>,
    #[serde(rename = "x-trust-boundary", skip_serializing_if = "Option::is_none")]
    trust_boundary: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data: Vec<Flow>,
    /// What else is known of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
}

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// The name, such as `joch:digest`.
    pub name: String,
    /// The value.
    pub value: String,
}

/// What one component uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dependency {
    /// The component.
    #[serde(rename = "ref")]
    pub reference: String,
    /// What it uses.
    pub depends_on: Vec<String>,
}

/// How complete what is told of some components is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composition {
    aggregate: String,
    /// The components.
    pub assemblies: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Organization {
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hash {
    alg: String,
    content: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalReference {
    #[serde(rename = "type")]
    sort: String,
    url: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ModelCard {
    model_parameters: ModelParameters,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelParameters {
    task: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    #[serde(rename = "type")]
    sort: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    contents: Option<Contents>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    classification: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    url: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    flow: String,
    classification: String,
}

/// In `metadata`: the digest of the graph.
const CONTENT_DIGEST: &str = "joch:agbom:content_digest";
/// In `metadata`: the form of the graph.
const FORM: &str = "joch:agbom:form";
/// On a component: the digest of its content in the ledger.
const DIGEST: &str = "joch:digest";
/// On a component: the number that the ledger gave to its content.
const VERSION: &str = "joch:version";
/// On a component: which resource it is.
const RESOURCE: &str = "joch:resource";

/// The bytes of the bill that a graph is, as a ledger stores them: indented, with a newline at their end.
#[must_use]
pub fn document(graph: &Graph, issue: &Issue<'_>) -> Vec<u8> {
    bill(graph, issue).to_json()
}

/// Whether the bill that stands is the one that was derived again. The number of a child agent may have been given
/// later: then the one that stands leaves it out.
#[must_use]
pub fn agrees(stands: &[u8], derived: &[u8]) -> bool {
    if stands == derived {
        return true;
    }
    let (Ok(found), Ok(mut again)) = (Bill::from_json(stands), Bill::from_json(derived)) else { return false };
    let unnumbered = |part: &Part| value(&part.properties, VERSION).is_none();
    let unnumbered: BTreeSet<_> =
        found.components.iter().filter(|part| unnumbered(part)).map(|p| &p.reference).collect();
    for part in &mut again.components {
        let is_child = value(&part.properties, RESOURCE).is_some_and(|resource| resource.starts_with("agent/"));
        if is_child && unnumbered.contains(&part.reference) {
            part.version = None;
            part.properties.retain(|property| property.name != VERSION);
        }
    }
    again.to_json() == stands
}

/// The bill that a graph is.
#[must_use]
pub fn bill(graph: &Graph, issue: &Issue<'_>) -> Bill {
    let root = graph.root();
    let agent = root.id().cloned().unwrap_or_else(|| ResourceId::agent("_", &root.name));
    let others = || graph.components().filter(|component| component.reference != root.reference);
    let mut subject = part(root);
    subject.version = Some(issue.version.to_string());
    let dependency = |component: &Component| Dependency {
        reference: component.reference.clone(),
        depends_on: component.depends_on.iter().cloned().collect(),
    };
    let tool = Part {
        sort: "application".into(),
        group: Some("joch".into()),
        name: "joch".into(),
        version: Some(issue.joch.to_owned()),
        ..Part::default()
    };
    Bill {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json".into(),
        bom_format: "CycloneDX".into(),
        spec_version: "1.6".into(),
        serial_number: format!("urn:uuid:{}", serial::of(issue.ledger, &agent)),
        version: issue.version,
        metadata: Metadata {
            timestamp: issue.time.to_rfc3339_opts(SecondsFormat::Secs, true),
            tools: Tools { components: vec![tool] },
            component: subject,
            properties: vec![
                property(CONTENT_DIGEST, graph.digest().to_string()),
                property(FORM, Graph::FORM.to_string()),
            ],
        },
        components: others().filter(|component| component.sort != Sort::Service).map(part).collect(),
        services: others().filter(|component| component.sort == Sort::Service).map(service).collect(),
        dependencies: graph.components().map(dependency).collect(),
        // What an image holds is not looked into.
        compositions: vec![Composition { aggregate: "incomplete".into(), assemblies: vec![root.reference.clone()] }],
    }
}

impl Bill {
    /// Reads a stored bill.
    ///
    /// # Errors
    /// What is no bill that joch wrote.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|why| why.to_string())
    }

    /// As it is stored: indented JSON with a newline at its end.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("texts and lists of texts");
        bytes.push(b'\n');
        bytes
    }

    /// The digest of the graph that it was made of.
    #[must_use]
    pub fn content_digest(&self) -> Option<Digest> {
        self.property(CONTENT_DIGEST)?.parse().ok()
    }

    /// The form of that graph.
    #[must_use]
    pub fn form(&self) -> Option<u32> {
        self.property(FORM)?.parse().ok()
    }

    /// When its version was released first, in RFC 3339.
    #[must_use]
    pub fn timestamp(&self) -> &str {
        &self.metadata.timestamp
    }

    /// The version of the joch that wrote it.
    #[must_use]
    pub fn writer(&self) -> &str {
        let tool = self.metadata.tools.components.first();
        tool.and_then(|tool| tool.version.as_deref()).unwrap_or_default()
    }

    /// What each component is called, in the order in which they stand.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        let components = std::iter::once(&self.metadata.component).chain(&self.components);
        components.map(|part| part.reference.as_str()).chain(self.services.iter().map(|s| s.reference.as_str()))
    }

    /// Every component with what lists tell of it, the agent first.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let components = std::iter::once(&self.metadata.component).chain(&self.components).map(Part::row);
        let mut rows: Vec<_> = components.chain(self.services.iter().map(Service::row)).collect();
        rows[1..].sort_by(|a, b| a.reference.cmp(&b.reference));
        rows
    }

    fn property(&self, name: &str) -> Option<&str> {
        value(&self.metadata.properties, name)
    }
}

/// What lists tell of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is called in its bill.
    pub reference: String,
    /// Its type in CycloneDX; `service` for one of the services.
    pub sort: String,
    /// Its namespace, or who serves it.
    pub group: Option<String>,
    /// Its name.
    pub name: String,
    /// The version that it has by itself: the tag of an image, the version to which a server is pinned.
    pub version: Option<String>,
    /// The number that the ledger gave to its content.
    pub number: Option<u64>,
    /// Digest of its content in the ledger.
    pub digest: Option<Digest>,
    /// What else the bill tells of it, by name.
    pub properties: Vec<Property>,
}

impl Part {
    fn row(&self) -> Row {
        row(&self.reference, &self.sort, &self.group, &self.name, &self.version, &self.properties)
    }
}

impl Service {
    fn row(&self) -> Row {
        row(&self.reference, "service", &self.group, &self.name, &self.version, &self.properties)
    }
}

fn row(
    reference: &str,
    sort: &str,
    group: &Option<String>,
    name: &str,
    version: &Option<String>,
    properties: &[Property],
) -> Row {
    let number = value(properties, VERSION).and_then(|number| number.parse().ok());
    let is_number = number.map(|number: u64| number.to_string()) == *version;
    Row {
        reference: reference.to_owned(),
        sort: sort.to_owned(),
        group: group.clone(),
        name: name.to_owned(),
        version: version.clone().filter(|_| !is_number),
        number,
        digest: value(properties, DIGEST).and_then(|digest| digest.parse().ok()),
        properties: properties.to_vec(),
    }
}

fn part(component: &Component) -> Part {
    let sort = match component.sort {
        Sort::Application => "application",
        Sort::Framework => "framework",
        Sort::Container => "container",
        Sort::Model => "machine-learning-model",
        Sort::Dataset | Sort::Configuration | Sort::Service => "data",
    };
    let url = component.addresses.first().cloned();
    let data = |sort: &str| Data {
        sort: sort.to_owned(),
        contents: url.clone().map(|url| Contents { url }),
        classification: component.classification.clone(),
    };
    // The digest of a record is that of its file; the digest of an agent is that of its closure, and of no file.
    let of_file = component.digest.filter(|_| component.sort == Sort::Configuration).map(|digest| digest.hex());
    let hash = component.sha256.clone().or(of_file);
    // Where a dataset lies is told with it; of the others an address is one that they call.
    let called = if component.sort == Sort::Dataset { None } else { url.clone() };
    Part {
        sort: sort.to_owned(),
        reference: component.reference.clone(),
        supplier: component.supplier.clone().map(|name| Organization { name }),
        group: component.group.clone(),
        name: component.name.clone(),
        version: component.version(),
        description: component.description.clone(),
        hashes: hash.map(|content| Hash { alg: "SHA-256".into(), content }).into_iter().collect(),
        purl: component.purl.clone(),
        external_references: called.map(|url| ExternalReference { sort: "other".into(), url }).into_iter().collect(),
        model_card: (component.sort == Sort::Model)
            .then(|| ModelCard { model_parameters: ModelParameters { task: "text-generation".into() } }),
        data: match component.sort {
            Sort::Dataset => vec![data("dataset")],
            Sort::Configuration => vec![data("configuration")],
            _ => Vec::new(),
        },
        properties: properties(component),
    }
}

fn service(component: &Component) -> Service {
    let is = |fact: &str| component.facts.iter().find(|(name, _)| name == fact).map(|(_, value)| value == "true");
    // It is the standard that wants a classification of every flow.
    let unsaid = || component.classification.clone().unwrap_or_else(|| "unspecified".into());
    let flow = |way: &str| Flow { flow: way.to_owned(), classification: unsaid() };
    let data = match component.id().map(|id| id.kind.name()) {
        Some("Memory") => vec![flow("bi-directional")],
        Some("RAG") => vec![flow("inbound")],
        _ => Vec::new(),
    };
    let is_far = component.acs_type().is_some_and(|acs| matches!(acs, "mcp_server" | "a2a_peer"));
    Service {
        reference: component.reference.clone(),
        provider: component.supplier.clone().map(|name| Organization { name }),
        group: component.group.clone(),
        name: component.name.clone(),
        version: component.version(),
        description: component.description.clone(),
        endpoints: component.addresses.iter().cloned().collect(),
        authenticated: is("joch:mcp:authenticated"),
        trust_boundary: is_far.then_some(true),
        data,
        properties: properties(component),
    }
}

/// What else is known of a component, by name.
pub(super) fn properties(component: &Component) -> Vec<Property> {
    let mut properties: Vec<_> = component.facts.iter().map(|(name, value)| property(name, value.clone())).collect();
    properties.extend(component.acs_type().map(|acs| property("acs:component_type", acs.to_owned())));
    properties.extend(component.digest.map(|digest| property(DIGEST, digest.to_string())));
    properties.extend(component.number.map(|number| property(VERSION, number.to_string())));
    if let What::Resource(id) = &component.what {
        properties.push(property(RESOURCE, id.full()));
    }
    properties.sort();
    properties
}

fn property(name: &str, value: String) -> Property {
    Property { name: name.to_owned(), value }
}

fn value<'p>(properties: &'p [Property], name: &str) -> Option<&'p str> {
    properties.iter().find(|property| property.name == name).map(|property| property.value.as_str())
}
