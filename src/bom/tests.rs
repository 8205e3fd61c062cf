//! What a bill tells, by example.
