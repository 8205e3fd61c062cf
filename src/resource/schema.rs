//! JSON Schemas (draft 07) of the resources, for editors, made from the tables of fields.

use serde_json::{Map, Value, json};

use super::fields::{self, Field, METADATA, Shape};
use super::kind::{Kind, VERSION};
use super::metric::Statistic;

/// The schema of one kind.
#[must_use]
pub fn of_kind(kind: &Kind) -> Value {
    let mut schema = kind_body(kind);
    schema["$schema"] = json!(DRAFT);
    schema["title"] = json!(kind.name());
    schema["definitions"] = shared();
    schema
}

/// One schema for every kind, which it tells by `kind`.
#[must_use]
pub fn bundle() -> Value {
    let mut definitions = shared();
    let mut branches = Vec::new();
    for kind in Kind::known() {
        let name = kind.name();
        definitions[name] = kind_body(&kind);
        branches.push(json!({
            "if": { "properties": { "kind": { "const": name } }, "required": ["kind"] },
            "then": { "$ref": format!("#/definitions/{name}") },
        }));
    }
    json!({
        "$schema": DRAFT,
        "title": "joch resources",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "allOf": branches,
        "definitions": definitions,
    })
}

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// What the schemas of all kinds refer to.
fn shared() -> Value {
    json!({
        "fromEnvironment": {
            "description": "A value that each environment fills in from its `defaults`.",
            "type": "object",
            "properties": { "fromEnvironment": { "type": "string" } },
            "required": ["fromEnvironment"],
            "additionalProperties": false,
        },
        "reference": {
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": { "name": { "type": "string" }, "namespace": { "type": "string" } },
                    "required": ["name"],
                },
            ],
        },
        "gate": {
            "anyOf": [
                { "type": "string", "pattern": "^(eval:.+|approval:[^:]+(:[0-9]+)?|policy|agbom(:(low|medium|high|critical))?|budget(:.+)?|latency(:\\+[0-9.]+%)?)$" },
                {
                    "type": "object",
                    "properties": { "gate": { "type": "string" }, "mode": { "enum": ["enforce", "advisory"] } },
                    "required": ["gate"],
                },
            ],
        },
    })
}

fn kind_body(kind: &Kind) -> Value {
    let mut metadata = object(METADATA);
    metadata["required"] = json!(["name"]);
    json!({
        "type": "object",
        "properties": {
            "apiVersion": { "type": "string", "pattern": format!("^([a-z0-9-]+\\.)*joch\\.dev/{VERSION}$") },
            "kind": { "const": kind.name() },
            "metadata": metadata,
            "spec": { "anyOf": [object(fields::of(kind)), { "type": "null" }] },
            "status": { "description": "Observed state: read, never versioned." },
        },
        "required": ["apiVersion", "kind", "metadata"],
    })
}

fn object(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut schema = field_schema(&field.shape);
            schema["description"] = json!(field.doc);
            (field.key.to_owned(), schema)
        })
        .collect();
    json!({ "type": "object", "properties": properties })
}

/// The schema of a field, which may also be empty, or left to the environment.
fn field_schema(shape: &Shape) -> Value {
    match shape {
        Shape::Any => json!({}),
        shape => json!({ "anyOf": [schema(shape), { "type": "null" }, { "$ref": "#/definitions/fromEnvironment" }] }),
    }
}

fn schema(shape: &Shape) -> Value {
    let reference = || json!({ "$ref": "#/definitions/reference" });
    let model = || {
        let candidate = json!({ "type": "object", "required": ["provider", "model"] });
        json!({ "anyOf": [reference(), candidate] })
    };
    match shape {
        Shape::Any => json!({}),
        Shape::Text | Shape::Version => json!({ "type": "string" }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Whole => json!({ "type": "integer", "minimum": 0 }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Scalar => json!({ "type": ["string", "number", "boolean"] }),
        Shape::OneOf(words) => json!({ "enum": words }),
        Shape::Duration => json!({ "type": "string", "pattern": "^[0-9]{1,9}[smhdw]$" }),
        Shape::Reference(..) => reference(),
        Shape::References(..) => one_or_many(&reference()),
        Shape::ReferenceMap(..) => json!({ "type": "object", "additionalProperties": reference() }),
        Shape::Model(_) => model(),
        Shape::Models(_) => one_or_many(&model()),
        Shape::Thresholds => {
            let unit = "(ms|s|%|usd|USD|\\$)?";
            let pattern = |sign| format!("^\\s*{sign}\\s*[-+.0-9eE]+\\s*{unit}\\s*$");
            let number = |sign| json!([{ "type": "number" }, { "type": "string", "pattern": pattern(sign) }]);
            let bound = json!({ "anyOf": number("") });
            let both = json!({
                "type": "object",
                "properties": { "min": bound, "max": bound },
                "minProperties": 1,
                "additionalProperties": false,
            });
            let mut value = json!({ "anyOf": number("(>=|<=|==|=|>|<)?") });
            let more = [both, json!({ "$ref": "#/definitions/fromEnvironment" })];
            value["anyOf"].as_array_mut().into_iter().for_each(|list| list.extend(more.clone()));
            json!({ "type": "object", "additionalProperties": value })
        }
        Shape::Statistic => json!({ "type": "string", "pattern": Statistic::PATTERN }),
        Shape::Gates => one_or_many(&json!({ "$ref": "#/definitions/gate" })),
        Shape::Principals => one_or_many(&json!({ "type": "string" })),
        Shape::List(item) => json!({ "type": "array", "items": field_schema(item) }),
        Shape::OneOrMany(item) => one_or_many(&field_schema(item)),
        Shape::Map(value) => json!({ "type": "object", "additionalProperties": field_schema(value) }),
        Shape::Object(fields) => object(fields),
    }
}

fn one_or_many(item: &Value) -> Value {
    json!({ "anyOf": [item, { "type": "array", "items": item }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema_and_a_branch_in_the_bundle() {
        let bundle = bundle();
        for kind in Kind::known() {
            assert_eq!(of_kind(&kind)["properties"]["kind"]["const"], kind.name());
            assert_eq!(bundle["definitions"][kind.name()]["type"], "object");
        }
        assert_eq!(bundle["allOf"].as_array().map(Vec::len), Some(Kind::known().count()));
    }

    #[test]
    fn every_reference_in_the_bundle_leads_somewhere() {
        let bundle = bundle();
        let text = bundle.to_string();
        for part in text.split("\"$ref\":\"#/").skip(1) {
            let target = part.split('"').next().unwrap_or_default();
            assert!(bundle.pointer(&format!("/{target}")).is_some(), "{target}");
        }
    }
}
