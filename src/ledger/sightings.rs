//! What people saw of MCP servers, and which versions they hold: read from the evidence branch.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::bom::Observation;
use crate::closure::Unreadable;
use crate::gate::{HOLD_SCHEMA, Held, Hold, Holds, Observations, Observed};
use crate::release::{layout, read_json};
use crate::resource::{Digest, ResourceId};

use super::error::{Error, Result};
use super::object_id::ObjectId;
use super::testimony::{Ballots, Item};

impl Ballots<'_, '_> {
    /// The observations of one MCP server, in the order in which the ledger took them in.
    ///
    /// # Errors
    /// An item is missing, damaged, unsigned, or no observation.
    pub fn observed(&self, server: &ResourceId, since: Option<ObjectId>) -> Result<Vec<Observed>> {
        let mut observed = Vec::new();
        for (item, carried_at) in self.in_order(&layout::observations(server, None))? {
            let observation = Observation::from_json(&item.bytes).map_err(|why| damaged(&item, why))?;
            let place = format!("{}/{}.json", layout::observations(server, Some(observation.digest)), item.id);
            // Whoever signs chooses the date, not when the ledger took it in: what is dated later would stay fresh.
            if observation.server != *server || item.path != place || observation.observed_at > carried_at {
                continue;
            }
            let earlier = match since {
                Some(since) => self.reader.snapshot().entry_at(since, &item.path)?.is_some(),
                None => false,
            };
            let principal = self.trust.principal(&item.key);
            let observation = Arc::new(observation);
            observed.push(Observed { id: item.id, principal, key: item.key, observation, carried_at, earlier });
        }
        Ok(observed)
    }

    /// The holds on a resource, on one content of it or on all, in the order in which the ledger took them in.
    ///
    /// # Errors
    /// An item is missing, damaged, unsigned, or no hold.
    pub fn held(&self, id: &ResourceId, digest: Option<Digest>) -> Result<Vec<Held>> {
        let mut held = Vec::new();
        for (item, carried_at) in self.in_order(&layout::holds(id, digest))? {
            let hold: Hold = read(&item, HOLD_SCHEMA)?;
            let place = format!("{}/{}.json", layout::holds(&hold.resource, Some(hold.digest)), item.id);
            if item.path != place || hold.resource != *id || digest.is_some_and(|digest| digest != hold.digest) {
                continue;
            }
            if self.is_of_another(hold.ledger.as_ref()) {
                continue;
            }
            let principal = self.trust.principal(&item.key);
            held.push(Held { id: item.id, principal, key: item.key, hold, carried_at });
        }
        Ok(held)
    }

    /// Every hold and lift that stands where it belongs, in the order in which the ledger took them in.
    ///
    /// # Errors
    /// As [`Ballots::held`].
    pub fn all_held(&self) -> Result<Vec<Held>> {
        let mut held = Vec::new();
        for (item, carried_at) in self.in_order(layout::HOLDS)? {
            let hold: Hold = read(&item, HOLD_SCHEMA)?;
            let here = !self.is_of_another(hold.ledger.as_ref());
            if here && item.path == layout::hold(&hold.resource, hold.digest, &item.id) {
                let principal = self.trust.principal(&item.key);
                held.push(Held { id: item.id, principal, key: item.key, hold, carried_at });
            }
        }
        Ok(held)
    }

    /// The items of a directory, in the order in which the ledger took them in, each with the time of the commit.
    pub(super) fn in_order(&self, directory: &str) -> Result<Vec<(Item, DateTime<Utc>)>> {
        let items = self.reader.evidence_under(self.commit, directory)?;
        let carried = self.reader.carried(self.commit, items.iter().map(|item| item.path.as_str()).collect())?;
        let mut placed: Vec<_> = items
            .into_iter()
            .map(|item| {
                let (place, carried_at) = carried.get(&item.path).copied().unwrap_or_default();
                (place, item, carried_at)
            })
            .collect();
        placed.sort_by(|(place, a, _), (other, b, _)| (place, &a.id).cmp(&(other, &b.id)));
        Ok(placed.into_iter().map(|(_, item, carried_at)| (item, carried_at)).collect())
    }
}

fn read<T: serde::de::DeserializeOwned>(item: &Item, schema: &str) -> Result<T> {
    read_json(&item.bytes, schema).map_err(|why| damaged(item, why))
}

fn damaged(item: &Item, why: String) -> Error {
    Error::Damaged { object: format!("the evidence `{}`", item.path), why }
}

impl Observations for Ballots<'_, '_> {
    fn of_server(&self, server: &ResourceId, since: Option<&str>) -> std::result::Result<Vec<Observed>, Unreadable> {
        let since = since.map(|commit| commit.parse().map_err(Unreadable)).transpose()?;
        self.observed(server, since).map_err(Error::unreadable)
    }
}

impl Holds for Ballots<'_, '_> {
    fn on(&self, id: &ResourceId, digest: Digest) -> std::result::Result<Vec<Held>, Unreadable> {
        self.held(id, Some(digest)).map_err(Error::unreadable)
    }
}
