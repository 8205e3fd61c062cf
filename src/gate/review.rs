//! The review of what was overridden: a second person's signed word on it. Until there is one, the release says
//! `overridden`; once its time has run out, nothing more of that resource goes forward there.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::closure::Unreadable;
use crate::resource::{Digest, ResourceId};
use crate::trust::{Principal, PublicKey, Trust};

use super::evidence::{Evidence, Subject};
use super::overriding::Glass;
use super::stain::{Passed, Stain};
use super::verdict::{GateResult, Verdict};

/// Names the format of a review.
pub const REVIEW_SCHEMA: &str = "joch.dev/override-review/v1";

/// The body of an evidence item under `overrides/`: what a second person says of an override.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// Names the format.
    pub schema: String,
    /// The evidence item of the override.
    pub reviews: String,
    /// What the release changed.
    pub resource: ResourceId,
    /// Where.
    pub environment: String,
    /// The release, such as `prod/41`.
    pub release: String,
    /// Its commit.
    pub commit: String,
    /// Digest of its record.
    pub record: Digest,
    /// Whether it was right.
    pub decision: Judgement,
    /// Why.
    pub rationale: String,
    /// When, by that person's clock.
    pub stated_at: DateTime<Utc>,
}

/// What a reviewer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Judgement {
    /// It was right to override the gate.
    Accept,
    /// It was not: what it brought has to go.
    Reject,
}

impl Review {
    /// Reads a review from the bytes that were signed.
    ///
    /// # Errors
    /// A newer form, or what is no review.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let review: Self = serde_json::from_slice(bytes).map_err(|why| format!("not a review: {why}"))?;
        if review.schema == REVIEW_SCHEMA {
            return Ok(review);
        }
        Err(format!("it is of schema `{}`, and this joch reads `{REVIEW_SCHEMA}`: upgrade joch", review.schema))
    }
}

/// A review whose signature was checked.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// The id of the evidence item.
    pub id: String,
    /// Who signed; `None` for a key that trust does not list.
    pub principal: Option<Principal>,
    /// The key.
    pub key: PublicKey,
    /// What was signed.
    pub review: Review,
    /// When the ledger took it in.
    pub carried_at: DateTime<Utc>,
}

/// An override whose signature was checked, with all that was said of it, in order.
#[derive(Debug, Clone)]
pub struct Broken {
    /// The id of the evidence item.
    pub id: String,
    /// Who signed; `None` for a key that trust does not list.
    pub principal: Option<Principal>,
    /// The key.
    pub key: PublicKey,
    /// What was signed.
    pub glass: Glass,
    /// What was said of it.
    pub reviews: Vec<Reviewed>,
}

/// The overrides that the ledger has.
pub trait Overrides {
    /// Those of releases of one resource in an environment, in the order in which the ledger took them in.
    ///
    /// # Errors
    /// When the evidence branch cannot be read.
    fn of(&self, id: &ResourceId, environment: &str) -> Result<Vec<Broken>, Unreadable>;

    /// The releases of an agent up to `last`, oldest first.
    ///
    /// # Errors
    /// When a record cannot be read.
    fn passed(&self, id: &ResourceId, last: &str) -> Result<Vec<Passed>, Unreadable>;
}

/// Where an override stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The gates that were overridden.
    pub gates: Vec<String>,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The incident or ticket.
    pub ticket: String,
    /// Until when it had to be reviewed.
    pub expires: DateTime<Utc>,
    /// Whether nobody has accepted it.
    pub open: bool,
    /// Who reviewed it last.
    pub reviewer: Option<String>,
    /// What that person said.
    pub decision: Option<Judgement>,
    /// Why.
    pub rationale: Option<String>,
}

impl Standing {
    /// What listings say: `overridden`, `overridden, rejected by bob`, or nothing once it is accepted.
    #[must_use]
    pub fn mark(&self) -> Option<String> {
        match (&self.reviewer, self.decision) {
            (_, Some(Judgement::Accept)) => None,
            (Some(who), Some(Judgement::Reject)) => Some(format!("overridden, rejected by {who}")),
            _ => Some("overridden".to_owned()),
        }
    }
}

impl Broken {
    /// Where it stands, as `trust` counts reviews.
    #[must_use]
    pub fn standing(&self, trust: &Trust) -> Standing {
        let last = self.reviews.iter().rfind(|reviewed| self.void(reviewed, trust).is_none());
        let Glass { gates, by, reason, ticket, expires, .. } = self.glass.clone();
        let decision = last.map(|reviewed| reviewed.review.decision);
        Standing {
            gates,
            by,
            reason,
            ticket,
            expires,
            open: decision != Some(Judgement::Accept),
            reviewer: last.map(|reviewed| reviewed.who(trust)),
            decision,
            rationale: last.map(|reviewed| reviewed.review.rationale.clone()),
        }
    }

    /// Why a review of it does not count. A reviewer who has left since stays one: who was it then is the audit's to
    /// check.
    #[must_use]
    pub fn void(&self, reviewed: &Reviewed, trust: &Trust) -> Option<String> {
        let (glass, review) = (&self.glass, &reviewed.review);
        let about = (&review.reviews, &review.release, &review.resource, &review.environment, review.record);
        if about != (&self.id, &glass.release, &glass.resource, &glass.environment, glass.record) {
            return Some("it is about something else".into());
        }
        let who = match &reviewed.principal {
            Some(principal) => return void_reviewer(glass, principal, trust),
            None => trust.signers.ever().get(&reviewed.key).cloned(),
        };
        match who {
            None => Some("a key signed it that trust never listed".into()),
            Some(who) if who == glass.by || glass.authors.contains(&who) => Some(own(glass, &who)),
            Some(_) => None,
        }
    }
}

