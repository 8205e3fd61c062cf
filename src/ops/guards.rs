//! Which Evals and Deployments guard a change: those about the agents that it moves, and those that a gate names. The
//! others of an environment are not read, however many there are, unless a Policy or a Budget changes on its own: it may
//! bear on any agent.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;

use crate::closure::{Closure, Shelf as _};
use crate::ledger::Environment;
use crate::release::{Draft, is_shared_control};
use crate::resource::view::{self, Deployment, about};
use crate::resource::{Kind, Requirement, Resource, ResourceId};
use crate::trust::Trust;

/// The Evals and Deployments that bear on a change: of the target, of the draft and of the source, in this order.
/// `trusts` are those that it is judged under, and `required` is what the operator adds.
///
/// # Errors
/// One of them is damaged.
pub(super) fn guards(
    draft: &Draft,
    target: &Environment<'_, '_>,
    source: Option<&Environment<'_, '_>>,
    trusts: &[&Trust],
    required: &[Requirement],
) -> Result<Vec<Arc<Resource>>> {
    let agents = concerned(draft, target, source)?;
    let mut names = BTreeSet::new();
    for trust in trusts {
        let view = trust.environment(&draft.environment).map(|record| view::Environment::of(record));
        // What cannot be read stops the plan, which says why.
        let Some(view) = view.and_then(Result::ok) else { continue };
        let gates = view.gates.iter().chain(view.change_classes.iter().flat_map(|(_, gates)| gates));
        names.extend(gates.filter_map(|gate| eval_of(&gate.requirement)));
    }
    names.extend(required.iter().filter_map(eval_of));
    // An Eval that is demanded by its name is meant wherever it is, so names come from what is about the agents.
    for kind in [Kind::Eval, Kind::Deployment] {
        for record in held(&kind, &agents, &BTreeSet::new(), draft, target, source)? {
            match Deployment::of(&record) {
                Some(deployment) => names.extend(deployment.requires_eval.into_iter().map(|eval| eval.name)),
                None => drop(names.insert(record.id().name.clone())),
            }
        }
    }
    let mut records = held(&Kind::Eval, &agents, &names, draft, target, source)?;
    records.extend(held(&Kind::Deployment, &agents, &BTreeSet::new(), draft, target, source)?);
    if draft.subjects().iter().any(|subject| is_shared_control(&subject.resource.kind)) {
        for kind in [Kind::Eval, Kind::Deployment] {
            for environment in [Some(target), source].into_iter().flatten() {
                records.extend(environment.entries(&kind)?);
            }
        }
    }
    Ok(records)
}

fn held(
    kind: &Kind,
    agents: &BTreeSet<ResourceId>,
    names: &BTreeSet<String>,
    draft: &Draft,
    target: &Environment<'_, '_>,
    source: Option<&Environment<'_, '_>>,
) -> Result<Vec<Arc<Resource>>> {
    let mut records = target.concerning(kind, agents, names)?;
    records.extend(draft.catalog.values().filter_map(|edit| edit.after.clone()).filter(|r| r.id().kind == *kind));
    if let Some(source) = source {
        records.extend(source.concerning(kind, agents, names)?);
    }
    Ok(records)
}

/// The agents that a draft moves, with their children, and those that a record which guards agents may be about.
fn concerned(
    draft: &Draft,
    target: &Environment<'_, '_>,
    source: Option<&Environment<'_, '_>>,
) -> Result<BTreeSet<ResourceId>> {
    let mut agents: BTreeSet<ResourceId> = draft.agents.keys().cloned().collect();
    let before = draft.agents.values().filter_map(|edit| edit.before.as_ref().map(|running| &running.closure));
    let after = draft.agents.values().filter_map(|edit| edit.after.as_ref());
    before.chain(after).for_each(|closure| children(closure, &mut agents));
    for (id, edit) in draft.catalog.iter().filter(|(id, _)| matches!(id.kind, Kind::Eval | Kind::Deployment)) {
        agents.extend(edit.before.iter().chain(&edit.after).flat_map(|record| about(record)));
        for environment in [Some(target), source].into_iter().flatten() {
            agents.extend(environment.get(id)?.iter().flat_map(|record| about(record)));
        }
    }
    Ok(agents)
}

fn children(closure: &Closure, agents: &mut BTreeSet<ResourceId>) {
    for (id, child) in closure.children() {
        agents.insert(id.clone());
        children(child, agents);
    }
}

fn eval_of(requirement: &Requirement) -> Option<String> {
    match requirement {
        Requirement::Eval(name) => Some(name.clone()),
        _ => None,
    }
}
