//! The verbs, one file each: request in, outcome out.

mod caller;
mod desk;
mod failure;
mod find;
mod land;
mod project_files;
mod promotion;
mod reach;
mod remember;
mod signatures;
mod trust_change;

pub mod apply;
pub mod approvals;
pub mod approve;
pub mod audit_log;
pub mod audit_verify;
pub mod delete;
pub mod explain;
pub mod init;
pub mod moment;
pub mod promote;
pub mod prove;
pub mod rollback;

pub use caller::Caller;
pub use desk::{Desk, Operating};
pub use failure::{Failure, Kind as FailureKind};
pub use find::{Target, parse_target};
pub use land::Landed;
pub use promotion::Move;
pub use remember::remember;
