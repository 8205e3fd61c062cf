//! Who made what a change brings: nobody approves their own work, whichever verb carries it.

use std::collections::BTreeSet;

use crate::closure::{Closure, Unreadable};
use crate::gate::Subject;
use crate::resource::{Digest, Kind, ResourceId};

use super::draft::{AgentEdit, Draft};
use super::numbers::Numbering;

/// The authors of one subject: of its own versions between what runs and what would, of every member and child that
/// differs, and of every catalog entry that changes on its behalf. Content that has no number yet is the operator's.
pub(super) fn authors(
    draft: &Draft,
    subject: &Subject,
    edit: Option<&AgentEdit>,
    numbering: &dyn Numbering,
) -> Result<BTreeSet<String>, Unreadable> {
    let mut authors = between(&subject.resource, subject.from, subject.to, numbering)?;
    let Some(edit) = edit else { return Ok(authors) };
    let before = edit.before.as_ref().map(|running| &running.closure);
    for member in edit.after.as_ref().map(Closure::everything).unwrap_or_default() {
        let held = before.and_then(|before| before.find(member.id()));
        if member.id().kind != Kind::Agent && held != Some(member) {
            let from = held.map(|held| held.digest());
            authors.extend(between(member.id(), from, Some(member.digest()), numbering)?);
        }
    }
    // A version of an agent is one of its closure, also where that is held by a parent.
    for child in edit.after.as_ref().map(children).unwrap_or_default() {
        let held = before.and_then(|before| children(before).into_iter().find(|held| held.id() == child.id()));
        if held != Some(child) {
            authors.extend(between(child.id(), held.map(Closure::digest), Some(child.digest()), numbering)?);
        }
    }
    for (id, change) in draft.catalog.iter().filter(|(id, _)| edit.writes.contains(*id)) {
        let digest =
            |resource: &Option<std::sync::Arc<crate::resource::Resource>>| resource.as_ref().map(|r| r.digest());
        authors.extend(between(id, digest(&change.before), digest(&change.after), numbering)?);
    }
    Ok(authors)
}

/// The closures within a closure, at any depth.
fn children(closure: &Closure) -> Vec<&Closure> {
    closure.children().values().flat_map(|child| std::iter::once(child).chain(children(child))).collect()
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
