//! A stream of server-sent events, cut into the data of its events.

/// What came of a stream so far.
#[derive(Debug, Default)]
pub(super) struct Events {
    rest: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_return: bool,
}

impl Events {
    /// Takes the next bytes, and gives the data of every event that they end.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut events = Vec::new();
        for &byte in bytes {
            // A line ends with a return, a feed, or both.
            if byte == b'\n' && std::mem::take(&mut self.after_return) {
                continue;
            }
            self.after_return = byte == b'\r';
            if matches!(byte, b'\n' | b'\r') {
                let line = std::mem::take(&mut self.rest);
                events.extend(self.line(&line));
            } else {
                self.rest.push(byte);
            }
        }
        events
    }

    /// An empty line ends an event. Of the others only data matters here: what kind of event it is called, and how to
    /// come back to the stream, is for clients that stay.
    fn line(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return std::mem::take(&mut self.has_data).then_some(data).filter(|data| !data.is_empty());
        }
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let value = line.strip_prefix(b"data").filter(|value| value.first().is_none_or(|next| *next == b':'))?;
        let value = value.strip_prefix(b":").unwrap_or(value);
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(stream: &str) -> Vec<String> {
        let events = Events::default().take(stream.as_bytes());
        events.into_iter().map(|data| String::from_utf8(data).expect("text")).collect()
    }

    #[test]
    fn events_are_cut_at_empty_lines() {
        assert_eq!(events("data: a\n\ndata: b\n\n"), ["a", "b"]);
        assert_eq!(events("event: message\r\nid: 1\r\ndata:{\r\ndata: }\r\n\r\n"), ["{\n}"]);
        assert_eq!(events(": comment\n\nretry: 5\n\ndata\n\ndatabase: x\n\n"), Vec::<String>::new());
        assert_eq!(events("\u{feff}data: a\rdata: b\r\r"), ["a\nb"]);
        assert_eq!(events("data: unfinished\n"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn it_is_the_same_however_it_is_cut(stream in "(data|: ?|a|\\{|\n|\r|\r\n|\u{feff}){0,40}", at in 0_usize..80) {
            let bytes = stream.as_bytes();
            let (first, second) = bytes.split_at(at.min(bytes.len()));
            let mut cut = Events::default();
            let mut taken = cut.take(first);
            taken.extend(cut.take(second));
            prop_assert_eq!(taken, Events::default().take(bytes));
        }
    }
}
