//! What a run still needs of its units: an answer that stands, every judge's opinion, the scores of programs.

use std::collections::BTreeSet;

use crate::eval::judge::{Canary, canaries};
use crate::eval::{Definition, Measure, Plan, Unit, shard_of};

use super::journal::{Done, Progressed};

/// What every unit of a run needs.
pub(super) struct Needs<'a> {
    plan: &'a Plan,
    /// As judge and sample.
    opinions: BTreeSet<(u32, u32)>,
    programs: bool,
}

/// One question about a canary.
pub(super) struct Ask {
    /// The canary.
    pub(super) canary: Canary,
    /// Which judge of the plan.
    pub(super) judge: u32,
    /// Which sample, from 1.
    pub(super) sample: u32,
}

/// Every unit of this part, with the place of its case in the plan.
pub(super) fn units(plan: &Plan) -> impl Iterator<Item = (usize, Unit)> + '_ {
    let here = |case: &str| plan.shard.is_none_or(|(i, n)| shard_of(case, n) == i);
    let cases = plan.cases.iter().enumerate().filter(move |(_, case)| here(&case.id));
    cases.flat_map(|(index, case)| (1..=plan.trials).map(move |trial| (index, Unit { case: case.id.clone(), trial })))
}

impl<'a> Needs<'a> {
    /// What the units of this plan need.
    pub(super) fn of(plan: &'a Plan, definition: &Definition) -> Self {
        let programs = definition.metrics.iter().any(|metric| matches!(metric.measure, Measure::Program { .. }));
        let seats = (0..).zip(&plan.judges);
        let opinions = seats.flat_map(|(judge, seat)| (1..=seat.samples).map(move |sample| (judge, sample)));
        Self { plan, opinions: opinions.collect(), programs }
    }

    /// Whether a unit needs nothing more.
    pub(super) fn is_met(&self, known: &Progressed) -> bool {
        match known.answered {
            None => false,
            Some(false) => true,
            Some(true) => known.opinions.is_superset(&self.opinions) && (known.programmed || !self.programs),
        }
    }

    /// The canaries that judges have not spoken of.
    pub(super) fn canaries(&self, done: &Done) -> Vec<Ask> {
        let mut left = Vec::new();
        for canary in canaries() {
            let unit = Unit { case: canary.name.to_owned(), trial: 0 };
            let known = done.units.get(&unit);
            for (judge, sample) in &self.opinions {
                if known.is_none_or(|known| !known.opinions.contains(&(*judge, *sample))) {
                    left.push(Ask { canary: canary.clone(), judge: *judge, sample: *sample });
                }
            }
        }
        left
    }

    /// How many units need nothing more, and how many there are.
    pub(super) fn count(&self, done: &Done) -> (u64, u64) {
        units(self.plan).fold((0, 0), |(met, of), (_, unit)| {
            (met + u64::from(done.units.get(&unit).is_some_and(|known| self.is_met(known))), of + 1)
        })
    }

    /// Whether this is one of several parts and nothing is left of it: the parts are merged, and no result of its own
    /// says that it is done.
    pub(super) fn is_finished_part(&self, done: &Done) -> bool {
        let (met, of) = self.count(done);
        self.plan.shard.is_some_and(|(_, shards)| shards > 1) && met == of && self.canaries(done).is_empty()
    }
}
