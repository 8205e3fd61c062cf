//! Whether a change of trust that asks for less has the quorum of the state before: asked when it is made, when
//! somebody writes on top of it, and by `audit verify`.

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::audit::trailer;
use crate::diff::Weakening;
use crate::gate::{
    Agreement, Change, Proposed, REQUEST_PREDICATE, TRUST_CHANGE, Vote, agreement, proposed, trust_changes,
};
use crate::ledger::{Ballots, ObjectId, Reader};
use crate::release::layout;
use crate::resource::Digest;
use crate::trust::{Principal, Trust, weigh_trust};

/// The trailer that names the evidence on which a weaker change of trust was decided.
const EVIDENCE: &str = "Joch-Evidence";
/// The trailer that names the change itself, so that nobody's word is used for it twice.
const CHANGE: &str = "Joch-Change";

/// A change of trust that asks for less, where more than one admin must agree to that.
pub(super) struct Weaker {
    /// What asks for less, in words.
    pub(super) steps: Vec<Weakening>,
    /// The records that it moves, as statements bind them.
    pub(super) changes: Vec<Change>,
    /// What they write.
    pub(super) proposed: Vec<Proposed>,
    /// How many admins must agree.
    pub(super) needed: usize,
}

/// What a change of trust asks less for, and who agreed to that.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The steps.
    pub steps: Vec<Weakening>,
    /// The admins who agreed; whoever made the change is one of them.
    pub agreed: Vec<String>,
    /// How many had to.
    pub needed: usize,
}

impl Lowered {
    /// The change from one state to another that these admins agreed to; `None` where it asks for no less.
    pub(super) fn of(before: &Trust, after: &Trust, agreed: Vec<String>) -> Option<Self> {
        let steps: Vec<_> = weigh_trust(before, after).into_iter().filter(Weakening::is_weaker).collect();
        (!steps.is_empty()).then(|| Self { steps, agreed, needed: before.quorum() })
    }

    /// Each step in words, without line ends.
    pub(super) fn lines(&self) -> Vec<String> {
        let told = |step: &Weakening| format!("{}: {}", step.resource, crate::release::fold(&step.sentence));
        self.steps.iter().map(told).collect()
    }

    /// `agreed by alice, 1 of 1 admins`.
    pub(super) fn by(&self) -> String {
        let agreed: Vec<_> = self.agreed.iter().map(|who| crate::release::fold(who)).collect();
        format!("agreed by {}, {} of {} admins", agreed.join(", "), agreed.len(), self.needed)
    }

    /// All of it in one line.
    pub(super) fn told(&self) -> String {
        format!("trust asks for less: {}; {}", self.lines().join("; "), self.by())
    }
}

/// The statements on a change; the flag tells a proposal.
pub(super) type Spoken = Vec<(Vote, bool)>;

impl Weaker {
    /// The change from one state to another; `None` where one admin is enough.
    pub(super) fn of(before: &Trust, after: &Trust) -> Option<Self> {
        let needed = before.quorum();
        if needed <= 1 {
            return None;
        }
        let steps: Vec<_> = weigh_trust(before, after).into_iter().filter(Weakening::is_weaker).collect();
        let changes = trust_changes(before, after);
        (!steps.is_empty()).then(|| Self { steps, proposed: proposed(after, &changes), changes, needed })
    }

    /// The digest that binds all of it.
    pub(super) fn digest(&self) -> Option<Digest> {
        self.changes.first().map(|change| change.writes)
    }

    /// The first few steps, in words.
    pub(super) fn told(&self) -> String {
        let told = self.steps.iter().take(3).map(|step| format!("{}: {}", step.resource, step.sentence));
        let more = self.steps.len().saturating_sub(3);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        format!("{}{more}", told.collect::<Vec<_>>().join("; "))
    }

    /// The trailers of its commit.
    pub(super) fn trailers(&self, evidence: ObjectId) -> String {
        let digest = self.digest().map_or_else(String::new, |digest| digest.to_string());
        format!("{CHANGE}: {digest}\n{EVIDENCE}: {evidence}\n")
    }

