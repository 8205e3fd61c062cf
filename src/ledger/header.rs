//! The header lines of a raw commit or tag, cut so that nothing can be read two ways.

/// A raw commit or tag: its header lines and, after the first blank line, its body.
pub(super) struct Headers<'a> {
    /// In the order of the object.
    pub(super) lines: Vec<Header<'a>>,
    /// Everything after the first blank line.
    pub(super) body: &'a [u8],
}

/// One header with the lines that continue it.
pub(super) struct Header<'a> {
    /// The word before the first space.
    pub(super) key: &'a str,
    /// All of it, ends of lines included.
    pub(super) raw: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Cuts `raw`.
    ///
    /// # Errors
    /// What is wrong: a line without a word, a continuation of nothing, no blank line.
    pub(super) fn parse(raw: &'a [u8]) -> Result<Self, String> {
        let mut lines: Vec<Header<'a>> = Vec::new();
        let (mut begin, mut position) = (0, 0);
        loop {
            let rest = &raw[position..];
            let end = rest.iter().position(|byte| *byte == b'\n').ok_or("the header has no end")?;
            let line = &rest[..end];
            let next = position + end + 1;
            match line.first() {
                None => return Ok(Self { lines, body: &raw[next..] }),
                Some(b' ') => match lines.last_mut() {
                    Some(header) => header.raw = &raw[begin..next],
                    None => return Err("the first header line continues nothing".to_owned()),
                },
                Some(_) => {
                    let space = line.iter().position(|byte| *byte == b' ').ok_or("a header line has no value")?;
                    let key = std::str::from_utf8(&line[..space]).map_err(|_| "a header's name is not UTF-8")?;
                    begin = position;
                    lines.push(Header { key, raw: &raw[begin..next] });
                }
            }
            position = next;
        }
    }
}

impl Header<'_> {
    /// The value; the lines that continue it follow after line ends.
    pub(super) fn value(&self) -> Result<String, String> {
        let text = std::str::from_utf8(self.raw).map_err(|_| format!("the header `{}` is not UTF-8", self.key))?;
        if text.contains('\0') {
            return Err(format!("the header `{}` holds a NUL, which hides what follows", self.key));
        }
        let value = &text[self.key.len() + 1..];
        Ok(value.trim_end_matches('\n').replace("\n ", "\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_keeps_the_lines_that_continue_it() {
        let headers = Headers::parse(b"tree x\ngpgsig a\n b\n \n c\nextra y\n\nbody\n\nmore").expect("headers");
        let read: Vec<_> = headers.lines.iter().map(|line| (line.key, line.value().expect("text"))).collect();
        assert_eq!(read, [("tree", "x".to_owned()), ("gpgsig", "a\nb\n\nc".to_owned()), ("extra", "y".to_owned())]);
        assert_eq!(headers.body, b"body\n\nmore");
    }

    #[test]
    fn headers_without_an_end_or_a_beginning_are_refused() {
        assert!(Headers::parse(b"tree x\n").is_err());
        assert!(Headers::parse(b" x\n\n").is_err());
        assert!(Headers::parse(b"tree\n\n").is_err());
    }
}
