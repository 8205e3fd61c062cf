//! Moments that a person names: how their text is read, and what a branch held then. All times are UTC.

use chrono::{DateTime, NaiveDate, NaiveTime, SubsecRound as _, Utc};

use crate::ledger::{Commit, Reader, Result as LedgerResult};

/// Reads a moment: RFC 3339 (`2026-05-10T12:00:00Z`, any offset), the same without seconds
/// (`2026-05-10T12:00Z`), or a date, which is its first instant in UTC. Parts of a second are dropped:
/// Git has none.
///
/// # Errors
/// The forms that are read.
pub fn parse(text: &str) -> Result<DateTime<Utc>, String> {
    let whole = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let to_the_minute = || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%#z").map(|time| time.to_utc());
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|date| date.and_time(NaiveTime::MIN).and_utc());
    let read = whole.or_else(|_| to_the_minute()).or_else(|_| date());
    read.map(|time| time.trunc_subsecs(0)).map_err(|_| {
        format!("`{text}` is no moment: expected `2026-05-10`, `2026-05-10T12:00Z` or `2026-05-10T12:00:00+02:00`")
    })
}

/// The newest commit of `branch` that was there at `time`, by committer time, which never runs backwards along a
/// branch of the ledger; `None` where the branch began later.
///
/// # Errors
/// There is no such branch, or a commit of it is missing or damaged.
pub fn commit_at(reader: &Reader<'_>, branch: &str, time: DateTime<Utc>) -> LedgerResult<Option<Commit>> {
    let mut history = reader.snapshot().first_parents(reader.tip(branch)?);
    history.find(|commit| commit.as_ref().map_or(true, |commit| commit.committer.time <= time)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_in_every_form_that_people_write() {
        for (text, read) in [
            ("2026-05-10", "2026-05-10T00:00:00Z"),
            ("2026-05-10T12:00Z", "2026-05-10T12:00:00Z"),
            ("2026-05-10T12:00+02:00", "2026-05-10T10:00:00Z"),
            ("2026-05-10T12:00:59.9-01:30", "2026-05-10T13:30:59Z"),
        ] {
            assert_eq!(parse(text).map(|time| time.to_rfc3339().replace("+00:00", "Z")), Ok(read.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_refused() {
        for text in ["", "yesterday", "2026-05-10T12:00", "2026-05-10 12:00", "10.05.2026", "2026-13-01", "2026-05-10x"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
