//! One form for what can be written in several: the two bodies of a control, put so that like stands beside like.
//!
//! A gate is `approval:rm:2`, or a map with settings; one name may stand for a list; a rule of a policy is known by
//! its conditions and not by its place. What cannot be brought into this form stays as it is written.

use std::collections::{BTreeMap, BTreeSet};

use crate::resource::requirement::Requirement;
use crate::resource::{Kind, Map, Value};

/// Both bodies in one form.
pub(super) fn normal(kind: &Kind, before: &Value, after: &Value) -> (Value, Value) {
    let (mut before, mut after) = (before.clone(), after.clone());
    match kind {
        Kind::Environment => {
            for body in [&mut before, &mut after] {
                change(body, &["spec", "gates"], gates);
                if let Some(Value::Map(classes)) = spec(body).and_then(|spec| spec.get_mut("changeClasses")) {
                    classes.values_mut().for_each(|list| *list = gates(list).unwrap_or_else(|| list.clone()));
                }
                for field in ["evalRunners", "override", "policies", "budgetRefs"] {
                    change(body, &["spec", field], listed);
                }
                change(body, &["spec", "exceptions"], exceptions);
            }
        }
        Kind::Deployment => {
            for body in [&mut before, &mut after] {
                for field in ["requiresEval", "requiresApproval"] {
                    change(body, &["spec", "promotion", field], listed);
                }
            }
        }
        Kind::Eval => guards(&mut before, &mut after),
        Kind::Policy => rules(&mut before, &mut after),
        _ => {}
    }
    (before, after)
}

fn spec(body: &mut Value) -> Option<&mut Map> {
    match body {
        Value::Map(body) => match body.get_mut("spec") {
            Some(Value::Map(spec)) => Some(spec),
            _ => None,
        },
        _ => None,
    }
}

/// Puts what `to` makes of the value at the end of `path` in its place.
fn change(body: &mut Value, path: &[&str], to: fn(&Value) -> Option<Value>) {
    let mut here = body;
    for key in path {
        let Value::Map(map) = here else { return };
        let Some(next) = map.get_mut(*key) else { return };
        here = next;
    }
    if let Some(new) = to(here) {
        *here = new;
    }
}

/// One name as a list of one.
fn listed(value: &Value) -> Option<Value> {
    matches!(value, Value::Text(_)).then(|| Value::List(vec![value.clone()]))
}

/// Exceptions as a list, each with the gravest finding that it lets through.
fn exceptions(value: &Value) -> Option<Value> {
    let written = match value {
        Value::List(items) => items.clone(),
        Value::Map(_) => vec![value.clone()],
        _ => return None,
    };
    let told = written.into_iter().map(|mut exception| {
        if let Value::Map(map) = &mut exception {
            // As the gate has it where nothing is said.
            map.entry("severity".into()).or_insert_with(|| "high".into());
        }
        exception
    });
    Some(Value::List(told.collect()))
}

/// Gates by what they are about: `approval:rm` with its count, `latency` with its percentage.
fn gates(value: &Value) -> Option<Value> {
    let one = std::slice::from_ref(value);
    let written = match value {
        Value::List(items) => items.as_slice(),
        Value::Text(_) | Value::Map(_) => one,
        _ => return None,
    };
    let mut gates = Map::new();
    for gate in written {
        let text = gate.as_text().or_else(|| gate.get("gate")?.as_text())?;
        let (name, amount) = told(text.parse().ok()?);
        let mut settings = gate.as_map().cloned().unwrap_or_default();
        settings.remove("gate");
        settings.entry("mode".into()).or_insert_with(|| "enforce".into());
        settings.extend(amount.map(|(key, value)| (key.to_owned(), value)));
        // Two demands of one sort both hold; the second is a demand of its own.
        let name = (1..).map(|at| if at == 1 { name.clone() } else { format!("{name}#{at}") });
        let mut free = name.skip_while(|name| gates.contains_key(name));
        gates.insert(free.next()?, Value::Map(settings));
    }
    Some(Value::Map(gates))
}

