//! `joch approvals review prod/41`: a second person's signed word on what somebody overrode.

use anyhow::Result;
use chrono::Duration;

use crate::gate::{Broken, Judgement, REVIEW_SCHEMA, Review, review_command, void_reviewer};
use crate::ledger::{Ballots, ObjectId, Reader};
use crate::release::{fold, layout, write_json};
use crate::resource::{Digest, Kind, ResourceId};

use super::again::again;
use super::caller::Caller;
use super::desk::{Desk, Operating};
use super::failure::{Failure, check_reason};
use super::find::check_environment;
use super::judge::check_order;
use super::land::{append, commit_time, signed_item};
use super::tips::check_tips;

/// What is said of which release.
#[derive(Debug, Clone)]
pub struct Request {
    /// The release, such as `prod/41`.
    pub release: String,
    /// Whether it was right.
    pub decision: Judgement,
    /// Why.
    pub rationale: String,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The release.
    pub release: String,
    /// What was reviewed: the resource and the gates.
    pub reviewed: Vec<(ResourceId, Vec<String>)>,
    /// Who says it.
    pub principal: String,
    /// What is said.
    pub decision: Judgement,
    /// Why.
    pub rationale: String,
    /// The evidence commit; none where the same was said before.
    pub commit: Option<String>,
    /// What to do next.
    pub next: Option<String>,
}

/// Signs the review and appends it to the evidence.
///
/// # Errors
/// Nothing was overridden there; the person may not review it; the ledger cannot be written.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    again(caller, |caller| attempt(request, caller))
}

fn attempt(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    check_reason("--rationale", &request.rationale)?;
    let desk = Desk::open(caller)?;
    let mut transaction = desk.begin()?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let operating = desk.operating(caller, &trust)?;
    let name = &request.release;
    let Some(layout::Tag::Release { environment, .. }) = layout::Tag::parse(&format!("release/{name}")) else {
        return Err(Failure::usage(format!("`{name}` is no release"))
            .next("a release is named by environment and number, such as `prod/41`")
            .into());
    };
    check_environment(trust.ladder(), &environment)?;
    check_tips(&desk, &reader, &[&environment])?;
    check_order(&reader.environment(&environment)?, trust.ladder(), &reader)?;
    let ballots = Ballots { reader: &reader, commit: reader.tip(layout::EVIDENCE)?, trust: &trust };
    let overrides: Vec<_> =
        ballots.overrides(&environment, None)?.into_iter().filter(|broken| broken.glass.release == *name).collect();
    let commit = reader.release(name)?;
    let (Some(commit), false) = (commit, overrides.is_empty()) else {
        return Err(Failure::could_not("not-found", format!("no gate was overridden in release {name}"))
            .next(format!("`joch get releases --env {environment}` tells which releases say `overridden`"))
            .into());
    };
    for broken in &overrides {
        check_reviewer(broken, &trust, &operating)?;
        check_record(broken, commit, &reader)?;
    }
    let time = commit_time(&desk, &reader, &[layout::EVIDENCE], caller.now, &mut caller.notices)?;
    let principal = operating.operator.principal.name.clone();
    let mut outcome = Outcome {
        release: name.clone(),
        reviewed: overrides.iter().map(|broken| (broken.glass.resource.clone(), broken.glass.gates.clone())).collect(),
        principal: principal.clone(),
        decision: request.decision,
        rationale: request.rationale.clone(),
        commit: None,
        next: (request.decision == Judgement::Reject)
            .then(|| overrides.first())
            .flatten()
            .map(|broken| format!("joch rollback {} --env {environment}", broken.glass.resource.words())),
    };
    let open = overrides.iter().filter(|broken| {
        let standing = broken.standing(&trust);
        standing.decision != Some(request.decision) || standing.reviewer.as_ref() != Some(&principal)
    });
    let mut edits = Vec::new();
    for broken in open {
        let mut review = Review {
            schema: REVIEW_SCHEMA.into(),
            reviews: broken.id.clone(),
            resource: broken.glass.resource.clone(),
            environment: environment.clone(),
            release: name.clone(),
            commit: commit.to_string(),
            record: broken.glass.record,
            decision: request.decision,
            rationale: request.rationale.clone(),
            stated_at: time,
        };
        let path = |id: &str| layout::override_item(&environment, &broken.glass.resource, id);
        let taken = |review: &Review| {
            let id = Digest::of(write_json(review)).hex();
            reader.snapshot().entry_at(ballots.commit, &path(&id)).map(|entry| entry.is_some())
        };
        // Two people may say the same within a second, and neither's word takes the place of the other's.
        while taken(&review)? {
            review.stated_at += Duration::seconds(1);
        }
        edits.extend(signed_item(write_json(&review), &operating, path)?);
    }
    if edits.is_empty() {
        return Ok(outcome);
    }
    let word = match request.decision {
        Judgement::Accept => "accept",
        Judgement::Reject => "reject",
    };
    let message = format!(
        "review {name}: {word}\n\nWhy - {}\n\nJoch-Event: review\nJoch-Release: {name}\nJoch-Operator: {}\n",
        fold(&request.rationale),
        fold(&principal)
    );
    let commit = append(&mut transaction, &reader, edits, message, &operating, time)?;
    desk.finish(transaction, caller)?;
    outcome.commit = Some(commit.to_string());
    Ok(outcome)
}

/// Refuses a review that would not count.
fn check_reviewer(broken: &Broken, trust: &crate::trust::Trust, operating: &Operating) -> Result<(), Failure> {
    let who = &operating.operator.principal;
    let Some(why) = void_reviewer(&broken.glass, who, trust) else { return Ok(()) };
    let code = if who.automation { "automation" } else { "second-person" };
    let able = trust.reviewers(&broken.glass.by, &broken.glass.environment);
    let able: Vec<_> = able.into_iter().filter(|user| !broken.glass.authors.contains(user)).collect();
    Err(Failure::credentials(code, why).next(review_command(&broken.glass.release, &able)))
}

/// Refuses to sign for a record that is not the one that was overridden.
fn check_record(broken: &Broken, commit: ObjectId, reader: &Reader<'_>) -> Result<()> {
    let glass = &broken.glass;
    if glass.resource.kind != Kind::Agent {
        return Ok(());
    }
    let bytes = reader.snapshot().blob_at(commit, &layout::record(&glass.resource))?;
    if bytes.is_some_and(|bytes| Digest::of(bytes) == glass.record) {
        return Ok(());
    }
    let message =
        format!("the record of {} in release {} is not the one that was overridden", glass.resource, glass.release);
    Err(Failure::refused("record-digest", message).next("joch audit verify").into())
}
