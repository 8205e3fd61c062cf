//! Writing a plan: decisions, release and tags in one transaction, the environment last.

use anyhow::Result;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::audit::commit::SKEW;

use crate::gate::{Glass, Hold, OVERRIDE_SCHEMA, Outcome};
use crate::ledger::{CommitDraft, EVIDENCE_NAMESPACE, Edit, ObjectId, Reader, TagDraft, Transaction};
use crate::release::{FileEdit, Plan, Record, layout, write_json};
use crate::resource::Digest;

use super::desk::{Desk, Operating};
use super::failure::Failure;
use super::tips::check_tips;

/// A release that was written.
#[derive(Debug, Clone)]
pub struct Landed {
    /// Its name, such as `prod/41`.
    pub release: String,
    /// Its commit.
    pub commit: String,
}

/// How far ahead of this machine's clock a branch may stand and still be written to: a clock that is set to another time
/// zone is off by less.
const AHEAD: TimeDelta = TimeDelta::days(1);

/// The time of a new commit on these branches: the caller's, moved forward to the latest of theirs, so that no history runs
/// backwards, and to that of trust, before which a key that was just listed does not count. A change of trust closes keys,
/// so it is not dated before what they signed elsewhere. A leap of more than five minutes is told. A command asks for it
/// before it builds on these branches, so here is where their tips are checked.
///
/// # Errors
/// A tip cannot be read, is dated more than a day ahead, or is [no honest one](check_tips).
pub(super) fn commit_time(
    desk: &Desk,
    reader: &Reader<'_>,
    branches: &[&str],
    now: DateTime<Utc>,
    notices: &mut Vec<String>,
) -> Result<DateTime<Utc>> {
    check_tips(desk, reader, branches)?;
    let now = now.trunc_subsecs(0);
    let mut time = now;
    for branch in branches.iter().chain([&layout::TRUST]) {
        let tip = reader.snapshot().commit(reader.tip(branch)?)?.committer.time;
        if tip > now + AHEAD {
            let (tip, now) = (tip.to_rfc3339(), now.to_rfc3339());
            let message = format!(
                "`{branch}` stands at {tip}, and this machine's clock says {now}: what is written now would be dated then, \
                 and nothing would expire before"
            );
            return Err(Failure::refused("time-ahead", message)
                .next("set this machine's clock if it is wrong; else `joch audit verify` names the commit and the way back")
                .into());
        }
        time = time.max(tip);
    }
    if branches.contains(&layout::TRUST) {
        for tip in reader.snapshot().branches().values() {
            let tip = reader.snapshot().commit(*tip)?.committer.time;
            // Who may write to one branch only does not date trust ahead.
            time = if tip > now + SKEW { time } else { time.max(tip) };
        }
    }
    if time - now >= SKEW {
        notices.push(format!(
            "this machine's clock says {}, and the ledger is at {} already; check the clock",
            now.to_rfc3339(),
            time.to_rfc3339()
        ));
    }
    Ok(time)
}

/// Stages everything that `plan` writes; the caller finishes the transaction. A plan that gates stopped
/// leaves its decision and nothing else.
///
/// # Errors
/// The ledger moved, or a signature could not be made.
pub(super) fn land(
    transaction: &mut Transaction<'_>,
    reader: &Reader<'_>,
    plan: &Plan,
    operating: &Operating,
) -> Result<Option<Landed>> {
    land_holding(transaction, reader, plan, operating, &[])
}

/// The same, with holds that the change brings: they are written where it happens, and only then.
///
/// # Errors
/// As [`land`].
pub(super) fn land_holding(
    transaction: &mut Transaction<'_>,
    reader: &Reader<'_>,
    plan: &Plan,
    operating: &Operating,
    holds: &[Hold],
) -> Result<Option<Landed>> {
    let open = plan.outcome == Outcome::Open;
    stage_evidence(transaction, reader, plan, operating, if open { holds } else { &[] })?;
    if !open {
        return Ok(None);
    }
    let manifest = &plan.manifest;
    let environment = &manifest.environment;
    let edits = plan.edits.iter().map(|(path, edit)| (path.clone(), edit_of(edit))).collect();
    let draft = CommitDraft {
        branch: environment.clone(),
        parent: Some(reader.tip(environment)?),
        edits,
        message: plan.message.clone(),
        author: operating.person.clone(),
        time: manifest.timestamp,
    };
    let commit = transaction.commit(&operating.signer, &draft)?.id;
    for tag in &plan.version_tags {
        transaction.tag_light(tag, commit)?;
    }
    let title = plan.message.lines().next().unwrap_or_default();
    let tag = TagDraft {
        name: layout::release_tag(environment, manifest.release),
        commit,
        message: format!("{title}\n\nJoch-Release: {}\n", manifest.name()),
        author: operating.person.clone(),
        time: manifest.timestamp,
    };
    transaction.tag_signed(&operating.signer, &tag)?;
    Ok(Some(Landed { release: manifest.name(), commit: commit.to_string() }))
}

