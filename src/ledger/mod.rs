//! Git: refs, objects, signatures, and the one way anything is written.

mod compare;
mod durable;
mod error;
mod header;
mod journal;
mod lock;
mod object;
mod object_id;
mod person;
mod recovery;
mod ref_update;
mod reference;
mod refusal;
mod repository;
pub mod signature;
mod signer;
mod snapshot;
mod staged;
mod transaction;
mod tree_edit;

pub use compare::{ChangedPath, changed_paths};
pub use error::{Error, Result};
pub use object::{Commit, Entry, EntryKind, ObjectKind, Tag};
pub use object_id::ObjectId;
pub use person::{Person, Stamp};
pub use reference::RefTarget;
pub use repository::Repository;
pub use signature::{BadSignature, Signed};
pub use signer::{SIGNER_VARIABLES, Signer, SignerEnvironment, generate_key};
pub use snapshot::{FirstParents, Snapshot};
pub use transaction::{CommitDraft, CommitOutcome, TagDraft, Transaction};
pub use tree_edit::Edit;
