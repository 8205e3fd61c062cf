//! Personal data and credentials in what an agent says: found, masked, and told without being repeated.
//!
//! Detectors read a folded text, in which full-width digits and hidden characters fool nobody. None goes back over
//! what it has read, so that time grows with the text and with nothing else.

mod around;
mod card;
mod credentials;
mod digits;
mod email;
mod find;
mod folded;
mod iban;
mod ip;
mod leaks;
mod mask;
mod national;
mod phone;
mod reply;
mod secret;
mod secret_rules;
mod ssn;

pub use credentials::credentials;
pub use find::Sort;
pub(in crate::eval) use leaks::usable;
pub use leaks::{counts, leaks};
pub use mask::{mask, mask_secrets};
pub use reply::without_secrets;
