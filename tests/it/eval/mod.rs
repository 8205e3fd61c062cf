//! Evals from outside: real servers on loopback, the program as people run it.

mod probes;
mod stage;
