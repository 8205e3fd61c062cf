//! What tests share: a world with people in it, and stories told there.

pub(crate) mod redact;
pub(crate) mod story;
pub(crate) mod world;
