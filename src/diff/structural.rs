//! What changed between two bodies: maps by key, lists by the identity of their items, and by place where
//! items have none.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, Note, Op};
use super::{effect, path};
use crate::resource::{Map, ResourceId, Value};

/// The changes that make `new` of `old`, each with its effect; empty exactly when the two are equal.
///
/// The order is that of the body, keys bytewise. Seen from the other side the same changes are found,
/// each [inverted](Change::inverse).
#[must_use]
pub fn between(id: &ResourceId, old: Option<&Value>, new: Option<&Value>) -> Vec<Change> {
    let mut walk = Walk { id, changes: Vec::new() };
    walk.node("", old, new);
    for change in &mut walk.changes {
        change.effect = effect::of(&id.kind, change, old, new);
    }
    walk.changes
}

struct Walk<'a> {
    id: &'a ResourceId,
    changes: Vec<Change>,
}

impl Walk<'_> {
    fn node(&mut self, path: &str, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (old, new) if old == new => {}
            (Some(Value::Map(old)), Some(Value::Map(new))) => self.maps(path, old, new),
            (Some(Value::List(old)), Some(Value::List(new))) => match (path::identities(old), path::identities(new)) {
                (Some(old_ids), Some(new_ids)) => self.by_identity(path, (old, &old_ids), (new, &new_ids)),
                _ => self.by_place(path, old, new),
            },
            (old, new) => {
                self.push(path.to_owned(), old, new);
            }
        }
    }

    fn maps(&mut self, path: &str, old: &Map, new: &Map) {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            self.node(&path::key(path, key), old.get(key), new.get(key));
        }
    }

    /// Items that both lists have are compared wherever they stand; only if they stand in another order
    /// among themselves is that a change of its own, because order is part of the digest.
    fn by_identity(
        &mut self,
        path: &str,
        (old, old_ids): (&[Value], &[String]),
        (new, new_ids): (&[Value], &[String]),
    ) {
        let in_old: BTreeSet<&String> = old_ids.iter().collect();
        let in_new: BTreeMap<&String, &Value> = new_ids.iter().zip(new).collect();
        let kept = |ids: &[String]| -> Value {
            let both = ids.iter().filter(|id| in_old.contains(id) && in_new.contains_key(id));
            Value::List(both.map(|id| Value::from(id.as_str())).collect())
        };
        let (before, after) = (kept(old_ids), kept(new_ids));
        if before != after {
            self.push(path.to_owned(), Some(&before), Some(&after)).note = Some(Note::Order);
        }
        for (at, (id, item)) in old_ids.iter().zip(old).enumerate() {
            let path = path::item(path, id);
            match in_new.get(id) {
                Some(now) => self.node(&path, Some(item), Some(now)),
                None => self.push(path, Some(item), None).at = Some(at),
            }
        }
        for (at, (id, item)) in new_ids.iter().zip(new).enumerate() {
            if !in_old.contains(id) {
                self.push(path::item(path, id), None, Some(item)).at = Some(at);
            }
        }
    }

    /// Equal items hold the lists together. Between two of them an item at one and the same place of both
    /// lists has changed; what is left has gone or come.
    fn by_place(&mut self, path: &str, old: &[Value], new: &[Value]) {
        let (mut i, mut j) = (0, 0);
        for (next_i, next_j) in equal_pairs(old, new).into_iter().chain([(old.len(), new.len())]) {
            for place in i.min(j)..next_i.max(next_j) {
                let was = (i..next_i).contains(&place).then(|| &old[place]);
                let is = (j..next_j).contains(&place).then(|| &new[place]);
                self.node(&path::place(path, place), was, is);
            }
            (i, j) = (next_i + 1, next_j + 1);
        }
    }

    fn push(&mut self, path: String, old: Option<&Value>, new: Option<&Value>) -> &mut Change {
        let op = match (old, new) {
            (None, _) => Op::Add,
            (_, None) => Op::Remove,
            _ => Op::Replace,
        };
        let (from, to) = (old.cloned(), new.cloned());
        let at = self.changes.len();
        self.changes.push(Change { resource: self.id.clone(), path, op, from, to, effect: None, at: None, note: None });
        &mut self.changes[at]
    }
}

/// The most comparisons spent on one list; longer ones are compared place by place.
const COMPARISONS: usize = 1 << 20;

