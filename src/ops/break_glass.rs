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
        check_gate(gate).map_err(|why| Failure::usage(why).next(instead_of(gate)))?;
    }
    let longest = Duration::hours(LONGEST_OVERRIDE_HOURS);
    let within = request.within.unwrap_or(longest);
    if within <= Duration::zero() || within > longest {
        let why = format!("an override runs out after at most {LONGEST_OVERRIDE_HOURS} hours");
        return Err(Failure::usage(why)
            .next(format!("say `--expires 2h`, or leave `--expires` out, which is {LONGEST_OVERRIDE_HOURS} hours")));
    }
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
        let nobody = trust.overriders(environment).is_ok_and(|able| able.is_empty());
        let ask = match nobody {
            true => format!(
                "an admin names people under `spec.override` of Environment `{environment}` with `joch apply -f FILE`"
            ),
            false => "ask one whom `spec.override` names".to_owned(),
        };
        Failure::credentials(code, why).next(format!("{ask}; or get what the gate wants; a rollback needs no gate"))
    })?;
    Ok(overrides)
}

/// What to do where a gate is named that is not overridden.
fn instead_of(gate: &str) -> String {
    match gate.split(':').next().unwrap_or(gate) {
        "weakening" => "the same command without `--override weakening` tells who may approve it, and how".to_owned(),
        "regression" => {
            format!("say `--allow-regression {}`", gate.split_once(':').map_or("KIND/NAME", |(_, named)| named))
        }
        "review" => "joch approvals review RELEASE --decision accept --rationale TEXT".to_owned(),
        "policy" => "joch promote policy/NAME --from ENV --to ENV".to_owned(),
        _ => "the same command without `--override` tells the gates that stop it, as they are named here".to_owned(),
    }
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