    /// The statements about it that stand on `evidence`. Those that an earlier trust commit, from `parent` down, was
    /// decided on for the same change are spent.
    pub(super) fn spoken(
        &self,
        reader: &Reader<'_>,
        before: &Trust,
        parent: ObjectId,
        evidence: ObjectId,
    ) -> Result<Spoken> {
        let Some(first) = self.changes.first() else { return Ok(Vec::new()) };
        let ballots = Ballots { reader, commit: evidence, trust: before };
        let used = used(reader, parent, first.writes)?;
        let statements = ballots.statements(&first.resource, used)?.into_iter();
        let about = statements.filter(|(vote, _)| vote.predicate.environment == TRUST_CHANGE);
        Ok(about.map(|(vote, statement)| (vote, statement.predicate_type == REQUEST_PREDICATE)).collect())
    }

    /// How the admins of the state before spoke.
    pub(super) fn agreement(
        &self,
        before: &Trust,
        spoken: &Spoken,
        operator: &Principal,
        now: DateTime<Utc>,
    ) -> Agreement {
        agreement(before, &self.changes, spoken, operator, now)
    }
}

/// The evidence on which the same change of trust was made before, from `parent` down.
pub(super) fn used(reader: &Reader<'_>, parent: ObjectId, change: Digest) -> Result<Option<ObjectId>> {
    let named = change.to_string();
    for commit in reader.snapshot().first_parents(parent) {
        let message = reader.snapshot().commit(commit?.id)?.message;
        if trailer(&message, CHANGE) == Some(named.as_str()) {
            return Ok(trailer(&message, EVIDENCE).and_then(|commit| commit.parse().ok()));
        }
    }
    Ok(None)
}

/// What the commit that changed trust says, as far as this asks.
pub(super) struct Made<'a> {
    /// Its message.
    pub(super) message: &'a str,
    /// Who signed it.
    pub(super) operator: &'a Principal,
    /// When.
    pub(super) time: DateTime<Utc>,
    /// The commit before it.
    pub(super) parent: ObjectId,
}

/// Checks that a commit which made trust ask for less had the quorum of the state before, on the evidence it cites.
///
/// # Errors
/// The outer error is a ledger that cannot be read, the inner one is what is wrong.
pub(super) fn check(reader: &Reader<'_>, before: &Trust, after: &Trust, made: &Made<'_>) -> Result<Result<(), String>> {
    let Some(weaker) = Weaker::of(before, after) else { return Ok(Ok(())) };
    let refuse = |why: String| {
        let told = format!("it asks for less, which needs {} admins, and {why}; {}", weaker.needed, weaker.told());
        Ok(Err(told))
    };
    let named = weaker.digest().map(|digest| digest.to_string());
    if trailer(made.message, CHANGE).map(str::to_owned) != named {
        return refuse(format!("its trailer `{CHANGE}` does not name the change"));
    }
    let cited = trailer(made.message, EVIDENCE).and_then(|commit| commit.parse::<ObjectId>().ok());
    let Some(evidence) = cited else { return refuse(format!("it cites no `{EVIDENCE}`")) };
    let mut held = false;
    for commit in reader.snapshot().first_parents(reader.tip(layout::EVIDENCE)?) {
        held |= commit?.id == evidence;
        if held {
            break;
        }
    }
    if !held {
        return refuse(format!("`evidence` does not hold {evidence}, which it cites"));
    }
    let spoken = weaker.spoken(reader, before, made.parent, evidence)?;
    let agreement = weaker.agreement(before, &spoken, made.operator, made.time);
    if let Some(who) = agreement.no.first() {
        return refuse(format!("the admin `{who}` rejected it"));
    }
    if agreement.yes.len() < weaker.needed {
        let yes: Vec<_> = agreement.yes.into_iter().collect();
        let aside = if agreement.void.is_empty() {
            String::new()
        } else {
            format!(" (not counted: {})", agreement.void.join("; "))
        };
        return refuse(format!("{} agreed{aside}", if yes.is_empty() { "nobody".to_owned() } else { yes.join(", ") }));
    }
    Ok(Ok(()))
}
