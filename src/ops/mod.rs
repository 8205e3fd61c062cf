//! The verbs, one file each: request in, outcome out.

mod caller;
mod desk;
mod elsewhere;
mod failure;
mod find;
mod land;
mod project_files;
mod reach;
mod trust_change;

pub mod apply;
pub mod doctor;
pub mod init;
pub mod validate;

pub use caller::Caller;
pub use desk::{Desk, Operating};
pub use failure::{Failure, Kind as FailureKind};
pub use find::{Target, parse_kind, parse_target};
pub use land::Landed;
