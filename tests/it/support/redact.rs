//! What differs from run to run, replaced by what does not: ids and digests are numbered by first
//! appearance, times are all one, places and keys go by name.

use std::fmt::Write as _;

/// Replaces what is not the same in two runs.
///
/// Numbers are kept across calls, so that an id has one number in a whole story. Times are not numbered:
/// whether two instants fall into one second is chance.
pub(crate) struct Redactor<'a> {
    names: Vec<(String, String)>,
    ids: Vec<String>,
    digests: Vec<String>,
    uuids: Vec<String>,
    keys: Vec<String>,
    /// Whether an all-digit or all-letter word is an abbreviated object id after all.
    is_object: Box<dyn Fn(&str) -> bool + 'a>,
}

/// Git abbreviates an id to no less than this in a small repository.
const SHORTEST_ID: usize = 7;
/// The length to which joch abbreviates a digest in paths.
const SHORT_DIGEST: usize = 16;
/// The length to which joch abbreviates the id of evidence.
const SHORT_EVIDENCE: usize = 12;
/// Words that could be an abbreviated id and never are.
const NO_IDS: [&str; 1] = ["ed25519"];

impl<'a> Redactor<'a> {
    pub(crate) fn new(is_object: impl Fn(&str) -> bool + 'a) -> Self {
        let (names, ids, digests) = (Vec::new(), Vec::new(), Vec::new());
        Self { names, ids, digests, uuids: Vec::new(), keys: Vec::new(), is_object: Box::new(is_object) }
    }

    /// From now on `text` reads `placeholder`. What is named first wins.
    pub(crate) fn name(&mut self, text: &str, placeholder: &str) {
        self.names.push((text.to_owned(), placeholder.to_owned()));
    }

    /// `text` with placeholders.
    pub(crate) fn redact(&mut self, text: &str) -> String {
        let named = self.names.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let mut out = String::new();
        let mut at = 0;
        while let Some(next) = named[at..].chars().next() {
            let (before, rest) = named.split_at(at);
            if let Some((length, placeholder)) = self.placeholder(before, rest) {
                write!(out, "{placeholder}").expect("a string takes all");
                at += length;
            } else {
                out.push(next);
                at += next.len_utf8();
            }
        }
        out
    }

