//! What is left when a command is killed, or its disk is full or fails, at any call that changes a file: the old state or
//! the new, which the next command makes whole, and no word that is not true.
//!
//! The calls are sampled evenly, always the same; `JOCH_TEST_LONG=1` looks at many more and `JOCH_FAULTS=all` at every one,
//! which takes the better part of an hour: `JOCH_FAULTS=all cargo test --test it faults`.

mod cuts;
mod disk;
mod foreign;
mod named;
mod sweep;
pub(crate) mod tracer;
mod trial;
mod verbs;