/// A longest run of equal items, as places in both lists, ascending.
fn equal_pairs(old: &[Value], new: &[Value]) -> Vec<(usize, usize)> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);

    let mut pairs: Vec<_> = (0..start).map(|place| (place, place)).collect();
    if a.len().saturating_mul(b.len()) <= COMPARISONS {
        // There may be several longest runs; which is taken must not depend on which list came first.
        let swap = (a.len(), format!("{a:?}")) > (b.len(), format!("{b:?}"));
        let inner = if swap { longest_run(b, a) } else { longest_run(a, b) };
        pairs.extend(
            inner.into_iter().map(|(i, j)| if swap { (j, i) } else { (i, j) }).map(|(i, j)| (start + i, start + j)),
        );
    }
    pairs.extend((0..end).map(|place| (old.len() - end + place, new.len() - end + place)));
    pairs
}

fn longest_run(a: &[Value], b: &[Value]) -> Vec<(usize, usize)> {
    let width = b.len() + 1;
    // length[i * width + j]: of the longest run of a[i..] and b[j..].
    let mut length = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            length[i * width + j] = if a[i] == b[j] {
                length[(i + 1) * width + j + 1] + 1
            } else {
                length[(i + 1) * width + j].max(length[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if length[(i + 1) * width + j] >= length[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `op path` of each change, with the note if there is one.
    fn told(old: &str, new: &str) -> Vec<String> {
        let body = |json: &str| serde_json::from_str::<Value>(json).expect("written here");
        let changes = between(&ResourceId::agent("default", "x"), Some(&body(old)), Some(&body(new)));
        let told = changes.iter().map(|change| {
            let note = change.note.map(|note| format!(" {note:?}")).unwrap_or_default();
            format!("{:?} {}{note}", change.op, change.path)
        });
        told.collect()
    }

    #[test]
    fn an_item_is_known_by_its_name_wherever_it_stands() {
        assert_eq!(told(r#"{"tools": ["a", "c"]}"#, r#"{"tools": ["a", "b", "c"]}"#), ["Add tools[b]"]);
        assert_eq!(told(r#"{"tools": ["a", "b"]}"#, r#"{"tools": ["b", "a"]}"#), ["Replace tools Order"]);
        assert_eq!(told(r#"{"tools": ["a"]}"#, r#"{"tools": [{"name": "a"}]}"#), ["Replace tools[a]"]);
        let old = r#"{"members": [{"user": "ada", "role": "viewer"}, {"user": "bo", "role": "viewer"}]}"#;
        let new = r#"{"members": [{"user": "bo", "role": "admin"}]}"#;
        assert_eq!(told(old, new), ["Remove members[ada]", "Replace members[bo].role"]);
        let old = r#"{"policies": [{"name": "pii"}]}"#;
        let new = r#"{"policies": [{"name": "pii", "namespace": "team-a"}]}"#;
        assert_eq!(told(old, new), ["Remove policies[pii]", "Add policies[team-a/pii]"]);
    }

    #[test]
    fn items_without_identity_are_held_together_by_what_is_equal() {
        let rules = |whens: &[u8]| {
            format!(
                r#"{{"rules": [{}]}}"#,
                whens.iter().map(|n| format!(r#"{{"when": {n}}}"#)).collect::<Vec<_>>().join(",")
            )
        };
        assert_eq!(told(&rules(&[1, 2, 3]), &rules(&[9, 1, 2, 3, 8])), ["Add rules[0]", "Add rules[4]"]);
        assert_eq!(told(&rules(&[1, 2, 3]), &rules(&[1, 7, 3])), ["Replace rules[1].when"]);
        assert_eq!(
            told(&rules(&[1, 2, 3, 4]), &rules(&[2, 3, 5])),
            ["Remove rules[0]", "Add rules[2]", "Remove rules[3]"]
        );
        assert_eq!(told(r#"{"t": ["a", "a"]}"#, r#"{"t": ["a"]}"#), ["Remove t[1]"]);
    }

    #[test]
    fn a_list_too_long_to_align_still_loses_nothing() {
        let list = |shift: i64| Value::List((0..1100).map(|n| Value::from(n * 2 + shift)).collect());
        let (old, new) = (list(0), list(1));
        let changes = between(&ResourceId::agent("default", "x"), Some(&old), Some(&new));
        assert_eq!(changes.len(), 1100);
        assert_eq!(crate::diff::apply(Some(&old), &changes), Ok(Some(new)));
    }
}
