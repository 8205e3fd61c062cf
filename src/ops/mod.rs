//! The verbs, one file each: request in, outcome out.

mod caller;
mod content;
mod cut;
mod desk;
mod elsewhere;
mod failure;
mod find;
mod judge;
mod land;
mod past;
mod project_files;
mod promotion;
mod reach;
mod remember;
mod revision;
mod set;
mod signatures;
mod trust_change;

pub mod apply;
pub mod approvals;
pub mod approve;
pub mod audit_log;
pub mod audit_verify;
pub mod delete;
pub mod describe;
pub mod diff;
pub mod diff_files;
pub mod doctor;
pub mod explain;
pub mod get;
pub mod history;
pub mod init;
pub mod moment;
pub mod promote;
pub mod prove;
pub mod releases;
pub mod rollback;
pub mod validate;

pub use caller::Caller;
pub use desk::{Desk, Operating};
pub use failure::{Failure, Kind as FailureKind};
pub use find::{Target, parse_kind, parse_target};
pub use land::Landed;
pub use promotion::Move;
pub use revision::Side;
