//! One view for each command.

mod apply;
mod doctor;
mod gates;
mod init;
mod schema;
mod validate;
mod verbatim;
mod version;

pub use apply::{ApplyResult, ResourceChange};
pub use doctor::{DoctorCheck, DoctorResult};
pub use init::InitResult;
pub use schema::{KindList, KindRow};
pub use validate::{Counts, ValidationResult};
pub use verbatim::Verbatim;
pub use version::VersionInfo;

/// The fields of a view that derives its serialisation.
fn fields_of(view: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(view).expect("views hold only what JSON can")
}
