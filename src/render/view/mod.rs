//! One view for each command.

mod apply;
mod approvals;
mod audit;
mod change;
mod explain;
mod findings;
mod gates;
mod init;

pub use apply::{ApplyResult, ResourceChange};
pub use approvals::{ApprovalItem, ApprovalList, ApprovalResult};
pub use audit::{AuditLog, ProofResult, VerifyResult};
pub use change::{ChangeResult, Judged};
pub use explain::{Explanation, MissingFact};
pub use init::InitResult;

/// The fields of a view that derives its serialisation.
fn fields_of(view: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(view).expect("views hold only what JSON can")
}
