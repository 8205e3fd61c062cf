//! One view for each command.

mod apply;
mod gates;
mod init;
mod validate;

pub use apply::{ApplyResult, ResourceChange};
pub use init::InitResult;
pub use validate::{Counts, ValidationResult};

/// The fields of a view that derives its serialisation.
fn fields_of(view: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(view).expect("views hold only what JSON can")
}
