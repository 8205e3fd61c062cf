//! What a write stands on: a trust branch whose every change an admin of the state before has signed. Whoever can
//! push could otherwise make themselves an admin, and be believed until somebody runs `audit verify`.

use anyhow::Result;

use crate::ledger::{ObjectId, Reader};
use crate::release::layout;
use crate::trust::{Principal, Trust};

use super::desk::Desk;
use super::facts::commit_fact;
use super::failure::Failure;
use super::quorum::{self, Made};

/// What the cache calls the tip that was checked.
const CHECKED: &str = "trust";

/// Checks the trust branch from the last tip that was checked here, else from its root. That tip is remembered
/// under `.joch/cache`, sealed, so that nobody else says what was checked; `audit verify` never asks for it.
///
/// # Errors
/// A change of trust that no admin signed, or what cannot be read.
pub(super) fn check_trust(desk: &Desk, reader: &Reader<'_>) -> Result<()> {
    let cache = desk.cache();
    let checked = cache.load(CHECKED).and_then(|bytes| String::from_utf8(bytes).ok()?.parse::<ObjectId>().ok());
    let tip = reader.tip(layout::TRUST)?;
    let mut open = Vec::new();
    for commit in reader.snapshot().first_parents(tip) {
        let commit = commit?;
        if Some(commit.id) == checked {
            break;
        }
        open.push((commit.id, commit.parents.first().copied()));
    }
    for (id, parent) in open.iter().rev() {
        let judge = reader.trust_at(parent.unwrap_or(*id))?;
        check_change(reader, *id, *parent, &judge)?;
    }
    if !open.is_empty() {
        cache.store(CHECKED, &[tip.to_string().into_bytes().into()]);
    }
    Ok(())
}

fn check_change(reader: &Reader<'_>, id: ObjectId, parent: Option<ObjectId>, judge: &Trust) -> Result<()> {
    let admin = |principal: &Principal| {
        let message = format!("`{principal}` is no admin, and only an admin changes trust");
        if judge.is_admin(principal) { Ok(()) } else { Err(message) }
    };
    let believe = |object: &str, message: &str| {
        let message = format!("the trust branch cannot be believed: {object}: {message}");
        Failure::refused("trust-chain", message)
            .next("`joch audit verify` tells all of it; bring `trust` back from a clone that has it as it was")
    };
    let checked = commit_fact(reader, layout::TRUST, id).and_then(|fact| {
        fact.check_form(None, fact.parent.is_none()).into_iter().next().map_or(Ok(()), Err)?;
        let operator = fact.check_signer(judge, admin)?;
        Ok((fact, operator))
    });
    let (fact, operator) = checked.map_err(|finding| believe(&finding.object, &finding.message))?;
    let Some(parent) = parent else { return Ok(()) };
    let made = Made { message: &fact.message, operator: &operator, time: fact.time, parent };
    let after = reader.trust_at(id)?;
    quorum::check(reader, judge, &after, &made)?.map_err(|why| believe(&fact.object, &why).into())
}
