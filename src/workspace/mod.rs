//! Files: discovery, `joch.yaml`, ignore rules, the journals of runs.

mod beside;
mod cache;
mod config;
pub mod dataset;
mod discover;
mod own;
mod project;
mod run;

pub use cache::{Cache, Sealed};
pub use config::{Config, Context};
pub use dataset::read_inside;
pub use discover::{Sources, discover, read_file, read_own};
pub use project::{Project, Trouble, write_new, write_over, write_through};
pub use run::{Journal, RunDirectory, journals_at, read_journal};
