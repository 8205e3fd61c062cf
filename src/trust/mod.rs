//! Who may say so: principals, keys, teams, roles, the ladder, and the order between branches.

mod change;
pub mod key;

mod ladder;
#[cfg(test)]
mod laws;
mod principal;
#[cfg(test)]
pub(crate) mod sample;
mod signers;
mod state;
#[cfg(test)]
mod tests;
mod voices;

pub use change::{settings_id, weigh_trust};
pub use key::PublicKey;
pub use ladder::Ladder;
pub use principal::{Member, Principal};
pub use signers::{AllowedSigners, SIGNATURE_NAMESPACES};
pub use state::{LedgerSettings, Trust, check_members};