/// Why a principal does not review this override: a machine, somebody without a say, whoever overrode, an author.
#[must_use]
pub fn void_reviewer(glass: &Glass, principal: &Principal, trust: &Trust) -> Option<String> {
    let who = principal.name.as_str();
    if principal.automation {
        return Some(format!("`{who}` is an automation, and an automation reviews no override"));
    }
    if trust.people().len() == 1 {
        return None;
    }
    if who == glass.by || glass.authors.iter().any(|author| author == who) {
        return Some(own(glass, who));
    }
    let may = trust.may_review(principal, &glass.environment);
    (!may).then(|| format!("`{who}` is no approver, no admin, and may not override in `{}`", glass.environment))
}

fn own(glass: &Glass, who: &str) -> String {
    if who == glass.by {
        format!("`{who}` overrode the gate: a second person reviews it")
    } else {
        format!("`{who}` is an author of what the release brought: somebody else reviews it")
    }
}

impl Reviewed {
    fn who(&self, trust: &Trust) -> String {
        let once = || trust.signers.ever().get(&self.key).cloned().unwrap_or_else(|| self.key.fingerprint());
        self.principal.as_ref().map_or_else(once, Principal::to_string)
    }
}

/// The gate that stands before every forward change of something whose override nobody accepted in time, or that
/// somebody rejected while what stands on it still runs. Taking it away is a way out of it.
pub(super) fn judge(subject: &Subject, evidence: &Evidence<'_>) -> Option<GateResult> {
    subject.to?;
    let overrides = match broken(subject, evidence) {
        Ok(overrides) => overrides,
        Err(why) => return Some(unreadable(&why)),
    };
    let mut result = result(Verdict::Fail);
    let mut reasons = Vec::new();
    for Stained { broken, standing, stain } in overrides {
        let glass = &broken.glass;
        let stands_on_it = if evidence.last_release.is_some() { stain.now } else { subject.from == glass.digest };
        let (why, next) = match standing.decision {
            Some(Judgement::Accept) => continue,
            Some(Judgement::Reject) if !stands_on_it => continue,
            Some(Judgement::Reject) => {
                let (words, environment) = (glass.resource.words(), &glass.environment);
                let back = format!(
                    "joch rollback {words} --env {environment}; or, where nothing served before it, joch delete {words} \
                     --env {environment} --reason TEXT"
                );
                (rejected_words(glass, &standing), back)
            }
            None if glass.expires > evidence.now => continue,
            None => {
                let time = glass.expires.format("%Y-%m-%dT%H:%M:%SZ");
                let next = review_command(&glass.release, &evidence.trust.reviewers(&glass.by, &glass.environment));
                let what = format!("{} overrode {} in {}", glass.by, glass.gates.join(", "), glass.release);
                (format!("{what}, and nobody reviewed it by {time}"), next)
            }
        };
        reasons.push(why);
        result.next.get_or_insert(next);
        result.evidence.push(broken.id.clone());
    }
    result.reason = reasons.join("; ");
    (!result.evidence.is_empty()).then_some(result)
}

/// The answer to a way back to what stood on an override that somebody rejected: it has to stay away.
pub(super) fn way_back(subject: &Subject, evidence: &Evidence<'_>) -> Option<GateResult> {
    let to = subject.to?;
    let overrides = match broken(subject, evidence) {
        Ok(overrides) => overrides,
        Err(why) => return Some(unreadable(&why)),
    };
    let rejected = |one: &Stained| one.standing.decision == Some(Judgement::Reject) && one.stain.covers(to);
    let Stained { broken, standing, .. } = overrides.into_iter().find(rejected)?;
    let mut result = result(Verdict::Fail);
    result.reason = rejected_words(&broken.glass, &standing);
    result.next = Some("go back to another version".into());
    result.evidence.push(broken.id);
    Some(result)
}

/// `bob overrode approval:rm in prod/2, and carol rejected that`.
fn rejected_words(glass: &Glass, standing: &Standing) -> String {
    let who = standing.reviewer.as_deref().unwrap_or("somebody");
    format!("{} overrode {} in {}, and {who} rejected that", glass.by, glass.gates.join(", "), glass.release)
}

struct Stained {
    broken: Broken,
    standing: Standing,
    stain: Stain,
}

/// What was overridden for the subject, with what stands on it.
fn broken(subject: &Subject, evidence: &Evidence<'_>) -> Result<Vec<Stained>, Unreadable> {
    let overrides = evidence.broken.of(&subject.resource, evidence.environment)?;
    // Most agents never needed one, and their history is not read.
    let passed = match evidence.last_release.filter(|_| !overrides.is_empty()) {
        Some(last) => evidence.broken.passed(&subject.resource, last)?,
        None => Vec::new(),
    };
    let stained = overrides.into_iter().map(|broken| {
        let stain = Stain::of(&broken.glass.release, &passed);
        Stained { standing: broken.standing(evidence.trust), stain, broken }
    });
    Ok(stained.collect())
}

fn result(verdict: Verdict) -> GateResult {
    GateResult { demanded_by: vec!["every environment".into()], ..GateResult::new("review", "", verdict) }
}

fn unreadable(why: &Unreadable) -> GateResult {
    GateResult {
        reason: format!("what was overridden before cannot be read: {}", why.0),
        next: Some("joch audit verify".into()),
        ..result(Verdict::Error)
    }
}

/// The command that reviews a release, and who may type it.
#[must_use]
pub fn review_command(release: &str, reviewers: &[String]) -> String {
    let who = match reviewers {
        [] => "nobody can review it: an admin adds a second person with a key".to_owned(),
        able => able.join(" or "),
    };
    format!("{who}: joch approvals review {release} --decision accept --rationale TEXT")
}
