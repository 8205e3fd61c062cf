//! Model routes: where they let data go, what they may cost, and whom they ask in which order.

use crate::resource::served::{Served, match_candidate};
use crate::resource::view::route_candidates;
use crate::resource::{Kind, Risk, Target};

use super::found::{Found, listed};
use super::model::outside;
use super::place::lies_within_any;
use super::whole::{Level, Part, Whole};

/// The models of a route against the route's own residency.
pub(super) fn judge(whole: &Whole, found: &mut Found) {
    for level in &whole.levels {
        for route in level.of_kind(&Kind::ModelRoute) {
            let allowed = route.texts(&["constraints", "dataResidency"]);
            for model in models(route, level) {
                if let Some(why) = outside(model, &allowed) {
                    let why = format!("{why}, which {} demands", route.id());
                    found.raise("AGB-MODEL-002", model.component(), Risk::Critical, why);
                }
            }
        }
    }
}

/// The models that a route may ask.
fn models<'a>(route: &Part, level: &'a Level) -> Vec<&'a Part> {
    let served: Vec<Served> = level.of_kind(&Kind::Model).filter_map(|model| Served::by(&model.resource)).collect();
    let namespace = &route.id().namespace;
    let meant = |target: Target| match target {
        Target::Resource(reference) => reference.candidates(namespace).into_iter().find(|id| level.get(id).is_some()),
        Target::Candidate(candidate) => match_candidate(&candidate, namespace, &served).ok(),
    };
    route_candidates(&route.resource).into_iter().filter_map(meant).filter_map(|id| level.get(&id)).collect()
}

pub(super) fn compare(before: &Whole, after: &Whole, found: &mut Found) {
    for (was, route) in after.changed(before, &Kind::ModelRoute) {
        let weaker = loosened(was, route);
        weaker.into_iter().for_each(|why| {
            found.raise("AGB-ROUTE-001", route.component(), Risk::High, why);
        });
        order(was, route, found);
    }
    for level in &before.levels {
        let Some(now) = after.level(&level.path) else { continue };
        for was in level.of_kind(&Kind::ModelRoute).filter(|was| now.get(was.id()).is_none()) {
            // What comes in its place must hold as tight.
            let as_tight = |route: &Part| loosened(was, route).is_empty();
            let mut routes = now.of_kind(&Kind::ModelRoute).peekable();
            let limits = limits(was);
            if limits.is_empty() || routes.peek().is_some() && routes.all(as_tight) {
                continue;
            }
            let why = format!("it is not used any more, and with it went {}", listed(limits));
            found.raise("AGB-ROUTE-001", was.component(), Risk::High, why);
        }
    }
}

const RESIDENCY: [&str; 2] = ["constraints", "dataResidency"];
const CAPS: [&str; 2] = ["maxCostUsdPerExecution", "maxCostUsdPerCall"];

fn limits(route: &Part) -> Vec<&'static str> {
    let mut limits = Vec::new();
    if !route.texts(&RESIDENCY).is_empty() {
        limits.push("constraints.dataResidency");
    }
    for (cap, name) in CAPS.iter().zip(["constraints.maxCostUsdPerExecution", "constraints.maxCostUsdPerCall"]) {
        if route.number(&["constraints", cap]).is_some() {
            limits.push(name);
        }
    }
    limits
}

fn loosened(was: &Part, route: &Part) -> Vec<String> {
    let mut why = Vec::new();
    let (old, new) = (was.texts(&RESIDENCY), route.texts(&RESIDENCY));
    if !old.is_empty() {
        let beyond: Vec<&str> = new.iter().copied().filter(|region| !lies_within_any(region, &old)).collect();
        if new.is_empty() {
            why.push(format!("`constraints.dataResidency` was {} and is not said any more", listed(old)));
        } else if !beyond.is_empty() {
            why.push(format!("`constraints.dataResidency` was {} and takes in {}", listed(old), listed(beyond)));
        }
    }
    for cap in CAPS {
        let path = ["constraints", cap];
        match (was.number(&path), route.number(&path)) {
            (Some(old), Some(new)) if new > old => why.push(format!("`constraints.{cap}` was {old} and is {new}")),
            (Some(old), None) => why.push(format!("`constraints.{cap}` was {old} and is not said any more")),
            _ => {}
        }
    }
    why
}

fn order(was: &Part, route: &Part, found: &mut Found) {
    let words = |route: &Part| route_candidates(&route.resource).iter().map(Target::to_string).collect::<Vec<_>>();
    let (old, new) = (words(was), words(route));
    // That the last ones are not asked any more brings nothing new.
    if !old.starts_with(&new) || new.is_empty() && !old.is_empty() {
        let list = |words: &[String]| listed(words.iter().map(String::as_str));
        let why = format!("it asked {} and asks {}", list(&old), list(&new));
        found.raise("AGB-ROUTE-002", route.component(), Risk::Medium, why);
    }
}
