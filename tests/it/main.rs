//! Everything that is tested from outside, in one program: linking it once is what makes the suite quick.

mod acceptance;
mod architecture;
mod audit;
mod bypass;
mod contract;
mod demo;
mod eval;
mod eval_gate;
mod invalid;
mod judge;
mod ledger_door;
mod machine;
mod message;
mod output;
mod reads;
mod stories;
mod support;
mod weakening;
mod worked_examples;
mod workspace;
