//! The order of an environment's releases: numbered without a gap, and citing trust and evidence that only move
//! forward.

use crate::release::Manifest;

use super::commit::CommitFact;
use super::finding::{Finding, Rule};

/// Where a branch stands after the releases that were followed so far.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The number of the last release.
    pub number: u64,
    trust: usize,
    evidence: usize,
}

/// One release, as the order of branches sees it.
pub struct Link<'a> {
    /// Its commit.
    pub commit: &'a CommitFact,
    /// Its manifest.
    pub manifest: &'a Manifest,
    /// The place on the trust branch, from 0, of the commit that it cites.
    pub trust: Option<usize>,
    /// The same of evidence.
    pub evidence: Option<usize>,
}

impl Chain {
    /// Checks that `link` continues the chain, and goes on from it.
    pub fn follow(&mut self, link: &Link<'_>) -> Vec<Finding> {
        let Link { commit, manifest, .. } = link;
        let mut findings = Vec::new();
        let expected = self.number + 1;
        if manifest.release != expected {
            let wrong = format!("it is numbered {}, and {expected} comes next", manifest.release);
            findings.push(commit.finding(Rule::ReleaseNumber, wrong));
        }
        self.number = expected;
        let cited = [
            (Rule::TrustBackwards, "trust", &manifest.trust, link.trust, &mut self.trust),
            (Rule::EvidenceBackwards, "evidence", &manifest.evidence, link.evidence, &mut self.evidence),
        ];
        for (rule, branch, id, place, last) in cited {
            match place {
                None => {
                    let wrong = format!("it cites {id}, which `{branch}` does not have");
                    findings.push(commit.finding(rule, wrong));
                }
                Some(place) if place < *last => {
                    let wrong = format!("it cites {id} of `{branch}`, and an earlier release cites a later one");
                    findings.push(commit.finding(rule, wrong));
                }
                Some(place) => *last = place,
            }
        }
        findings
    }
}
