//! The eval results of a planted version: those of what runs, told of it, and twisted where it shall fail.

use std::sync::Arc;

use crate::closure::{Closure, Unreadable};
use crate::eval::{self, Decimal, Definition, Score, rejudge};
use crate::gate::{Measured, Results};
use crate::ledger::Ballots;
use crate::release::Draft;
use crate::resource::{Digest, Direction, Kind, Resource, ResourceId};

use super::trial::Field;

/// What is done to the results that a planted version brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Twist {
    /// They are as good as those of what runs.
    None,
    /// A metric scores the worst it can.
    Bad,
    /// Every answer takes four times as long.
    Slow,
}

/// The results of the ledger, and beside them those that a planted version would have: the newest that passed of each
/// Eval, told of the planted version.
pub(super) struct Harvest<'a, 'r> {
    pub(super) field: &'a Field<'a, 'r>,
    pub(super) ballots: &'a Ballots<'a, 'r>,
    pub(super) records: &'a [Arc<Resource>],
    pub(super) draft: &'a Draft,
    pub(super) twist: Twist,
}

impl Results for Harvest<'_, '_> {
    fn of(&self, agent: &ResourceId, digest: Option<Digest>) -> Result<Vec<Measured>, Unreadable> {
        let mut found = Results::of(self.ballots, agent, digest)?;
        let after = self.draft.agents.get(agent).and_then(|edit| edit.after.as_ref()).map(Closure::digest);
        let Some(candidate) = after.filter(|after| digest.is_none_or(|digest| digest == *after)) else {
            return Ok(found);
        };
        let all = Results::of(self.ballots, agent, None)?;
        for eval in self.records.iter().filter(|record| record.id().kind == Kind::Eval) {
            let Ok(definition) = Definition::of(eval) else { continue };
            let current = |measured: &&Measured| {
                measured.result.eval.digest == definition.digest
                    && measured.result.verdict == eval::Verdict::Passed
                    && measured.result.subject.environment == self.field.source.name()
            };
            found.extend(all.iter().rfind(current).map(|model| self.grown(model, candidate, &definition)));
        }
        Ok(found)
    }
}

impl Harvest<'_, '_> {
    fn grown(&self, model: &Measured, candidate: Digest, definition: &Definition) -> Measured {
        let mut result = (*model.result).clone();
        result.subject.digest = candidate;
        result.run = format!("selftest-{}", result.run);
        (result.runner.started_at, result.runner.finished_at) = (Some(self.field.time), Some(self.field.time));
        let bad = definition.metrics.iter().find(|metric| metric.is_share() && metric.threshold.is_some());
        for trial in result.cases.iter_mut().flat_map(|case| &mut case.trials) {
            match (self.twist, bad) {
                (Twist::Bad, Some(metric)) => {
                    let worst = if metric.direction == Some(Direction::Lower) { Decimal::ONE } else { Decimal::ZERO };
                    trial.scores.insert(metric.name.as_str(), Score::Scored(worst));
                }
                (Twist::Slow, _) => trial.latency_us = trial.latency_us.saturating_mul(4).max(2_000_000),
                _ => {}
            }
        }
        if self.twist == Twist::Bad {
            result.metrics = rejudge(definition, &result);
            result.verdict = eval::Verdict::Failed;
        }
        Measured {
            id: format!("selftest-{}", model.id),
            result: Arc::new(result),
            carried_at: self.field.time,
            ..model.clone()
        }
    }
}
