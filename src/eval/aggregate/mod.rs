//! From journals to a result: a pure function of the lines, whatever their order and however they are spread over files.
//!
//! The journals are read twice: once to learn every score, and once more for the few answers that a result shows, so
//! that the text of all answers is never held at a time.

mod trouble;

pub use trouble::MergeTrouble;

use super::definition::Definition;
use super::journal::codec::{Damaged, Entry};
use super::result::RunResult;

/// The journals of one run, which can be read more than once.
pub trait Journals {
    /// What the files are called, for messages.
    fn names(&self) -> Vec<String>;

    /// The lines of one of them, from its beginning; `index` is that of its name.
    ///
    /// # Errors
    /// Why it cannot be opened.
    fn open(&self, index: usize) -> Result<Box<dyn Iterator<Item = Result<Entry, Damaged>> + '_>, String>;
}

/// The result of a run, as far as these journals tell it: where shards or units are missing, it is inconclusive.
///
/// # Errors
/// Journals that cannot be read, or that do not belong together or to this Eval.
pub fn aggregate(definition: &Definition, journals: &dyn Journals) -> Result<RunResult, MergeTrouble> {
    let _ = (definition, journals);
    todo!()
}

/// The result of a run of which these are all the journals: that of [`aggregate`], and bit for bit the result that one
/// journal with all the lines has.
///
/// # Errors
/// Those of [`aggregate`], and a set of shards that is not complete.
pub fn merge(definition: &Definition, journals: &dyn Journals) -> Result<RunResult, MergeTrouble> {
    aggregate(definition, journals)
}
