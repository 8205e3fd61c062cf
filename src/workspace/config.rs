//! `joch.yaml`: the settings of a project, committed with its files.

use std::collections::BTreeMap;

use crate::resource::fields::mention::reference;
use crate::resource::yaml::from_stored;
use crate::resource::{Kind, Reference, Value, name::nearest};

/// The settings of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The first commit of the trust branch: a ledger with another is not this project's.
    pub trust_root: Option<String>,
    /// Where the ledger is, relative to the project; `.joch/ledger.git` where it is left out.
    pub ledger: Option<String>,
    /// The shared repository that others push to.
    pub remote: Option<String>,
    /// The Model that judges where an Eval names none, as `judge.modelRef` says.
    pub judge: Option<Reference>,
    /// Where runs of evals are kept, relative to the project; `.joch/runs` where it is left out.
    pub runs: Option<String>,
    /// Contexts beside the environments of the ladder.
    pub contexts: BTreeMap<String, Context>,
}

/// An environment of some ledger, by a name of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The ledger, relative to the project; the project's own where it is left out.
    pub ledger: Option<String>,
    /// The environment in it.
    pub environment: String,
}

const KEYS: [&str; 6] = ["trustRoot", "ledger", "remote", "contexts", "judge", "runs"];

impl Config {
    /// Reads `joch.yaml`.
    ///
    /// # Errors
    /// The key or value that is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value = if text.trim().is_empty() { Value::Null } else { from_stored(text)? };
        let empty = BTreeMap::new();
        let map: &BTreeMap<String, Value> = match &value {
            Value::Null => &empty,
            Value::Map(map) => map,
            other => return Err(format!("it is {}, and a map of settings is expected", other.type_name())),
        };
        if let Some(key) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let meant = nearest(key, KEYS).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
            return Err(format!("`{key}` is no setting{meant}"));
        }
        let text = |key: &str| match map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(other) => Err(format!("`{key}` is text, not {}", other.type_name())),
        };
        let contexts = map.get("contexts").and_then(Value::as_map).unwrap_or(&empty);
        let context = |(name, value): (&String, &Value)| {
            let part = |key| value.get(key).and_then(Value::as_text).map(str::to_owned);
            let environment = part("environment").ok_or_else(|| format!("`contexts.{name}` names no `environment`"))?;
            Ok((name.clone(), Context { ledger: part("ledger"), environment }))
        };
        Ok(Self {
            trust_root: text("trustRoot")?,
            ledger: text("ledger")?,
            remote: text("remote")?,
            judge: judge(map.get("judge"))?,
            runs: text("runs")?,
            contexts: contexts.iter().map(context).collect::<Result<_, String>>()?,
        })
    }

    /// The text of a new `joch.yaml` that pins `trust_root`.
    #[must_use]
    pub fn text(trust_root: &str) -> String {
        format!(
            "# Settings of this joch project; commit this file.\n\
             # The first commit of the ledger's trust branch. A ledger with another root is refused.\n\
             trustRoot: {trust_root}\n"
        )
    }
}

/// The Model that `judge.modelRef` names: `{name: x}`, with a namespace or without, or a bare name.
fn judge(value: Option<&Value>) -> Result<Option<Reference>, String> {
    let Some(judge) = value.filter(|value| **value != Value::Null) else { return Ok(None) };
    let wrong = || "`judge` is written `judge: { modelRef: { name: MODEL } }`".to_owned();
    if judge.as_map().is_none_or(|map| map.keys().any(|key| key != "modelRef")) {
        return Err(wrong());
    }
    let model = judge.get("modelRef").ok_or_else(wrong)?;
    reference(&Kind::Model, model).map(Some).ok_or_else(wrong)
}
