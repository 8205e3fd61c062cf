//! What an agent is made of, and which components a change brings, takes or moves.

pub mod delta;

pub use delta::{AbomDelta, Component, Moved, delta};
