//! What a change would undo in its environment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::{Kind, ResourceId};

use super::verdict::{GateResult, Verdict};

/// One thing the target has that the candidate would take back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Regression {
    /// What is taken back.
    pub resource: ResourceId,
    /// How.
    pub kind: RegressionKind,
    /// The version the target has.
    pub target_version: Option<u64>,
    /// The version the candidate brings, if it brings any.
    pub candidate_version: Option<u64>,
}

/// The ways in which a promotion takes something back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RegressionKind {
    /// A member is older than in the target.
    Older,
    /// A policy of the target that selects the candidate is missing in it.
    MissingPolicy,
    /// Somebody applied to the target since the last promotion, and the candidate does not have it.
    AppliedThere,
}

impl Regression {
    /// One line for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let version = |version: Option<u64>| version.map_or_else(String::new, |version| format!(" v{version}"));
        let (has, brings) = (version(self.target_version), version(self.candidate_version));
        match self.kind {
            RegressionKind::Older => {
                format!("{} goes back: the target has{has}, the candidate brings{brings}", self.resource)
            }
            RegressionKind::MissingPolicy => {
                format!("{}{has} of the target selects the candidate and is missing in it", self.resource)
            }
            RegressionKind::AppliedThere => format!(
                "{}{has} was applied in the target since its last promotion, and the candidate{brings} would replace it",
                self.resource
            ),
        }
    }
}

/// A policy regression always fails the policy gate; any other needs `--allow-regression` where the
/// environment is gated.
pub(super) fn judge(regressions: &[Regression], allowed: &[ResourceId], gated: bool) -> Vec<GateResult> {
    let mut results = Vec::new();
    for regression in regressions {
        let policy = regression.resource.kind == Kind::Policy;
        if !policy && !gated {
            continue;
        }
        let (gate, next) = if policy {
            (
                "policy",
                format!(
                    "promote {0} as the target has it into the source first, then promote again",
                    regression.resource
                ),
            )
        } else {
            ("regression", format!("if that is meant, add `--allow-regression {}`", regression.resource))
        };
        let allowed = !policy && allowed.contains(&regression.resource);
        let verdict = if allowed { Verdict::Pass } else { Verdict::Fail };
        let mut result = GateResult::new(gate, regression.resource.to_string(), verdict);
        result.reason = regression.sentence();
        if allowed {
            result.reason.push_str(", allowed by the operator");
        } else {
            result.next = Some(next);
        }
        result.demanded_by.push("every environment".into());
        results.push(result);
    }
    results
}
