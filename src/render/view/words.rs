//! Values as tables write them.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::gate::OverrideStanding;
use crate::resource::{Digest, ResourceId, name::DEFAULT_NAMESPACE};

/// What stands in a cell that has nothing to say.
pub(super) const NONE: &str = "-";
/// How many hex digits of a digest a person compares.
const DIGITS: usize = 8;

/// `v8`.
pub(super) fn version(version: Option<u64>) -> String {
    version.map_or_else(|| NONE.to_owned(), |version| format!("v{version}"))
}

/// `2026-05-10T12:00:00Z`, which commands read back.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The first digits of a digest.
pub(super) fn digits(digest: Digest) -> String {
    digest.hex().chars().take(DIGITS).collect()
}

/// The text, or a dash.
pub(super) fn or_none(text: Option<impl Into<String>>) -> String {
    text.map_or_else(|| NONE.to_owned(), Into::into)
}

/// `support-triage`, and `team-a/support-triage` outside the default namespace.
pub(super) fn name(id: &ResourceId) -> String {
    if id.namespace == DEFAULT_NAMESPACE { id.name.clone() } else { format!("{}/{}", id.namespace, id.name) }
}

/// The release, with a word where a gate was overridden in it and nobody has accepted that: `prod/41 (overridden)`.
pub(super) fn marked<'a>(release: String, overridden: impl IntoIterator<Item = &'a OverrideStanding>) -> String {
    match overridden.into_iter().find_map(OverrideStanding::mark) {
        Some(mark) => format!("{release} ({mark})"),
        None => release,
    }
}
