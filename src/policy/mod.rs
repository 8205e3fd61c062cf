//! What policies say of a candidate before it runs: native rules, three-valued, and Rego.

mod applies;
mod document;
mod facts;
mod flaw;
mod found;
mod judge;
pub mod key;
mod native;
pub mod rego;
mod rego_guarded;
#[cfg(test)]
mod rego_hostile;
mod rego_meter;
mod rego_text;
mod rule;
#[cfg(test)]
mod tests;
mod wanted;

pub use applies::{Applied, Places, applied};
pub use document::{Asked, Components, Facts, INPUT_SCHEMA, Input, Member, Object, Seen};
pub use facts::{RunCost, Sighting, World};
pub use flaw::Flaw;
pub use found::{
    APPROVAL, DENY, FACT_MISSING, Found, INPUT_SIZE, Judgement, MALFORMED, Obligation, REGO_COMPILE, REGO_DENY,
    REGO_FAILED, REGO_RUNAWAY, REGO_SHAPE, REGO_WARN, TOO_MANY,
};
pub use judge::{Question, applying, as_here, draft, flaws, input, judge, judge_native};
pub use native::{MOST_CASES, People};
pub use rule::{Condition, Effect, Rule, rules};
pub use wanted::{Comparison, Wanted};

/// How long what somebody saw of an MCP server counts, in days.
pub const FRESH_DAYS: i64 = crate::bom::OBSERVATION_DAYS;
