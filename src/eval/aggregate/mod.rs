//! From journals to a result: a pure function of the lines, whatever their order and however they are spread over files.
//!
//! The journals are read twice: once to learn every score, and once more for the few answers that a result shows, so
//! that the text of all answers is never held at a time.

mod canary;
mod collect;
mod judged;
mod metric;
mod outputs;
mod plans;
mod points;
mod rejudge;
mod slices;
#[cfg(test)]
mod tests;
mod trials;
mod trouble;
mod value;
mod whole;
mod words;

pub use rejudge::rejudge;
pub use trouble::MergeTrouble;
pub use words::shown;

use super::definition::Definition;
use super::journal::codec::{Damaged, Entry};
use super::result::{RunResult, SCHEMA, Verdict};

use collect::{Collected, collect};

/// The journals of one run, which can be read more than once.
pub trait Journals {
    /// What the files are called, for messages.
    fn names(&self) -> Vec<String>;

    /// The lines of one of them, from its beginning; `index` is that of its name.
    ///
    /// # Errors
    /// Why it cannot be opened.
    fn open(&self, index: usize) -> Result<Box<dyn Iterator<Item = Result<Entry, Damaged>> + '_>, String>;
}

/// The result of a run, as far as these journals tell it: where shards or trials are missing, it is inconclusive.
///
/// # Errors
/// Journals that cannot be read, or that do not belong together or to this Eval.
pub fn aggregate(definition: &Definition, journals: &dyn Journals) -> Result<RunResult, MergeTrouble> {
    result(definition, journals, collect(definition, journals)?)
}

/// The result of a run of which these are all the journals: that of [`aggregate`], and bit for bit the result that one
/// journal with all the lines has.
///
/// # Errors
/// Those of [`aggregate`], and a set of shards that is not complete.
pub fn merge(definition: &Definition, journals: &dyn Journals) -> Result<RunResult, MergeTrouble> {
    let found = collect(definition, journals)?;
    if let Some((missing, of)) = found.plans.missing() {
        return Err(MergeTrouble::MissingShards { missing, of });
    }
    result(definition, journals, found)
}

fn result(definition: &Definition, journals: &dyn Journals, found: Collected) -> Result<RunResult, MergeTrouble> {
    let (columns, unmet) = points::columns(definition, &found);
    let counts = found.counts(&columns, trials::flaky(definition, &found, &columns));
    let canaries = canary::check(&found);
    let mut reasons = found.trouble(definition, &counts, canaries);
    let invalid = !reasons.is_empty();
    let cases = found.plans.plan.cases.iter().map(|case| case.id.as_str()).collect();
    let run = metric::Run { definition, cases, lag_p99_us: found.lag_p99_us(), invalid };
    let judged: Vec<_> =
        definition.metrics.iter().zip(&columns).map(|(metric, column)| run.judge(metric, column)).collect();
    reasons.extend(judged.iter().flat_map(|metric| metric.broken.iter().cloned()));
    let (mut failed, mut unsure) = (false, invalid);
    if definition.metrics.iter().all(|metric| metric.threshold.is_none()) {
        unsure = true;
        reasons.push("no metric has a threshold, so nothing can pass".to_owned());
    }
    let mut metrics = Vec::new();
    for metric::Judged { result, .. } in judged {
        failed |= result.verdict == Some(Verdict::Failed);
        if result.verdict == Some(Verdict::Inconclusive) {
            unsure = true;
            if !invalid {
                reasons.push(format!("{}: {}", result.name, result.reason.as_deref().unwrap_or("it cannot be told")));
            }
        }
        metrics.push(result);
    }
    let verdict = match (unsure, failed) {
        (_, true) if !invalid => Verdict::Failed,
        (false, false) => Verdict::Passed,
        _ => Verdict::Inconclusive,
    };
    let mut cases = trials::cases(definition, &found, &columns, unmet);
    let wanted = trials::worth_showing(definition, &found, &columns);
    let (cost, judges, runner) = (found.cost(), found.judges(definition), found.runner());
    // What was held of the lines is let go before they are read again.
    drop(columns);
    let plan = found.into_plan();
    outputs::fetch(&wanted, journals, &mut cases)?;
    let slices = slices::slices(definition, &cases);
    Ok(RunResult {
        schema: SCHEMA.to_owned(),
        kind: "EvalResult".to_owned(),
        run: plan.run,
        verdict,
        reasons,
        subject: plan.subject,
        eval: plan.eval,
        dataset: plan.dataset,
        judges,
        reach: plan.reach,
        runner,
        counts,
        metrics,
        cost,
        canaries,
        slices,
        cases,
    })
}
