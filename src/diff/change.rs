//! One change of one resource, as it stands in JSON output, in records and in approvals.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::resource::{Kind, ResourceId, Value};

/// What is different at one place of one resource.
///
/// The changes between two bodies say everything: `apply` makes the new body from the
/// old one and its changes, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Whose body it is; in JSON its full text, `agent/default/support-triage`.
    #[serde(serialize_with = "write_id", deserialize_with = "read_id")]
    #[schemars(with = "String")]
    pub resource: ResourceId,
    /// Where in the body, such as `spec.tools[zendesk.refund]`; empty for the whole resource.
    pub path: String,
    /// What happened there.
    pub op: Op,
    /// What stood there; absent for an addition.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub from: Option<Value>,
    /// What stands there now; absent for a removal.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub to: Option<Value>,
    /// What it does to the reach of the agent, where that can be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// For an item that a list matches by identity: its place, from 0, in the list that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// What else a reader must know to take `from` and `to` right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// What happened at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// Something is there that was not.
    Add,
    /// Something is gone.
    Remove,
    /// Something else is there.
    Replace,
}

/// What a change does to the reach of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// In at least one respect the agent, or those who release it, may do more than before.
    Widens,
    /// Every part of the change takes something away, and no part gives anything.
    Narrows,
}

/// How to read a change that is not simply one value for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Note {
    /// `from` and `to` are the identities that both lists hold, each in its own order.
    Order,
}

impl Change {
    /// The same change seen from the other side, its effect open: what widened when it came need not
    /// narrow when it goes, if it both gave and took.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let op = match self.op {
            Op::Add => Op::Remove,
            Op::Remove => Op::Add,
            Op::Replace => Op::Replace,
        };
        Self { op, from: self.to.clone(), to: self.from.clone(), effect: None, ..self.clone() }
    }

    /// Whether a whole resource came or went.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.path.is_empty()
    }
}

impl Effect {
    /// The other effect.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Widens => Self::Narrows,
            Self::Narrows => Self::Widens,
        }
    }

    /// The word for it, as people and JSON read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Widens => "widens",
            Self::Narrows => "narrows",
        }
    }
}

fn write_id<S: Serializer>(id: &ResourceId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&id.full())
}

fn read_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ResourceId, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.split('/').collect::<Vec<_>>()[..] {
        [kind, namespace, name] => Ok(ResourceId::new(Kind::from_singular(kind), namespace, name)),
        _ => Err(D::Error::custom(format!("`{text}` is not `kind/namespace/name`"))),
    }
}

/// A value of `null` is a value: only a missing field is none.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_fields_of_the_contract_in_their_order() {
        let change = Change {
            resource: ResourceId::agent("default", "support-triage"),
            path: "spec.tools[zendesk.refund]".into(),
            op: Op::Replace,
            from: Some(Value::Null),
            to: Some("zendesk.refund".into()),
            effect: Some(Effect::Widens),
            at: None,
            note: None,
        };
        let json = serde_json::to_string(&change).expect("plain data");
        let printed = r#"{"resource":"agent/default/support-triage","path":"spec.tools[zendesk.refund]","op":"replace","from":null,"to":"zendesk.refund","effect":"widens"}"#;
        assert_eq!(json, printed);
        assert_eq!(serde_json::from_str::<Change>(&json).expect("as written"), change);
        assert_eq!(change.inverse().inverse(), Change { effect: None, ..change });
    }
}
