//! Which journals belong together: those whose plans say the same but for the shard and the hour.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::eval::Definition;
use crate::eval::journal::{JOURNAL_SCHEMA, Plan};
use crate::resource::Digest;

use super::MergeTrouble;

/// The most trials of all cases that one run may have.
const MOST_UNITS: u64 = 10_000_000;

/// The one plan of all journals, and the shards that they are of.
pub(super) struct Plans {
    /// The plan, with neither shard nor hour.
    pub(super) plan: Plan,
    /// Its digest, which no shard changes.
    pub(super) digest: Digest,
    /// The shards that are here, and of how many; none for a run that was not spread.
    pub(super) shards: Option<(BTreeSet<u32>, u32)>,
    file: String,
}

impl Plans {
    /// Those of the first journal.
    ///
    /// # Errors
    /// It is no plan of this Eval.
    pub(super) fn first(plan: Plan, file: &str, definition: &Definition) -> Result<Self, MergeTrouble> {
        if plan.schema != JOURNAL_SCHEMA {
            return Err(MergeTrouble::Schema { file: file.to_owned(), schema: plan.schema });
        }
        if plan.eval.id != definition.id || plan.eval.digest != definition.digest {
            let eval = format!("`{}` at `{}`", plan.eval.id, plan.eval.digest);
            return Err(MergeTrouble::OtherEval { file: file.to_owned(), eval });
        }
        if (plan.cases.len() as u64).saturating_mul(u64::from(plan.trials)) > MOST_UNITS {
            let what = format!("{} trials of each of {} cases", plan.trials, plan.cases.len());
            return Err(MergeTrouble::Stranger { file: file.to_owned(), what });
        }
        let shards = shard_in(&plan, file)?.map(|(index, of)| (BTreeSet::from([index]), of));
        let plan = bare(plan);
        Ok(Self { digest: digest(&plan), plan, shards, file: file.to_owned() })
    }

    /// Adds the plan of a further journal.
    ///
    /// # Errors
    /// It is the plan of another run.
    pub(super) fn add(&mut self, plan: Plan, file: &str) -> Result<(), MergeTrouble> {
        let differs = |field: &str| {
            let (file, with) = (file.to_owned(), self.file.clone());
            Err(MergeTrouble::OtherPlan { file, with, field: field.to_owned() })
        };
        let shard = shard_in(&plan, file)?;
        let plan = bare(plan);
        if digest(&plan) != self.digest {
            return differs(&difference(&self.plan, &plan));
        }
        match (shard, &mut self.shards) {
            (None, None) => Ok(()),
            (Some((index, of)), Some((seen, all))) if of == *all => {
                seen.insert(index);
                Ok(())
            }
            _ => differs("shard"),
        }
    }

    /// The shards of which there is no journal, and of how many.
    pub(super) fn missing(&self) -> Option<(Vec<u32>, u32)> {
        let (seen, of) = self.shards.as_ref()?;
        let missing: Vec<u32> = (1..=*of).filter(|shard| !seen.contains(shard)).collect();
        (!missing.is_empty()).then_some((missing, *of))
    }
}

/// The most machines over which a run is spread.
const MOST_SHARDS: u32 = 10_000;

fn shard_in(plan: &Plan, file: &str) -> Result<Option<(u32, u32)>, MergeTrouble> {
    match plan.shard {
        Some((index, of)) if index == 0 || index > of || of > MOST_SHARDS => {
            Err(MergeTrouble::Stranger { file: file.to_owned(), what: format!("shard {index} of {of}") })
        }
        shard => Ok(shard),
    }
}

/// The plan with what differs from shard to shard left out.
fn bare(plan: Plan) -> Plan {
    Plan { shard: None, planned_at: DateTime::<Utc>::UNIX_EPOCH, ..plan }
}

fn digest(plan: &Plan) -> Digest {
    Digest::of(serde_json::to_vec(plan).expect("a plan has text for keys, and no other reason to fail"))
}

/// The first field in which two plans differ.
fn difference(one: &Plan, other: &Plan) -> String {
    let fields = |plan: &Plan| match serde_json::to_value(plan) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (one, other) = (fields(one), fields(other));
    let field = one.keys().chain(other.keys()).find(|field| one.get(*field) != other.get(*field));
    field.map_or_else(|| "plan".to_owned(), Clone::clone)
}
