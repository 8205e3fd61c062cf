//! Can it be proven: what happened in order, and what runs where, with the commands that show the same in plain Git.

mod finding;
mod proof;
mod timeline;

pub use finding::{Finding, Rule};
pub use proof::{Proof, ProofFacts, SignatureProof, prove};
pub use timeline::{Entry, Filter, Touched, newest_first};
