//! What a team writes: envelope, kinds, names, references, values, their one canonical form and its
//! digest; how YAML is read, and what is found wrong with it.

pub mod canonical;
pub mod change_class;
pub mod diagnostic;
pub mod digest;
pub mod duration;
pub mod envelope;
pub mod fields;
pub mod freeze;
pub mod id;
pub mod kind;
pub mod metric;
pub mod name;
pub mod path;
pub mod pinned;
pub mod requirement;
pub mod rules;
#[cfg(test)]
pub(crate) mod sample;
pub mod schema;
pub mod served;
pub mod threshold;
pub mod validate;
pub mod value;
pub mod view;
pub mod yaml;

pub use change_class::ChangeClass;
pub use diagnostic::{Document, Finding, Position, Severity};
pub(crate) use digest::Taken;
pub use digest::{Digest, Digesting};
pub use envelope::Resource;
pub use fields::{Candidate, Mention, Target, Tie};
pub use id::{Reference, ResourceId};
pub use kind::Kind;
pub use metric::Measured;
pub use pinned::Pinned;
pub use requirement::{Requirement, Risk};
pub use threshold::{Direction, Operator, Threshold};
pub use value::{Map, Number, Value};
