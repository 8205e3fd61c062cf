//! What somebody saw of an MCP server at one time: its tools with their words, signed and dated.
//!
//! A `status` in a file is a claim. An observation says who looked, when, and what stood there.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::{Digest, Map, ResourceId, Value};

/// Names the format of an observation.
pub const OBSERVATION_SCHEMA: &str = "joch.dev/observation/v1";

/// How long an observation counts, in days.
pub const OBSERVATION_DAYS: i64 = 7;

/// The body of an evidence item under `observations/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// Names the format.
    pub schema: String,
    /// The MCP server's resource.
    pub server: ResourceId,
    /// Digest of that resource as it was when somebody looked.
    pub digest: Digest,
    /// When, by the observer's clock, never before what the ledger held then.
    pub observed_at: DateTime<Utc>,
    /// How it was seen: `streamable_http`, `stdio` or `file`.
    pub transport: String,
    /// The name and version that the server gives itself.
    pub server_name: Option<String>,
    /// See `server_name`.
    pub server_version: Option<String>,
    /// The version of the protocol that was spoken.
    pub protocol_version: Option<String>,
    /// What the server tells every model that uses it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instructions: Option<String>,
    /// What it offers, by name.
    pub tools: Vec<ToolDefinition>,
    /// Digest of `tools`: SHA-256 of them as JSON without spaces and with sorted keys, as `jq -jcS .tools` prints it.
    pub tools_digest: Digest,
    /// How far the server is trusted, from 0 to 1, in the words of whoever scored it.
    pub trust_score: Option<Value>,
    /// Who scored it.
    pub trust_source: Option<String>,
}

/// One tool as its server describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolDefinition {
    /// Its name.
    pub name: String,
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// What it says it does; models read this.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// What it takes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input_schema: Option<Value>,
    /// What it gives.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output_schema: Option<Value>,
    /// What it claims about its effects.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub annotations: Option<Value>,
    /// What else its server says of it, beside `_meta`, which may differ from answer to answer.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: Map,
}

impl Observation {
    /// As it is signed and stored: indented JSON in the order of the fields, with a newline at its end.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("an observation holds only what JSON can");
        bytes.push(b'\n');
        bytes
    }

    /// Reads an observation.
    ///
    /// # Errors
    /// A newer schema, what is no observation, and one whose parts contradict each other.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            schema: Option<String>,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
        match head.schema {
            Some(found) if found == OBSERVATION_SCHEMA => {}
            Some(newer) => {
                return Err(format!(
                    "it is of schema `{newer}`, and this joch reads `{OBSERVATION_SCHEMA}`: upgrade joch"
                ));
            }
            None => return Err(format!("it names no schema; `{OBSERVATION_SCHEMA}` is expected")),
        }
        let read: Self = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
        read.check()?;
        Ok(read)
    }

    /// Whether both say the same, whenever that was seen.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        *self == Self { observed_at: self.observed_at, ..other.clone() }
    }

    fn check(&self) -> Result<(), String> {
        if !self.tools.windows(2).all(|pair| pair[0].name < pair[1].name) {
            return Err("its tools are not in order of their names, each once".into());
        }
        let digest = tools_digest(&self.tools);
        if digest != self.tools_digest {
            return Err(format!("`toolsDigest` is {}, and its tools have {digest}", self.tools_digest));
        }
        match (&self.trust_score, &self.trust_source) {
            (None, None) => Ok(()),
            (Some(Value::Number(score)), Some(_)) if (0.0..=1.0).contains(&score.as_f64()) => Ok(()),
            (Some(_), Some(_)) => Err("`trustScore` is no number from 0 to 1".into()),
            _ => Err("`trustScore` and `trustSource` stand together or not at all".into()),
        }
    }
}

/// Digest of what a server offers.
#[must_use]
pub fn tools_digest(tools: &[ToolDefinition]) -> Digest {
    // A map of JSON has its keys in order; a struct has them as it was written.
    let sorted = serde_json::to_value(tools).expect("tools hold only what JSON can");
    Digest::of(sorted.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Kind, Number};

    fn observation() -> Observation {
        let tool = |name: &str| ToolDefinition { name: name.into(), ..ToolDefinition::default() };
        let tools = vec![tool("find"), ToolDefinition { description: Some("Sends.".into()), ..tool("send") }];
        Observation {
            schema: OBSERVATION_SCHEMA.into(),
            server: ResourceId::new(Kind::McpServer, "default", "help-center"),
            digest: Digest::of("record"),
            observed_at: DateTime::UNIX_EPOCH,
            transport: "file".into(),
            server_name: None,
            server_version: None,
            protocol_version: None,
            instructions: None,
            tools_digest: tools_digest(&tools),
            tools,
            trust_score: None,
            trust_source: None,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut written = observation();
        written.tools[0].other.insert("icons".into(), Value::List(Vec::new()));
        written.tools_digest = tools_digest(&written.tools);
        assert_eq!(Observation::from_json(&written.to_json()), Ok(written));
    }

    #[test]
    fn the_digest_is_that_of_sorted_json() {
        let json = r#"[{"name":"find"},{"description":"Sends.","name":"send"}]"#;
        assert_eq!(observation().tools_digest, Digest::of(json));
    }

    #[test]
    fn an_observation_that_contradicts_itself_is_none() {
        let wrong = |change: &dyn Fn(&mut Observation), why: &str| {
            let mut observation = observation();
            change(&mut observation);
            let refused = Observation::from_json(&observation.to_json()).expect_err(why);
            assert!(refused.contains(why), "{refused}");
        };
        wrong(&|it| it.tools[1].description = Some("Sends it away.".into()), "`toolsDigest` is");
        wrong(&|it| it.tools.swap(0, 1), "not in order");
        wrong(&|it| it.tools[1].name = "find".into(), "not in order");
        wrong(&|it| it.trust_score = Some(Value::from(1)), "stand together");
        let scored = |score: Value| {
            move |it: &mut Observation| {
                it.trust_score = Some(score.clone());
                it.trust_source = Some("a scan".into());
            }
        };
        wrong(&scored(Value::from(7)), "no number from 0 to 1");
        wrong(&scored(Value::from("0.9")), "no number from 0 to 1");
        wrong(&|it| it.schema = "joch.dev/observation/v2".into(), "upgrade joch");
        let mut fine = observation();
        scored(Value::Number(Number::Fraction(0.9)))(&mut fine);
        assert_eq!(Observation::from_json(&fine.to_json()), Ok(fine));
    }

    #[test]
    fn the_same_is_said_at_another_time() {
        let later = Observation { observed_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1), ..observation() };
        assert!(later.says_the_same(&observation()));
        let other = Observation { instructions: Some("Be kind.".into()), ..later };
        assert!(!other.says_the_same(&observation()));
    }
}
