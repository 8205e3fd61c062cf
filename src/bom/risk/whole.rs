//! A closure as the rules read it: level by level, the values of the environment filled in.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::closure::Closure;
use crate::resource::envelope::environment_key;
use crate::resource::{Kind, Map, Resource, ResourceId, Value};

use super::component;

/// A closure with its children, the agent's own level first.
pub(super) struct Whole {
    pub(super) levels: Vec<Level>,
}

/// One agent with its own members.
pub(super) struct Level {
    /// Which children lead here; empty for the agent itself.
    pub(super) path: Vec<ResourceId>,
    pub(super) agent: Part,
    pub(super) members: BTreeMap<ResourceId, Part>,
}

/// One resource, its values of the environment filled in. What the environment lacks stays as it is written, so that
/// it is of the wrong type and nothing takes it for a value.
pub(super) struct Part {
    pub(super) resource: Arc<Resource>,
    spec: Value,
}

impl Whole {
    pub(super) fn of(closure: &Closure, defaults: &Map) -> Self {
        let mut levels = Vec::new();
        collect(closure, &[], defaults, &mut levels);
        Self { levels }
    }

    /// Every resource of a kind, agents and what children hold included.
    pub(super) fn of_kind<'a>(&'a self, kind: &'a Kind) -> impl Iterator<Item = &'a Part> {
        self.levels.iter().flat_map(move |level| level.of_kind(kind))
    }

    /// Every resource.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.levels.iter().flat_map(Level::parts)
    }

    /// The level at this place.
    pub(super) fn level(&self, path: &[ResourceId]) -> Option<&Level> {
        self.levels.iter().find(|level| level.path == path)
    }

    /// The resource of this id at this level; else of any other: a member may have moved from an agent to its child.
    pub(super) fn find(&self, path: &[ResourceId], id: &ResourceId) -> Option<&Part> {
        let here = self.level(path).and_then(|level| level.get(id));
        here.or_else(|| self.levels.iter().find_map(|level| level.get(id)))
    }

    /// What both sides have of a kind and is not the same, each with what it was.
    pub(super) fn changed<'a>(
        &'a self,
        before: &'a Self,
        kind: &'a Kind,
    ) -> impl Iterator<Item = (&'a Part, &'a Part)> {
        self.levels.iter().flat_map(move |level| {
            level.of_kind(kind).filter_map(move |part| {
                let was = before.find(&level.path, part.id())?;
                (was.spec != part.spec || was.resource != part.resource).then_some((was, part))
            })
        })
    }
}

fn collect(closure: &Closure, path: &[ResourceId], defaults: &Map, levels: &mut Vec<Level>) {
    let part = |resource: &Arc<Resource>| Part { resource: resource.clone(), spec: filled(resource.spec(), defaults) };
    let members = closure.members().iter().map(|(id, member)| (id.clone(), part(member))).collect();
    levels.push(Level { path: path.to_vec(), agent: part(closure.agent()), members });
    for (id, child) in closure.children() {
        collect(child, &[path, std::slice::from_ref(id)].concat(), defaults, levels);
    }
}

fn filled(value: &Value, defaults: &Map) -> Value {
    if let Some(known) = environment_key(value).and_then(|key| defaults.get(key)) {
        return known.clone();
    }
    match value {
        Value::List(items) => Value::List(items.iter().map(|item| filled(item, defaults)).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), filled(value, defaults))).collect()),
        other => other.clone(),
    }
}

impl Level {
    pub(super) fn of_kind<'a>(&'a self, kind: &'a Kind) -> impl Iterator<Item = &'a Part> {
        self.parts().filter(move |part| part.id().kind == *kind)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.agent).chain(self.members.values())
    }

    pub(super) fn get(&self, id: &ResourceId) -> Option<&Part> {
        if self.agent.id() == id { Some(&self.agent) } else { self.members.get(id) }
    }
}

impl Part {
    pub(super) fn id(&self) -> &ResourceId {
        self.resource.id()
    }

    /// How a bill refers to it.
    pub(super) fn component(&self) -> String {
        component(self.id())
    }

    pub(super) fn spec(&self) -> &Value {
        &self.spec
    }

    /// The value at a path below `spec`, if something is said there.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Value> {
        self.spec.at(path).filter(|value| **value != Value::Null)
    }

    /// The text at a path, unless it is blank.
    pub(super) fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Value::as_text).map(str::trim).filter(|text| !text.is_empty())
    }

    /// Whether `true` stands there.
    pub(super) fn is_true(&self, path: &[&str]) -> bool {
        self.at(path) == Some(&Value::Bool(true))
    }

    /// Whether something is switched on there: `true`, a word that does not mean no, or settings of its own.
    pub(super) fn is_on(&self, path: &[&str]) -> bool {
        match self.at(path) {
            Some(Value::Bool(on)) => *on,
            Some(Value::Text(word)) => ![
                "",
                "none",
                "off",
                "false",
                "no",
                "disabled",
                "optional",
                "allow",
                "keep",
                "ignore",
                "plaintext",
                "raw",
            ]
            .contains(&word.trim().to_ascii_lowercase().as_str()),
            Some(Value::Map(map)) => match map.get("enabled") {
                Some(enabled) => *enabled == Value::Bool(true),
                None => !map.is_empty() && environment_key(&Value::Map(map.clone())).is_none(),
            },
            Some(Value::List(items)) => !items.is_empty(),
            Some(Value::Number(_) | Value::Null) | None => false,
        }
    }

    /// The texts of a list, or the one that stands without a list.
    pub(super) fn texts(&self, path: &[&str]) -> Vec<&str> {
        self.at(path).map(Value::texts).unwrap_or_default()
    }

    /// The finite number there.
    pub(super) fn number(&self, path: &[&str]) -> Option<f64> {
        self.at(path).and_then(Value::as_number).map(|number| number.as_f64()).filter(|number| number.is_finite())
    }
}
