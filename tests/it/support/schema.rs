//! As much of JSON Schema (draft 07) as the published schemas use. A keyword that is not known here is a complaint
//! too, and so is a field that its schema does not speak of: what is printed and what is published are one.

use serde_json::{Map, Value};

/// Keywords that say nothing about what is valid.
const SAYINGS: [&str; 6] = ["$schema", "title", "description", "default", "definitions", "format"];

/// What `value` does that `schema` does not say, each with its place.
pub(crate) fn complaints(schema: &Value, value: &Value) -> Vec<String> {
    let mut checker = Checker { root: schema, complaints: Vec::new() };
    checker.check(schema, value, "");
    checker.complaints
}

struct Checker<'a> {
    root: &'a Value,
    complaints: Vec<String>,
}

impl Checker<'_> {
    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        let Some(schema) = schema.as_object() else {
            return if *schema != Value::Bool(true) {
                self.complain(at, "nothing may stand here")
            };
        };
        for (keyword, wanted) in schema {
            self.keyword(schema, keyword, wanted, value, at);
        }
        self.unspoken(schema, value, at);
    }

    fn keyword(&mut self, schema: &Map<String, Value>, keyword: &str, wanted: &Value, value: &Value, at: &str) {
        let list = || wanted.as_array().map(Vec::as_slice).unwrap_or_default();
        let fits = match keyword {
            "type" if wanted.is_array() => list().iter().any(|wanted| is_a(wanted, value)),
            "type" => is_a(wanted, value),
            "const" => value == wanted,
            "enum" => list().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| Some(number) >= wanted.as_f64()),
            "minItems" => value.as_array().is_none_or(|items| Some(items.len() as u64) >= wanted.as_u64()),
            "maxItems" => value.as_array().is_none_or(|items| Some(items.len() as u64) <= wanted.as_u64()),
            "pattern" => value.as_str().is_none_or(|text| matches(wanted.as_str().unwrap_or_default(), text)),
            "required" => {
                !value.is_object() || list().iter().filter_map(Value::as_str).all(|field| value.get(field).is_some())
            }
            "anyOf" => list().iter().any(|schema| self.allows(schema, value)),
            "oneOf" => list().iter().filter(|schema| self.allows(schema, value)).count() == 1,
            "allOf" => {
                list().iter().for_each(|schema| self.check(schema, value, at));
                true
            }
            "$ref" => {
                let name = wanted.as_str().and_then(|name| name.strip_prefix('#')).expect("a local reference");
                let schema = self.root.pointer(name).expect("a definition").clone();
                self.check(&schema, value, at);
                true
            }
            "items" => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                items.iter().enumerate().for_each(|(n, item)| self.check(wanted, item, &format!("{at}[{n}]")));
                true
            }
            "properties" => {
                for (field, schema) in wanted.as_object().expect("a map") {
                    if let Some(value) = value.get(field) {
                        self.check(schema, value, &format!("{at}.{field}"));
                    }
                }
                true
            }
            "additionalProperties" => {
                let named = |field: &str| schema.get("properties").is_some_and(|named| named.get(field).is_some());
                for (field, value) in value.as_object().into_iter().flatten().filter(|(field, _)| !named(field)) {
                    self.check(wanted, value, &format!("{at}.{field}"));
                }
                true
            }
            _ => SAYINGS.contains(&keyword),
        };
        if !fits {
            self.complain(at, &format!("{value} against `{keyword}`: {wanted}"));
        }
    }

    fn allows(&self, schema: &Value, value: &Value) -> bool {
        let mut alone = Checker { root: self.root, complaints: Vec::new() };
        alone.check(schema, value, "");
        alone.complaints.is_empty()
    }

    /// Fields that a schema with fields does not name.
    fn unspoken(&mut self, schema: &Map<String, Value>, value: &Value, at: &str) {
        let (Some(properties), Some(fields)) = (schema.get("properties"), value.as_object()) else { return };
        for field in fields.keys().filter(|field| properties.get(field.as_str()).is_none()) {
            self.complain(at, &format!("the schema does not speak of `{field}`"));
        }
    }

    fn complain(&mut self, at: &str, what: &str) {
        self.complaints.push(format!("{at}: {what}"));
    }
}

fn is_a(wanted: &Value, value: &Value) -> bool {
    match wanted.as_str().unwrap_or_default() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// The patterns that the schemas have.
fn matches(pattern: &str, text: &str) -> bool {
    let is_sum = |hex: &str| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match pattern {
        "^[0-9a-f]{64}$" => is_sum(text),
        "^sha256:[0-9a-f]{64}$" => text.strip_prefix("sha256:").is_some_and(is_sum),
        r"^1\.[0-9]+$" => text.strip_prefix("1.").is_some_and(|minor| minor.parse::<u32>().is_ok()),
        _ => panic!("a pattern that is new here: {pattern}"),
    }
}

#[test]
fn what_a_schema_does_not_say_is_a_complaint() {
    let schema = serde_json::json!({
        "type": "object",
        "required": ["a"],
        "properties": { "a": { "anyOf": [{ "$ref": "#/definitions/word" }, { "type": "null" }] } },
        "definitions": { "word": { "type": "string", "enum": ["x", "y"] } },
    });
    let count = |value: Value| complaints(&schema, &value).len();
    assert_eq!(count(serde_json::json!({ "a": "x" })), 0);
    assert_eq!(count(serde_json::json!({ "a": null })), 0);
    assert_eq!(count(serde_json::json!({ "a": "z" })), 1);
    assert_eq!(count(serde_json::json!({})), 1);
    assert_eq!(count(serde_json::json!({ "a": "x", "b": 1 })), 1);
    assert_eq!(complaints(&serde_json::json!({ "multipleOf": 2 }), &serde_json::json!(3)).len(), 1);
}
