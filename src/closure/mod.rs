//! What an agent drags along: the members of its closure, how they are resolved, and which closures a
//! change reaches.

#[cfg(test)]
mod laws;
mod members;
mod resolve;
mod ripple;
mod selection;
mod shelf;
#[cfg(test)]
mod tests;

pub use members::{Closure, member_path};
pub use resolve::{Missing, Sources, Unresolved, resolve};
pub use ripple::{Exchange, Touched, holds, ripple};
pub use selection::selects;
pub use shelf::{Layer, Shelf, Unreadable, draws};
