//! Can it be proven: chain, timeline, proof.
