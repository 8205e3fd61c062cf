//! Files: discovery, `joch.yaml`, ignore rules.

mod config;
pub mod dataset;
mod discover;
mod project;

pub use config::{Config, Context};
pub use discover::{Sources, discover, read_file};
pub use project::{Project, Trouble, write_new, write_over};
