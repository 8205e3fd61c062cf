//! What an agent is made of, and which components a change brings, takes or moves.

mod address;
mod check;
mod component;
pub mod cyclonedx;
pub mod delta;
mod exact;
mod facts;
mod finding;
mod graph;
mod image;
mod observation;
pub mod offer;
mod reworded;
pub mod risk;
mod serial;
pub mod spdx;
#[cfg(test)]
mod tests;

pub use check::check;
pub use component::{Component, Outside, Sort, What};
pub use delta::{AbomDelta, Became, Moved, Other, delta};
pub use exact::exact;
pub use finding::Finding;
pub use graph::Graph;
pub use observation::{OBSERVATION_DAYS, OBSERVATION_SCHEMA, Observation, ToolDefinition, tools_digest};
pub use reworded::reworded;
