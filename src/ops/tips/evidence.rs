//! The newest evidence: whether each commit only adds what somebody signed who could.

use crate::audit::Rule;
use crate::audit::commit::CommitFact;
use crate::ledger::changed_paths;
use crate::ops::audit_verify::Added;

use super::{Commit, Tip, Why, first};

/// What no verb writes, whoever asks.
const FORGED: [Rule; 4] = [Rule::EvidenceChanged, Rule::EvidenceName, Rule::EvidenceSignature, Rule::ObjectDamaged];

impl Tip<'_, '_> {
    /// Checks a commit of evidence.
    pub(super) fn evidence(&self, commit: &Commit<'_>) -> Result<(), Why> {
        let fact: &CommitFact = commit.fact;
        let judge = self.history.newest_unseeing(self.branch, commit.above)?;
        if let Some(judge) = &judge {
            let principal = fact.check_signer(judge, |_| Ok(()))?;
            first(fact.check_names(&principal))?;
        }
        let tree = |id| self.reader.snapshot().commit(id).map(|commit| commit.tree);
        let changes = changed_paths(self.reader.snapshot(), Some(tree(commit.parent)?), Some(tree(commit.id)?))?;
        let people = self.history.trust.signers.ever();
        let added = Added { reader: self.reader, commit: commit.id, fact, people: &people, judge: judge.as_deref() };
        let mut findings = Vec::new();
        for change in &changes {
            added.item(change, &changes, &mut findings);
        }
        // What somebody said who may not, or elsewhere, counts for nothing; so nobody stops all others by saying it.
        findings.retain(|finding| FORGED.contains(&finding.rule));
        first(findings)
    }
}
