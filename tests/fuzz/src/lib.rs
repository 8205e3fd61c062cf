//! What is thrown at joch, and the laws that must hold of whatever it makes of it.
mod targets;

pub use targets::*;
