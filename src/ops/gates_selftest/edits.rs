//! Edits of an agent and what it uses, each to be planted.

use std::sync::Arc;

use crate::closure::Closure;
use crate::resource::{Kind, Number, Resource, Value};

/// Other instructions, no worse.
pub(super) fn reworded(closure: &Closure) -> Option<Closure> {
    let words = closure.agent().spec().get("instructions").and_then(Value::as_text)?;
    let body = with(closure.agent().body(), &["spec", "instructions"], format!("{words}\nBe brief.\n").into())?;
    exchanged(closure, &Arc::new(Resource::from_value(body).ok()?))
}

/// Models that cost a thousand times as much.
pub(super) fn dearer(closure: &Closure) -> Option<Closure> {
    changed(closure, &Kind::Model, |body| {
        let Value::Map(pricing) = body.at(&["spec", "pricing"])? else { return None };
        let dear = |price: &Value| Number::from_f64(price.as_number()?.as_f64() * 1000.0).map(Value::Number);
        let pricing = pricing.iter().map(|(key, price)| (key.clone(), dear(price).unwrap_or_else(|| price.clone())));
        with(body, &["spec", "pricing"], Value::Map(pricing.collect()))
    })
}

/// Tools with more rights than any policy grants.
pub(super) fn privileged(closure: &Closure) -> Option<Closure> {
    changed(closure, &Kind::Tool, |body| with(body, &["spec", "sideEffects", "level"], "privileged".into()))
}

/// The closure with every member of this kind changed that can be.
fn changed(closure: &Closure, kind: &Kind, change: impl Fn(&Value) -> Option<Value>) -> Option<Closure> {
    let members = closure.members().values().filter(|member| member.id().kind == *kind);
    let mut after = None;
    for member in members {
        let Some(body) = change(member.body()) else { continue };
        after = exchanged(after.as_ref().unwrap_or(closure), &Arc::new(Resource::from_value(body).ok()?));
    }
    after
}

/// The closure with this resource in the place of the one of its name.
pub(super) fn exchanged(closure: &Closure, resource: &Arc<Resource>) -> Option<Closure> {
    let mut files = closure.files();
    let old = closure.find(resource.id())?.canonical();
    let places: Vec<String> = files.iter().filter(|(_, text)| **text == old).map(|(path, _)| path.clone()).collect();
    for place in places {
        files.insert(place, resource.canonical());
    }
    Closure::from_files(&files).ok()
}

/// The body with a value at the end of a path that leads somewhere.
fn with(body: &Value, path: &[&str], to: Value) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    let Value::Map(map) = body else { return None };
    let mut map = map.clone();
    let value = if rest.is_empty() { to } else { with(map.get(*first)?, rest, to)? };
    map.insert((*first).to_owned(), value);
    Some(Value::Map(map))
}
