//! One view for each command.

mod apply;
mod gates;
mod init;

pub use apply::{ApplyResult, ResourceChange};
pub use init::InitResult;

/// The fields of a view that derives its serialisation.
fn fields_of(view: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(view).expect("views hold only what JSON can")
}
