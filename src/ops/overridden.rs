//! Which releases passed a gate in spite of what it said, and whether somebody has reviewed that: what every listing
//! says beside them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::gate::{Judgement, OverrideStanding, Overrides as _, Stain};
use crate::ledger::{Ballots, Reader};
use crate::release::layout;
use crate::resource::{Kind, ResourceId};
use crate::trust::Trust;

/// What was overridden, by release and resource, as the evidence tells it now; and what stands on that while nobody
/// has accepted it.
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
            let environment = reader.environment(rung)?;
            for broken in ballots.overrides(rung, None)? {
                let (resource, standing) = (&broken.glass.resource, broken.standing(trust));
                let mut releases = BTreeSet::from([broken.glass.release.clone()]);
                // What somebody accepted is told of that release alone.
                if standing.open && resource.kind == Kind::Agent {
                    let last = environment.record(resource)?.map(|last| last.release);
                    let passed = last.map(|last| ballots.passed(resource, &last)).transpose();
                    let passed = passed.map_err(|why| anyhow::anyhow!(why.0))?.unwrap_or_default();
                    releases.extend(Stain::of(&broken.glass.release, &passed).releases);
                }
                for release in releases {
                    let key = (release, resource.clone());
                    let is_open = marks.get(&key).is_some_and(|known: &OverrideStanding| known.open);
                    if !is_open || standing.decision == Some(Judgement::Reject) {
                        marks.insert(key, standing.clone());
                    }
                }
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
