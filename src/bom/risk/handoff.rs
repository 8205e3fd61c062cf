//! Agents that this one may hand over to.

use std::collections::BTreeSet;

use crate::resource::{Kind, Mention, ResourceId, Risk, Target};

use super::Terms;
use super::found::{Found, shown};
use super::reach::of_whole;
use super::whole::{Part, Whole};

pub(super) fn compare(before: &Whole, after: &Whole, terms: &Terms<'_>, found: &mut Found) {
    let own = of_whole(after);
    for level in &after.levels {
        let Some(was) = before.level(&level.path) else { continue };
        let known: BTreeSet<Vec<ResourceId>> = targets(&was.agent).into_iter().collect();
        for target in targets(&level.agent).into_iter().filter(|target| !known.contains(target)) {
            let name = target.first().map(ResourceId::to_string).unwrap_or_default();
            let reach = target.iter().find_map(|id| terms.handoffs.get(id));
            let (severity, what) = match reach {
                None => (Risk::High, format!("what it may do is not known in `{}`", terms.environment)),
                Some(reach) if *reach > own => (
                    Risk::High,
                    format!("its tools reach as far as `{}`, this agent's as far as `{}`", reach.word(), own.word()),
                ),
                Some(reach) => (Risk::Medium, format!("its tools reach as far as `{}`", reach.word())),
            };
            let why = format!("it may hand over to {}, which is new: {what}", shown(&name));
            found.raise("AGB-HAND-001", level.agent.component(), severity, why);
        }
    }
}

/// The agents that may be handed over to, each as where it is looked for.
fn targets(agent: &Part) -> Vec<Vec<ResourceId>> {
    agent.resource.mentions().into_iter().filter_map(|mention| target(&mention, agent)).collect()
}

fn target(mention: &Mention, agent: &Part) -> Option<Vec<ResourceId>> {
    match &mention.target {
        Target::Resource(reference) if reference.kind == Kind::Agent && mention.path.starts_with("spec.handoffs") => {
            Some(reference.candidates(&agent.id().namespace))
        }
        _ => None,
    }
}
