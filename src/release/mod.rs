//! What happens: event, record, manifest, and the plan of what would be written. Nothing is written here.

pub mod layout;

mod account;
#[cfg(test)]
mod archive;
mod authors;
mod bills;
mod draft;
mod event;
mod manifest;
mod message;
mod numbers;
mod past;
mod plan;
mod policy_input;
mod record;
mod regressions;
mod rules;
#[cfg(test)]
mod tests;
mod weaken;

pub use bills::{Bills, Cut};
pub use draft::{AgentEdit, CatalogEdit, Draft, Running};
pub use event::{Event, Word};
pub use manifest::{Manifest, ManifestAgent, ManifestResource};
pub use message::{MessageFacts, fold};
pub use numbers::Numbering;
pub use past::{Happened, Past, Standing};
pub use plan::{Context, FileEdit, Plan, Votes, plan};
pub use policy_input::policy_input;
pub(crate) use record::read_json;
pub(crate) use record::write_json;
pub use record::{
    Brief, DefaultJudge, Operator, Record, RecordedApproval, RecordedOverride, RollbackPath, RuntimeContext, SCHEMA,
    Source, Undone, WRITERS,
};
pub use regressions::{Target, regressions};
pub use rules::{Rules, is_shared_control, rules_for};
pub use weaken::{Weakened, weakened};