/// What a requirement is about, and how much of it is demanded.
fn told(requirement: Requirement) -> (String, Option<(&'static str, Value)>) {
    let word = requirement.word();
    let name = requirement.name().map_or_else(|| word.to_owned(), |name| format!("{word}:{name}"));
    let amount = match requirement {
        Requirement::Approval(_, count) => Some(("count", Value::from(i64::from(count)))),
        Requirement::AgBom(Some(risk)) => Some(("level", risk.word().into())),
        // As the gate has it where it is asked for without a severity.
        Requirement::AgBom(None) => Some(("level", "high".into())),
        Requirement::Latency(Some(most)) => crate::resource::Number::from_f64(f64::from(most.in_hundredths()) / 100.0)
            .map(|n| ("percent", Value::Number(n))),
        _ => None,
    };
    (name, amount)
}

/// The environments that an Eval guards, by name; one that guards all of them guards also those that nobody names.
fn guards(before: &mut Value, after: &mut Value) {
    let guarded = |body: &Value| {
        let gate = body.at(&["spec", "releaseGate"]).unwrap_or(&Value::Null);
        let names: BTreeSet<String> = match gate.get("blocksPromotionTo") {
            Some(Value::Text(name)) => BTreeSet::from([name.clone()]),
            Some(list) => list.texts().into_iter().map(str::to_owned).collect(),
            None => BTreeSet::new(),
        };
        match gate.get("enabled") {
            Some(Value::Bool(false)) => (false, BTreeSet::new()),
            None | Some(Value::Null) if names.is_empty() => (false, names),
            _ => (names.is_empty(), names),
        }
    };
    let (old, new) = (guarded(before), guarded(after));
    let named: BTreeSet<String> = old.1.union(&new.1).cloned().collect();
    for (body, (all, names)) in [(before, old), (after, new)] {
        let names = if all { &named } else { &names };
        let mut into: Map = names.iter().map(|name| (name.clone(), Value::Bool(true))).collect();
        if all {
            into.insert("every other".into(), Value::Bool(true));
        }
        let Some(spec) = spec(body) else { continue };
        spec.insert("releaseGate".into(), Value::Map(BTreeMap::from([("into".to_owned(), Value::Map(into))])));
    }
}

/// Rules of a policy by number: first those with the same conditions on both sides, then those that look at the same
/// things, or one at some of what the other looks at.
fn rules(before: &mut Value, after: &mut Value) {
    let list = |body: &Value| body.at(&["spec", "rules"]).and_then(Value::as_list).map(<[Value]>::to_vec);
    let (Some(old), Some(new)) = (list(before), list(after)) else { return };
    let mut partner: Vec<Option<usize>> = vec![None; new.len()];
    let mut free: Vec<usize> = (0..old.len()).collect();
    for alike in [same_rule as fn(&Value, &Value) -> bool, same_conditions, same_subject, nested] {
        for (at, rule) in new.iter().enumerate() {
            if partner[at].is_some() {
                continue;
            }
            if let Some(place) = free.iter().position(|place| alike(&old[*place], rule)) {
                partner[at] = Some(free.remove(place));
            }
        }
    }
    let next = old.len()..;
    let mut next = next.into_iter();
    let keyed = new.into_iter().zip(partner).filter_map(|(rule, partner)| {
        let key = partner.or_else(|| next.next())?;
        Some((key.to_string(), rule))
    });
    let new: Map = keyed.collect();
    let old: Map = old.into_iter().enumerate().map(|(at, rule)| (at.to_string(), rule)).collect();
    for (body, rules) in [(before, old), (after, new)] {
        if let Some(spec) = spec(body) {
            spec.insert("rules".into(), Value::Map(rules));
        }
    }
}

fn same_rule(old: &Value, new: &Value) -> bool {
    old == new
}

fn same_conditions(old: &Value, new: &Value) -> bool {
    old.get("when") == new.get("when")
}

fn same_subject(old: &Value, new: &Value) -> bool {
    let keys =
        |rule: &Value| rule.get("when").and_then(Value::as_map).map(|when| when.keys().cloned().collect::<Vec<_>>());
    keys(old) == keys(new)
}

fn nested(old: &Value, new: &Value) -> bool {
    let keys = |rule: &Value| {
        let when = rule.get("when").and_then(Value::as_map);
        when.map(|when| when.keys().cloned().collect::<BTreeSet<_>>()).unwrap_or_default()
    };
    let (old, new) = (keys(old), keys(new));
    !old.is_disjoint(&new) && (old.is_subset(&new) || new.is_subset(&old))
}
