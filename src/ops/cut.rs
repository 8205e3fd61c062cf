//! Cutting the closures of a set's agents, and what to say where a member is missing or a file was left out.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::closure::{Closure, Layer, Missing, Sources, Unresolved, resolve};
use crate::ledger::Environment;
use crate::resource::{Digest, Kind, ResourceId};

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::project_files;
use super::set::Set;

/// The closures of a set's agents.
pub(super) type Cut = BTreeMap<ResourceId, Closure>;

/// The closures of the set's agents. What is missing is told for all of them at once.
pub(super) fn cut_agents(set: &Set, environment: &Environment<'_, '_>) -> Result<Result<Cut>, Vec<Missing>> {
    let mut cut = BTreeMap::new();
    let mut missing = Vec::new();
    for (id, _) in set.resources.iter().filter(|(id, _)| id.kind == Kind::Agent) {
        match cut_agent(id, set, environment, &mut Vec::new()) {
            Ok(Some(closure)) => {
                cut.insert(id.clone(), closure);
            }
            Ok(None) => {}
            Err(Unresolved::Missing(more)) => missing.extend(more),
            Err(Unresolved::Unreadable(why)) => return Ok(Err(why.into())),
            Err(other) => {
                let next = match other {
                    Unresolved::Ring(_) => "take one child out of the ring",
                    _ => "name the Model in full",
                };
                return Ok(Err(Failure::refused("invalid", other.to_string()).next(next).into()));
            }
        }
    }
    missing.sort();
    missing.dedup();
    if missing.is_empty() { Ok(Ok(cut)) } else { Err(missing) }
}

/// The closure of one agent: of the set, else as the environment holds it. `above` are the agents whose
/// child it is.
pub(super) fn cut_agent(
    id: &ResourceId,
    set: &Set,
    environment: &Environment<'_, '_>,
    above: &mut Vec<ResourceId>,
) -> Result<Option<Closure>, Unresolved> {
    if let Some(at) = above.iter().position(|parent| parent == id) {
        let mut ring = above[at..].to_vec();
        ring.push(id.clone());
        return Err(Unresolved::Ring(ring));
    }
    let held = environment.closure(id).map_err(|why| Unresolved::Unreadable(why.unreadable()))?;
    let Some(agent) = set.resources.get(id) else {
        return held.map(|held| no_ring(held, above)).transpose();
    };
    above.push(id.clone());
    let path = std::cell::RefCell::new(above.clone());
    let child = |child: &ResourceId| {
        let mut above = path.borrow().clone();
        if !set.resources.contains_key(child)
            && let Some(kept) = held.as_ref().and_then(|held| held.children().get(child))
        {
            return no_ring(kept.clone(), &above).map(Some);
        }
        cut_agent(child, set, environment, &mut above)
    };
    let mut layers = vec![Layer::Set(&set.resources)];
    layers.extend(held.as_ref().map(Layer::Held));
    layers.push(Layer::Catalog(environment));
    let sources = Sources { tiers: vec![layers.clone()], selectable: layers, child: &child };
    let closure = resolve(agent, &sources)?;
    above.pop();
    Ok(Some(closure))
}

/// A child's closure, unless it holds one of those whose child it is.
fn no_ring(child: Closure, above: &[ResourceId]) -> Result<Closure, Unresolved> {
    match above.iter().position(|parent| child.find(parent).is_some()) {
        Some(at) => Err(Unresolved::Ring([&above[at..], &[child.id().clone(), above[at].clone()]].concat())),
        None => Ok(child),
    }
}

/// Says what is missing, and which file of the project would bring it.
pub(super) fn explain_missing(missing: Vec<Missing>, desk: &Desk) -> anyhow::Error {
    let lines: Vec<_> = missing.iter().map(|missing| format!("  {missing}")).collect();
    let files =
        project_files::holding(&desk.project.root, &missing.iter().map(|m| m.what.as_str()).collect::<Vec<_>>());
    let message = format!(
        "{} {} nowhere in the set or in the ledger:\n{}",
        missing.len(),
        if missing.len() == 1 { "reference leads" } else { "references lead" },
        lines.join("\n")
    );
    let next = if files.is_empty() {
        "write the missing resources, and apply them together".to_owned()
    } else {
        format!(
            "apply them together: add {}",
            files.iter().map(|file| format!("-f {file}")).collect::<Vec<_>>().join(" ")
        )
    };
    Failure::refused("missing-reference", message).next(next).into()
}

/// Project files outside the set are never content; one that differs from the member that was taken from
/// the ledger is told.
pub(super) fn tell_differing_files(cut: &Cut, set: &Set, desk: &Desk, caller: &mut Caller<'_>) {
    let taken: BTreeMap<&ResourceId, Digest> = cut
        .values()
        .flat_map(Closure::everything)
        .filter(|member| !set.resources.contains_key(member.id()))
        .map(|member| (member.id(), member.digest()))
        .collect();
    if taken.is_empty() {
        return;
    }
    for (file, resource) in project_files::all(&desk.project.root) {
        if taken.get(resource.id()).is_some_and(|digest| *digest != resource.digest()) {
            caller.notice(format!(
                "{} comes from the ledger; `{file}` differs and was not applied (add `-f {file}`)",
                resource.id()
            ));
        }
    }
}
