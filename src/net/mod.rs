//! The network, and programs that answer like it: targets, judges and collectors; pace, repeated attempts, limits.

pub mod loopback;
