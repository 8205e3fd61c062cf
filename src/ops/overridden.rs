//! Which releases passed a gate in spite of what it said, and whether somebody has reviewed that: what every listing
//! says beside them.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::gate::OverrideStanding;
use crate::ledger::{Ballots, Reader};
use crate::release::layout;
use crate::resource::ResourceId;
use crate::trust::Trust;

/// What was overridden, by release and resource, as the evidence tells it now.
pub(super) struct Marks(BTreeMap<(String, ResourceId), OverrideStanding>);

impl Marks {
    /// Reads all of it.
    ///
    /// # Errors
    /// The evidence cannot be read.
    pub(super) fn read(reader: &Reader<'_>, trust: &Trust) -> Result<Self> {
        let commit = reader.tip(layout::EVIDENCE)?;
        let mut marks = BTreeMap::new();
        if reader.snapshot().entry_at(commit, layout::OVERRIDES)?.is_none() {
            return Ok(Self(marks));
        }
        let ballots = Ballots { reader, commit, trust };
        for rung in trust.ladder().rungs() {
            for broken in ballots.overrides(rung, None)? {
                let key = (broken.glass.release.clone(), broken.glass.resource.clone());
                marks.insert(key, broken.standing(trust));
            }
        }
        Ok(Self(marks))
    }

    /// What was overridden for one resource in a release.
    pub(super) fn of(&self, release: Option<&String>, id: &ResourceId) -> Option<OverrideStanding> {
        self.0.get(&(release?.clone(), id.clone())).cloned()
    }

    /// What was overridden in a release, for any resource.
    pub(super) fn all_of(&self, release: &str) -> Vec<OverrideStanding> {
        let there = self.0.iter().filter(|((name, _), _)| name == release);
        there.map(|(_, standing)| standing.clone()).collect()
    }
}
