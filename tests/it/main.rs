//! Everything that is tested from outside, in one program: linking it once is what makes the suite quick.

mod acceptance;
mod agbom;
mod architecture;
mod audit;
mod budget;
mod bypass;
mod contract;
mod demo;
mod eval;
mod eval_gate;
mod freeze;
mod invalid;
mod judge;
mod ledger_door;
mod machine;
mod message;
mod output;
mod policy;
mod reads;
mod six_gates;
mod stories;
mod support;
mod worked_examples;
mod workspace;
