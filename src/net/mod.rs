//! The network, and programs that answer like it: targets, judges and collectors; pace, repeated attempts, limits.

mod attempts;
mod client;
mod credentials;
mod judge;
pub mod otlp;
mod pace;
mod setting;
pub mod target;

pub use client::Client;
pub use credentials::Credentials;
pub use judge::JudgeClient;
pub use setting::{Limits, Proxy, Setting};
pub use target::Target;
pub mod loopback;
