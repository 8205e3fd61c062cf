//! Whether a release was let through rightly: every gate that was demanded was asked, its answer follows from its
//! evidence, and none stopped it.

use crate::gate::{GateResult, Outcome, Verdict};
use crate::release::Record;

use super::commit::CommitFact;
use super::finding::{Finding, Rule};

/// Compares the gates of a record with those that the rules and the evidence of that time demand.
#[must_use]
pub fn check_gates(commit: &CommitFact, found: &Record, derived: &Record) -> Vec<Finding> {
    let subject = &found.agent_ref;
    let mut findings = Vec::new();
    if Outcome::of(&found.gates) != Outcome::Open {
        let stopped: Vec<_> = found.gates.iter().filter(|gate| stops(gate)).map(GateResult::label).collect();
        let wrong = format!("its own record says that {} stopped {subject}", stopped.join(", "));
        findings.push(commit.finding(Rule::GateNotPassed, wrong));
    }
    if found.gate_rules != derived.gate_rules {
        let wrong = format!("the gate rules that its record of {subject} names are not those that held");
        findings.push(commit.finding(Rule::GateRules, wrong));
    }
    for (at, gate) in derived.gates.iter().enumerate() {
        let label = gate.label();
        let Some(answer) = counterpart(&derived.gates, at, &found.gates) else {
            let by = gate.demanded_by.join(", ");
            let wrong = format!("`{label}` is demanded of {subject} by {by}, and its record does not have it");
            findings.push(commit.finding(Rule::GateMissing, wrong));
            continue;
        };
        if !same_answer(answer, gate) {
            let wrong = format!(
                "its record says {} of `{label}` for {subject}, and the evidence says {}: {}",
                answer.verdict.word(),
                gate.verdict.word(),
                gate.reason
            );
            findings.push(commit.finding(Rule::GateVerdict, wrong));
        }
        if answer.overridden != gate.overridden {
            let wrong = match &answer.overridden {
                Some(said) => format!(
                    "its record says that `{}` overrode `{label}` for {subject}, and under the trust it cites that is not so",
                    said.by
                ),
                None => format!("its record leaves out that `{label}` was overridden for {subject}"),
            };
            findings.push(commit.finding(Rule::Override, wrong));
        }
    }
    for (at, answer) in found.gates.iter().enumerate() {
        let label = answer.label();
        match counterpart(&found.gates, at, &derived.gates) {
            None => {
                let wrong = format!("its record has an answer of `{label}` for {subject}, which was not asked");
                findings.push(commit.finding(Rule::GateVerdict, wrong));
            }
            // Another joch may word it otherwise.
            Some(gate) if same_answer(answer, gate) && found.joch == derived.joch && !same_words(answer, gate) => {
                let wrong = format!("what its record tells of `{label}` for {subject} is not what that gate tells");
                findings.push(commit.finding(Rule::GateVerdict, wrong));
            }
            Some(_) => {}
        }
    }
    findings
}

/// The answer among `others` that stands for the one at this place: of the answers of one label, the first for the first
/// and the second for the second. One team may be asked for one approval here and for two there.
pub(super) fn counterpart<'g>(gates: &[GateResult], at: usize, others: &'g [GateResult]) -> Option<&'g GateResult> {
    let label = gates[at].label();
    let before = gates[..at].iter().filter(|gate| gate.label() == label).count();
    others.iter().filter(|gate| gate.label() == label).nth(before)
}

/// Whether two answers of a gate tell the same of what they found.
pub(super) fn same_words(one: &GateResult, other: &GateResult) -> bool {
    let words =
        |gate: &GateResult| (gate.reason.clone(), gate.observed.clone(), gate.threshold.clone(), gate.findings.clone());
    words(one) == words(other) && (&one.demanded_by, &one.requirement) == (&other.demanded_by, &other.requirement)
}

/// Whether two answers of a gate say the same on the same evidence.
pub(super) fn same_answer(one: &GateResult, other: &GateResult) -> bool {
    (one.verdict, one.advisory, &one.evidence) == (other.verdict, other.advisory, &other.evidence)
}

/// Whether an answer stops a change.
fn stops(gate: &GateResult) -> bool {
    gate.verdict != Verdict::Pass && !gate.is_waived()
}

/// The findings where a release would not have been let through under a trust that its author can have known.
#[must_use]
pub fn check_outcome(commit: &CommitFact, under: &str, derived: &[Record]) -> Vec<Finding> {
    let gates = derived.iter().flat_map(|record| &record.gates);
    let stopped: Vec<_> = gates.filter(|gate| stops(gate)).map(GateResult::label).collect();
    if stopped.is_empty() {
        return Vec::new();
    }
    let wrong = format!(
        "it cites an older trust than {under}, which had not seen it, and under that {} would have stopped it",
        stopped.join(", ")
    );
    vec![commit.finding(Rule::StaleTrust, wrong)]
}
