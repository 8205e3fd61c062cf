//! `joch eval`: what measures agents, and keeps what was measured.

mod baseline;
mod dataset;
mod estimate;
pub(super) mod execute;
mod journal;
mod left;
mod part;
mod prepare;
mod progress;
mod record;
mod results;
mod resume;

pub mod due;
pub mod gate;
pub mod list;
pub mod merge;
pub mod run;
pub mod send;
pub mod show;

pub use baseline::Baseline;
pub use record::{Recorded, record};
