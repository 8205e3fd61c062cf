//! `joch mcp show`: what was seen of an MCP server last.

use anyhow::Result;

use crate::gate::Observed;
use crate::resource::ResourceId;

use super::super::caller::Caller;
use super::super::desk::Desk;
use super::{counting, never_observed};

/// What there is.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The newest observation that counts.
    pub newest: Observed,
    /// How many there are.
    pub count: usize,
}

/// Shows.
///
/// # Errors
/// Nobody has looked at the server, or the ledger cannot be read.
pub fn run(server: &ResourceId, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let mut known = counting(server, &reader, &reader.trust()?)?;
    let count = known.len();
    let newest = known.pop().ok_or_else(|| never_observed(server))?;
    Ok(Outcome { newest, count })
}
