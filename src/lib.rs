//! Release management for AI agents on a signed Git ledger.
//!
//! The rooms of the house, in reading order. A room uses only the rooms above it, and each foreign crate
//! has its door; `tests/it/architecture.rs` checks both.

// What is: values in, values out. No clock, no disk, no network.
pub mod resource;

pub mod closure;

pub mod diff;

pub mod eval;

pub mod bom;

pub mod policy;

pub mod trust;

pub mod gate;

pub mod release;

pub mod audit;

pub mod render;

// The doors: Git, files and the network. They know nothing of each other.
pub mod ledger;

pub mod workspace;

pub mod net;

// The verbs, and the words people type.
pub mod ops;

pub mod cli;