/// Appends to the evidence branch, in one commit, the decision on each subject, what was overridden, and the holds.
fn stage_evidence(
    transaction: &mut Transaction<'_>,
    reader: &Reader<'_>,
    plan: &Plan,
    operating: &Operating,
    holds: &[Hold],
) -> Result<()> {
    let manifest = &plan.manifest;
    let open = plan.outcome == Outcome::Open;
    let overridden = open && plan.records.iter().any(|record| !record.overrides.is_empty());
    let mut edits = Vec::new();
    if plan.gated || !open || overridden {
        edits.extend(decisions(reader, plan, operating)?);
    }
    if overridden {
        for glass in plan.records.iter().filter_map(glass) {
            let path = |id: &str| layout::override_item(&glass.environment, &glass.resource, id);
            edits.extend(signed_item(write_json(&glass), operating, path)?);
        }
    }
    for hold in holds {
        let path = |id: &str| layout::hold(&hold.resource, hold.digest, id);
        edits.extend(signed_item(write_json(hold), operating, path)?);
    }
    if edits.is_empty() {
        return Ok(());
    }
    let verdict = plan.records.first().map_or("", |record| record.verdict.as_str());
    let title = plan.message.lines().next().unwrap_or_default();
    let message = format!(
        "decision {}: {verdict}\n\n{title}\n\nJoch-Event: decision\nJoch-Release: {}\nJoch-Operator: {}\n",
        manifest.name(),
        manifest.name(),
        operating.operator.principal.name
    );
    append(transaction, reader, edits, message, operating, manifest.timestamp)?;
    Ok(())
}

/// What was overridden for one subject; none where nothing was.
fn glass(record: &Record) -> Option<Glass> {
    let first = &record.overrides.first()?.said;
    Some(Glass {
        schema: OVERRIDE_SCHEMA.into(),
        resource: record.agent_ref.clone(),
        environment: record.environment.clone(),
        release: record.release.clone(),
        digest: record.to_digest,
        record: Digest::of(record.to_json()),
        gates: record.overrides.iter().map(|overridden| overridden.gate.clone()).collect(),
        by: first.by.clone(),
        reason: first.reason.clone(),
        ticket: first.ticket.clone(),
        authors: record.authors.clone(),
        stated_at: record.timestamp,
        expires: first.expires,
    })
}

/// The decision on each subject. The same attempt with the same inputs and verdicts adds none.
fn decisions(reader: &Reader<'_>, plan: &Plan, operating: &Operating) -> Result<Vec<(String, Edit)>> {
    let manifest = &plan.manifest;
    let tip = reader.tip(layout::EVIDENCE)?;
    let directory = layout::decisions(&manifest.environment);
    let known = reader.evidence_named(tip, &directory, &format!("{}-", manifest.release))?;
    let same = |record: &Record| {
        known.iter().filter_map(|item| Record::from_json(&item.bytes).ok()).any(|old| attempt(&old) == attempt(record))
    };
    let mut edits = Vec::new();
    for record in plan.records.iter().filter(|record| !same(record)) {
        edits.extend(signed_item(record.to_json(), operating, |id| {
            layout::decision(&manifest.environment, manifest.release, id)
        })?);
    }
    Ok(edits)
}

/// What makes two attempts the same: all but when they were made, for how long something had run by then, and under
/// which tips.
fn attempt(record: &Record) -> Digest {
    let mut record = record.clone();
    for gate in record.gates.iter_mut().filter(|gate| gate.gate == "soak") {
        gate.observed = None;
        gate.reason.clear();
    }
    record.timestamp = DateTime::UNIX_EPOCH;
    record.evidence.clear();
    record.trust.clear();
    if let Some(source) = &mut record.source {
        source.commit.clear();
        source.release = None;
    }
    Digest::of(record.to_json())
}

/// Commits `edits` to the evidence branch.
///
/// # Errors
/// The branch moved, or a signature could not be made.
pub(super) fn append(
    transaction: &mut Transaction<'_>,
    reader: &Reader<'_>,
    edits: Vec<(String, Edit)>,
    message: String,
    operating: &Operating,
    time: DateTime<Utc>,
) -> Result<ObjectId> {
    let draft = CommitDraft {
        branch: layout::EVIDENCE.into(),
        parent: Some(reader.tip(layout::EVIDENCE)?),
        edits,
        message,
        author: operating.person.clone(),
        time,
    };
    Ok(transaction.commit(&operating.signer, &draft)?.id)
}

/// An item of evidence and its signature as files; `path` is asked with the item's id.
///
/// # Errors
/// The signature could not be made.
pub(super) fn signed_item(
    bytes: Vec<u8>,
    operating: &Operating,
    path: impl Fn(&str) -> String,
) -> Result<[(String, Edit); 2]> {
    let path = path(&Digest::of(&bytes).hex());
    let signature = operating.signer.sign(EVIDENCE_NAMESPACE, &bytes)? + "\n";
    Ok([(path.clone(), Edit::Put(bytes)), (format!("{path}{}", layout::SIGNATURE), Edit::Put(signature.into_bytes()))])
}

fn edit_of(edit: &FileEdit) -> Edit {
    match edit {
        FileEdit::Put(bytes) => Edit::Put(bytes.clone()),
        FileEdit::Remove => Edit::Remove,
    }
}
