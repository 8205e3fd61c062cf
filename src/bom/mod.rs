//! What an agent is made of, and which components a change brings, takes or moves.

pub mod delta;
mod exact;
mod finding;
mod observation;
pub mod offer;
mod reworded;

pub use delta::{AbomDelta, Moved, delta};
pub use exact::exact;
pub use finding::Finding;
pub use observation::{OBSERVATION_DAYS, OBSERVATION_SCHEMA, Observation, ToolDefinition, tools_digest};
pub use reworded::reworded;
