//! `record.json`: the full account of one agent's move in one environment.
//!
//! Old records are never rewritten and stay readable; a newer schema says "upgrade".

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bom::AbomDelta;
use crate::diff::Change;
use crate::gate::{Deciding, Decision, GateResult, Lack, Overridden, Projection, Regression, Verdict};
use crate::policy::Obligation;
use crate::resource::{ChangeClass, Digest, Kind, Pinned, Reference, ResourceId, Value};
use crate::trust::Principal;

use super::event::{Event, Word};

/// Names the format of a record.
pub const SCHEMA: &str = "joch.dev/release-record/v1";

/// Every joch that has written records. What one of them worded otherwise than this one is not compared word for word;
/// a version that is not among them would be a way to say anything.
pub const WRITERS: [&str; 1] = [env!("CARGO_PKG_VERSION")];

/// The full account of one agent's move: the fields that the requirements list, then those joch adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Names the format.
    pub schema: String,
    /// Always `Release`.
    pub kind: String,
    /// The release, such as `prod/41`.
    pub release: String,
    /// What came of it: promoted, applied, rolled-back, deleted; or blocked, pending, undecided.
    #[schemars(extend("enum" = ["promoted", "applied", "rolled-back", "deleted", "blocked", "pending", "undecided"]))]
    pub verdict: String,
    /// The attempt that this is part of: the same for every subject of one command.
    pub attempt: Digest,
    /// What was asked for.
    pub event: Event,
    /// What it did to the agent.
    pub change: Word,
    /// The environment.
    pub environment: String,
    /// Where the content came from.
    pub source: Option<Source>,
    /// Which agent; in the decision on a catalog entry alone, which resource.
    pub agent_ref: ResourceId,
    /// What the environment ran before.
    pub from_version: Option<u64>,
    /// The candidate; none after a deletion.
    pub to_version: Option<u64>,
    /// Digest of the closure before.
    pub from_digest: Option<Digest>,
    /// Digest of the candidate's closure.
    pub to_digest: Option<Digest>,
    /// The structural diff, referenced resources and policies included.
    pub diff: Vec<Change>,
    /// What sort of change it is, the widest last.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub change_classes: Vec<ChangeClass>,
    /// Which evals ran, and which thresholds passed.
    pub eval_results: Vec<Deciding>,
    /// Who approved or rejected, when, and how it counted.
    pub approvals: Vec<RecordedApproval>,
    /// Components that are new, gone or at another version.
    pub abom_diff: AbomDelta,
    /// Where it runs.
    pub runtime_context: RuntimeContext,
    /// Who or which automation asked for it.
    pub operator_identity: Operator,
    /// Who made what it brings; none of them approves it.
    pub authors: Vec<String>,
    /// When, by the operator's clock.
    pub timestamp: DateTime<Utc>,
    /// The way back.
    pub rollback_path: Option<RollbackPath>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// The framework adapter that is active.
    pub adapter: Option<Pinned>,
    /// The policies that are active in the closure.
    pub policies: Vec<Pinned>,
    /// Every member of the closure.
    pub members: Vec<Pinned>,
    /// Policies and budgets that trust imposes beside the closure.
    pub imposed: Vec<Pinned>,
    /// What the target had and this takes back.
    pub regressions: Vec<Regression>,
    /// What policies ask that only the runtime can keep; told where the policy gate is demanded.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub obligations: Vec<Obligation>,
    /// Every gate with its answer.
    pub gates: Vec<GateResult>,
    /// Digest of the rules that the environment judged by.
    pub gate_rules: Digest,
    /// Digest of everything else that the change writes, as approvals bind it.
    pub writes: Digest,
    /// What a rollback undoes.
    pub undoes: Option<Undone>,
    /// The release of this agent here that this one follows.
    pub previous_release: Option<String>,
    /// The trust commit under which it was decided.
    pub trust: String,
    /// The evidence commit under which it was decided.
    pub evidence: String,
    /// The joch that wrote it.
    pub joch: String,
    /// Digest of the bill of materials that stands beside the closure; none in a record of a joch that wrote none, of
    /// a deletion, and of what gates stopped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bom: Option<Digest>,
    /// The Model that judged where an Eval named none, as the project said it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub default_judge: Option<DefaultJudge>,
    /// What it would cost, as the budget gate worked it out.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub projections: Vec<Projection>,
    /// The gates that the change passed in spite of what they say.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub overrides: Vec<RecordedOverride>,
    /// What spoke against a version that came back, and did not stop it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<Lack>,
}

