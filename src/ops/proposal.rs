//! A change of trust that waits for more admins: the proposal that freezes it, and what is said of it.

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

use crate::gate::{Agreement, DEFAULT_EXPIRY_HOURS, Predicate, REQUEST_PREDICATE, TRUST_CHANGE};
use crate::ledger::{Reader, Transaction};
use crate::release::layout;
use crate::trust::Trust;

use super::approve::item;
use super::desk::Operating;
use super::failure::{Failure, Kind};
use super::land::append;
use super::quorum::{Spoken, Weaker};

/// A weaker change of trust, and how far it is.
pub(super) struct Waiting {
    /// The change.
    pub(super) weaker: Weaker,
    agreement: Agreement,
    spoken: Spoken,
    able: Vec<String>,
}

impl Waiting {
    /// Counts who agreed so far.
    ///
    /// # Errors
    /// An admin rejected it, or the evidence cannot be read.
    pub(super) fn of(
        weaker: Weaker,
        reader: &Reader<'_>,
        before: &Trust,
        operating: &Operating,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let (parent, evidence) = (reader.tip(layout::TRUST)?, reader.tip(layout::EVIDENCE)?);
        let spoken = weaker.spoken(reader, before, parent, evidence)?;
        let agreement = weaker.agreement(before, &spoken, &operating.operator.principal, now);
        if let Some(who) = agreement.no.first() {
            let message = format!("the admin `{who}` rejected this change of trust: {}", weaker.told());
            return Err(Failure::refused("rejected", message)
                .next("leave it as it is, or have the same person approve it after all")
                .into());
        }
        let able = before.admins().into_iter().filter(|admin| !agreement.yes.contains(*admin));
        let able = able.map(str::to_owned).collect();
        Ok(Self { weaker, agreement, spoken, able })
    }

    /// Whether more admins must agree.
    pub(super) fn is_short(&self) -> bool {
        self.agreement.yes.len() < self.weaker.needed
    }

    /// The admins who agree.
    pub(super) fn agreed(&self) -> Vec<String> {
        self.agreement.yes.iter().cloned().collect()
    }

    /// Stages the proposal, unless one stands, and says what is missing; the caller finishes the transaction.
    ///
    /// # Errors
    /// The ledger moved, or a signature could not be made.
    pub(super) fn propose(
        &self,
        transaction: &mut Transaction<'_>,
        reader: &Reader<'_>,
        operating: &Operating,
        reason: Option<&str>,
        time: DateTime<Utc>,
    ) -> Result<Failure> {
        if let Some(id) = self.standing(time) {
            return Ok(self.refusal(Some(&id)));
        }
        let mut predicate = Predicate {
            decision: None,
            team: None,
            ledger: None,
            environment: TRUST_CHANGE.to_owned(),
            source: None,
            changes: self.weaker.changes.clone(),
            request: None,
            stated_at: time,
            expires: time + Duration::hours(DEFAULT_EXPIRY_HOURS),
            rationale: reason.map(str::to_owned),
            proposed: self.weaker.proposed.clone(),
        };
        let (id, edits) = item(REQUEST_PREDICATE, &mut predicate, reader, operating)?;
        let who = crate::release::fold(&operating.operator.principal.name);
        let count = self.weaker.changes.len();
        let message =
            format!("propose a change of trust: {count} records\n\nJoch-Event: request\nJoch-Operator: {who}\n");
        append(transaction, reader, edits, message, operating, time)?;
        Ok(self.refusal(Some(&id)))
    }

    /// The proposal of exactly this that still counts.
    fn standing(&self, now: DateTime<Utc>) -> Option<String> {
        let live = |(vote, asked): &&(crate::gate::Vote, bool)| {
            *asked && !vote.spent && vote.predicate.expires > now && vote.predicate.changes == self.weaker.changes
        };
        self.spoken.iter().rfind(live).map(|(vote, _)| vote.id.clone())
    }

    /// What is missing, and who can supply it.
    pub(super) fn refusal(&self, proposal: Option<&str>) -> Failure {
        let yes: Vec<_> = self.agreement.yes.iter().map(String::as_str).collect();
        let aside = match self.agreement.void.as_slice() {
            [] => String::new(),
            void => format!("; not counted: {}", void.join("; ")),
        };
        let waits = proposal.map_or_else(String::new, |id| format!(", as proposal {}", &id[..id.len().min(12)]));
        let message = format!(
            "trust would ask for less, and {} of {} admins agree ({}){aside}: {}; nothing was changed{waits}",
            yes.len(),
            self.weaker.needed,
            yes.join(", "),
            self.weaker.told()
        );
        let who = self.able.join(" or ");
        let next = match proposal {
            Some(id) => format!(
                "{who} agrees with `joch approvals decide {} --decision approve`; then any admin runs this again",
                &id[..id.len().min(12)]
            ),
            None => format!("without `--dry-run` this makes a proposal that {who} can approve"),
        };
        Failure::new(Kind::Pending, "quorum", message).next(next)
    }
}
