//! May it pass: requirement, evidence, verdict. Every gate always runs, and anything unknown blocks.

mod agbom;
mod agreement;
mod approval;
mod baseline;
mod binding;
mod budget;
mod eval;
mod evidence;
mod freeze;
mod hold;
mod latency;
#[cfg(test)]
mod laws;
mod measured;
mod observed;
mod overriding;
mod policy;
mod regression;
mod review;
mod score;
mod soak;
mod stain;
#[cfg(test)]
mod standing_tests;
mod statement;
#[cfg(test)]
mod stops;
mod terms;
#[cfg(test)]
mod tests;
mod verdict;
mod way_back;
mod weakening;

pub use agbom::{Place, open_findings};
pub use agreement::{Agreement, TRUST_CHANGE, agreement, proposed, proposed_trust, trust_changes, unfit};
pub use approval::{Counted, Tally, tally};
pub use budget::{BudgetLimit, Figure, HeldLimit, PricedModel, Projection, projected_run_cost, projections};
pub use eval::{Deciding, deciding};
pub use evidence::{Demand, Evidence, Subject};
pub use hold::{
    HOLD_SCHEMA, Held, Hold, HoldAction, Holds, lift_command, sentence as hold_sentence, standing as standing_hold,
};
pub use measured::{Measured, Measurements, Moved, Results};
pub use observed::{Observations, Observed, Scorers};
pub use overriding::{
    Glass, LONGEST_OVERRIDE_HOURS, LONGEST_REASON, OVERRIDE_SCHEMA, Override, check_gate, is_overridable, is_reason,
};
pub use policy::{Known, Sightings, obligations, policy_input, sightings_of};
pub use regression::{Regression, RegressionKind};
pub use review::{
    Broken, Judgement, Overrides, REVIEW_SCHEMA, Review, Reviewed, Standing as OverrideStanding, review_command,
    void_reviewer,
};
pub use score::Judged;
pub use stain::{Passed, Stain};
pub use statement::{
    APPROVAL_PREDICATE, CLOCK_LEEWAY_MINUTES, Change, DEFAULT_EXPIRY_HOURS, Decision, LONGEST_EXPIRY_HOURS, Predicate,
    Proposed, REQUEST_PREDICATE, Statement, Vote,
};
pub use verdict::{GateResult, Outcome, Overridden, Verdict};
pub use way_back::{Lack, forbidden, lacks, rejection, secrets_named, way_back};

use crate::resource::Requirement;

/// Judges one subject: every demand, and what it would undo in its environment. Order does not matter and
/// nothing stops at the first; the results stand in the order of the demands.
#[must_use]
pub fn evaluate(demands: &[Demand], subject: &Subject, evidence: &Evidence<'_>) -> Vec<GateResult> {
    let mut results: Vec<_> = demands.iter().map(|demand| judge(demand, subject, evidence)).collect();
    // Whom the operator asks beside does not decide whose no counts, and neither does advice.
    let is_approval = |demand: &&Demand| matches!(demand.requirement, Requirement::Approval(..));
    if !demands.iter().filter(is_approval).any(|demand| demand.is_standing() && !demand.advisory) {
        results.extend(approval::rejected(subject, evidence));
    }
    results.extend(regression::judge(&evidence.regressions, &evidence.allowed_regressions, evidence.gated));
    results.extend(weakening::judge(subject, evidence));
    if !evidence.is_rollback {
        results.extend(standing(subject, evidence));
    }
    overriding::apply(&mut results, evidence);
    results
}

/// The gates that nobody demands and that always stand before a forward change.
fn standing(subject: &Subject, evidence: &Evidence<'_>) -> Vec<GateResult> {
    let stands_still = freeze::judge(evidence).into_iter().chain(soak::judge(subject, evidence));
    stands_still.chain(hold::judge(subject, evidence)).chain(review::judge(subject, evidence)).collect()
}

fn judge(demand: &Demand, subject: &Subject, evidence: &Evidence<'_>) -> GateResult {
    let mut result = match &demand.requirement {
        Requirement::Approval(team, count) => approval::judge(team, *count, subject, evidence),
        Requirement::Eval(name) => eval::judge(name, demand, subject, evidence),
        Requirement::Budget(only) => budget::judge(only.as_deref(), demand, subject, evidence),
        Requirement::Latency(most) => latency::judge(*most, subject, evidence),
        Requirement::Policy => policy::judge(subject, evidence),
        Requirement::AgBom(severity) => agbom::judge(*severity, demand, subject, evidence),
    };
    result.demanded_by.clone_from(&demand.origins);
    result.requirement = Some(demand.requirement.to_string());
    result.advisory = demand.advisory;
    result
}
