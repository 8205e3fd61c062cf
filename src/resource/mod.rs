//! What a team writes: envelope, kinds, names, references, values, their one canonical form and its
//! digest; how YAML is read, and what is found wrong with it.

pub mod digest;
pub mod id;
pub mod kind;
pub mod name;
pub mod value;

pub use digest::Digest;
pub use id::{Reference, ResourceId};
pub use kind::Kind;
pub use value::{Map, Number, Value};
