//! What a policy comes to for one agent: violations, gaps, errors, warnings, and what the runtime must see to.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bom;
use crate::resource::{Digest, ResourceId, Risk};

/// One thing that a policy says of one agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PolicyFinding")]
pub struct Found {
    /// What sort of finding it is: `POL-DENY`, `POL-FACT-MISSING`, …, or the id that a Rego rule gives.
    pub id: String,
    /// The policy.
    pub policy: ResourceId,
    /// Digest of its content.
    pub digest: Digest,
    /// The rule's place in `spec.rules`, from 0; none for Rego.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<usize>,
    /// What it is about: the agent, and the tool, server or Model.
    pub context: String,
    /// How grave it is.
    #[schemars(with = "String")]
    pub severity: Risk,
    /// What was found: facts, their values, and where these come from.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

/// A rule that only the runtime can keep, because it asks for what is not known before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Obligation {
    /// The policy.
    pub policy: ResourceId,
    /// Digest of its content.
    pub digest: Digest,
    /// The rule's place in `spec.rules`, from 0.
    pub rule: usize,
    /// What it is about: the agent, and the tool, server or Model.
    pub context: String,
    /// What must be enforced.
    pub must: String,
}

/// All that policies say of one agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What is forbidden.
    pub violations: Vec<Found>,
    /// What nobody can tell, because a fact is missing.
    pub gaps: Vec<Found>,
    /// What could not be judged at all.
    pub errors: Vec<Found>,
    /// What is only said.
    pub warnings: Vec<Found>,
    /// What the runtime must see to.
    pub obligations: Vec<Obligation>,
    /// How many policies apply, each content once.
    pub policies: usize,
}

/// A native rule denies it.
pub const DENY: &str = "POL-DENY";
/// A person must allow it, and nothing asks one.
pub const APPROVAL: &str = "POL-APPROVAL-UNWIRED";
/// A fact is missing that could be there.
pub const FACT_MISSING: &str = "POL-FACT-MISSING";
/// The policy cannot be acted on.
pub const MALFORMED: &str = "POL-MALFORMED";
/// A rule has too many cases to be judged.
pub const TOO_MANY: &str = "POL-TOO-MANY-CASES";
/// Rego denies it, and gives no id of its own.
pub const REGO_DENY: &str = "POL-REGO-DENY";
/// Rego warns of it, and gives no id of its own.
pub const REGO_WARN: &str = "POL-REGO-WARN";
/// Rego that cannot be read.
pub const REGO_COMPILE: &str = "POL-REGO-COMPILE";
/// Rego that is not in the package, or has none of the rules, or answers something else than findings.
pub const REGO_SHAPE: &str = "POL-REGO-SHAPE";
/// Rego that went wrong while it ran.
pub const REGO_FAILED: &str = "POL-REGO-FAILED";
/// Rego that took more steps than it may.
pub const REGO_RUNAWAY: &str = "POL-REGO-RUNAWAY";
/// What Rego would be asked is too large.
pub const INPUT_SIZE: &str = "POL-INPUT-SIZE";

impl Judgement {
    /// Adds what else was judged.
    pub fn extend(&mut self, other: Self) {
        self.violations.extend(other.violations);
        self.gaps.extend(other.gaps);
        self.errors.extend(other.errors);
        self.warnings.extend(other.warnings);
        self.obligations.extend(other.obligations);
    }

    /// Puts it in order and leaves out what is said twice.
    #[must_use]
    pub fn settled(mut self) -> Self {
        for list in [&mut self.violations, &mut self.gaps, &mut self.errors, &mut self.warnings] {
            list.sort();
            list.dedup();
        }
        self.obligations.sort();
        self.obligations.dedup();
        self
    }

    /// What stands in the way: violations, then errors, then gaps.
    pub fn obstacles(&self) -> impl Iterator<Item = &Found> {
        self.violations.iter().chain(&self.errors).chain(&self.gaps)
    }
}

impl Found {
    /// The policy and the rule, as in a sentence: `policy/no-shell 1a2b3c4d rules[0]`.
    #[must_use]
    pub fn place(&self) -> String {
        let rule = self.rule.map_or_else(String::new, |rule| format!(" rules[{rule}]"));
        format!("{} {}{rule}", self.policy, self.digest.short())
    }

    /// As a gate carries it.
    #[must_use]
    pub fn finding(&self) -> bom::Finding {
        bom::Finding {
            rule: self.id.clone(),
            component: format!("{} · {}", self.place(), self.context),
            severity: self.severity,
            reason: self.reason.clone(),
            remedy: self.remedy.clone(),
            introduced: true,
            exception: None,
        }
    }
}

/// `POL-DENY policy/no-shell 1a2b3c4d rules[0]: agent/x · tool/rm: why`.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}: {}", self.id, self.place(), self.context, self.reason)
    }
}
