//! The second reading: the few answers that a result shows, masked and cut.

use std::collections::HashMap;

use crate::eval::journal::Line;
use crate::eval::mask;
use crate::eval::result::CaseResult;
use crate::resource::Digest;

use super::{Journals, MergeTrouble};

/// How many answers a result shows.
pub(super) const MOST_OUTPUTS: usize = 100;
/// How much of each, in characters.
const LONGEST_OUTPUT: usize = 2_000;
/// How much of it is looked at to mask it, in characters.
const LONGEST_READ: usize = 200_000;

/// Puts the answers of these lines, by digest, where they belong: case and trial of the result, from 0.
///
/// # Errors
/// A journal cannot be read again.
pub(super) fn fetch(
    wanted: &HashMap<Digest, (usize, usize)>,
    journals: &dyn Journals,
    cases: &mut [CaseResult],
) -> Result<(), MergeTrouble> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut open = wanted.len();
    for (index, file) in journals.names().iter().enumerate() {
        let closed = |why| MergeTrouble::Closed { file: file.clone(), why };
        for entry in journals.open(index).map_err(closed)? {
            let entry = entry?;
            let (Some((case, trial)), Line::Answer(answered)) = (wanted.get(&entry.digest), entry.line) else {
                continue;
            };
            let Some(trial) = cases.get_mut(*case).and_then(|case| case.trials.get_mut(*trial)) else { continue };
            if trial.output.is_none()
                && let Ok(reply) = &answered.outcome.reply
            {
                trial.output = Some(shown(&reply.text));
                open -= 1;
                if open == 0 {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// The answer as a result shows it: masked, and only then cut, because half of something may not look like it.
fn shown(text: &str) -> String {
    let until = |text: &str, count| text.char_indices().nth(count).map(|(end, _)| end);
    let masked = mask(&text[..until(text, LONGEST_READ).unwrap_or(text.len())]);
    match until(&masked, LONGEST_OUTPUT) {
        Some(end) => format!("{}…", &masked[..end]),
        None => masked,
    }
}
