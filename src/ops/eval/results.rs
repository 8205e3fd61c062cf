//! Results that are on record.

use anyhow::Result;

use crate::eval::RunResult;
use crate::gate::Measured as Known;
use crate::ledger::{Ballots, Reader};
use crate::release::layout;
use crate::resource::{Digest, ResourceId};

/// The results about an agent, in the order in which the ledger took them in.
///
/// # Errors
/// The evidence cannot be read.
pub(super) fn of_agent(agent: &ResourceId, reader: &Reader<'_>) -> Result<Vec<Known>> {
    of_closure(agent, None, reader)
}

/// The results about one closure of an agent.
///
/// # Errors
/// The evidence cannot be read.
pub(super) fn of_closure(agent: &ResourceId, digest: Option<Digest>, reader: &Reader<'_>) -> Result<Vec<Known>> {
    let trust = reader.trust()?;
    let ballots = Ballots { reader, commit: reader.tip(layout::EVIDENCE)?, trust: &trust };
    Ok(ballots.results(agent, digest)?)
}

/// The results whose id begins so.
///
/// # Errors
/// The evidence cannot be read.
pub(super) fn beginning_with(id: &str, reader: &Reader<'_>) -> Result<Vec<Known>> {
    let commit = reader.tip(layout::EVIDENCE)?;
    let mut found = Vec::new();
    for item in reader.evidence_beginning(commit, layout::EVALS, id)? {
        let result = RunResult::from_json(&item.bytes)
            .map_err(|why| super::super::failure::Failure::could_not("damaged", why))?;
        let known = of_closure(&result.subject.agent, Some(result.subject.digest), reader)?;
        found.extend(known.into_iter().filter(|known| known.id == item.id));
    }
    Ok(found)
}
