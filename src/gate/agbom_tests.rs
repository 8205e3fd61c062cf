//! The agbom gate.
