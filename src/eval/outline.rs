//! How a result is written: its head as people read JSON, and then one case a line, so that Git and people both find
//! their way in ten thousand of them.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Indented up to this depth; deeper values stand on one line.
const INDENTED: usize = 2;

/// `value` as JSON of about `size` bytes, with a newline at its end.
pub(super) fn write(value: &impl Serialize, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size);
    let mut serializer = Serializer::with_formatter(&mut bytes, Outline::default());
    value.serialize(&mut serializer).expect("a result has text for keys, and no other reason to fail");
    bytes.push(b'\n');
    bytes
}

#[derive(Default)]
struct Outline {
    depth: usize,
    holds: bool,
}

impl Outline {
    fn open<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.holds = false;
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.holds && self.depth < INDENTED {
            self.line(writer)?;
        }
        self.holds = true;
        writer.write_all(bracket)
    }

    fn next<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if self.depth <= INDENTED {
            return self.line(writer);
        }
        if first { Ok(()) } else { writer.write_all(b" ") }
    }

    fn line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Outline {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.next(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.holds = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.next(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.holds = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_case_is_one_line() {
        let value =
            json!({"a": 1, "cases": [{"id": "x", "trials": [{"n": [1, 2]}, {}]}, {"id": "y"}], "none": [], "z": {}});
        let written = String::from_utf8(write(&value, 0)).expect("text");
        assert_eq!(
            written,
            "{\n  \"a\": 1,\n  \"cases\": [\n    {\"id\": \"x\", \"trials\": [{\"n\": [1, 2]}, {}]},\n    \
             {\"id\": \"y\"}\n  ],\n  \"none\": [],\n  \"z\": {}\n}\n"
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).expect("JSON"), value);
    }
}
