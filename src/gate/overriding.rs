//! Break glass: one person's signed word that a change happens in spite of a gate, with reason, ticket and a time by
//! which a second person must have reviewed it.

use chrono::{DateTime, Duration, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::name::{check_name, nearest};
use crate::resource::{Digest, ResourceId};

use super::evidence::Evidence;
use super::verdict::{GateResult, Overridden, Verdict};

/// Names the format of an override.
pub const OVERRIDE_SCHEMA: &str = "joch.dev/override/v1";
/// The longest time that an override may wait for its review, and what it is unless the operator says less.
pub const LONGEST_OVERRIDE_HOURS: i64 = 4;
/// The longest reason or ticket, in characters.
pub const LONGEST_REASON: usize = 2000;

/// What the operator asks to be let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The gate, as its answer is labelled: `approval:release-manager`.
    pub gate: String,
    /// Why.
    pub reason: String,
    /// The incident or ticket.
    pub ticket: String,
    /// Until when a second person must have reviewed it.
    pub expires: DateTime<Utc>,
}

/// The body of an evidence item under `overrides/`: what was let through, for which release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Glass {
    /// Names the format.
    pub schema: String,
    /// What the release changed.
    pub resource: ResourceId,
    /// Where.
    pub environment: String,
    /// The release, such as `prod/41`.
    pub release: String,
    /// What it brought; none for a deletion.
    pub digest: Option<Digest>,
    /// Digest of the release record.
    pub record: Digest,
    /// The gates that were overridden.
    pub gates: Vec<String>,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The incident or ticket.
    pub ticket: String,
    /// Who made what the release brought; none of them reviews it.
    pub authors: Vec<String>,
    /// When, by the operator's clock.
    pub stated_at: DateTime<Utc>,
    /// Until when a second person must have reviewed it.
    pub expires: DateTime<Utc>,
}

impl Glass {
    /// Reads an override from the bytes that were signed.
    ///
    /// # Errors
    /// A newer form, or what is no override.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let glass: Self = serde_json::from_slice(bytes).map_err(|why| format!("not an override: {why}"))?;
        if glass.schema == OVERRIDE_SCHEMA {
            return Ok(glass);
        }
        Err(format!("it is of schema `{}`, and this joch reads `{OVERRIDE_SCHEMA}`: upgrade joch", glass.schema))
    }
}

/// The words that begin the label of a gate that may be overridden.
const WORDS: [&str; 9] = ["eval", "approval", "policy", "agbom", "budget", "latency", "freeze", "soak", "hold"];

/// Checks that `label` names a gate that may be overridden.
///
/// # Errors
/// What it names, and why that is not overridden.
pub fn check_gate(label: &str) -> Result<(), String> {
    let (word, name) = label.split_once(':').map_or((label, None), |(word, name)| (word, Some(name)));
    let named = |name: &str| check_name(name).map_err(|rule| format!("`{label}`: {rule}"));
    match (word, name) {
        ("eval", None) => Err(format!("`{label}` names no eval: write `eval:NAME`")),
        ("approval", None) => Err(format!("`{label}` names no team: write `approval:TEAM`")),
        ("eval" | "approval" | "budget", Some(name)) => named(name),
        ("policy", Some(_)) => {
            Err(format!("`{label}`: a policy of the target that would go back is not overridden; promote it first"))
        }
        ("regression", _) => Err(format!("`{label}` is not overridden: allow it with `--allow-regression KIND/NAME`")),
        ("review", _) => {
            Err(format!("`{label}` is not overridden: a second person reviews what was overridden before"))
        }
        ("weakening", _) => Err(format!("`{label}` is not overridden: what loosens the gates takes its own approval")),
        (word, _) if WORDS.contains(&word) => Ok(()),
        (word, _) => Err(match nearest(word, WORDS) {
            Some(meant) => format!("`{label}` is no gate: did you mean `{meant}`?"),
            None => format!("`{label}` is no gate that may be overridden: {}", WORDS.join(", ")),
        }),
    }
}

