//! The Models that judge for an Eval: they travel with it, so that whoever runs it higher up asks the same ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;

use crate::ledger::Environment;
use crate::resource::served::{Served, match_candidate};
use crate::resource::{Kind, Reference, Resource, ResourceId, Target, Value};

/// The Models that an Eval names as judges, and the project's own where a metric of it names none, as far as the
/// environment has them.
pub(super) fn judges_of(
    eval: &Resource,
    default: Option<&Reference>,
    environment: &Environment<'_, '_>,
) -> Result<Vec<Arc<Resource>>> {
    let namespace = &eval.id().namespace;
    let mut found: BTreeMap<ResourceId, Arc<Resource>> = BTreeMap::new();
    let mut add = |ids: Vec<ResourceId>| -> Result<()> {
        for id in ids {
            if let Some(model) = environment.entry(&id)? {
                found.insert(id, model);
                break;
            }
        }
        Ok(())
    };
    for mention in eval.mentions() {
        match mention.target {
            Target::Resource(named) if named.kind == Kind::Model => add(named.candidates(namespace))?,
            Target::Candidate(candidate) => {
                let models = environment.entries(&Kind::Model)?;
                let served: Vec<_> = models.iter().filter_map(|model| Served::by(model)).collect();
                add(match_candidate(&candidate, namespace, &served).into_iter().collect())?;
            }
            Target::Resource(_) => {}
        }
    }
    if let Some(default) = default.filter(|_| asks_the_default(eval)) {
        add(default.candidates(namespace))?;
    }
    Ok(found.into_values().collect())
}

/// Whether a metric of the Eval is judged, and names no judge.
fn asks_the_default(eval: &Resource) -> bool {
    let metrics = eval.spec().get("metrics").and_then(Value::as_list).unwrap_or_default();
    let unnamed = |metric: &Value| ["judgeModelRef", "judges"].iter().all(|key| metric.get(key).is_none_or(is_nothing));
    metrics.iter().any(|metric| metric.get("type").and_then(Value::as_text) == Some("llm_judge") && unnamed(metric))
}

fn is_nothing(value: &Value) -> bool {
    *value == Value::Null || value.as_list().is_some_and(<[Value]>::is_empty)
}
