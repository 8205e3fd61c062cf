//! Who may say so: principals, keys, teams, roles, the ladder, and the order between branches.

pub mod key;

pub use key::PublicKey;
