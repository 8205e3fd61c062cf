//! What a result says of a run, rule by rule.

mod comparing;
mod laws;
mod merging;
mod metrics;
mod stage;
mod validity;
