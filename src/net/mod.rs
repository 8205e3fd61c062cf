//! The network, and programs that answer like it: targets, judges and collectors; pace, repeated attempts, limits.

mod attempts;
mod client;
mod credentials;
#[cfg(test)]
mod hostile;
mod judge;
#[cfg(test)]
mod judging;
mod pace;
#[cfg(test)]
mod patience;
#[cfg(test)]
mod programs;
mod setting;
#[cfg(test)]
mod speaking;
#[cfg(test)]
mod stage;
pub mod target;

pub use client::Client;
pub use credentials::Credentials;
pub use judge::JudgeClient;
pub use setting::{Limits, Proxy, Setting};
pub use target::Target;
