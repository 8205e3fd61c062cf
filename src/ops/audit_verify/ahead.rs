//! Commits that are dated later than now: everything after them would be, too.

use chrono::{DateTime, Utc};

use crate::audit::Finding;
use crate::audit::commit::SKEW;
use crate::ledger::Reader;
use crate::ops::facts::commit_fact;

/// The first commit of each branch that is dated later than `now`. What cannot be read is told where its branch is
/// followed.
pub(super) fn check(reader: &Reader<'_>, now: DateTime<Utc>) -> Vec<Finding> {
    let first = |(branch, tip): (&String, &crate::ledger::ObjectId)| {
        let commits = reader.snapshot().first_parents(*tip).map_while(Result::ok);
        let ahead: Vec<_> = commits.take_while(|commit| commit.committer.time > now + SKEW).collect();
        let first = commit_fact(reader, branch, ahead.last()?.id).ok()?;
        first.check_ahead(now, ahead.len() - 1)
    };
    reader.snapshot().branches().iter().filter_map(first).collect()
}
