//! Who and when, as Git writes it on commits and tags: text that proves nothing, beside a signature that does.

use chrono::{DateTime, Utc};

/// A name and an e-mail address, as they stand on commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

impl Person {
    /// The person of this name and address.
    pub fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        Self { name: name.into(), email: email.into() }
    }
}

/// A person at a time: the author or committer of a commit, the tagger of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Who.
    pub person: Person,
    /// When, in whole seconds.
    pub time: DateTime<Utc>,
    /// How far the writer's clock was from UTC, in minutes.
    pub offset: i32,
}

impl Stamp {
    /// The stamp of a person now, written in UTC.
    pub(super) fn utc(person: &Person, time: DateTime<Utc>) -> Self {
        Self { person: person.clone(), time, offset: 0 }
    }

    /// The stamp as a line of an object holds it: `Name <email> seconds +0000`.
    pub(super) fn line(&self) -> String {
        let email: String = clean(&self.person.email).split_whitespace().collect();
        let name = match clean(&self.person.name) {
            name if !name.is_empty() => name,
            _ if !email.is_empty() => email.clone(),
            _ => "unknown".to_owned(),
        };
        // Git has no time before 1970.
        let seconds = self.time.timestamp().max(0);
        let sign = if self.offset < 0 { '-' } else { '+' };
        let offset = self.offset.unsigned_abs();
        format!("{name} <{email}> {seconds} {sign}{:02}{:02}", offset / 60, offset % 60)
    }

    /// Reads such a line, and only as [`Stamp::line`] writes it: spaces, signs, zeros and hidden letters beside that would
    /// be read by one program and passed over by another.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let refuse = || format!("`{line}` is not `Name <email> seconds offset`");
        let (person, when) = line.rsplit_once("> ").ok_or_else(refuse)?;
        let (name, email) = person.split_once('<').ok_or_else(refuse)?;
        let (seconds, offset) = when.split_once(' ').ok_or_else(refuse)?;
        let seconds = seconds.parse().map_err(|_| refuse())?;
        let time = DateTime::from_timestamp(seconds, 0).ok_or_else(refuse)?;
        let (sign, digits) = match offset.as_bytes() {
            [b'+', ..] => (1, &offset[1..]),
            [b'-', ..] => (-1, &offset[1..]),
            _ => return Err(refuse()),
        };
        if digits.len() != 4 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(refuse());
        }
        let digits: i32 = digits.parse().map_err(|_| refuse())?;
        let person = Person::new(name.trim_end(), email);
        let stamp = Self { person, time, offset: sign * (digits / 100 * 60 + digits % 100) };
        if stamp.line() == line { Ok(stamp) } else { Err(refuse()) }
    }
}

/// Without what would end the field or the line early.
fn clean(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !matches!(c, '<' | '>') && !c.is_control()).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_is_written() {
        let time = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
        let stamp = Stamp { person: Person::new("Ana Ng", "ana@example.org"), time, offset: -330 };
        assert_eq!(stamp.line(), "Ana Ng <ana@example.org> 1700000000 -0530");
        assert_eq!(Stamp::parse(&stamp.line()), Ok(stamp));
    }

    #[test]
    fn a_name_cannot_forge_a_line() {
        let time = DateTime::from_timestamp(0, 0).expect("a time");
        let person = Person::new("Eve> 1 +0000\ncommitter Bob <bob@x", "e ve@\0example.org>");
        assert_eq!(Stamp::utc(&person, time).line(), "Eve 1 +0000committer Bob bob@x <eve@example.org> 0 +0000");
        assert_eq!(Stamp::utc(&Person::new("", ""), time).line(), "unknown <> 0 +0000");
    }

    #[test]
    fn a_line_without_a_time_is_refused() {
        assert!(Stamp::parse("Ana <ana@example.org>").is_err());
        assert!(Stamp::parse("Ana <ana@example.org> 12 0000").is_err());
    }

    #[test]
    fn a_line_has_one_spelling() {
        assert!(Stamp::parse("Ana <ana@example.org> 12 +0000").is_ok());
        for other in [
            "Ana  <ana@example.org> 12 +0000",
            " Ana <ana@example.org> 12 +0000",
            "Ana <ana@example.org> +12 +0000",
            "Ana <ana@example.org> 012 +0000",
            "Ana <ana@example.org> -12 +0000",
            "Ana <ana@example.org> 12 -0000",
            "Ana <ana@example.org> 12 +9999",
            "Ana <ana@example.org> 12 +0060",
            "Ana <ana@example.org> 12 +0000\r",
            "Ana\r <ana@example.org> 12 +0000",
            "Ana\0Eve <ana@example.org> 12 +0000",
            "Ana\nEve <ana@example.org> 12 +0000",
            "Ana <ana@example.org > 12 +0000",
            "Ana <eve@example.org> <ana@example.org> 12 +0000",
            " <> 12 +0000",
            "<ana@example.org> 12 +0000",
        ] {
            assert!(Stamp::parse(other).is_err(), "{other:?}");
        }
    }
}
