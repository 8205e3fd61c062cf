//! How a line of the journal is written and read back: one line of JSON that carries its own checksum.
//!
//! `{"sum":"<first 8 hex digits of the SHA-256 of the bytes of the line>","line":{…}}`. A crash can tear the last line
//! of a file, and nothing else: the torn line is left out, and damage anywhere before it is an error.

use std::fmt;
use std::io::{self, BufRead};

use crate::resource::Digest;

use super::Line;

/// The longest line that is read, in bytes. Whoever writes lines keeps answers far below it.
pub const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// A line as it stands in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it says.
    pub line: Line,
    /// SHA-256 of the bytes in which it says so; orders lines of one instant.
    pub digest: Digest,
}

/// A file of which a line cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

/// The lines of one file, in its order. It ends at the end of the file, at a torn last line, or after an error.
pub struct Lines<R> {
    file: String,
    reader: R,
    buffer: Vec<u8>,
    number: u64,
    whole: u64,
    done: bool,
}

/// Reads the lines of a journal; `file` is its name for messages.
pub fn read_lines<R: BufRead>(file: impl Into<String>, reader: R) -> Lines<R> {
    Lines { file: file.into(), reader, buffer: Vec::new(), number: 0, whole: 0, done: false }
}

impl Line {
    /// The line as it is stored, with its line feed.
    #[must_use]
    pub fn encode(&self) -> String {
        let json = serde_json::to_string(self).expect("a line has text for keys, and no other reason to fail");
        format!("{HEAD}{}{MIDDLE}{json}{TAIL}\n", sum(&Digest::of(&json)))
    }
}

impl Entry {
    /// The entry of a line that stands in no file yet.
    #[must_use]
    pub fn of(line: Line) -> Self {
        let json = serde_json::to_string(&line).expect("a line has text for keys, and no other reason to fail");
        Self { line, digest: Digest::of(json) }
    }

    /// Reads one stored line, with or without its line feed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(stored: &[u8]) -> Result<Self, String> {
        let stored = stored.strip_suffix(b"\n").unwrap_or(stored);
        let form = || "it is no line of a journal".to_owned();
        let rest = stored.strip_prefix(HEAD.as_bytes()).ok_or_else(form)?;
        let (said, rest) = rest.split_at_checked(SUM).ok_or_else(form)?;
        let json = rest.strip_prefix(MIDDLE.as_bytes()).and_then(|rest| rest.strip_suffix(TAIL.as_bytes()));
        let json = json.ok_or_else(form)?;
        let digest = Digest::of(json);
        if said != sum(&digest).as_bytes() {
            return Err("its checksum is that of another text".to_owned());
        }
        let line = serde_json::from_slice(json).map_err(|why| format!("this joch does not understand it: {why}"))?;
        Ok(Self { line, digest })
    }
}

impl<R> Lines<R> {
    /// How many bytes the whole lines read so far take. At the end this is where a run that goes on writes next; what
    /// lies behind it is torn, and must be cut off first.
    #[must_use]
    pub fn whole_bytes(&self) -> u64 {
        self.whole
    }

    fn damaged(&mut self, why: impl Into<String>) -> Damaged {
        self.done = true;
        Damaged { file: self.file.clone(), line: self.number, why: why.into() }
    }
}

impl<R: BufRead> Lines<R> {
    /// Reads up to and with the next line feed; `false` at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        io::Read::take(&mut self.reader, LONGEST_LINE).read_until(b'\n', &mut self.buffer)?;
        Ok(!self.buffer.is_empty())
    }

    fn is_at_end(&mut self) -> bool {
        self.reader.fill_buf().is_ok_and(<[u8]>::is_empty)
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Entry, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        self.number += 1;
        match self.fill() {
            Err(why) => return Some(Err(self.damaged(why.to_string()))),
            Ok(false) => {
                self.done = true;
                return None;
            }
            Ok(true) => {}
        }
        let entry =
            if self.buffer.ends_with(b"\n") { Entry::decode(&self.buffer) } else { Err("it has no end".to_owned()) };
        match entry {
            Ok(entry) => {
                self.whole += self.buffer.len() as u64;
                Some(Ok(entry))
            }
            Err(_) if self.is_at_end() => {
                self.done = true;
                None
            }
            Err(why) => Some(Err(self.damaged(why))),
        }
    }
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the journal `{}` is damaged at line {}: {}", self.file, self.line, self.why)
    }
}

impl std::error::Error for Damaged {}

const HEAD: &str = r#"{"sum":""#;
const MIDDLE: &str = r#"","line":"#;
const TAIL: &str = "}";
/// How many hex digits of the digest are the checksum.
const SUM: usize = 8;

fn sum(digest: &Digest) -> String {
    let mut hex = digest.short();
    hex.truncate(SUM);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::Lag;

    fn lag(p99_us: u64) -> Line {
        Line::Lag(Lag { at: "2026-05-01T02:00:00Z".parse().expect("a time"), count: 100, p99_us })
    }

    fn read(text: &str) -> (Vec<Line>, Option<String>, u64) {
        let mut lines = read_lines("run.jsonl", text.as_bytes());
        let (mut read, mut trouble) = (Vec::new(), None);
        for entry in &mut lines {
            match entry {
                Ok(entry) => read.push(entry.line),
                Err(damaged) => trouble = Some(damaged.to_string()),
            }
        }
        (read, trouble, lines.whole_bytes())
    }

    #[test]
    fn a_line_carries_the_checksum_of_its_bytes() {
        let stored = lag(310).encode();
        let json = r#"{"lag":{"at":"2026-05-01T02:00:00Z","count":100,"p99Us":310}}"#;
        assert_eq!(stored, format!("{{\"sum\":\"{}\",\"line\":{json}}}\n", &Digest::of(json).hex()[..8]));
        assert_eq!(Entry::decode(stored.as_bytes()), Ok(Entry::of(lag(310))));
    }

    #[test]
    fn a_torn_last_line_is_left_out_wherever_it_is_torn() {
        let (first, second) = (lag(1).encode(), lag(2).encode());
        for cut in 0..second.len() {
            let text = format!("{first}{}", &second[..cut]);
            assert_eq!(read(&text), (vec![lag(1)], None, first.len() as u64), "{text}");
        }
        let zeros = format!("{first}{}", "\0".repeat(4096));
        assert_eq!(read(&zeros).0, [lag(1)]);
        assert_eq!(read(""), (Vec::new(), None, 0));
    }

    #[test]
    fn damage_before_the_last_line_names_file_and_line() {
        let whole = [lag(1), lag(2), lag(3)].map(|line| line.encode()).concat();
        let flipped = whole.replacen(":2}", ":7}", 1);
        let (read_before, trouble, _) = read(&flipped);
        assert_eq!(read_before, [lag(1)]);
        let said = "the journal `run.jsonl` is damaged at line 2: its checksum is that of another text";
        assert_eq!(trouble.as_deref(), Some(said));
        let glued = format!("{}{}", &lag(1).encode()[..40], whole);
        assert!(read(&glued).1.is_some_and(|why| why.contains("line 1")));
        assert!(read(&format!("\n{whole}")).1.is_some());
    }
}
