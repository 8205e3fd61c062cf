//! Records of a JSON file: one a line, or the items of one list.

use super::LARGEST_RECORD;
use super::trouble::Slip;

/// The records, each with the line on which it begins. Blank lines are none.
pub(super) fn records(text: &str) -> Result<Vec<(usize, &str)>, Slip> {
    let records = if text.trim_start().starts_with('[') { items(text)? } else { lines(text) };
    match records.iter().find(|(_, record)| record.len() > LARGEST_RECORD) {
        Some((line, record)) => {
            let what = format!("this record has {} bytes, more than {LARGEST_RECORD}", record.len());
            Err(Slip::new(what, "shorten it, or split it into several cases").on(*line))
        }
        None => Ok(records),
    }
}

fn lines(text: &str) -> Vec<(usize, &str)> {
    let lines = text.split('\n').enumerate().map(|(index, line)| (index + 1, line.trim_ascii()));
    lines.filter(|(_, line)| !line.is_empty()).collect()
}

/// The items of the list that a text is. Whether each is JSON is for its reader to say.
fn items(text: &str) -> Result<Vec<(usize, &str)>, Slip> {
    let mut walk = Walk { bytes: text.as_bytes(), at: 0, line: 1 };
    let mut items = Vec::new();
    walk.skip_space();
    walk.step();
    walk.skip_space();
    while walk.peek() != Some(b']') {
        let (line, start) = (walk.line, walk.at);
        walk.item();
        let item = text[start..walk.at].trim_ascii();
        if item.is_empty() {
            return Err(Slip::new("an item of the list is missing", "remove the comma before this").on(line));
        }
        items.push((line, item));
        walk.skip_space();
        match walk.step() {
            Some(b',') => walk.skip_space(),
            Some(b']') => return end(walk, items),
            _ => {
                return Err(Slip::new("the list that begins the file is not closed", "close it with `]`").on(walk.line));
            }
        }
        if walk.peek() == Some(b']') {
            return Err(Slip::new("an item of the list is missing", "remove the comma before this").on(walk.line));
        }
    }
    walk.step();
    end(walk, items)
}

fn end<'t>(mut walk: Walk<'_>, items: Vec<(usize, &'t str)>) -> Result<Vec<(usize, &'t str)>, Slip> {
    walk.skip_space();
    match walk.peek() {
        None => Ok(items),
        Some(_) => Err(Slip::new("something follows the list", "write one list, or one case a line").on(walk.line)),
    }
}

struct Walk<'t> {
    bytes: &'t [u8],
    at: usize,
    line: usize,
}

impl Walk<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn step(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        self.line += usize::from(byte == b'\n');
        Some(byte)
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.step();
        }
    }

    /// Goes to the comma or bracket that ends an item.
    fn item(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b',' | b']' if depth == 0 => return,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => self.text(),
                _ => {}
            }
            self.step();
        }
    }

    /// Goes to the quote that ends a text.
    fn text(&mut self) {
        self.step();
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => return,
                b'\\' => drop(self.step()),
                _ => {}
            }
            self.step();
        }
    }
}
