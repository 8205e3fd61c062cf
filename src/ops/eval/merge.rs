//! `joch eval merge`: one result from the journals of all shards of a run.

use std::path::PathBuf;

use anyhow::Result;

use crate::workspace::journals_at;

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::super::failure::Failure;
use super::journal::{definition_of, merged, plan_of};
use super::record::check_before;
use super::run::{Outcome, Ran, conclude};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Journals, directories of runs, or directories of such.
    pub paths: Vec<PathBuf>,
}

/// Merges, and signs the result.
///
/// # Errors
/// The journals are not all parts of one run, or cannot be read; the role does not allow to sign.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    check_before(&desk, &reader.trust()?, caller)?;
    let mut journals = Vec::new();
    for path in &request.paths {
        journals.extend(journals_at(&caller.directory.join(path))?);
    }
    journals.sort();
    journals.dedup();
    let plan = journals.first().map(|path| plan_of(path)).transpose()?.flatten();
    let plan = plan.ok_or_else(|| Failure::could_not("journal", "there is no journal with a plan"))?;
    let definition = definition_of(&plan)?;
    let result = merged(&definition, &journals)?;
    let ran = conclude(result, &definition, caller)?;
    Ok(Outcome { runs: vec![Ran::Finished(Box::new(ran))] })
}
