//! Who made what a change brings: nobody approves their own work, whichever verb carries it.

use std::collections::BTreeSet;

use crate::closure::{Closure, Unreadable};
use crate::gate::Subject;
use crate::resource::{Digest, ResourceId};

use super::draft::{AgentEdit, Draft};
use super::numbers::Numbering;

/// The authors of one subject: of its own versions between what runs and what would, of every member that differs,
/// and of every catalog entry that changes on its behalf. Content that has no number yet is the operator's.
pub(super) fn authors(
    draft: &Draft,
    subject: &Subject,
    edit: Option<&AgentEdit>,
    numbering: &dyn Numbering,
) -> Result<BTreeSet<String>, Unreadable> {
    let mut authors = between(&subject.resource, subject.from, subject.to, numbering)?;
    let Some(edit) = edit else { return Ok(authors) };
    let held = |id: &ResourceId| edit.before.as_ref().and_then(|running| running.closure.find(id));
    for member in edit.after.as_ref().map(Closure::everything).unwrap_or_default() {
        let before = held(member.id());
        if *member.id() != subject.resource && before != Some(member) {
            let from = before.map(|before| before.digest());
            authors.extend(between(member.id(), from, Some(member.digest()), numbering)?);
        }
    }
    for (id, change) in draft.catalog.iter().filter(|(id, _)| edit.writes.contains(*id)) {
        let digest =
            |resource: &Option<std::sync::Arc<crate::resource::Resource>>| resource.as_ref().map(|r| r.digest());
        authors.extend(between(id, digest(&change.before), digest(&change.after), numbering)?);
    }
    Ok(authors)
}

/// Who made the versions after one content up to another.
fn between(
    id: &ResourceId,
    from: Option<Digest>,
    to: Option<Digest>,
    numbering: &dyn Numbering,
) -> Result<BTreeSet<String>, Unreadable> {
    let Some(to) = to.map(|to| numbering.version_of(id, to)).transpose()?.flatten() else { return Ok(BTreeSet::new()) };
    let from = from.map(|from| numbering.version_of(id, from)).transpose()?.flatten();
    numbering.authors(id, from, to)
}
