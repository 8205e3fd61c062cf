//! The bills of materials of a ledger: each is written when its version is cut, and carried as it is from then on.

use chrono::{DateTime, Utc};

use crate::bom::cyclonedx::{self, Issue};
use crate::bom::{self, Graph};
use crate::closure::{Closure, Unreadable};
use crate::resource::ResourceId;

use super::numbers::Numbers;
use super::plan::Context;

/// The bills that a ledger holds.
pub trait Bills {
    /// What the release that gave this number to an agent left; `None` where no release gave it yet.
    ///
    /// # Errors
    /// When that release cannot be read, or the bill is not the one that its record names.
    fn cut(&self, agent: &ResourceId, number: u64) -> Result<Option<Cut>, Unreadable>;

    /// The version of the joch that writes.
    fn joch(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }
}

/// What the first release of a version left.
#[derive(Debug, Clone)]
pub struct Cut {
    /// When it was.
    pub time: DateTime<Utc>,
    /// The bill; none where a joch that wrote no bills made it.
    pub bill: Option<Vec<u8>>,
}

/// The bill that stands beside a closure: that of its version if there is one, and else a new one.
pub(super) fn bill_of(
    closure: &Closure,
    number: u64,
    numbers: &Numbers<'_>,
    context: &Context<'_>,
) -> Result<Vec<u8>, String> {
    let cut = context.bills.cut(closure.id(), number).map_err(|why| why.0)?;
    let time = match cut {
        Some(Cut { bill: Some(bill), .. }) => return Ok(bill),
        Some(Cut { time, bill: None }) => time,
        None => context.now,
    };
    let graph = Graph::of(closure, &mut |id, digest| numbers.given(id, digest))?;
    let ledger = &context.trust.settings.uuid;
    let bill = cyclonedx::bill(&graph, &Issue { ledger, version: number, time, joch: context.bills.joch() });
    match bom::check(&bill).first() {
        None => Ok(bill.to_json()),
        Some(wrong) => Err(format!("the bill of materials of {} does not hang together: {wrong}", closure.id())),
    }
}
