//! `allowed_signers`: whose keys counted, in the file format that `ssh-keygen` and Git read.
//!
//! A line says since when its key counts (`valid-after`), so that plain Git takes nothing that the key dates back to before
//! that. A line is never dropped, only closed with `valid-before`, so that what a key signed while it counted still
//! verifies with plain Git.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDateTime, SubsecRound as _, Utc};

use super::key::PublicKey;

/// The signature namespaces a listed key may sign in: Git's own, and that of evidence.
pub const SIGNATURE_NAMESPACES: [&str; 2] = ["git", "joch-evidence@v1"];

/// The lines of an `allowed_signers` file, in the order in which keys were first listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedSigners(Vec<Line>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    principal: String,
    key: PublicKey,
    valid_after: Option<DateTime<Utc>>,
    valid_before: Option<DateTime<Utc>>,
}

const TIME: &str = "%Y%m%d%H%M%SZ";

impl AllowedSigners {
    /// Reads the file that joch wrote. Anything joch does not write is refused: wildcards, certificate
    /// authorities and open namespaces would let a key speak for others.
    ///
    /// # Errors
    /// The first line that is not of joch's form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(Line::parse).collect::<Result<_, _>>().map(Self)
    }

    /// These signers after a change of trust at `now` that leaves exactly `current`: new keys are added and count from
    /// then on, keys that are gone are closed.
    #[must_use]
    pub fn follow(&self, current: &[(String, PublicKey)], now: DateTime<Utc>) -> Self {
        let now = now.trunc_subsecs(0);
        self.changed(current, now, Some(now))
    }

    /// Whether `self` is what a change of trust at `now` makes of `earlier`. Ledgers that began without `valid-after` go
    /// on without it until a line has it.
    #[must_use]
    pub fn follows(&self, earlier: &Self, current: &[(String, PublicKey)], now: DateTime<Utc>) -> bool {
        let undated = earlier.0.iter().all(|line| line.valid_after.is_none());
        *self == earlier.follow(current, now) || undated && *self == earlier.changed(current, now, None)
    }

    fn changed(&self, current: &[(String, PublicKey)], now: DateTime<Utc>, since: Option<DateTime<Utc>>) -> Self {
        let mut lines = self.0.clone();
        for line in &mut lines {
            let listed = current.iter().any(|(principal, key)| line.is_for(principal, key));
            if !listed && line.valid_before.is_none() {
                line.valid_before = Some(now);
            }
        }
        for (principal, key) in current {
            if !lines.iter().any(|line| line.is_for(principal, key) && line.valid_before.is_none()) {
                let (principal, key) = (principal.clone(), key.clone());
                lines.push(Line { principal, key, valid_after: since, valid_before: None });
            }
        }
        Self(lines)
    }

    /// Whether plain Git takes what `key` signs with the date `time`: some line of it covers that. Both ends count.
    #[must_use]
    pub fn covers(&self, key: &PublicKey, time: DateTime<Utc>) -> bool {
        self.of(key).any(|line| line.covers(time))
    }

    /// Since when `key` counts, where it is listed and `time` is before or between its windows.
    #[must_use]
    pub fn outside(&self, key: &PublicKey, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.covers(key, time) {
            return None;
        }
        self.of(key).filter_map(|line| line.valid_after).find(|after| *after > time)
    }

    fn of(&self, key: &PublicKey) -> impl Iterator<Item = &Line> {
        self.0.iter().filter(move |line| line.key == *key)
    }

    /// Whether `self` only closes or adds lines of `earlier`.
    #[must_use]
    pub fn extends(&self, earlier: &Self) -> bool {
        earlier.0.len() <= self.0.len()
            && earlier.0.iter().zip(&self.0).all(|(old, new)| {
                let closed = old.valid_before.is_none() || old.valid_before == new.valid_before;
                closed && old.valid_after == new.valid_after && old.is_for(&new.principal, &new.key)
            })
    }

    /// Every key ever listed with its principal, the newest line last.
    #[must_use]
    pub fn ever(&self) -> BTreeMap<PublicKey, String> {
        self.0.iter().map(|line| (line.key.clone(), line.principal.clone())).collect()
    }
}

impl Line {
    fn is_for(&self, principal: &str, key: &PublicKey) -> bool {
        self.principal == principal && self.key == *key
    }

    fn covers(&self, time: DateTime<Utc>) -> bool {
        self.valid_after.is_none_or(|after| after <= time) && self.valid_before.is_none_or(|before| time <= before)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| format!("`allowed_signers`: {why}: `{text}`");
        let (principal, rest) = text.split_once(' ').ok_or_else(|| refuse("a line names a principal and a key"))?;
        if principal.contains(['*', '?', '!', ',', '"']) {
            return Err(refuse("a principal is one name, never a pattern"));
        }
        let (options, key) = rest.split_once(' ').ok_or_else(|| refuse("a line has options and a key"))?;
        let mut line = Self {
            principal: principal.to_owned(),
            key: key.parse().map_err(|why: String| refuse(&why))?,
            valid_after: None,
            valid_before: None,
        };
        let mut rest = options
            .strip_prefix(&namespaces_option())
            .ok_or_else(|| refuse("the namespaces a key signs in come first"))?;
        for (name, place) in [("valid-after", &mut line.valid_after), ("valid-before", &mut line.valid_before)] {
            let Some(option) = rest.strip_prefix(&format!(",{name}=\"")) else { continue };
            let (time, more) = option.split_once('"').ok_or_else(|| refuse("an option that does not end"))?;
            let read = NaiveDateTime::parse_from_str(time, TIME).ok().map(|time| time.and_utc());
            let read = read.filter(|read| read.format(TIME).to_string() == time);
            *place = Some(read.ok_or_else(|| refuse("a time joch does not write"))?);
            rest = more;
        }
        if !rest.is_empty() {
            return Err(refuse("an option joch does not write"));
        }
        Ok(line)
    }
}

fn namespaces_option() -> String {
    format!("namespaces=\"{}\"", SIGNATURE_NAMESPACES.join(","))
}

impl fmt::Display for AllowedSigners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.0 {
            write!(f, "{} {}", line.principal, namespaces_option())?;
            for (name, time) in [("valid-after", line.valid_after), ("valid-before", line.valid_before)] {
                if let Some(time) = time {
                    write!(f, ",{name}=\"{}\"", time.format(TIME))?;
                }
            }
            writeln!(f, " {}", line.key)?;
        }
        Ok(())
    }
}
