//! What a gate answers, and what all answers together come to.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bom::Finding;

/// The answer of one gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Its evidence says yes.
    Pass,
    /// Its evidence says no.
    Fail,
    /// Only a person's yes is missing.
    Pending,
    /// Its evidence cannot decide.
    Inconclusive,
    /// Its evidence is about something else than what would be released.
    Stale,
    /// There is no evidence.
    Missing,
    /// Its evidence could not be read.
    Error,
}

impl Verdict {
    /// The word that stands in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Pending => "WAIT",
            Self::Inconclusive => "UNCLEAR",
            Self::Stale => "STALE",
            Self::Missing => "MISSING",
            Self::Error => "ERROR",
        }
    }
}

/// One gate's answer, with what a person needs to act on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateResult {
    /// The gate: `approval`, `eval`, `policy`, …
    pub gate: String,
    /// What it is about: the team, the eval, the resource; empty for a gate there is one of.
    pub name: String,
    /// The answer.
    pub verdict: Verdict,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub observed: Option<String>,
    /// What was demanded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threshold: Option<String>,
    /// Why this is the answer.
    pub reason: String,
    /// The next command or step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
    /// Who can supply what is missing, where the gate knows it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub who: Vec<String>,
    /// Ids of the evidence looked at.
    pub evidence: Vec<String>,
    /// Who demands it: `--require`, `Deployment/x`, `Environment/prod`.
    #[serde(default)]
    pub demanded_by: Vec<String>,
    /// The demand as it is written: `agbom:high`. None for a gate that always stands.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub requirement: Option<String>,
    /// Whether the answer is only told: everybody who demands it asks for advice.
    #[serde(skip_serializing_if = "is_false", default)]
    pub advisory: bool,
    /// Who let the change through in spite of this answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub overridden: Option<Overridden>,
    /// What risk rules found.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub findings: Vec<Finding>,
}

/// Somebody's word that a change happens in spite of one gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overridden {
    /// The principal.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The incident or ticket.
    pub ticket: String,
    /// Until when a second person must have reviewed it.
    pub expires: DateTime<Utc>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl GateResult {
    /// An answer without words yet.
    pub fn new(gate: impl Into<String>, name: impl Into<String>, verdict: Verdict) -> Self {
        Self {
            gate: gate.into(),
            name: name.into(),
            verdict,
            observed: None,
            threshold: None,
            reason: String::new(),
            next: None,
            who: Vec::new(),
            evidence: Vec::new(),
            demanded_by: Vec::new(),
            requirement: None,
            advisory: false,
            overridden: None,
            findings: Vec::new(),
        }
    }

    /// Whether the answer stops nothing, whatever it is.
    #[must_use]
    pub fn is_waived(&self) -> bool {
        self.advisory || self.overridden.is_some()
    }

    /// `approval:release-manager`, or `policy` alone.
    #[must_use]
    pub fn label(&self) -> String {
        if self.name.is_empty() { self.gate.clone() } else { format!("{}:{}", self.gate, self.name) }
    }
}

/// What the gates of a change come to. The printed verdict, the JSON `verdict` and the exit code all
/// derive from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every gate passed.
    Open,
    /// Only approvals are missing.
    Pending,
    /// Some gate could not decide, and none said no.
    Undecided,
    /// Some gate said no, or has no current evidence.
    Blocked,
}

impl Outcome {
    /// The first match of blocked, undecided, pending, open: a pending gate never hides a failing one.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a GateResult>) -> Self {
        let one = |result: &GateResult| match result.verdict {
            _ if result.is_waived() => Self::Open,
            Verdict::Pass => Self::Open,
            Verdict::Pending => Self::Pending,
            Verdict::Inconclusive | Verdict::Error => Self::Undecided,
            Verdict::Fail | Verdict::Stale | Verdict::Missing => Self::Blocked,
        };
        results.into_iter().map(one).max().unwrap_or(Self::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_gate_never_hides_a_failing_one() {
        let of = |verdicts: &[Verdict]| {
            let results: Vec<_> = verdicts.iter().map(|verdict| GateResult::new("g", "", *verdict)).collect();
            Outcome::of(&results)
        };
        use Verdict::{Error, Fail, Missing, Pass, Pending, Stale};
        assert_eq!(of(&[]), Outcome::Open);
        assert_eq!(of(&[Pass, Pending]), Outcome::Pending);
        assert_eq!(of(&[Pending, Error]), Outcome::Undecided);
        for no in [Fail, Missing, Stale] {
            assert_eq!(of(&[Pending, Error, no, Pass]), Outcome::Blocked);
        }
    }
}