    /// How much of the start of `rest` a placeholder replaces, and which.
    fn placeholder(&mut self, before: &str, rest: &str) -> Option<(usize, String)> {
        let previous = before.chars().next_back().unwrap_or(' ');
        if is_word(previous) {
            return None;
        }
        let dated = !matches!(previous, '-' | '.');
        if let Some(length) = instant(rest).or_else(|| git_date(rest)).or_else(|| unix_time(rest)).or_else(|| ago(rest))
            && dated
        {
            return Some((length, "[time]".into()));
        }
        if let Some(length) = shaped(rest, "0000-00-00").filter(|length| dated && ends(rest, *length)) {
            return Some((length, "[date]".into()));
        }
        if let Some(length) = shaped(rest, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx").filter(|length| ends(rest, *length))
        {
            return Some((length, format!("[uuid-{}]", number(&mut self.uuids, &rest[..length]))));
        }
        if let Some(length) = fingerprint(rest) {
            return Some((length, format!("[key-{}]", number(&mut self.keys, &rest[..length]))));
        }
        let word = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
        self.hex(before, word).map(|placeholder| (word.len(), placeholder))
    }

    fn hex(&mut self, before: &str, word: &str) -> Option<String> {
        let length = word.len();
        if !(SHORTEST_ID..=64).contains(&length) || !word.bytes().all(is_hex) || NO_IDS.contains(&word) {
            return None;
        }
        let known = |list: &[String]| list.iter().any(|id| id.starts_with(word) || word.starts_with(id.as_str()));
        if before.ends_with("sha256:") || known(&self.digests) || matches!(length, SHORT_DIGEST | 64) {
            return Some(format!("[digest-{}]", number(&mut self.digests, word)));
        }
        // A number or an English word, unless Git knows better. No number that is printed has so many digits as the
        // abbreviated id of evidence, which is now and then without a letter.
        let evidence = length == SHORT_EVIDENCE && word.bytes().all(|b| b.is_ascii_digit());
        let plain =
            !evidence && (word.bytes().all(|b| b.is_ascii_digit()) || word.bytes().all(|b| b.is_ascii_alphabetic()));
        if length > 40 || (plain && length < 40 && !known(&self.ids) && !(self.is_object)(word)) {
            return None;
        }
        Some(format!("[id-{}]", number(&mut self.ids, word)))
    }
}

/// The number of `text` in `list`, counted from 1, added if new. An abbreviation is the same as the whole.
fn number(list: &mut Vec<String>, text: &str) -> usize {
    let known = list.iter().position(|known| known.starts_with(text) || text.starts_with(known.as_str()));
    let at = known.unwrap_or_else(|| {
        list.push(text.to_owned());
        list.len() - 1
    });
    if text.len() > list[at].len() {
        text.clone_into(&mut list[at]);
    }
    at + 1
}

/// The length of an instant at the start of `text`: `2026-03-02T10:14:00Z` and its relatives.
fn instant(text: &str) -> Option<usize> {
    let day = shaped(text, "0000-00-00T00:00").or_else(|| shaped(text, "0000-00-00 00:00"))?;
    let mut length = day + shaped(&text[day..], ":00").unwrap_or(0);
    if let Some(fraction) = text[length..].strip_prefix('.') {
        length += 1 + fraction.bytes().take_while(u8::is_ascii_digit).count();
    }
    let zones = ["Z", " UTC", " +0000", "+0000", "+00:00"];
    Some(length + zones.iter().find(|zone| text[length..].starts_with(**zone)).map_or(0, |zone| zone.len()))
}

/// The length of a date as `git log` writes it: `Mon Mar 2 10:14:00 2026 +0000`.
fn git_date(text: &str) -> Option<usize> {
    ["Aaa Aaa 00 00:00:00 0000", "Aaa Aaa 0 00:00:00 0000"]
        .iter()
        .find_map(|shape| shaped(text, shape))
        .map(|length| length + shaped(&text[length..], " +0000").unwrap_or(0))
}

/// The length of seconds since 1970 with a zone, as in raw Git objects.
fn unix_time(text: &str) -> Option<usize> {
    shaped(text, "0000000000 +0000")
}

/// The length of `3 seconds ago`.
fn ago(text: &str) -> Option<usize> {
    let (count, rest) = text.split_once(' ')?;
    let unit = ["second", "minute"].iter().find(|unit| rest.starts_with(**unit))?;
    let plural = usize::from(rest[unit.len()..].starts_with('s'));
    let fine = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
    (fine && rest[unit.len() + plural..].starts_with(" ago")).then_some(count.len() + 1 + unit.len() + plural + 4)
}

/// The length of the fingerprint of a key.
fn fingerprint(text: &str) -> Option<usize> {
    let base64 = text.strip_prefix("SHA256:")?;
    let length = base64.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')).count();
    (length == 43).then_some(50)
}

/// The length of `shape` if `text` begins like it: `0` is any digit, `x` a hex digit, `A` and `a` letters.
fn shaped(text: &str, shape: &str) -> Option<usize> {
    let text = text.as_bytes();
    let fits = shape.bytes().enumerate().all(|(at, want)| {
        text.get(at).is_some_and(|&is| match want {
            b'0' => is.is_ascii_digit(),
            b'x' => is_hex(is),
            b'A' => is.is_ascii_uppercase(),
            b'a' => is.is_ascii_lowercase(),
            other => is == other,
        })
    });
    fits.then_some(shape.len())
}

/// Whether a word ends after `length` bytes of `text`.
fn ends(text: &str, length: usize) -> bool {
    !text[length..].chars().next().is_some_and(is_word)
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::Redactor;

    fn redact(text: &str) -> String {
        Redactor::new(|_| false).redact(text)
    }

    #[test]
    fn ids_are_numbered_by_first_appearance() {
        let mut redactor = Redactor::new(|word| word == "1234567");
        let full = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(redactor.redact(&format!("89abcde then {full}")), "[id-1] then [id-2]");
        assert_eq!(redactor.redact("0123456 again, 1234567 too"), "[id-2] again, [id-3] too");
    }

    #[test]
    fn an_abbreviated_digest_is_the_digest() {
        let digest = "9607e0d3a8f1d3333f304d720b9057c8c9b0c5f66715f0808abc1676cd81e311";
        let text = format!("sha256:{digest} at evals/9607e0d3a8f1d333/{}.json", "ab12".repeat(16));
        assert_eq!(redact(&text), "sha256:[digest-1] at evals/[digest-1]/[digest-2].json");
    }

    #[test]
    fn every_way_to_write_an_instant_is_a_time() {
        let written = [
            "2026-03-02T10:14:00Z",
            "2026-03-02T10:14:00.123456Z",
            "2026-03-02T10:14Z",
            "2026-03-02T10:14:00+00:00",
            "2026-03-02 10:14:00 +0000",
            "2026-03-02 10:14:00 UTC",
            "Mon Mar 2 10:14:00 2026 +0000",
            "Mon Mar 23 10:14:00 2026",
            "1772446440 +0000",
            "3 seconds ago",
            "1 minute ago",
        ];
        for instant in written {
            assert_eq!(redact(&format!("at {instant}, they")), "at [time], they", "{instant}");
        }
        assert_eq!(redact("on 2026-03-02."), "on [date].");
    }

    #[test]
    fn what_is_the_same_every_time_stays() {
        for text in [
            "gpt-4.1-2025-04-14",
            "1047576 tokens",
            "facade defaced",
            "v1alpha1",
            "10:14",
            "v7 → v8",
            "0.85",
            "ssh-ed25519 key",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn places_and_keys_go_by_name() {
        let mut redactor = Redactor::new(|_| false);
        let key = format!("SHA256:{}", "mU2+".repeat(10) + "abc");
        redactor.name("/tmp/world/project", "[project]");
        redactor.name("/tmp/world", "[world]");
        assert_eq!(redactor.redact("/tmp/world/project/a /tmp/world/b"), "[project]/a [world]/b");
        assert_eq!(redactor.redact(&format!("{key}.")), "[key-1].");
        let uuid = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
        assert_eq!(redactor.redact(&format!("{uuid} {uuid}")), "[uuid-1] [uuid-1]");
    }
}
