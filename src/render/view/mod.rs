//! One view for each command.

mod agbom;
mod agbom_diff;
mod agbom_list;
mod apply;
mod approvals;
mod audit;
mod change;
mod changes;
mod describe;
mod diff;
mod diff_markdown;
mod doctor;
mod error;
mod eval;
mod eval_case;
mod eval_gate;
mod eval_list;
mod eval_part;
mod eval_plan;
mod eval_started;
mod explain;
mod findings;
mod gates;
mod gc;
mod get;
mod history;
mod holds;
mod init;
mod mcp;
mod policy;
mod release;
mod releases;
mod review;
mod rollback_check;
mod selftest;
mod trust;
mod validate;
mod words;

pub use agbom::{AgbomResult, BillComponent};
pub use agbom_diff::AgbomDiff;
pub use agbom_list::{AgbomHolder, AgbomList, UsedComponent};
pub use apply::{ApplyResult, AsksForLess, ResourceChange};
pub use approvals::{ApprovalItem, ApprovalList, ApprovalResult, OverrideWaiting, ProposedChange};
pub use audit::{AuditExport, AuditLog, CheckedCounts, ProofResult, VerifyResult};
pub use change::{ChangeResult, Judged};
pub use describe::{DescribedHolder, DescribedPlace, Description};
pub use diff::{AffectedAgent, ComparedResource, DiffResult, DiffSide};
pub use error::ErrorResult;
pub use eval::{EvalResult, EvalResults};
pub use eval_case::EvalCase;
pub use eval_gate::EvalGate;
pub use eval_list::{EvalList, LastRun, ListedEval, UnfinishedRun};
pub use eval_part::{EvalPart, EvalTrouble, PartState};
pub use eval_plan::{Estimate, EvalPlan, EvalPlans, PlannedMetric};
pub use eval_started::StartedEval;
pub use explain::{AlsoMissing, Explanation, MissingFact};
pub use gc::GcResult;
pub use get::{ListedResource, ResourceList};
pub use history::History;
pub use holds::{HoldList, HoldResult, ListedHold};
pub use init::InitResult;
pub use mcp::{McpDiff, McpObservation, McpRecorded, RecordState, Sighting};
pub use policy::{PolicyPreview, PreviewedAgent, PreviewedRung, gate_input};
pub use release::ReleaseDescription;
pub use releases::{ListedRelease, ReleaseList};
pub use review::{ReviewResult, ReviewedGates};
pub use rollback_check::{CheckedVersion, RollbackCheck};
mod schema;
mod verbatim;
mod version;
pub use doctor::{DoctorCheck, DoctorResult};
pub use schema::{KindList, KindRow};
pub use selftest::{PlantedChange, SelftestResult};
pub use trust::TrustResult;
pub use validate::{Counts, ValidationResult};
pub use verbatim::Verbatim;
pub use version::VersionInfo;

/// The fields of a view that derives its serialisation.
fn fields_of(view: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(view).expect("views hold only what JSON can")
}
