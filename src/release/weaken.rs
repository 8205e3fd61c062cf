//! Controls made weaker on purpose, to try a set of gates with: one change for each way in which a control can ask for
//! less.

use crate::resource::metric::direction;
use crate::resource::{Direction, Kind, Map, Number, Value};

/// One way of making a control weaker.
pub struct Weakened {
    /// What it does, in a few words.
    pub name: &'static str,
    /// The kind of control.
    pub kind: Kind,
    /// Where the weakening stands in it.
    pub path: &'static str,
    make: fn(&mut Value) -> Option<()>,
}

impl Weakened {
    /// The body after the change; `None` where the control has nothing that could be made weaker so.
    #[must_use]
    pub fn of(&self, body: &Value) -> Option<Value> {
        let mut weaker = body.clone();
        (self.make)(&mut weaker)?;
        (weaker != *body).then_some(weaker)
    }
}

/// All of them.
#[must_use]
pub fn weakened() -> Vec<Weakened> {
    let of = |kind: &Kind, name, path, make| Weakened { name, kind: kind.clone(), path, make };
    let eval = Kind::Eval;
    let (deployment, policy, budget) = (Kind::Deployment, Kind::Policy, Kind::Budget);
    let (environment, team) = (Kind::Environment, Kind::Team);
    vec![
        of(&eval, "a threshold is lowered", "spec.thresholds", lower_threshold),
        of(&eval, "a threshold is taken away", "spec.thresholds", |body| first_of(body, &["spec", "thresholds"])),
        of(&eval, "a metric is taken away", "spec.metrics", |body| shorten(body, &["spec", "metrics"])),
        of(&eval, "the dataset has fewer cases", "spec.dataset.cases", |body| {
            let cases = body.at(&["spec", "dataset", "cases"])?.as_number()?.as_f64();
            set(body, &["spec", "dataset", "cases"], number(cases - 1.0)?)
        }),
        of(&eval, "the dataset is another", "spec.dataset.sha256", |body| {
            body.at(&["spec", "dataset", "sha256"])?;
            set(body, &["spec", "dataset", "sha256"], "0".repeat(64).into())
        }),
        of(&eval, "a judge is another", "spec.metrics", |body| {
            let Value::List(metrics) = at(body, &["spec", "metrics"])? else { return None };
            let judged =
                metrics.iter_mut().find(|metric| metric.get("type").and_then(Value::as_text) == Some("llm_judge"))?;
            set(judged, &["judgeModelRef"], "seed-judge".into())
        }),
        of(&eval, "half of the calls may fail", "spec.run", |body| {
            set(body, &["spec", "run", "maxErrorRate"], number(0.5)?)
        }),
        of(&eval, "an old result counts", "spec.run", |body| set(body, &["spec", "run", "maxAge"], "52w".into())),
        of(&eval, "it guards nothing any more", "spec.releaseGate", |body| {
            body.at(&["spec", "releaseGate"])?;
            set(body, &["spec", "releaseGate", "enabled"], Value::Bool(false))
        }),
        of(&deployment, "nobody has to approve", "spec.promotion", |body| {
            remove(body, &["spec", "promotion"], "requiresApproval")
        }),
        of(&deployment, "no eval has to pass", "spec.promotion", |body| {
            remove(body, &["spec", "promotion"], "requiresEval")
        }),
        of(&deployment, "it is about another agent", "spec.agentRef", |body| {
            set(body, &["spec", "agentRef"], "seed-agent".into())
        }),
        of(&policy, "a rule is deleted", "spec.rules", |body| shorten(body, &["spec", "rules"])),
        of(&policy, "a rule no longer denies", "spec.rules", |body| {
            let Value::List(rules) = at(body, &["spec", "rules"])? else { return None };
            let denies = |rule: &&mut Value| rule.at(&["action", "deny"]).and_then(Value::as_bool) == Some(true);
            set(rules.iter_mut().find(denies)?, &["action", "deny"], Value::Bool(false))
        }),
        of(&policy, "it binds fewer agents", "spec.appliesTo", |body| {
            let labels = ["spec", "appliesTo", "agents", "selector", "matchLabels"];
            body.at(&labels)?;
            set(body, &[labels.as_slice(), &["seed"]].concat(), "yes".into())
        }),
        of(&budget, "a limit is ten times as high", "spec.limits", |body| {
            let Value::Map(limits) = at(body, &["spec", "limits"])? else { return None };
            let (_, limit) = limits.iter_mut().find(|(_, limit)| limit.as_number().is_some())?;
            *limit = number(limit.as_number()?.as_f64() * 10.0)?;
            Some(())
        }),
        of(&budget, "its limit only warns", "spec.enforcement", |body| {
            set(body, &["spec", "enforcement", "onHardLimit"], "ignore".into())
        }),
        of(&environment, "a gate is dropped", "spec.gates", |body| shorten(body, &["spec", "gates"])),
        of(&environment, "a gate only advises", "spec.gates", |body| {
            let Value::List(gates) = at(body, &["spec", "gates"])? else { return None };
            let gate = gates.first_mut()?;
            if let Value::Text(text) = gate {
                *gate = Value::Map(Map::from([("gate".to_owned(), Value::from(text.as_str()))]));
            }
            set(gate, &["mode"], "advisory".into())
        }),
        of(&environment, "a gate bears graver risks", "spec.gates", |body| {
            let Value::List(gates) = at(body, &["spec", "gates"])? else { return None };
            let names = |gate: &Value| gate.as_text().or_else(|| gate.get("gate")?.as_text()).map(str::to_owned);
            let gate = gates.iter_mut().find(|gate| names(gate).is_some_and(|name| name.starts_with("agbom")))?;
            *gate = "agbom:critical".into();
            Some(())
        }),
        of(&environment, "recorded answers count", "spec.requireLive", |body| {
            set(body, &["spec", "requireLive"], Value::Bool(false))
        }),
        of(&environment, "somebody may override gates", "spec.override", |body| {
            set(body, &["spec", "override"], Value::List(vec!["seed@example.com".into()]))
        }),
        of(&environment, "a policy is no longer imposed", "spec.policies", |body| shorten(body, &["spec", "policies"])),
        of(&environment, "a soak time is dropped", "spec.soak", |body| remove(body, &["spec"], "soak")),
        of(&team, "somebody joins who may approve", "spec.members", |body| {
            let Value::List(members) = at(body, &["spec", "members"])? else { return None };
            let member = [("user", "seed@example.com"), ("role", "approver")];
            members.push(Value::Map(member.map(|(key, value)| (key.to_owned(), value.into())).into()));
            Some(())
        }),
        of(&team, "a role is widened", "spec.members", |body| {
            let Value::List(members) = at(body, &["spec", "members"])? else { return None };
            let low =
                |member: &&mut Value| member.get("role").and_then(Value::as_text).is_some_and(|role| role != "admin");
            set(members.iter_mut().find(low)?, &["role"], "admin".into())
        }),
        of(&team, "a machine passes for a person", "spec.members", |body| {
            let Value::List(members) = at(body, &["spec", "members"])? else { return None };
            let machine = |member: &&mut Value| member.get("automation").and_then(Value::as_bool) == Some(true);
            set(members.iter_mut().find(machine)?, &["automation"], Value::Bool(false))
        }),
    ]
}

