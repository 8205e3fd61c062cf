//! `joch mcp`: what MCP servers offer, kept as signed and dated observations.

mod place;
mod reach;

pub mod compare;
pub mod record;
pub mod show;

use anyhow::Result;

use crate::gate::Observed;
use crate::ledger::{Ballots, Reader};
use crate::release::layout;
use crate::resource::ResourceId;
use crate::trust::Trust;

use super::failure::Failure;

/// The observations of a server that count, in the order in which the ledger took them in.
///
/// # Errors
/// The evidence cannot be read.
fn counting(server: &ResourceId, reader: &Reader<'_>, trust: &Trust) -> Result<Vec<Observed>> {
    let mut observed = all(server, reader, trust)?;
    observed.retain(|observed| observed.counts(trust));
    Ok(observed)
}

/// All of them, whoever signed.
///
/// # Errors
/// The evidence cannot be read.
fn all(server: &ResourceId, reader: &Reader<'_>, trust: &Trust) -> Result<Vec<Observed>> {
    let ballots = Ballots { reader, commit: reader.tip(layout::EVIDENCE)?, trust };
    Ok(ballots.observed(server, None)?)
}

/// The failure that nobody looked at a server yet.
fn never_observed(server: &ResourceId) -> Failure {
    Failure::could_not("not-found", format!("nobody has recorded what {server} offers"))
        .next(format!("joch mcp record {}", server.name))
}
