//! Which other resources a resource names, and where.

use std::fmt;

use super::{Field, Shape, Tie};
use crate::resource::envelope::environment_key;
use crate::resource::id::Reference;
use crate::resource::kind::Kind;
use crate::resource::path;
use crate::resource::requirement::Requirement;
use crate::resource::value::Value;

/// One mention of another resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Where it stands in the document: `spec.tools[0]`.
    pub path: String,
    /// What is mentioned.
    pub target: Target,
    /// What the mention means.
    pub tie: Tie,
}

/// What is mentioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A resource by kind and name.
    Resource(Reference),
    /// A Model by what it serves.
    Candidate(Candidate),
}

/// `provider:model`: matched to a Model by its provider, and by its `model` or its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
}

/// Every resource that the `spec` of a resource of this kind names, in the order of the table.
#[must_use]
pub fn mentions(kind: &Kind, spec: &Value) -> Vec<Mention> {
    let mut found = Vec::new();
    collect_object(super::of(kind), spec, "spec", &mut found);
    if *kind == Kind::Eval {
        found.extend(eval_target(spec));
    }
    let mut secrets = Vec::new();
    collect_secrets(spec, "spec", &mut secrets);
    secrets.retain(|secret: &Mention| !found.iter().any(|known| known.path == secret.path));
    found.extend(secrets);
    found
}

/// A `secretRef` names a Secret wherever it stands: records have more ways to sign in than the tables know.
fn collect_secrets(value: &Value, at: &str, found: &mut Vec<Mention>) {
    match value {
        Value::Map(map) => {
            for (key, value) in map {
                let at = path::entry(at, key);
                match key.as_str() {
                    "secretRef" => found.extend(collect_one(&Kind::Secret, value, Tie::Named, &at)),
                    _ => collect_secrets(value, &at, found),
                }
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_secrets(item, &path::item(at, index), found);
            }
        }
        _ => {}
    }
}

/// The target of an Eval names its kind itself.
fn eval_target(spec: &Value) -> Option<Mention> {
    let target = spec.get("target")?;
    let kind = target.get("kind").and_then(Value::as_text).map_or(Kind::Agent, Kind::from_name);
    collect_one(&kind, target, Tie::Needed, "spec.target")
}

fn collect_object(fields: &[Field], value: &Value, at: &str, found: &mut Vec<Mention>) {
    for field in fields {
        if let Some(value) = value.get(field.key) {
            collect(&field.shape, value, &path::entry(at, field.key), found);
        }
    }
}

fn collect(shape: &Shape, value: &Value, at: &str, found: &mut Vec<Mention>) {
    if environment_key(value).is_some() {
        return;
    }
    match shape {
        Shape::Reference(kind, tie) => found.extend(collect_one(kind, value, *tie, at)),
        Shape::References(kind, tie) => {
            each(value, at, |item, at| found.extend(collect_one(kind, item, *tie, at)));
        }
        Shape::ReferenceMap(kind, tie) => {
            for (key, value) in value.as_map().into_iter().flatten() {
                found.extend(collect_one(kind, value, *tie, &path::entry(at, key)));
            }
        }
        Shape::Model(tie) => found.extend(collect_model(value, *tie, at)),
        Shape::Models(tie) => each(value, at, |item, at| found.extend(collect_model(item, *tie, at))),
        Shape::List(shape) | Shape::OneOrMany(shape) => each(value, at, |item, at| collect(shape, item, at, found)),
        Shape::Map(shape) => {
            for (key, value) in value.as_map().into_iter().flatten() {
                collect(shape, value, &path::entry(at, key), found);
            }
        }
        Shape::Object(fields) => collect_object(fields, value, at, found),
        Shape::Gates => each(value, at, |item, at| found.extend(gate_mention(item, at))),
        Shape::Principals => each(value, at, |item, at| found.extend(team_mention(item, at))),
        _ => {}
    }
}

/// A gate names an Eval, which may yet have to be written, or a Team or Budget, without which it never opens.
fn gate_mention(value: &Value, at: &str) -> Option<Mention> {
    let text = value.as_text().or_else(|| value.get("gate")?.as_text())?;
    let (kind, name, tie) = match text.parse().ok()? {
        Requirement::Eval(name) => (Kind::Eval, name, Tie::Named),
        Requirement::Approval(team, _) => (Kind::Team, team, Tie::Needed),
        Requirement::Budget(Some(name)) => (Kind::Budget, name, Tie::Needed),
        _ => return None,
    };
    collect_one(&kind, &Value::Text(name), tie, at)
}

/// `team:NAME` among people.
fn team_mention(value: &Value, at: &str) -> Option<Mention> {
    let team = value.as_text()?.strip_prefix("team:")?;
    collect_one(&Kind::Team, &team.into(), Tie::Needed, at)
}

/// Visits the items of a list, or the one value that stands without a list.
fn each(value: &Value, at: &str, mut visit: impl FnMut(&Value, &str)) {
    match value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &path::item(at, index));
            }
        }
        one => visit(one, at),
    }
}

fn collect_one(kind: &Kind, value: &Value, tie: Tie, at: &str) -> Option<Mention> {
    let reference = reference(kind, value)?;
    Some(Mention { path: at.to_owned(), target: Target::Resource(reference), tie })
}

fn collect_model(value: &Value, tie: Tie, at: &str) -> Option<Mention> {
    let target = match candidate(value) {
        Some(candidate) => Target::Candidate(candidate),
        None => Target::Resource(reference(&Kind::Model, value)?),
    };
    Some(Mention { path: at.to_owned(), target, tie })
}

/// The reference that `{name, namespace?}` or a bare name is. A value that is neither is none; the check of
/// types says so.
#[must_use]
pub fn reference(kind: &Kind, value: &Value) -> Option<Reference> {
    let (name, namespace) = match value {
        Value::Text(name) => (name.as_str(), None),
        Value::Map(map) => (map.get("name")?.as_text()?, map.get("namespace").and_then(Value::as_text)),
        _ => return None,
    };
    Some(Reference { kind: kind.clone(), namespace: namespace.map(str::to_owned), name: name.to_owned() })
}

/// The candidate that `provider:model` or `{provider, model}` is.
#[must_use]
pub fn candidate(value: &Value) -> Option<Candidate> {
    let (provider, model) = match value {
        Value::Text(text) => text.split_once(':')?,
        Value::Map(map) => (map.get("provider")?.as_text()?, map.get("model")?.as_text()?),
        _ => return None,
    };
    Some(Candidate { provider: provider.to_owned(), model: model.to_owned() })
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.provider, self.model)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(reference) => reference.fmt(f),
            Self::Candidate(candidate) => candidate.fmt(f),
        }
    }
}