fn number(value: f64) -> Option<Value> {
    Number::from_f64(value).map(Value::Number)
}

/// What stands at the end of a path.
fn at<'v>(value: &'v mut Value, path: &[&str]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, key| match value {
        Value::Map(map) => map.get_mut(*key),
        _ => None,
    })
}

/// Puts a value at the end of a path, and what leads there.
fn set(value: &mut Value, path: &[&str], to: Value) -> Option<()> {
    let (last, way) = path.split_last()?;
    let mut here = value;
    for key in way {
        let Value::Map(map) = here else { return None };
        here = map.entry((*key).to_owned()).or_insert_with(|| Value::Map(Map::new()));
    }
    let Value::Map(map) = here else { return None };
    map.insert((*last).to_owned(), to);
    Some(())
}

fn remove(value: &mut Value, path: &[&str], key: &str) -> Option<()> {
    let Value::Map(map) = at(value, path)? else { return None };
    map.remove(key).map(drop)
}

/// Takes the first entry out of a list.
fn shorten(value: &mut Value, path: &[&str]) -> Option<()> {
    let Value::List(items) = at(value, path)? else { return None };
    (!items.is_empty()).then(|| drop(items.remove(0)))
}

/// Takes the first entry out of a map.
fn first_of(value: &mut Value, path: &[&str]) -> Option<()> {
    let Value::Map(map) = at(value, path)? else { return None };
    map.pop_first().map(drop)
}

fn lower_threshold(body: &mut Value) -> Option<()> {
    let metrics = body.at(&["spec", "metrics"]).and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
    let Value::Map(thresholds) = at(body, &["spec", "thresholds"])? else { return None };
    for (name, bound) in thresholds {
        let (Some(number_now), Some(way)) = (bound.as_number(), direction(name, &metrics)) else { continue };
        let eased = match way {
            Direction::Higher => number_now.as_f64() / 2.0,
            Direction::Lower => (number_now.as_f64() + 1.0) / 2.0,
        };
        *bound = number(eased)?;
        return Some(());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::weigh;
    use crate::resource::sample::one;

    #[test]
    fn every_seed_is_weaker_where_it_says() {
        let controls = [
            one(
                "Eval q",
                "{thresholds: {pii_leakage: 0.0, task_success: 0.9}, metrics: [{name: task_success, type: llm_judge}, \
                 {name: pii_leakage}], dataset: {cases: 3, sha256: aa}, releaseGate: {enabled: true}}",
            ),
            one("Deployment d", "{agentRef: x, promotion: {requiresEval: q, requiresApproval: rm}}"),
            one(
                "Policy p",
                "{appliesTo: {agents: {selector: {matchLabels: {a: b}}}}, \
                 rules: [{when: {x: 1}, action: {redact: true}}, {when: {x: 2}, action: {deny: true}}]}",
            ),
            one("Budget b", "{limits: {dailyUsd: 1}, enforcement: {onHardLimit: deny}}"),
            one("Environment prod", "{gates: ['agbom:high', policy], policies: [p], soak: 1d}"),
            one("Team t", "{members: [{user: ana, role: admin}, {user: bot, role: operator, automation: true}]}"),
        ];
        for seed in weakened() {
            let control = controls.iter().find(|control| control.id().kind == seed.kind).expect("one of each kind");
            let weaker = seed.of(control.body()).unwrap_or_else(|| panic!("{}: it changes nothing", seed.name));
            let steps = weigh(control.id(), Some(control.body()), Some(&weaker));
            let seen = steps.iter().any(|step| step.is_weaker() && step.path.starts_with(seed.path));
            assert!(seen, "{}: {steps:?}", seed.name);
        }
    }
}
