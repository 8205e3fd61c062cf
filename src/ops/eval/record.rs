//! Appends the result of a run to the evidence, signed by whoever ran it.

use anyhow::Result;

use crate::eval::{RunResult, Verdict};
use crate::ledger::Reader;
use crate::ops::caller::Caller;
use crate::ops::desk::{Desk, Operating};
use crate::ops::failure::Failure;
use crate::ops::land::{append, commit_time, signed_item};
use crate::ops::tips::check_tips;
use crate::release::{fold, layout};
use crate::resource::Digest;
use crate::trust::Trust;

/// A result on the evidence branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its id: the SHA-256 of its bytes, in hex.
    pub id: String,
    /// Who signed it.
    pub principal: String,
    /// The evidence commit that carries it; none where the same result stood there before.
    pub commit: Option<String>,
}

/// Signs a result and appends it to the evidence. The same bytes are appended once.
///
/// # Errors
/// There is no ledger, the caller may not run evals, the key cannot sign, or the ledger cannot be written.
pub fn record(result: &RunResult, caller: &mut Caller<'_>) -> Result<Recorded> {
    let desk = Desk::open(caller)?;
    let mut transaction = desk.begin()?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let operating = desk.operating(caller, &trust)?;
    check_runner(&trust, &operating)?;
    let bytes = result.to_json();
    let principal = operating.operator.principal.name.clone();
    let subject = &result.subject;
    let path = |id: &str| layout::eval_result(&subject.agent, subject.digest, id);
    let mut recorded = Recorded { id: Digest::of(&bytes).hex(), principal, commit: None };
    if stands(&path(&recorded.id), &reader)? {
        return Ok(recorded);
    }
    let time = commit_time(&desk, &reader, &[layout::EVIDENCE], caller.now, &mut caller.notices)?;
    let edits = Vec::from(signed_item(bytes, &operating, path)?);
    let commit = append(&mut transaction, &reader, edits, message(result, &operating), &operating, time)?;
    desk.finish(transaction, caller)?;
    recorded.commit = Some(commit.to_string());
    Ok(recorded)
}

/// Refuses at once whoever could not sign a result in the end.
///
/// # Errors
/// There is no key, or its role does not allow it; or nothing is appended to what stands on evidence.
pub(super) fn check_before(desk: &Desk, trust: &Trust, caller: &Caller<'_>) -> Result<()> {
    check_tips(desk, &desk.reader()?, &[layout::EVIDENCE])?;
    Ok(check_runner(trust, &desk.operating(caller, trust)?)?)
}

/// Refuses a result that no environment would take from this signer.
fn check_runner(trust: &Trust, operating: &Operating) -> Result<(), Failure> {
    let who = &operating.operator.principal;
    if trust.may_run_evals(who) {
        return Ok(());
    }
    let admins = trust.admins().into_iter().collect::<Vec<_>>().join(", ");
    Err(Failure::credentials(
        "role",
        format!("`{who}` is no operator here, and no environment names it in `evalRunners`"),
    )
    .next(format!("ask an admin: {admins}")))
}

fn stands(path: &str, reader: &Reader<'_>) -> Result<bool> {
    Ok(reader.snapshot().entry_at(reader.tip(layout::EVIDENCE)?, path)?.is_some())
}

fn message(result: &RunResult, operating: &Operating) -> String {
    let (subject, eval) = (&result.subject, &result.eval.id);
    let word = match result.verdict {
        Verdict::Passed => "passed",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Failed => "failed",
    };
    format!(
        "{} of {} in {}: {word}\n\nJoch-Event: eval\nJoch-Operator: {}\n",
        fold(&eval.to_string()),
        fold(&subject.agent.to_string()),
        fold(&subject.environment),
        fold(&operating.operator.principal.name)
    )
}
