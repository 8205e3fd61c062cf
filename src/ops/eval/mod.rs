//! `joch eval`: what measures agents, and keeps what was measured.

mod record;

pub use record::{Recorded, record};
