//! Applying Environments and Teams, and what they impose: a change of the trust branch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::json;

use crate::ledger::{CommitDraft, Edit, Reader, Transaction};
use crate::release::layout;
use crate::resource::{Kind, Resource, ResourceId, Target};
use crate::trust::Trust;

use super::desk::Operating;
use super::failure::Failure;
use super::proposal::Waiting;
use super::quorum::{Lowered, Weaker};

/// The records of a set that belong on trust and differ from what stands there.
#[derive(Debug, Default)]
pub(super) struct TrustChange {
    /// What will stand there.
    pub put: BTreeMap<ResourceId, Arc<Resource>>,
    /// What is taken away.
    pub remove: BTreeSet<ResourceId>,
    /// How many admins must agree to a change that asks for less, where that changes.
    pub quorum: Option<u32>,
}

/// What became of a change of trust.
pub(super) enum Staged {
    /// It is staged; this is the trust that it leads to, and what it asks less for.
    Made(Trust, Option<Lowered>),
    /// It asks for less, and more admins must agree first.
    Waits(Box<Waiting>),
}

/// What of `set` is a change of trust: its Environments and Teams, and the policies and budgets that these,
/// or those already there, impose.
///
/// # Errors
/// An imposed policy or budget that is neither in the set nor on trust: what an environment happens to hold is not
/// taken for what everybody is to be bound by.
pub(super) fn trust_change(set: &BTreeMap<ResourceId, Arc<Resource>>, trust: &Trust) -> Result<TrustChange> {
    let mut put: BTreeMap<_, _> =
        set.iter().filter(|(id, _)| id.kind.is_trust()).map(|(id, r)| (id.clone(), r.clone())).collect();
    let standing = trust.resources.values().filter(|r| r.id().kind.is_trust() && !put.contains_key(r.id()));
    let impose: Vec<_> = put.values().chain(standing).cloned().collect();
    let mut missing = Vec::new();
    for resource in impose {
        for mention in resource.mentions() {
            let Target::Resource(reference) = &mention.target else { continue };
            if !matches!(reference.kind, Kind::Policy | Kind::Budget) {
                continue;
            }
            let candidates = reference.candidates(&resource.id().namespace);
            let found = candidates.iter().find_map(|id| set.get(id).or_else(|| trust.resources.get(id)).cloned());
            match found {
                Some(found) => {
                    put.insert(found.id().clone(), found);
                }
                None => missing.push(format!("{} names {reference} at `{}`", resource.id(), mention.path)),
            }
        }
    }
    if !missing.is_empty() {
        return Err(Failure::refused(
            "missing-reference",
            format!("{}, which is neither in the set nor on trust", missing.join("; ")),
        )
        .next("an admin applies it together with them: add its file with `-f`")
        .into());
    }
    put.retain(|id, resource| trust.resources.get(id) != Some(resource));
    Ok(TrustChange { put, ..TrustChange::default() })
}

