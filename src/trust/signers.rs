//! `allowed_signers`: whose keys counted, in the file format that `ssh-keygen` and Git read.
//!
//! A line is never dropped, only closed with `valid-before`, so that what a key signed while it counted
//! still verifies with plain Git.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};

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

    /// These signers after a change of trust at `now` that leaves exactly `current`: new keys are added,
    /// keys that are gone are closed.
    #[must_use]
    pub fn follow(&self, current: &[(String, PublicKey)], now: DateTime<Utc>) -> Self {
        let mut lines = self.0.clone();
        for line in &mut lines {
            let listed = current.iter().any(|(principal, key)| line.is_for(principal, key));
            if !listed && line.valid_before.is_none() {
                line.valid_before = Some(now);
            }
        }
        for (principal, key) in current {
            if !lines.iter().any(|line| line.is_for(principal, key) && line.valid_before.is_none()) {
                lines.push(Line { principal: principal.clone(), key: key.clone(), valid_before: None });
            }
        }
        Self(lines)
    }

    /// Whether `self` only closes or adds lines of `earlier`.
    #[must_use]
    pub fn extends(&self, earlier: &Self) -> bool {
        earlier.0.len() <= self.0.len()
            && earlier.0.iter().zip(&self.0).all(|(old, new)| {
                let closed = old.valid_before.is_none() || old.valid_before == new.valid_before;
                closed && old.is_for(&new.principal, &new.key)
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
            valid_before: None,
        };
        let rest = options
            .strip_prefix(&namespaces_option())
            .ok_or_else(|| refuse("the namespaces a key signs in come first"))?;
        if !rest.is_empty() {
            let closed = rest
                .strip_prefix(",valid-before=\"")
                .and_then(|value| value.strip_suffix('"'))
                .and_then(|value| NaiveDateTime::parse_from_str(value, TIME).ok())
                .ok_or_else(|| refuse("an option joch does not write"))?;
            line.valid_before = Some(closed.and_utc());
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
            if let Some(before) = line.valid_before {
                write!(f, ",valid-before=\"{}\"", before.format(TIME))?;
            }
            writeln!(f, " {}", line.key)?;
        }
        Ok(())
    }
}