/// Whether a text says something: what somebody signs as a reason holds a letter or digit, and can be read.
#[must_use]
pub fn is_reason(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric) && text.chars().count() <= LONGEST_REASON
}

impl Override {
    /// Checks that it names a gate, says why, names a ticket, and runs out in time.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), String> {
        check_gate(&self.gate)?;
        if !is_reason(&self.reason) {
            return Err(format!("`{}` is overridden with a reason of 1 to {LONGEST_REASON} characters", self.gate));
        }
        if !is_reason(&self.ticket) {
            return Err(format!("`{}` is overridden with the ticket or incident that it is for", self.gate));
        }
        if self.expires <= now || self.expires > now + Duration::hours(LONGEST_OVERRIDE_HOURS) {
            return Err(format!("an override runs out after at most {LONGEST_OVERRIDE_HOURS} hours"));
        }
        Ok(())
    }
}

/// Marks the answers that the operator overrides. What is not said in full, by somebody whom the Environment names, and
/// about a gate that may be overridden, marks none. A gate that passes is not overridden.
pub(super) fn apply(results: &mut [GateResult], evidence: &Evidence<'_>) {
    let wanted: Vec<_> = evidence.overrides.iter().filter(|asked| asked.check(evidence.now).is_ok()).collect();
    if wanted.is_empty() || evidence.trust.check_overrider(evidence.operator, evidence.environment).is_err() {
        return;
    }
    for result in results.iter_mut().filter(|result| result.verdict != Verdict::Pass && is_overridable(result)) {
        let asked = wanted.iter().find(|asked| names(asked, result));
        result.overridden = asked.map(|asked| Overridden {
            by: evidence.operator.name.clone(),
            reason: asked.reason.clone(),
            ticket: asked.ticket.clone(),
            expires: asked.expires,
        });
    }
}

/// Whether an override is of this gate: by its label, or by the demand as it is written.
fn names(asked: &Override, result: &GateResult) -> bool {
    asked.gate == result.label() || result.requirement.as_ref() == Some(&asked.gate)
}

/// Whether the answer may be overridden at all. A person's no may not: it stays until that person takes it back.
#[must_use]
pub fn is_overridable(result: &GateResult) -> bool {
    let rejected = result.gate == "approval" && (result.verdict == Verdict::Fail || result.name.is_empty());
    !result.advisory && !rejected && check_gate(&result.label()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Override {
        Override {
            gate: "approval:rm".into(),
            reason: "prod is down".into(),
            ticket: "INC-7".into(),
            expires: DateTime::UNIX_EPOCH + Duration::hours(4),
        }
    }

    #[test]
    fn only_named_gates_are_overridden() {
        for good in
            ["eval:quality", "approval:rm", "policy", "agbom", "agbom:high", "budget", "budget:b", "latency", "freeze"]
        {
            assert_eq!(check_gate(good), Ok(()), "{good}");
        }
        for (bad, says) in [
            ("eval", "names no eval"),
            ("approval", "names no team"),
            ("policy:policy/pii", "would go back is not overridden"),
            ("regression:tool/x", "`--allow-regression KIND/NAME`"),
            ("review", "a second person reviews"),
            ("weakening", "takes its own approval"),
            ("freez", "did you mean `freeze`?"),
            ("signature", "is no gate that may be overridden"),
            ("", "is no gate that may be overridden"),
        ] {
            let why = check_gate(bad).expect_err(bad);
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn an_override_says_why_for_which_ticket_and_for_how_long() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(asked().check(now), Ok(()));
        for (changed, says) in [
            (Override { reason: " - \n".into(), ..asked() }, "with a reason"),
            (Override { reason: "x".repeat(2001), ..asked() }, "with a reason"),
            (Override { ticket: String::new(), ..asked() }, "with the ticket"),
            (Override { expires: now, ..asked() }, "at most 4 hours"),
            (Override { expires: now + Duration::minutes(241), ..asked() }, "at most 4 hours"),
        ] {
            let why = changed.check(now).expect_err(says);
            assert!(why.contains(says), "{why}");
        }
    }
}
