//! An approval or rejection: one person's signed word on one change, as an in-toto statement.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::{Digest, ResourceId};
use crate::trust::{Principal, PublicKey};

/// How long an approval counts unless it says otherwise.
pub const DEFAULT_EXPIRY_HOURS: i64 = 72;
/// The longest that one may count.
pub const LONGEST_EXPIRY_HOURS: i64 = 7 * 24;
/// How far a person's clock may be ahead of the ledger's.
pub const CLOCK_LEEWAY_MINUTES: i64 = 5;
/// The predicate type of a decision.
pub const APPROVAL_PREDICATE: &str = "https://joch.dev/attestation/approval/v1";
/// The predicate type of a request for one.
pub const REQUEST_PREDICATE: &str = "https://joch.dev/attestation/approval-request/v1";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// The body of an evidence item under `approvals/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<InTotoSubject>,
    /// What kind of statement this is.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said.
    pub predicate: Predicate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
struct InTotoSubject {
    name: String,
    digest: BTreeMap<String, String>,
}

/// What is said, about which changes, under which rules, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Predicate {
    /// Yes or no; a request has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<Decision>,
    /// The team in whose name the person speaks, if one was named.
    pub team: Option<String>,
    /// The environment that would change.
    pub environment: String,
    /// The environment that the change comes from, for people to read.
    pub source: Option<String>,
    /// Every change that the statement covers.
    pub changes: Vec<Change>,
    /// The request or stopped attempt that this answers.
    pub request: Option<String>,
    /// The person's clock.
    pub stated_at: DateTime<Utc>,
    /// From then on it does not count.
    pub expires: DateTime<Utc>,
    /// Why.
    pub rationale: Option<String>,
    /// On a proposal to change trust: what each of the changes would write, so that it can be read before it is agreed
    /// to. It counts only as far as it has the digests of the changes.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub proposed: Vec<Proposed>,
}

/// What one record of trust would become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Proposed {
    /// Which.
    pub resource: ResourceId,
    /// Its canonical text; none where it goes.
    pub text: Option<String>,
}

/// One resource's move from one content to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "JudgedChange")]
pub struct Change {
    /// What would change.
    pub resource: ResourceId,
    /// What the environment runs now.
    pub from: Option<Digest>,
    /// What it would run.
    pub to: Option<Digest>,
    /// Digest of everything else that the change would write.
    pub writes: Digest,
    /// Digest of the gate rules that the person saw.
    pub gate_rules: Digest,
    /// The version numbers at that time, for people to read; numbers prove nothing.
    pub from_version: Option<u64>,
    /// See `from_version`.
    pub to_version: Option<u64>,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The change may happen.
    Approve,
    /// It must not.
    Reject,
}

impl Statement {
    /// A statement of this type saying `predicate`.
    #[must_use]
    pub fn new(predicate_type: &str, predicate: Predicate) -> Self {
        let subject = |change: &Change| InTotoSubject {
            name: change.resource.full(),
            digest: change.to.or(change.from).map(|digest| ("sha256".to_owned(), digest.hex())).into_iter().collect(),
        };
        Self {
            kind: STATEMENT.into(),
            subject: predicate.changes.iter().map(subject).collect(),
            predicate_type: predicate_type.into(),
            predicate,
        }
    }

    /// Reads a statement from the bytes that were signed.
    ///
    /// # Errors
    /// Anything that is not a statement of joch, or whose in-toto subjects are not its changes.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let statement: Self = serde_json::from_slice(bytes).map_err(|why| format!("not a statement: {why}"))?;
        let again = Self::new(&statement.predicate_type, statement.predicate.clone());
        if statement.kind != STATEMENT || again.subject != statement.subject {
            return Err("its in-toto subjects are not the changes it speaks of".into());
        }
        Ok(statement)
    }
}

/// A statement whose signature was checked, and whose signature proves this person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// The id of the evidence item.
    pub id: String,
    /// Who signed; `None` for a key that trust does not list.
    pub principal: Option<Principal>,
    /// The key.
    pub key: PublicKey,
    /// What was signed.
    pub predicate: Predicate,
    /// When the ledger took it in: the time of the evidence commit that first holds it.
    pub carried_at: DateTime<Utc>,
    /// Whether the latest release of the resource in the environment had seen it: what it allowed has happened.
    pub spent: bool,
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::resource::Kind;

    #[test]
    fn a_statement_whose_subjects_are_not_its_changes_is_refused() {
        let digest = |of: &str| Digest::of(of);
        let predicate = Predicate {
            decision: Some(Decision::Approve),
            team: None,
            environment: "prod".into(),
            source: Some("staging".into()),
            changes: vec![Change {
                resource: ResourceId::new(Kind::Agent, "default", "support"),
                from: None,
                to: Some(digest("new")),
                writes: digest("writes"),
                gate_rules: digest("rules"),
                from_version: None,
                to_version: Some(1),
            }],
            request: None,
            stated_at: DateTime::UNIX_EPOCH,
            expires: DateTime::UNIX_EPOCH + TimeDelta::hours(1),
            rationale: None,
            proposed: Vec::new(),
        };
        let statement = Statement::new(APPROVAL_PREDICATE, predicate);
        let json = serde_json::to_string(&statement).expect("plain data");
        assert_eq!(Statement::from_json(json.as_bytes()), Ok(statement));
        let new = digest("new").hex();
        let subject =
            format!("\"subject\":[{{\"name\":\"agent/default/support\",\"digest\":{{\"sha256\":\"{new}\"}}}}]");
        assert!(json.contains(&subject), "{json}");
        for (from, to) in [
            (subject.as_str(), &*subject.replace(&new, &digest("other").hex())),
            (subject.as_str(), "\"subject\":[]"),
            (subject.as_str(), &subject.replace("/support", "/billing")),
            (subject.as_str(), &format!("{},{}]", subject.trim_end_matches(']'), "{\"name\":\"x\",\"digest\":{}}")),
            (subject.as_str(), &subject.replace("\"sha256\":", "\"sha1\":\"0\",\"sha256\":")),
            ("in-toto.io/Statement/v1", "in-toto.io/Statement/v0.1"),
            ("\"environment\":\"prod\"", "\"environments\":\"prod\""),
        ] {
            let forged = json.replace(from, to);
            assert_ne!(forged, json, "{from}");
            assert!(Statement::from_json(forged.as_bytes()).is_err(), "{forged}");
        }
    }
}
