//! What machines may rely on, as JSON Schema (draft 07): every kind of answer, and the forms that a ledger stores.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::audit::Proof;
use crate::bom::{OBSERVATION_SCHEMA, Observation};
use crate::eval::RunResult;
use crate::gate::{Glass, HOLD_SCHEMA, Hold, OVERRIDE_SCHEMA, REVIEW_SCHEMA, Review, Statement};
use crate::policy::{INPUT_SCHEMA, Input};
use crate::release::{Manifest, Record};

use super::view::{
    AgbomDiff, AgbomList, AgbomResult, ApplyResult, ApprovalList, ApprovalResult, AuditExport, AuditLog, ChangeResult,
    Description, DiffResult, DoctorResult, ErrorResult, EvalGate, EvalList, EvalPart, EvalPlan, EvalPlans, EvalResult,
    EvalResults, Explanation, GcResult, History, HoldList, HoldResult, InitResult, KindList, McpDiff, McpObservation,
    McpRecorded, PolicyPreview, ReleaseDescription, ReleaseList, ResourceList, ReviewResult, RollbackCheck,
    SelftestResult, TrustResult, ValidationResult, VerifyResult, VersionInfo,
};
use super::{API_VERSION, FORMAT_VERSION};

/// The schema of every answer in JSON, by its `kind`. A new view needs a line here.
#[must_use]
pub fn answers() -> Vec<(&'static str, Value)> {
    vec![
        answer::<AgbomDiff>("AgbomDiff"),
        answer::<AgbomList>("AgbomList"),
        answer::<AgbomResult>("AgbomResult"),
        answer::<ApplyResult>("ApplyResult"),
        answer::<ApprovalList>("ApprovalList"),
        answer::<ApprovalResult>("ApprovalResult"),
        answer::<AuditExport>("AuditExport"),
        answer::<AuditLog>("AuditLog"),
        answer::<ChangeResult>("DeletionResult"),
        answer::<Description>("Description"),
        answer::<DiffResult>("DiffResult"),
        answer::<DoctorResult>("DoctorResult"),
        answer::<ErrorResult>("Error"),
        answer::<EvalGate>("EvalGate"),
        answer::<EvalList>("EvalList"),
        answer::<EvalPart>("EvalPart"),
        answer::<EvalPlan>("EvalPlan"),
        answer::<EvalPlans>("EvalPlans"),
        answer::<EvalResult>("EvalResult"),
        answer::<EvalResults>("EvalResults"),
        answer::<Explanation>("Explanation"),
        answer::<GcResult>("GcResult"),
        answer::<History>("History"),
        answer::<HoldList>("HoldList"),
        answer::<HoldResult>("HoldResult"),
        answer::<InitResult>("InitResult"),
        answer::<KindList>("KindList"),
        answer::<McpDiff>("McpDiff"),
        answer::<McpObservation>("McpObservation"),
        answer::<McpRecorded>("McpRecorded"),
        answer::<PolicyPreview>("PolicyPreview"),
        answer::<ChangeResult>("PromotionResult"),
        answer::<Proof>("Proof"),
        answer::<ReleaseDescription>("ReleaseDescription"),
        answer::<ReleaseList>("ReleaseList"),
        answer::<ResourceList>("ResourceList"),
        answer::<ReviewResult>("ReviewResult"),
        answer::<RollbackCheck>("RollbackCheck"),
        answer::<ChangeResult>("RollbackResult"),
        answer::<SelftestResult>("SelftestResult"),
        answer::<TrustResult>("TrustResult"),
        answer::<ValidationResult>("ValidationResult"),
        answer::<VerifyResult>("VerifyResult"),
        answer::<VersionInfo>("VersionInfo"),
    ]
}

/// The schema of every JSON form in a ledger, by the name of its file there.
#[must_use]
pub fn stored() -> Vec<(&'static str, Value)> {
    vec![
        ("eval-result", titled(schema::<RunResult>(), "eval-result").to_value()),
        ("gate-input", gate_input()),
        ("hold", stored_form::<Hold>("hold", HOLD_SCHEMA)),
        ("observation", stored_form::<Observation>("observation", OBSERVATION_SCHEMA)),
        ("override", stored_form::<Glass>("override", OVERRIDE_SCHEMA)),
        ("override-review", stored_form::<Review>("override-review", REVIEW_SCHEMA)),
        ("record", stored_form::<Record>("record", crate::release::SCHEMA)),
        ("release", stored_form::<Manifest>("release", Manifest::SCHEMA)),
        ("statement", titled(schema::<Statement>(), "statement").to_value()),
    ]
}

/// What policies in Rego see.
fn gate_input() -> Value {
    let mut schema = titled(schema::<Input>(), "gate-input");
    fix(&mut schema, "schemaVersion", json!({ "const": INPUT_SCHEMA }));
    schema.to_value()
}

/// The fields of `T` in their envelope.
fn answer<T: JsonSchema>(kind: &'static str) -> (&'static str, Value) {
    let mut schema = titled(schema::<T>(), kind);
    let (major, _) = FORMAT_VERSION.split_once('.').expect("two numbers");
    // What is added later makes the second number grow, and must not make this schema refuse it.
    fix(&mut schema, "formatVersion", json!({ "type": "string", "pattern": format!("^{major}\\.[0-9]+$") }));
    fix(&mut schema, "apiVersion", json!({ "const": API_VERSION }));
    fix(&mut schema, "kind", json!({ "const": kind }));
    (kind, schema.to_value())
}

fn stored_form<T: JsonSchema>(name: &str, format: &str) -> Value {
    let mut schema = titled(schema::<T>(), name);
    fix(&mut schema, "schema", json!({ "const": format }));
    schema.to_value()
}

/// As `T` is written; what is read may be older and lack fields.
fn schema<T: JsonSchema>() -> Schema {
    SchemaSettings::draft07().for_serialize().into_generator().into_root_schema_for::<T>()
}

fn titled(mut schema: Schema, title: &str) -> Schema {
    schema.insert("title".into(), title.into());
    schema
}

/// Makes `field` one that is always there and always like this.
fn fix(schema: &mut Schema, field: &str, like: Value) {
    let mut at = |key: &str, empty: Value| schema.ensure_object().entry(key).or_insert(empty).take();
    let mut properties = at("properties", json!({}));
    properties[field] = like;
    let mut required = at("required", json!([]));
    if let Some(required) = required.as_array_mut().filter(|required| !required.contains(&field.into())) {
        required.push(field.into());
    }
    schema.insert("properties".into(), properties);
    schema.insert("required".into(), required);
}
