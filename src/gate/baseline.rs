//! What the target runs now, as it was measured: what a candidate must not be much worse than.

use crate::eval::{Decimal, Ratio, RunResult};
use crate::resource::Direction;

use super::binding::Binding;
use super::measured::Measured;
use super::score;
use super::verdict::Verdict;

/// The result that is about what the target runs now.
pub(super) struct Baseline(pub(super) Measured);

impl Baseline {
    /// The latest complete run of the same Eval on the same dataset about what the target runs now, if there is one
    /// that the target would take; in the same environment too, where times are compared.
    pub(super) fn find(binding: &Binding<'_>, result: &RunResult, there: bool) -> Result<Option<Self>, String> {
        let Some(from) = binding.moved.from else { return Ok(None) };
        let evidence = binding.evidence;
        let about = evidence.measurements.results.of(&binding.moved.agent, Some(from)).map_err(|why| why.0)?;
        let mut found = None;
        for measured in about {
            let other = &measured.result;
            let same = other.eval.id == *binding.eval.id()
                && other.dataset.digest == result.dataset.digest
                && other.reach.live == result.reach.live
                && (!there || other.subject.environment == result.subject.environment)
                && other.counts.missing == 0
                && score::check(other, binding.terms).is_ok();
            let taken = match &measured.principal {
                Some(principal) => evidence.trust.takes_evals_of(principal, evidence.environment)?,
                None => false,
            };
            if same && taken {
                found = Some(Self(measured));
            }
        }
        Ok(found)
    }

    /// What it came to, of a metric.
    pub(super) fn value(&self, metric: &str) -> Option<Decimal> {
        self.0.result.metrics.iter().find(|other| other.name == metric)?.value
    }
}

/// Whether anything is worse than what the target runs now by more than the Eval allows. Both ran on the same cases.
pub(super) fn regressions(binding: &Binding<'_>, result: &RunResult) -> Result<(Verdict, String, Vec<String>), String> {
    if binding.terms.regressions().is_empty() {
        return Ok((Verdict::Pass, String::new(), Vec::new()));
    }
    let place = binding.evidence.environment;
    if binding.moved.from.is_none() {
        let reason = format!("`{place}` runs nothing yet that could be better");
        return Ok((Verdict::Pass, reason, Vec::new()));
    }
    let Some(baseline) = Baseline::find(binding, result, false)? else {
        let reason =
            format!("`maxRegression` is demanded, and no result is about what `{place}` runs now, on the same dataset");
        return Ok((Verdict::Inconclusive, reason, Vec::new()));
    };
    let evidence = vec![baseline.0.id.clone()];
    let mut told = Vec::new();
    let mut verdict = Verdict::Pass;
    for (name, most, direction) in binding.terms.regressions() {
        let now = result.metrics.iter().find(|metric| metric.name == name).and_then(|metric| metric.value);
        let (Some(before), Some(now)) = (baseline.value(name), now) else {
            let reason = format!("`maxRegression` of {name} cannot be judged: one of the two runs has no value of it");
            return Ok((Verdict::Inconclusive, reason, evidence));
        };
        let worse = match direction {
            Some(Direction::Higher) => before - now,
            Some(Direction::Lower) => now - before,
            None => {
                let reason = format!("`maxRegression` of {name} cannot be judged: nobody says which way it is better");
                return Ok((Verdict::Inconclusive, reason, evidence));
            }
        };
        if Ratio::of(worse).compare(most).is_gt() {
            verdict = Verdict::Fail;
            told.push(format!(
                "{name} is {now}, and `{place}` runs {before} now: worse by {worse}, and {most} is allowed"
            ));
        }
    }
    if told.is_empty() {
        told.push(format!("not worse than what `{place}` runs by more than is allowed"));
    }
    Ok((verdict, told.join("; "), evidence))
}
