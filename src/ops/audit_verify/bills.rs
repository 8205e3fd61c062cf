//! The bills of materials of a release: derived again, or carried from the release that cut the version.

use anyhow::Result;

use crate::audit::Finding;
use crate::audit::bill::{BillFact, check_bill};
use crate::audit::numbers::Numbers;
use crate::closure::Unreadable;
use crate::ledger::{Error, ObjectId, Reader};
use crate::release::{Bills, Cut, Plan, layout};
use crate::resource::ResourceId;

use super::redraft::{Redraft, Release};
use super::releases::Court;

/// The bills that a ledger held before one release of it.
pub(super) struct Shelved<'a, 'r> {
    pub(super) reader: &'a Reader<'r>,
    pub(super) numbers: &'a Numbers,
    /// The release, if there is one: the versions that it cut are new to it.
    pub(super) release: Option<ObjectId>,
    /// The joch that made it.
    pub(super) joch: &'a str,
}

impl Bills for Shelved<'_, '_> {
    fn cut(&self, agent: &ResourceId, number: u64) -> Result<Option<Cut>, Unreadable> {
        let first = self.numbers.commit_of(agent, number).and_then(|commit| commit.parse::<ObjectId>().ok());
        let first = first.filter(|commit| Some(*commit) != self.release);
        first.map(|commit| self.reader.cut_at(agent, commit)).transpose().map_err(Error::unreadable)
    }

    fn joch(&self) -> &str {
        self.joch
    }
}

impl Court<'_, '_> {
    /// Holds the bills that stand against those of the plan.
    pub(super) fn check_bills(
        &self,
        release: &Release<'_, '_>,
        redraft: &Redraft,
        derived: &Plan,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let shelved = Shelved {
            reader: self.reader,
            numbers: self.numbers,
            release: Some(release.id),
            joch: &release.manifest.joch,
        };
        for id in redraft.draft.agents.keys() {
            let version = derived.records.iter().find(|record| record.agent_ref == *id).and_then(|r| r.to_version);
            let cut =
                version.map(|version| shelved.cut(id, version)).transpose().map_err(|why| anyhow::anyhow!(why.0))?;
            let carried = cut.flatten().is_some_and(|cut| cut.bill.is_some());
            let path = layout::bom(id);
            let stands = self.reader.snapshot().blob_at(release.id, &path)?;
            let fact = BillFact {
                path: &path,
                named: redraft.records.get(id).and_then(|record| record.bom),
                stands: stands.as_deref(),
                derived: derived.bills.get(id).map(Vec::as_slice),
                demanded: release.billed || carried,
            };
            findings.extend(check_bill(release.fact, &fact));
        }
        Ok(())
    }
}
