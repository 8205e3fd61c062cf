//! What a result is compared with: the result of what the next rung runs now.

use anyhow::Result;

use crate::eval::{Comparison, Definition, RunResult, compare};
use crate::ledger::Reader;
use crate::resource::Resource;

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::results;

/// A result beside that of what the next rung runs now.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// The rung.
    pub environment: String,
    /// The two, metric by metric.
    pub comparison: Comparison,
}

/// Compares a new result.
///
/// # Errors
/// The ledger cannot be read.
pub(super) fn compared(result: &RunResult, definition: &Definition, caller: &Caller<'_>) -> Result<Option<Baseline>> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    found(result, definition, &reader)
}

/// Compares a result that is on record, by the Eval as its environment has it now; none where that has another.
///
/// # Errors
/// The ledger cannot be read.
pub(super) fn of(result: &RunResult, reader: &Reader<'_>) -> Result<Option<Baseline>> {
    let environment = reader.environment(&result.subject.environment)?;
    let eval = environment.entry(&result.eval.id)?.filter(|eval| eval.digest() == result.eval.digest);
    let definition = eval.and_then(|eval: std::sync::Arc<Resource>| Definition::of(&eval).ok());
    definition.map_or(Ok(None), |definition| found(result, &definition, reader))
}

fn found(result: &RunResult, definition: &Definition, reader: &Reader<'_>) -> Result<Option<Baseline>> {
    let trust = reader.trust()?;
    let subject = &result.subject;
    let rungs = trust.ladder().rungs();
    let above = rungs.iter().skip_while(|rung| **rung != subject.environment).nth(1);
    let Some(above) = above else { return Ok(None) };
    let Some(running) = reader.environment(above)?.closure(&subject.agent)? else { return Ok(None) };
    let digest = running.digest();
    if digest == subject.digest {
        return Ok(None);
    }
    let known = results::of_closure(&subject.agent, Some(digest), reader)?;
    let same = known
        .into_iter()
        .rfind(|known| known.result.eval.id == result.eval.id && known.result.dataset.digest == result.dataset.digest);
    let comparison = same.and_then(|known| compare(result, &known.result, definition).ok());
    Ok(comparison.map(|comparison| Baseline { environment: above.clone(), comparison }))
}
