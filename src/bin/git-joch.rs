//! `joch`: release management for AI agents on a signed Git ledger.

fn main() {}
