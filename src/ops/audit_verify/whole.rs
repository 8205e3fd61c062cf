//! The clean verdict on a whole ledger, believed for as long as nothing that it depends on is another: every byte of the
//! ledger is read and hashed each time, and where one differs, all is judged.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::audit::Memory;
use crate::ledger::Imprint;
use crate::ops::desk::Desk;
use crate::resource::Digest;
use crate::workspace::Cache;

use super::{Checked, Outcome};

/// The name of the file.
const FILE: &str = "clean";
/// Changes with what a line means; the version of joch stands beside it.
const FORMAT: &str = concat!("joch clean 1 ", env!("CARGO_PKG_VERSION"));

/// A ledger as it stood before it was looked at.
pub(super) struct Whole {
    imprint: Imprint,
    /// The trust root that `joch.yaml` pins.
    pin: String,
}

impl Whole {
    /// Reads all bytes of it; none where these say nothing.
    pub(super) fn of(desk: &Desk) -> Option<Self> {
        let pin = desk.project.config.trust_root.clone().unwrap_or_default();
        Some(Self { imprint: desk.repository.imprint()?, pin })
    }

    /// What an audit would say now, where one found nothing in the same bytes, and `seen` is what was seen then.
    pub(super) fn believed(&self, cache: &Cache, seen: &Memory, now: DateTime<Utc>) -> Option<Outcome> {
        let text = cache.load(FILE).and_then(|bytes| String::from_utf8(bytes).ok())?;
        let mut lines = text.lines();
        if lines.next()? != FORMAT || lines.next()? != self.surroundings(seen) {
            return None;
        }
        let mut time = || lines.next()?.parse::<i64>().ok();
        // A commit of then may lie ahead of an earlier now; and what nobody reviewed in time is told from then on.
        if !(time()?..time()?).contains(&now.timestamp_millis()) {
            return None;
        }
        let mut counts = lines.next()?.split(' ').map(|count| count.parse::<usize>().ok());
        let mut count = || counts.next()?;
        let checked = Checked {
            commits: count()?,
            tags: count()?,
            evidence: count()?,
            stopped: count()?,
            remembered: count()?,
            skipped: 0,
        };
        Some(Outcome { checked, findings: Vec::new(), warnings: lines.map(str::to_owned).collect() })
    }

    /// Keeps the clean outcome of an audit that began behind this, if the files are still those that it looked at.
    /// `releases` were judged, or believed one by one; `until` the outcome would be the same.
    pub(super) fn store(
        &self,
        desk: &Desk,
        seen: &Memory,
        outcome: &Outcome,
        releases: usize,
        (now, until): (DateTime<Utc>, DateTime<Utc>),
    ) {
        let clean = outcome.findings.is_empty() && !outcome.warnings.iter().any(|warning| warning.contains('\n'));
        if !clean || desk.repository.imprint() != Some(self.imprint) {
            return;
        }
        let Checked { commits, tags, evidence, stopped, .. } = outcome.checked;
        let mut lines = vec![
            FORMAT.to_owned(),
            self.surroundings(seen),
            now.timestamp_millis().to_string(),
            until.timestamp_millis().to_string(),
            format!("{commits} {tags} {evidence} {stopped} {releases}"),
        ];
        lines.extend(outcome.warnings.iter().cloned());
        desk.cache().store(FILE, &[Cow::Owned((lines.join("\n") + "\n").into_bytes())]);
    }

    /// All that a verdict depends on, in one word.
    fn surroundings(&self, seen: &Memory) -> String {
        let seen = Digest::of(seen.to_json());
        Digest::of(format!("{}\n{}\n{seen}\n", self.imprint.bytes, self.pin)).to_string()
    }
}