impl TrustChange {
    /// Whether it changes anything.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.put.is_empty() && self.remove.is_empty() && self.quorum.is_none()
    }

    /// Every record it changes.
    pub(super) fn ids(&self) -> impl Iterator<Item = &ResourceId> {
        self.put.keys().chain(&self.remove)
    }

    /// Stages the change, if enough admins agree to it.
    ///
    /// # Errors
    /// The operator is no admin, nobody would be one afterwards, an admin rejected it, or the result cannot be read.
    pub(super) fn stage(
        &self,
        transaction: &mut Transaction<'_>,
        reader: &Reader<'_>,
        trust: &Trust,
        operating: &Operating,
        reason: Option<&str>,
        time: DateTime<Utc>,
    ) -> Result<Staged> {
        let (after, edits) = self.files(reader, trust, operating, time)?;
        let (mut trailers, mut agreed) = (String::new(), vec![operating.operator.principal.name.clone()]);
        if let Some(weaker) = Weaker::of(trust, &after) {
            let waiting = Waiting::of(weaker, reader, trust, operating, time)?;
            if waiting.is_short() {
                return Ok(Staged::Waits(Box::new(waiting)));
            }
            trailers = waiting.weaker.trailers(reader.tip(layout::EVIDENCE)?);
            agreed = waiting.agreed();
        }
        let lowered = Lowered::of(trust, &after, agreed);
        let draft = CommitDraft {
            branch: layout::TRUST.into(),
            parent: Some(reader.tip(layout::TRUST)?),
            edits,
            message: self.message(operating, reason, lowered.as_ref()) + &trailers,
            author: operating.person.clone(),
            time,
        };
        let commit = transaction.commit(&operating.signer, &draft)?.id;
        Ok(Staged::Made(after.at(commit.to_string()), lowered))
    }

    /// The trust that the change would lead to, without a word written.
    ///
    /// # Errors
    /// As [`TrustChange::stage`]; also that more admins must agree first.
    pub(super) fn would(
        &self,
        reader: &Reader<'_>,
        trust: &Trust,
        operating: &Operating,
        time: DateTime<Utc>,
    ) -> Result<(Trust, Option<Lowered>)> {
        let (after, _) = self.files(reader, trust, operating, time)?;
        let mut agreed = vec![operating.operator.principal.name.clone()];
        if let Some(weaker) = Weaker::of(trust, &after) {
            let waiting = Waiting::of(weaker, reader, trust, operating, time)?;
            if waiting.is_short() {
                return Err(waiting.refusal(None).into());
            }
            agreed = waiting.agreed();
        }
        let lowered = Lowered::of(trust, &after, agreed);
        Ok((after, lowered))
    }

    /// The trust that the change leads to, and the files that say so.
    ///
    /// # Errors
    /// As [`TrustChange::stage`].
    pub(super) fn files(
        &self,
        reader: &Reader<'_>,
        trust: &Trust,
        operating: &Operating,
        time: DateTime<Utc>,
    ) -> Result<(Trust, Vec<(String, Edit)>)> {
        let who = &operating.operator.principal;
        if !trust.is_admin(who) {
            let mut ids: Vec<_> = self.ids().map(ResourceId::to_string).collect();
            ids.extend(self.quorum.map(|_| "the quorum".to_owned()));
            return Err(Failure::credentials(
                "role",
                format!(
                    "`{who}` is no admin, and {} would change trust: environments, teams, keys and what they impose",
                    ids.join(", ")
                ),
            )
            .next(format!("ask an admin to apply it: {}", trust.admins().into_iter().collect::<Vec<_>>().join(", ")))
            .into());
        }
        let mut resources = trust.resources.clone();
        resources.extend(self.put.iter().map(|(id, resource)| (id.clone(), resource.clone())));
        resources.retain(|id, _| !self.remove.contains(id));
        let refuse = |why: String| Failure::refused("trust", why);
        let mut settings = trust.settings.clone();
        settings.quorum = self.quorum.unwrap_or(settings.quorum);
        let after = Trust::new(trust.commit.clone(), settings.clone(), resources.clone(), trust.signers.clone())
            .map_err(refuse)?;
        if after.admins().is_empty() {
            return Err(Failure::refused(
                "last-admin",
                "after this change nobody could change trust again: no admin would have a key",
            )
            .next("leave at least one `role: admin` with a key in a Team")
            .into());
        }
        let signers = trust.signers.follow(&after.keys(), time);
        let after = Trust::new(trust.commit.clone(), settings, resources, signers).map_err(refuse)?;
        let mut edits: Vec<_> = self
            .put
            .iter()
            .map(|(id, resource)| (layout::on_trust(id), Edit::Put(resource.canonical().into_bytes())))
            .collect();
        edits.extend(self.remove.iter().map(|id| (layout::on_trust(id), Edit::Remove)));
        if self.quorum.is_some() {
            edits.push((layout::SETTINGS.into(), Edit::Put(after.settings.to_yaml().into_bytes())));
        }
        edits.push((layout::SIGNERS.into(), Edit::Put(after.signers.to_string().into_bytes())));
        edits.push((layout::SEEN.into(), Edit::Put(seen(reader, &after).into_bytes())));
        Ok((after, edits))
    }

    fn message(&self, operating: &Operating, reason: Option<&str>, lowered: Option<&Lowered>) -> String {
        let fold = crate::release::fold;
        let count = self.put.len() + self.remove.len();
        let title = match self.ids().next() {
            None => format!("change trust: quorum {}", self.quorum.unwrap_or_default()),
            Some(id) if count == 1 => format!("change trust: {id}"),
            _ => format!("change trust: {count} records"),
        };
        let mut lines: Vec<_> = self
            .put
            .keys()
            .map(|id| format!("- {id}"))
            .chain(self.remove.iter().map(|id| format!("- {id} removed")))
            .collect();
        if let Some(lowered) = lowered {
            lines.push(format!("\nIt asks for less, {}", lowered.by()));
            lines.extend(lowered.lines().into_iter().map(|line| format!("- {line}")));
        }
        let why = reason.map_or_else(|| "No reason was given.".to_owned(), |reason| format!("Why - {}", fold(reason)));
        let who = fold(&operating.operator.principal.name);
        format!("{title}\n\n{}\n\n{why}\n\nJoch-Event: trust\nJoch-Operator: {who}\n", lines.join("\n"))
    }
}

/// `seen.json`: the tips of all environments and of evidence that the author of the change had. A release
/// that this commit had not seen must also be valid under it, so a key that it takes away cannot back-date.
fn seen(reader: &Reader<'_>, trust: &Trust) -> String {
    let branches = trust.ladder().rungs().iter().map(String::as_str).chain([layout::EVIDENCE]);
    let tips: BTreeMap<_, _> =
        branches.filter_map(|branch| Some((branch, reader.snapshot().branch(branch)?.to_string()))).collect();
    format!("{:#}\n", json!({ "schema": "joch.dev/seen/v1", "tips": tips }))
}
