//! Can it be proven: what happened in order, what runs where, and whether the ledger is as honest verbs leave it. Each
//! file checks one concern over plain facts, and gives what contradicts a rule as values.

pub mod bill;
pub mod chain;
pub mod commit;
pub mod compare;
pub mod evidence;
pub mod gates;
pub mod memory;
pub mod numbers;
pub mod refs;
pub mod stopped;
pub mod tags;
pub mod tree;
pub mod trust;

mod finding;
#[cfg(test)]
mod order;
mod proof;
mod timeline;
mod trailers;

pub use finding::{Finding, Rule};
pub use memory::Memory;
pub use proof::{Proof, ProofFacts, SignatureProof, prove};
pub use timeline::{Entry, Filter, Touched, newest_first};
pub use trailers::{trailer, trailers};
