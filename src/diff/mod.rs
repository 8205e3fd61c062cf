//! What changed: structural, by identity; text by hunks; and whether a change widens or narrows what an agent may do.

pub mod apply;
pub mod change;
pub mod class;
mod closures;
pub mod effect;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod laws;
mod levels;
mod normal;
pub mod path;
mod rules;
pub mod sets;
pub mod story;
pub mod strength;
pub mod structural;
pub mod text;
mod words;

pub use apply::apply;
pub use change::{Change, Effect, Note, Op};
pub use class::classes;
pub use closures::between_closures;
pub use levels::{Covering, weigh_closures};
pub use sets::{between_sets, summary};
pub use story::{Line, lines};
pub use strength::{Strength, Weakening, is_control, weigh};
pub use structural::between;
