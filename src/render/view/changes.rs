//! Changes of resources, as every view that holds some tells them.

use crate::diff::{self, Change};
use crate::render::Page;

/// The changes line by line, this many levels to the right.
pub(super) fn tell(page: &mut Page, indent: usize, changes: &[Change]) {
    for line in diff::lines(changes) {
        page.line(format!("{}{line}", "  ".repeat(indent)));
    }
}
