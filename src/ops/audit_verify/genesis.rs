//! The one commit at which every branch but trust begins.

use std::collections::BTreeSet;

use crate::audit::commit::CommitFact;
use crate::audit::trust::TrustHistory;
use crate::audit::{Finding, Rule, trailer};
use crate::ledger::{ObjectId, Reader};
use crate::release::layout;
use crate::trust::{Principal, Trust};

use super::lines::Lines;
use crate::ops::facts::commit_fact;

/// Checks that all branches begin at one empty commit, which an admin of the trust root signed and which names it.
pub(super) fn check(
    reader: &Reader<'_>,
    lines: &Lines,
    rungs: &BTreeSet<String>,
    trust: &TrustHistory,
    findings: &mut Vec<Finding>,
) {
    let first = |branch: &str| lines.get(branch).and_then(|line| line.commits.first().copied());
    let (Some(genesis), Some(root)) = (first(layout::EVIDENCE), trust.0.first().map(|step| &step.trust)) else {
        return;
    };
    for rung in rungs {
        if let Some(other) = first(rung).filter(|first| *first != genesis) {
            let message = format!(
                "`{rung}` begins at {other}, and the ledger at {genesis}; bring `{rung}` back from a clone that has it"
            );
            findings.push(Finding::new(Rule::Genesis, format!("refs/heads/{rung}"), message));
        }
    }
    let fact = match commit_fact(reader, layout::EVIDENCE, genesis) {
        Ok(fact) => fact,
        Err(finding) => {
            findings.push(finding);
            return;
        }
    };
    findings.extend(check_genesis(reader, &fact, genesis, root));
}

/// Checks the first commit of all branches: it is empty, names the trust root, and an admin of that signed it.
pub(in crate::ops) fn check_genesis(
    reader: &Reader<'_>,
    fact: &CommitFact,
    genesis: ObjectId,
    root: &Trust,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tree = reader.snapshot().commit(genesis).map(|commit| commit.tree);
    let files = tree.and_then(|tree| reader.snapshot().files_under(tree));
    if files.is_ok_and(|files| !files.is_empty()) {
        findings.push(fact.finding(Rule::Genesis, "the first commit of all branches is not empty"));
    }
    if trailer(&fact.message, "Joch-Trust") != Some(root.commit.as_str()) {
        let wrong = format!("the first commit of all branches does not name the trust root {}", root.commit);
        findings.push(fact.finding(Rule::Genesis, wrong));
    }
    let admin = |principal: &Principal| {
        let message = format!("`{principal}` is no admin of the trust root, and began the branches");
        if root.is_admin(principal) { Ok(()) } else { Err(message) }
    };
    match fact.check_signer(root, admin) {
        Ok(principal) => findings.extend(fact.check_names(&principal)),
        Err(finding) => findings.push(finding),
    }
    findings
}
