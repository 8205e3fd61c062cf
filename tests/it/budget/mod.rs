//! A promotion waits for its budget: what it would cost, by what its runs used, against every limit that holds.

mod bench;
mod judged;

pub(crate) use bench::{Bench, agent, policy, resource};
