//! Follows the trust branch: each state judged by the one before it, the first by itself.

use std::collections::BTreeMap;

use crate::audit::trust::{TrustHistory, TrustStep, check_file, check_seen, check_step, read_seen};
use crate::audit::{Finding, Rule};
use crate::ledger::{ObjectId, Reader, Result, changed_paths};
use crate::release::layout;
use crate::trust::{Principal, Trust};

use super::lines::Lines;
use crate::ops::facts::{broken, commit_fact};
use crate::ops::quorum::{self, Made};

/// The states of trust as far as they can be read, and what is wrong with them.
pub(super) fn follow(reader: &Reader<'_>, lines: &Lines, findings: &mut Vec<Finding>) -> TrustHistory {
    let mut history = TrustHistory::default();
    let Some(line) = lines.get(layout::TRUST) else { return history };
    let mut time = None;
    for (place, id) in line.commits.iter().enumerate() {
        let fact = match commit_fact(reader, layout::TRUST, *id) {
            Ok(fact) => fact,
            Err(finding) => {
                findings.push(finding);
                continue;
            }
        };
        findings.extend(fact.check_form(time, place == 0));
        time = Some(fact.time);
        let after = match reader.trust_at(*id) {
            Ok(after) => after,
            Err(why) => {
                let finding = broken(&why);
                findings.push(fact.finding(Rule::TrustForm, finding.message));
                continue;
            }
        };
        let before = history.0.last().map(|step| &step.trust);
        let admin = |judge: &Trust, principal: &Principal| {
            let message = format!("`{principal}` is no admin, and only an admin changes trust");
            if judge.is_admin(principal) { Ok(()) } else { Err(message) }
        };
        let judge = before.unwrap_or(&after);
        match fact.check_signer(judge, |principal| admin(judge, principal)) {
            Ok(principal) => {
                findings.extend(fact.check_names(&principal));
                let parent = line.commits.get(place.wrapping_sub(1)).copied();
                if let (Some(before), Some(parent)) = (before, parent) {
                    let made = Made { message: &fact.message, operator: &principal, time: fact.time, parent };
                    let wrong = quorum::check(reader, before, &after, &made).unwrap_or_else(|why| Err(why.to_string()));
                    let wrong = wrong.err().map(|why| format!("{why}; {}", fact.way_back()));
                    findings.extend(wrong.map(|wrong| fact.finding(Rule::TrustQuorum, wrong)));
                }
            }
            Err(finding) => findings.push(finding),
        }
        findings.extend(check_step(&fact, before, &after, fact.time));
        if let Err(why) = check_files(reader, *id, line.commits.get(place.wrapping_sub(1)).copied(), &after, findings) {
            findings.push(broken(&why));
        }
        let seen_before = history.0.last().map(|step| step.seen.clone()).unwrap_or_default();
        let tips = match reader.snapshot().blob_at(*id, layout::SEEN).map(|bytes| bytes.map(|bytes| read_seen(&bytes)))
        {
            Ok(Some(Ok(tips))) => tips,
            _ => {
                findings.push(fact.finding(Rule::TrustSeen, "it has no `seen.json` that can be read"));
                BTreeMap::new()
            }
        };
        let (seen, wrong) =
            check_seen(&fact, &tips, &seen_before, |branch, tip| lines.get(branch).and_then(|line| line.place_of(tip)));
        findings.extend(wrong);
        history.0.push(TrustStep { trust: after, seen });
    }
    history
}

/// Checks the files that a trust commit changes.
fn check_files(
    reader: &Reader<'_>,
    id: ObjectId,
    parent: Option<ObjectId>,
    trust: &Trust,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let snapshot = reader.snapshot();
    let old = parent.map(|parent| snapshot.commit(parent).map(|commit| commit.tree)).transpose()?;
    for changed in changed_paths(snapshot, old, Some(snapshot.commit(id)?.tree))? {
        let Some(blob) = changed.new else { continue };
        let checked = match reader.text(blob) {
            Ok(text) => check_file(&changed.path, &text, trust),
            Err(why) => Err(why.to_string()),
        };
        if let Err(why) = checked {
            let message = format!("{why}; an admin applies the record again with joch");
            findings.push(Finding::new(Rule::TrustForm, format!("{id}:{}", changed.path), message));
        }
    }
    Ok(())
}
