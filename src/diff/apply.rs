//! The other direction: a body made from an older one and its changes. It is what proves that a list of
//! changes leaves nothing out.

use std::collections::BTreeMap;

use super::change::{Change, Note, Op};
use super::path::{self, Step};
use crate::resource::{Map, Value};

/// The body that `changes`, all of one resource, make of `old`; none if they remove it.
///
/// # Errors
/// The path of the first change that does not fit `old`, and why.
pub fn apply(old: Option<&Value>, changes: &[Change]) -> Result<Option<Value>, String> {
    let paths: Vec<Vec<Step>> = changes.iter().map(|change| path::parse(&change.path)).collect::<Result<_, _>>()?;
    let edits: Vec<Edit<'_>> = paths.iter().zip(changes).map(|(steps, change)| Edit { steps, change }).collect();
    if edits.is_empty() { Ok(old.cloned()) } else { node(old, &edits) }
}

/// A change, and what is left of its path.
#[derive(Clone, Copy)]
struct Edit<'c> {
    steps: &'c [Step],
    change: &'c Change,
}

impl Edit<'_> {
    fn refuse<T>(&self, why: &str) -> Result<T, String> {
        Err(format!("the change at `{}` does not fit: {why}", self.change.path))
    }

    /// What stands here after a change that ends here.
    fn outcome(&self, old: Option<&Value>) -> Result<Option<Value>, String> {
        if self.change.from.as_ref() != old {
            return self.refuse("something else stood there");
        }
        Ok(self.change.to.clone())
    }
}

fn node(old: Option<&Value>, edits: &[Edit<'_>]) -> Result<Option<Value>, String> {
    let ends_here = |edit: &&Edit<'_>| edit.steps.is_empty() && edit.change.note.is_none();
    match (edits.iter().find(ends_here), old) {
        (Some(end), _) if edits.len() == 1 => end.outcome(old),
        (Some(end), _) => end.refuse("another change is at the same place"),
        (None, Some(Value::Map(entries))) => map(entries, edits).map(|map| Some(Value::Map(map))),
        (None, Some(Value::List(items))) => list(items, edits).map(|items| Some(Value::List(items))),
        (None, _) => edits[0].refuse("nothing there has parts"),
    }
}

fn map(entries: &Map, edits: &[Edit<'_>]) -> Result<Map, String> {
    let mut entries = entries.clone();
    for (step, edits) in by_step(edits) {
        let Some(Step::Name(key)) = step else { return edits[0].refuse("it is a map, not a list") };
        match node(entries.get(key), &edits)? {
            Some(value) => entries.insert(key.clone(), value),
            None => entries.remove(key),
        };
    }
    Ok(entries)
}

/// What goes, goes first; the rest changes in place and takes its new order; then what is new takes, from
/// the front, the place it has in the new list.
fn list(items: &[Value], edits: &[Edit<'_>]) -> Result<Vec<Value>, String> {
    let mut slots: Vec<(Step, Value)> = match edits[0].steps.first() {
        Some(Step::Place(_)) => items.iter().cloned().enumerate().map(|(i, item)| (Step::Place(i), item)).collect(),
        _ => {
            let Some(names) = path::identities(items) else { return edits[0].refuse("its items have no identity") };
            names.into_iter().map(Step::Name).zip(items.iter().cloned()).collect()
        }
    };
    let (mut order, mut added) = (None, Vec::new());
    for (step, edits) in by_step(edits) {
        let Some(step) = step else {
            order = edits.into_iter().next();
            continue;
        };
        let (comes, stays): (Vec<_>, Vec<_>) =
            edits.into_iter().partition(|edit| edit.steps.is_empty() && edit.change.op == Op::Add);
        for edit in comes {
            let place = if let Step::Place(place) = step { Some(*place) } else { edit.change.at };
            match (place, edit.outcome(None)?) {
                (Some(place), Some(item)) => added.push((place, item, edit)),
                _ => return edit.refuse("an added item has a place and a value"),
            }
        }
        if let Some(first) = stays.first() {
            let Some(at) = slots.iter().position(|(slot, _)| slot == step) else {
                return first.refuse("there is no such item");
            };
            match node(Some(&slots[at].1), &stays)? {
                Some(value) => slots[at].1 = value,
                None => drop(slots.remove(at)),
            }
        }
    }
    if let Some(order) = order {
        slots = reordered(slots, &order)?;
    }
    let mut items: Vec<Value> = slots.into_iter().map(|(_, item)| item).collect();
    added.sort_by_key(|(place, ..)| *place);
    for (place, item, edit) in added {
        if place > items.len() {
            return edit.refuse("its place is beyond the end of the list");
        }
        items.insert(place, item);
    }
    Ok(items)
}

fn reordered(mut slots: Vec<(Step, Value)>, order: &Edit<'_>) -> Result<Vec<(Step, Value)>, String> {
    let names = order.change.to.as_ref().filter(|_| order.change.note == Some(Note::Order)).map(Value::texts);
    let mut sorted = Vec::with_capacity(slots.len());
    for name in names.unwrap_or_default() {
        let is_it = |(slot, _): &(Step, Value)| matches!(slot, Step::Name(slot) if slot == name);
        match slots.iter().position(is_it) {
            Some(at) => sorted.push(slots.remove(at)),
            None => return order.refuse("there is no such item"),
        }
    }
    if slots.is_empty() { Ok(sorted) } else { order.refuse("it does not say where every item goes") }
}

/// The edits under each first step, that step taken off; under none those that end here.
fn by_step<'c>(edits: &[Edit<'c>]) -> BTreeMap<Option<&'c Step>, Vec<Edit<'c>>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for edit in edits {
        let (first, rest) = match edit.steps.split_first() {
            Some((first, rest)) => (Some(first), rest),
            None => (None, edit.steps),
        };
        groups.entry(first).or_default().push(Edit { steps: rest, change: edit.change });
    }
    groups
}
