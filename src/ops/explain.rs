//! `joch explain`: what a promotion is missing, who can supply it, and with which command.

use anyhow::Result;

use crate::gate::{GateResult, Verdict};
use crate::release::{Operator, Plan, layout};
use crate::resource::ResourceId;
use crate::trust::{Principal, Trust};

use super::caller::Caller;
use super::desk::Desk;
use super::judge::{Asked, judge};
use super::land::commit_time;
use super::promotion::{Move, draft};

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was asked.
    pub wanted: Move,
    /// The plan; none where the target has all of it already.
    pub plan: Option<Plan>,
    /// What is missing.
    pub missing: Vec<Fact>,
    /// What the target has already.
    pub unchanged: Vec<ResourceId>,
}

/// One missing fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The resource that it is about.
    pub resource: ResourceId,
    /// What the gate says.
    pub gate: GateResult,
    /// Who can supply it.
    pub who: Vec<String>,
    /// With which command.
    pub command: String,
}

/// Explains a promotion; needs no key, and writes nothing.
///
/// # Errors
/// See [`super::promotion`].
pub fn run(wanted: &Move, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let nobody =
        Operator { principal: Principal { name: String::new(), automation: true }, fingerprint: String::new() };
    let operator = desk.operating(caller, &trust).map_or(nobody, |operating| operating.operator);
    let promotion = draft(wanted, &reader, &trust, &desk, caller)?;
    let mut outcome =
        Outcome { wanted: wanted.clone(), plan: None, missing: Vec::new(), unchanged: promotion.unchanged };
    if promotion.draft.is_empty() {
        return Ok(outcome);
    }
    let time = commit_time(&reader, &[layout::EVIDENCE, wanted.to.as_str()], caller.now, &mut caller.notices)?;
    let plan = judge(&promotion.draft, &Asked::of(&trust, &desk), &reader, &operator, time)?;
    for record in &plan.records {
        for gate in record.gates.iter().filter(|gate| gate.verdict != Verdict::Pass) {
            let id = &record.agent_ref;
            let who = who(gate, &trust, &operator, &record.authors);
            let command = command(gate, id, wanted);
            outcome.missing.push(Fact { resource: id.clone(), gate: gate.clone(), who, command });
        }
    }
    outcome.plan = Some(plan);
    Ok(outcome)
}

fn who(gate: &GateResult, trust: &Trust, operator: &Operator, authors: &[String]) -> Vec<String> {
    if gate.gate != "approval" {
        return Vec::new();
    }
    let people = trust.people();
    if people.len() == 1 {
        return people.into_iter().map(str::to_owned).collect();
    }
    let may = |user: &&str| {
        people.contains(user) && *user != operator.principal.name && !authors.iter().any(|author| author == user)
    };
    trust.approvers(&gate.name).unwrap_or_default().into_iter().filter(may).map(str::to_owned).collect()
}

fn command(gate: &GateResult, id: &ResourceId, wanted: &Move) -> String {
    let what = if wanted.files.is_empty() {
        id.words()
    } else {
        wanted.files.iter().map(|file| format!("-f {file}")).collect::<Vec<_>>().join(" ")
    };
    let step = format!("{what} --from {} --to {}", wanted.from, wanted.to);
    match gate.gate.as_str() {
        "approval" => format!("joch approve {step} --team {}", gate.name),
        "regression" => format!("joch promote {step} --allow-regression {}", gate.name),
        _ => gate.next.clone().unwrap_or_default(),
    }
}
