//! A graph as an SPDX 3.0.1 document (JSON-LD). It is a second form of a stored bill, of the same serial number,
//! version and time.
//!
//! It tells less: SPDX 3.0.1 has no services, so that what is reached over a protocol is a package with the purpose
//! `application`, and no endpoints. What it has no field for stands in its extension for CycloneDX properties.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::component::{Component, Sort, What};
use super::cyclonedx::{Bill, properties};
use super::graph::Graph;

/// Who made the document and when: one blank node that every element names.
const CREATION: &str = "_:creation";

/// The text of the document: indented JSON with a newline at its end.
#[must_use]
pub fn document(graph: &Graph, bill: &Bill) -> String {
    let name = |what: &str| format!("{}#v{}/{what}", bill.serial_number, bill.version);
    let root = name(&graph.root().reference);
    let mut elements = vec![
        json!({ "type": "SoftwareAgent", "spdxId": name("joch"), "creationInfo": CREATION, "name": "joch" }),
        json!({ "type": "Tool", "spdxId": name("tool"), "creationInfo": CREATION,
                "name": format!("joch {}", bill.writer()) }),
    ];
    let suppliers: BTreeSet<_> = graph.components().filter_map(|component| component.supplier.as_ref()).collect();
    for supplier in suppliers {
        elements.push(json!({ "type": "Organization", "spdxId": name(&organization(supplier)),
                              "creationInfo": CREATION, "name": supplier }));
    }
    for component in graph.components() {
        elements.push(package(component, &name, bill));
        elements.extend(uses(component, &name, component.reference == graph.root().reference));
    }
    let id = |element: &Value| element["spdxId"].as_str().unwrap_or_default().to_owned();
    elements.sort_by_key(id);
    let all: Vec<_> = elements.iter().map(id).collect();
    let mut graph = vec![json!({
        "type": "CreationInfo", "@id": CREATION, "specVersion": "3.0.1", "created": bill.timestamp(),
        "createdBy": [name("joch")], "createdUsing": [name("tool")],
    })];
    graph.push(json!({
        "type": "SpdxDocument", "spdxId": name("document"), "creationInfo": CREATION,
        "name": format!("{} v{}", bill.metadata.component.name, bill.version),
        "profileConformance": ["core", "extension", "software"], "rootElement": [name("bill")],
    }));
    graph.push(json!({
        "type": "software_Sbom", "spdxId": name("bill"), "creationInfo": CREATION, "rootElement": [root], "element": all,
    }));
    graph.extend(elements);
    let document = json!({ "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph });
    format!("{document:#}\n")
}

fn package(component: &Component, name: &impl Fn(&str) -> String, bill: &Bill) -> Value {
    let (class, purpose) = match component.sort {
        Sort::Application | Sort::Service => ("software_Package", "application"),
        Sort::Framework => ("software_Package", "framework"),
        Sort::Container => ("software_Package", "container"),
        Sort::Configuration => ("software_Package", "configuration"),
        Sort::Model => ("ai_AIPackage", "model"),
        Sort::Dataset => ("dataset_DatasetPackage", "data"),
    };
    let is_agent = component.reference == bill.metadata.component.reference;
    let version = if is_agent { Some(bill.version.to_string()) } else { component.version() };
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));
    put("type", class.into());
    put("spdxId", name(&component.reference).into());
    put("creationInfo", CREATION.into());
    put("name", component.name.as_str().into());
    put("software_primaryPurpose", purpose.into());
    if component.sort == Sort::Dataset {
        put("dataset_datasetType", json!(["noAssertion"]));
    }
    for (key, value) in [
        ("description", &component.description),
        ("software_packageVersion", &version),
        ("software_packageUrl", &component.purl),
        ("suppliedBy", &component.supplier.as_ref().map(|supplier| name(&organization(supplier)))),
    ] {
        if let Some(value) = value {
            put(key, value.as_str().into());
        }
    }
    // The digest of an agent is that of its closure, and of no file.
    let of_file = component.digest.filter(|_| component.word() != "agent").map(|digest| digest.hex());
    if let Some(hex) = component.sha256.clone().or(of_file) {
        put("verifiedUsing", json!([{ "type": "Hash", "algorithm": "sha256", "hashValue": hex }]));
    }
    let entry = |name: &str, value: &str| json!({ "type": "extension_CdxPropertyEntry", "extension_cdxPropName": name, "extension_cdxPropValue": value });
    let told: Vec<_> = properties(component).iter().map(|told| entry(&told.name, &told.value)).collect();
    if !told.is_empty() {
        put("extension", json!([{ "type": "extension_CdxPropertiesExtension", "extension_cdxProperty": told }]));
    }
    Value::Object(fields)
}

fn uses(component: &Component, name: &impl Fn(&str) -> String, is_root: bool) -> Option<Value> {
    if component.depends_on.is_empty() {
        return None;
    }
    let used: Vec<_> = component.depends_on.iter().map(|used| name(used)).collect();
    // What an image holds is not looked into.
    let completeness = if is_root || component.what == What::Image { "incomplete" } else { "noAssertion" };
    Some(json!({
        "type": "Relationship", "spdxId": name(&format!("uses/{}", component.reference)), "creationInfo": CREATION,
        "from": name(&component.reference), "relationshipType": "dependsOn", "to": used, "completeness": completeness,
    }))
}

fn organization(name: &str) -> String {
    format!("organization/{}", super::image::escaped(name))
}
