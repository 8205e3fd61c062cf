//! What an audit finds, as every verb that looks tells it.

use crate::audit::Finding;
use crate::render::Page;

/// One finding a line pair: the rule and the object, then what is wrong and the way back.
pub(super) fn list(page: &mut Page, findings: &[Finding]) {
    for finding in findings {
        page.line(format!("{}: {}", finding.rule, finding.object));
        page.line(format!("    {}", finding.message));
    }
}