/// One gate that was overridden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordedOverride {
    /// The gate: `approval:release-manager`.
    pub gate: String,
    /// What it said.
    pub verdict: Verdict,
    /// Who overrode it, and why.
    #[serde(flatten)]
    pub said: Overridden,
}

/// The Model that judges where an Eval names none, as `joch.yaml` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DefaultJudge {
    /// Its name.
    pub name: String,
    /// Its namespace, where the project names one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
}

impl From<&DefaultJudge> for Reference {
    fn from(judge: &DefaultJudge) -> Self {
        Self { kind: Kind::Model, namespace: judge.namespace.clone(), name: judge.name.clone() }
    }
}

impl From<&Reference> for DefaultJudge {
    fn from(judge: &Reference) -> Self {
        Self { name: judge.name.clone(), namespace: judge.namespace.clone() }
    }
}

/// Where promoted content came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The environment.
    pub environment: String,
    /// Its latest release at that moment.
    pub release: Option<String>,
    /// Its tip at that moment.
    pub commit: String,
}

/// Who asked for a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operator {
    /// The principal that the signature proves.
    #[serde(flatten)]
    pub principal: Principal,
    /// The key, as `SHA256:…`.
    pub fingerprint: String,
}

/// One statement, and how it counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordedApproval {
    /// The person, if trust lists the key.
    pub principal: Option<String>,
    /// The key.
    pub fingerprint: String,
    /// The team for which it was counted.
    pub team: String,
    /// Yes or no.
    pub decision: Option<Decision>,
    /// When, by that person's clock.
    pub stated_at: DateTime<Utc>,
    /// Until when it counts.
    pub expires: DateTime<Utc>,
    /// How it counted: `counted`, `self`, `rejected`, `expired`, `superseded`, or why not.
    pub counted: String,
    /// The evidence item.
    pub evidence: String,
}

/// Where the agent runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeContext {
    /// The environment.
    pub environment: String,
    /// The cluster, as the Environment record names it.
    pub cluster: Option<String>,
    /// The cloud.
    pub cloud: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The orchestrator.
    pub orchestrator: Option<String>,
    /// The values that `fromEnvironment` keys had at this release.
    pub values: BTreeMap<String, Value>,
}

/// The way back from a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RollbackPath {
    /// The version to go back to.
    pub version: u64,
    /// Digest of its closure.
    pub digest: Digest,
    /// The command.
    pub command: String,
}

/// What a rollback undoes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Undone {
    /// The release that brought it.
    pub release: String,
    /// The version that is rolled back from.
    pub version: Option<u64>,
}

/// What a list tells of a record; the rest of it, which is most, is passed over.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Brief {
    /// The release.
    pub release: String,
    /// The version that it brought.
    pub to_version: Option<u64>,
    /// Digest of that.
    pub to_digest: Option<Digest>,
    /// When.
    pub timestamp: DateTime<Utc>,
    /// Who.
    pub operator_identity: Operator,
}

impl Brief {
    /// Reads it from a stored record.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        read_json(bytes, SCHEMA)
    }
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// A newer schema, or what is not a record.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        read_json(bytes, SCHEMA)
    }

    /// As it is stored: indented JSON in the order of the fields, with a newline at its end.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        write_json(self)
    }

    /// The closure's contents as one list: the members, by id.
    #[must_use]
    pub fn member(&self, id: &ResourceId) -> Option<&Pinned> {
        self.members.iter().find(|member| member.id() == *id)
    }
}

/// Indented JSON with a newline at its end.
pub(crate) fn write_json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("stored forms hold only what JSON can");
    bytes.push(b'\n');
    bytes
}

/// Reads a stored form, its `schema` first.
pub(crate) fn read_json<T: DeserializeOwned>(bytes: &[u8], schema: &str) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Head {
        schema: Option<String>,
    }
    // As joch writes it the schema comes first, and then once through is enough.
    if bytes.starts_with(format!("{{\n  \"schema\": \"{schema}\",\n").as_bytes()) {
        return serde_json::from_slice(bytes).map_err(|why| why.to_string());
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
    match head.schema {
        Some(found) if found == schema => serde_json::from_slice(bytes).map_err(|why| why.to_string()),
        Some(newer) => Err(format!("it is of schema `{newer}`, and this joch reads `{schema}`: upgrade joch")),
        None => Err(format!("it names no schema; `{schema}` is expected")),
    }
}
