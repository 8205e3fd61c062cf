//! The trust branch: who may change it, what never changes, and which trust had seen which releases.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::release::layout;
use crate::resource::{Kind, Resource};
use crate::trust::Trust;

use super::commit::CommitFact;
use super::finding::{Finding, Rule};

/// One state of trust.
#[derive(Debug, Clone)]
pub struct TrustStep {
    /// The state.
    pub trust: Trust,
    /// For each branch, how many commits of it the author had seen: the place of the tip that `seen.json` names.
    pub seen: BTreeMap<String, usize>,
}

/// All states of trust, oldest first.
#[derive(Debug, Clone, Default)]
pub struct TrustHistory(pub Vec<TrustStep>);

impl TrustHistory {
    /// The newest trust that had not seen the commit at `place` of `branch`: whoever made that commit can have known
    /// it, and must have obeyed it.
    #[must_use]
    pub fn newest_unseeing(&self, branch: &str, place: usize) -> Option<&Trust> {
        let unseeing = |step: &&TrustStep| step.seen.get(branch).is_none_or(|seen| *seen < place);
        self.0.iter().rev().find(unseeing).map(|step| &step.trust)
    }
}

/// `seen.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    schema: String,
    tips: BTreeMap<String, String>,
}

/// Reads `seen.json`: the tip of each branch.
///
/// # Errors
/// What is no such file.
pub fn read_seen(bytes: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let seen: Seen = serde_json::from_slice(bytes).map_err(|why| why.to_string())?;
    if seen.schema != "joch.dev/seen/v1" {
        return Err(format!("it is of schema `{}`, and this joch reads `joch.dev/seen/v1`: upgrade joch", seen.schema));
    }
    Ok(seen.tips)
}

/// Where every tip that `seen.json` names stands on its branch, which `place` knows, and what is wrong with them:
/// they only move forward.
pub fn check_seen(
    commit: &CommitFact,
    tips: &BTreeMap<String, String>,
    before: &BTreeMap<String, usize>,
    place: impl Fn(&str, &str) -> Option<usize>,
) -> (BTreeMap<String, usize>, Vec<Finding>) {
    let mut seen = BTreeMap::new();
    let mut findings = Vec::new();
    for (branch, tip) in tips {
        match place(branch, tip) {
            None => {
                let wrong = format!("its author had seen {tip} on `{branch}`, which is not there any more");
                let message = format!("{wrong}; fetch `{branch}` from a clone that has it");
                findings.push(Finding::new(Rule::RewoundBranch, format!("refs/heads/{branch}"), message));
            }
            Some(at) => {
                seen.insert(branch.clone(), at);
            }
        }
    }
    for (branch, last) in before {
        let now = seen.entry(branch.clone()).or_insert(*last);
        if *now < *last {
            let wrong = format!("its `seen.json` names an earlier commit of `{branch}` than the trust before it");
            findings.push(commit.finding(Rule::TrustSeen, wrong));
            *now = *last;
        }
    }
    (seen, findings)
}

/// Checks one change of trust: settings that never change, and the list of keys that plain Git reads.
#[must_use]
pub fn check_step(commit: &CommitFact, before: Option<&Trust>, after: &Trust, time: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(before) = before {
        let (old, new) = (&before.settings, &after.settings);
        if (&old.uuid, old.canonical_form) != (&new.uuid, new.canonical_form) {
            findings.push(commit.finding(Rule::TrustSettings, "the ledger's id or canonical form is another"));
        }
        if !after.signers.extends(&before.signers) {
            let wrong = "`allowed_signers` dropped or changed a line: what that key signed no longer verifies";
            findings.push(commit.finding(Rule::TrustSigners, wrong));
        }
    }
    let earlier = before.map(|before| before.signers.clone()).unwrap_or_default();
    if !after.signers.follows(&earlier, &after.keys(), time) {
        let wrong =
            "`allowed_signers` does not list the keys of the teams, and those alone, each from when it was added";
        findings.push(commit.finding(Rule::TrustSigners, wrong));
    }
    if after.admins().is_empty() {
        findings.push(commit.finding(Rule::Role, "afterwards nobody could change trust: no admin has a key"));
    }
    findings
}

/// Checks that a file of trust is one that joch writes: its own three, or a record at the path of its id.
///
/// # Errors
/// What is wrong with it.
pub fn check_file(path: &str, text: &str, trust: &Trust) -> Result<(), String> {
    let same = |expected: String| if expected == text { Ok(()) } else { Err("it is not as joch writes it".to_owned()) };
    match path {
        layout::SETTINGS => same(trust.settings.to_yaml()),
        layout::SIGNERS => same(trust.signers.to_string()),
        layout::SEEN => read_seen(text.as_bytes()).map(drop),
        _ => {
            let resource = Resource::from_canonical(text)?;
            let kind = &resource.id().kind;
            if !kind.is_trust() && !matches!(kind, Kind::Policy | Kind::Budget) {
                return Err(format!("trust holds no {}", kind.name()));
            }
            let expected = layout::on_trust(resource.id());
            if path == expected { Ok(()) } else { Err(format!("it belongs at `{expected}`")) }
        }
    }
}
