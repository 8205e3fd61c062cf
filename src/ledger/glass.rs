//! What was overridden, and what a second person said of it: read from the evidence branch.

use crate::closure::Unreadable;
use crate::gate::{Broken, Glass, OVERRIDE_SCHEMA, Overrides, Passed, REVIEW_SCHEMA, Review, Reviewed};
use crate::release::{Event, Record, layout};
use crate::resource::ResourceId;

use super::error::{Error, Result};
use super::testimony::Ballots;

impl Ballots<'_, '_> {
    /// The overrides in an environment, of one resource or of all, in the order in which the ledger took them in, each
    /// with its reviews.
    ///
    /// # Errors
    /// An item is missing, damaged, unsigned, or neither an override nor a review.
    pub fn overrides(&self, environment: &str, id: Option<&ResourceId>) -> Result<Vec<Broken>> {
        let mut overrides: Vec<Broken> = Vec::new();
        let mut reviews = Vec::new();
        for (item, carried_at) in self.in_order(&layout::overrides(environment, id))? {
            let damaged = |why: String| Error::Damaged { object: format!("the evidence `{}`", item.path), why };
            let stands = |resource: &ResourceId, environment: &str| {
                item.path == layout::override_item(environment, resource, &item.id)
            };
            let principal = self.trust.principal(&item.key);
            match schema(&item.bytes).as_deref() {
                Some(OVERRIDE_SCHEMA) => {
                    let glass = Glass::from_json(&item.bytes).map_err(damaged)?;
                    if stands(&glass.resource, &glass.environment) {
                        overrides.push(Broken { id: item.id, principal, key: item.key, glass, reviews: Vec::new() });
                    }
                }
                Some(REVIEW_SCHEMA) => {
                    let review = Review::from_json(&item.bytes).map_err(damaged)?;
                    if stands(&review.resource, &review.environment) {
                        reviews.push(Reviewed { id: item.id, principal, key: item.key, review, carried_at });
                    }
                }
                _ => return Err(damaged("it is neither an override nor a review of one: upgrade joch".into())),
            }
        }
        for reviewed in reviews {
            if let Some(broken) = overrides.iter_mut().find(|broken| broken.id == reviewed.review.reviews) {
                broken.reviews.push(reviewed);
            }
        }
        Ok(overrides)
    }
}

/// The form that an item names.
fn schema(bytes: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    value.get("schema")?.as_str().map(str::to_owned)
}

impl Overrides for Ballots<'_, '_> {
    fn of(&self, id: &ResourceId, environment: &str) -> std::result::Result<Vec<Broken>, Unreadable> {
        self.overrides(environment, Some(id)).map_err(Error::unreadable)
    }

    fn passed(&self, id: &ResourceId, last: &str) -> std::result::Result<Vec<Passed>, Unreadable> {
        let mut passed = Vec::new();
        for record in self.reader.lineage(id, last) {
            let Record { release, event, to_digest: to, .. } = record.map_err(Error::unreadable)?;
            passed.push(Passed { release, back: event == Event::Rollback, to });
        }
        passed.reverse();
        Ok(passed)
    }
}
