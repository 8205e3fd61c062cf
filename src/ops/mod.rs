//! The verbs, one file each: request in, outcome out.
