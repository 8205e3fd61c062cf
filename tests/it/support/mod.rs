//! What tests share: a world with people in it, stories told there, and the programs that not every machine has.

pub(crate) mod measure;
mod needs;
pub(crate) mod redact;
pub(crate) mod schema;
pub(crate) mod server;
pub(crate) mod story;
pub(crate) mod world;

pub(crate) use needs::{all, long, needs};
