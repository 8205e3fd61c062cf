//! The laws of the diff, over trees made to collide: few keys, few names, lists of every sort.

use proptest::prelude::*;

use super::{Change, apply, between};
use crate::resource::{Number, ResourceId, Value};

fn tree() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        "[ab]",
        Just("a.b".to_owned()),
        Just("0".to_owned()),
        Just("x y]\"".to_owned()),
        Just(String::new())
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-2_i64..3).prop_map(Value::from),
        (1_u8..9).prop_map(|n| Value::Number(Number::from_f64(f64::from(n) / 8.0).expect("finite"))),
        name.clone().prop_map(Value::from),
        "[ab]\n[cd]".prop_map(Value::from),
    ];
    let keys = prop_oneof![Just("name"), Just("namespace"), Just("id"), Just("spec"), Just("k.1"), Just("")];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        let named = (name.clone(), inner.clone()).prop_map(|(name, value)| {
            Value::Map([("name".to_owned(), Value::from(name)), ("value".to_owned(), value)].into())
        });
        let item = prop_oneof![name.clone().prop_map(Value::from), named];
        prop_oneof![
            prop::collection::vec(item, 0..6).prop_map(Value::List),
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::btree_map(keys.clone().prop_map(str::to_owned), inner, 0..5).prop_map(Value::Map),
        ]
    })
}

/// Two trees that have much in common: the same parts, some of them only on one side, some changed, lists
/// perhaps in another order.
pub(super) fn pair() -> impl Strategy<Value = (Value, Value)> {
    let leaf = prop_oneof![(tree(), tree()), tree().prop_map(|tree| (tree.clone(), tree))];
    leaf.prop_recursive(3, 64, 6, |inner| {
        let part = (inner, 0_u8..6).prop_map(|((old, new), side)| match side {
            0 => (Some(old), None),
            1 => (None, Some(new)),
            _ => (Some(old), Some(new)),
        });
        let keys = prop::sample::subsequence(vec!["name", "spec", "k.1", "tools", ""], 0..5);
        let map = (keys, prop::collection::vec(part.clone(), 5)).prop_map(|(keys, parts)| {
            let side = |new: bool| {
                let values = parts.iter().map(|(a, b)| if new { b.clone() } else { a.clone() });
                Value::Map(keys.iter().zip(values).filter_map(|(key, v)| Some(((*key).to_owned(), v?))).collect())
            };
            (side(false), side(true))
        });
        let list =
            (prop::collection::vec(part, 0..7), any::<bool>(), any::<bool>()).prop_map(|(parts, named, turned)| {
                let name = |at: usize, value: Value| match (named, value) {
                    (true, Value::Map(mut map)) => {
                        map.insert("name".to_owned(), Value::from(format!("n{at}")));
                        Value::Map(map)
                    }
                    (true, _) => Value::from(format!("n{at}")),
                    (false, value) => value,
                };
                let (old, new): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
                let side = |items: Vec<Option<Value>>| -> Vec<Value> {
                    items.into_iter().enumerate().filter_map(|(at, item)| Some(name(at, item?))).collect()
                };
                let (old, mut new) = (side(old), side(new));
                if turned && !new.is_empty() {
                    let middle = new.len() / 2;
                    new.rotate_left(middle);
                }
                (Value::List(old), Value::List(new))
            });
        prop_oneof![map, list]
    })
}

fn sorted(mut changes: Vec<Change>) -> Vec<Change> {
    changes.sort_by_key(|change| (change.path.clone(), change.op as u8));
    changes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_made_up((old, new) in pair(), side in 0_u8..20) {
        let (old, new) = (Some(old).filter(|_| side != 0), Some(new).filter(|_| side != 1));
        let id = ResourceId::agent("default", "x");
        let changes = between(&id, old.as_ref(), new.as_ref());
        prop_assert!(between(&id, old.as_ref(), old.as_ref()).is_empty());
        prop_assert_eq!(changes.is_empty(), old == new);
        prop_assert_eq!(apply(old.as_ref(), &changes), Ok(new.clone()));

        let back = between(&id, new.as_ref(), old.as_ref());
        let open = |change: &Change| Change { effect: None, ..change.clone() };
        let inverses: Vec<Change> = changes.iter().map(Change::inverse).collect();
        prop_assert_eq!(apply(new.as_ref(), &inverses), Ok(old));
        prop_assert_eq!(sorted(inverses), sorted(back.iter().map(open).collect()));
    }

    #[test]
    fn changes_survive_json((old, new) in pair()) {
        let changes = between(&ResourceId::agent("default", "x"), Some(&old), Some(&new));
        let json = serde_json::to_string(&changes).expect("plain data");
        prop_assert_eq!(serde_json::from_str::<Vec<Change>>(&json).expect("as written"), changes);
    }

    #[test]
    fn changes_that_do_not_fit_are_refused_not_guessed((old, new) in pair(), (other, _) in pair()) {
        let id = ResourceId::agent("default", "x");
        let changes = between(&id, Some(&old), Some(&new));
        // It may fit by chance, where `other` differs only elsewhere; it must never panic.
        let _fits: bool = apply(Some(&other), &changes).is_ok();
    }
}
