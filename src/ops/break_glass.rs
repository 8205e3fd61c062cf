//! `--override`: what an operator asks to be let through in spite of its gate, checked before anything is judged.

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

use crate::gate::{LONGEST_OVERRIDE_HOURS, Override, check_gate};
use crate::release::Plan;
use crate::trust::Trust;

use super::caller::Caller;
use super::desk::Operating;
use super::failure::Failure;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The gates, as their answers are labelled.
    pub gates: Vec<String>,
    /// The incident or ticket.
    pub ticket: Option<String>,
    /// How long it may wait for its review; the longest time where nothing is said.
    pub within: Option<Duration>,
}

/// The overrides that are asked for, in full.
///
/// # Errors
/// A gate that is not overridden, no reason or ticket, too long a time, or a role that does not allow it.
pub(super) fn overrides(
    request: &Request,
    reason: Option<&str>,
    environment: &str,
    now: DateTime<Utc>,
    trust: &Trust,
    operating: &Operating,
) -> Result<Vec<Override>, Failure> {
    if request.gates.is_empty() {
        return Ok(Vec::new());
    }
    let say = "say `--override GATE --reason TEXT --ticket ID`";
    for gate in &request.gates {
        check_gate(gate).map_err(|why| Failure::usage(why).next(say))?;
    }
    let within = request.within.unwrap_or_else(|| Duration::hours(LONGEST_OVERRIDE_HOURS));
    let full = |gate: &String| Override {
        gate: gate.clone(),
        reason: reason.unwrap_or_default().to_owned(),
        ticket: request.ticket.clone().unwrap_or_default(),
        expires: now + within,
    };
    let overrides: Vec<_> = request.gates.iter().map(full).collect();
    for asked in &overrides {
        asked.check(now).map_err(|why| Failure::usage(why).next(say))?;
    }
    let who = &operating.operator.principal;
    trust.check_overrider(who, environment).map_err(|why| {
        let code = if who.automation { "automation" } else { "role" };
        Failure::credentials(code, why).next("ask one of them, or get what the gate wants; a rollback needs no gate")
    })?;
    Ok(overrides)
}

/// Tells what an override came to: gates that it was not needed for, and by when somebody must review it.
pub(super) fn tell(overrides: &[Override], plan: &Plan, environment: &str, trust: &Trust, caller: &mut Caller<'_>) {
    let gates = || plan.records.iter().flat_map(|record| &record.gates);
    for asked in overrides {
        let named = |label: &str, requirement: Option<&String>| label == asked.gate || requirement == Some(&asked.gate);
        let mut answers = gates().filter(|gate| named(&gate.label(), gate.requirement.as_ref())).peekable();
        if answers.peek().is_none() {
            caller.notice(format!("`{}` is not overridden: no such gate was asked", asked.gate));
        } else if answers.all(|gate| gate.overridden.is_none()) {
            caller.notice(format!("`{}` is not overridden: it passes, or a person's no stands there", asked.gate));
        }
    }
    let open = gates().find_map(|gate| gate.overridden.as_ref());
    if let Some(said) = open.filter(|_| plan.outcome == crate::gate::Outcome::Open) {
        let able = trust.reviewers(&said.by, environment);
        let time = said.expires.format("%Y-%m-%dT%H:%M:%SZ");
        caller.notice(format!(
            "a second person reviews this by {time}, or nothing more goes forward here: {}",
            crate::gate::review_command(&plan.manifest.name(), &able)
        ));
    }
}
