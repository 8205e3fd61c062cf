//! What an agent is made of, and which components a change brings, takes or moves.

pub mod delta;
mod finding;
mod observation;

pub use delta::{AbomDelta, Moved, delta};
pub use finding::Finding;
pub use observation::{OBSERVATION_DAYS, OBSERVATION_SCHEMA, Observation, ToolDefinition};
