//! A ledger in which nothing was measured.

use std::sync::Arc;

use crate::closure::{Shelf, Unreadable};
use crate::gate::{Measured, Observations, Observed, Results};
use crate::resource::{Digest, Kind, Resource, ResourceId};

/// A ledger in which nothing was measured.
pub(super) struct Nothing;

impl Results for Nothing {
    fn of(&self, _: &ResourceId, _: Option<Digest>) -> Result<Vec<Measured>, Unreadable> {
        Ok(Vec::new())
    }
}

impl Observations for Nothing {
    fn of_server(&self, _: &ResourceId, _: Option<&str>) -> Result<Vec<Observed>, Unreadable> {
        Ok(Vec::new())
    }
}

impl Shelf for Nothing {
    fn get(&self, _: &ResourceId) -> Result<Option<Arc<Resource>>, Unreadable> {
        Ok(None)
    }

    fn of_kind(&self, _: &Kind) -> Result<Vec<Arc<Resource>>, Unreadable> {
        Ok(Vec::new())
    }
}
