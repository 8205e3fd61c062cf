//! Checks: what is computed from case and answer, with no model in between.

mod checker;
mod json;
#[cfg(test)]
mod tests;
mod text;
mod trajectory;

pub use checker::Checker;
