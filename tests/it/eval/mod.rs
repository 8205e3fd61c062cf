//! Evals from outside: real servers on loopback, the program as people run it.

mod commands;
mod probes;
mod resume;
mod shards;
mod stage;
