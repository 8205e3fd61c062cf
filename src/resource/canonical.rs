//! Canonical YAML, form 1: the one text of a value. Two values have one text only if they are one value.
//!
//! Keys in bytewise order, block style, two spaces a level, no comments, no anchors. Text stands plain only
//! where a reader of YAML 1.1 and one of YAML 1.2 both take it for exactly that text; text of several lines
//! is a literal block where that is safe, so that a prompt has a readable `git diff`. The form is frozen:
//! digests and ledgers depend on every byte of it, and the test vectors below may only be added to.

use std::fmt::Write as _;

use super::value::{Map, Value};

/// The number of this form, as the ledger states it.
pub const FORM: u32 = 1;

/// The canonical text of `value`, with a newline at its end.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Map(map) if !map.is_empty() => write_map(&mut out, map, 0),
        Value::List(items) if !items.is_empty() => write_list(&mut out, items, 0),
        // No literal block here: readers disagree about its indentation at the root.
        Value::Text(text) => {
            write_line_of_text(&mut out, text);
            out.push('\n');
        }
        _ => write_leaf(&mut out, value, 0),
    }
    out
}

/// The longest key that every reader takes for a key without being told, in bytes as written.
const SIMPLE_KEY: usize = 1000;

/// Writes a map whose first key goes where the writer stands; the others are indented by `level`.
fn write_map(out: &mut String, map: &Map, level: usize) {
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            indent(out, level);
        }
        let mut written = String::new();
        // A plain key with a colon in it is legal, and yet not every reader gets it right.
        if key.contains(':') {
            write_quoted(&mut written, key)
        } else {
            write_line_of_text(&mut written, key)
        }
        if written.len() > SIMPLE_KEY {
            let _ = writeln!(out, "? {written}");
            indent(out, level);
        } else {
            out.push_str(&written);
        }
        out.push(':');
        write_under_key(out, value, level);
    }
}

fn write_under_key(out: &mut String, value: &Value, level: usize) {
    match value {
        Value::Map(map) if !map.is_empty() => {
            out.push('\n');
            indent(out, level + 1);
            write_map(out, map, level + 1);
        }
        Value::List(items) if !items.is_empty() => {
            out.push('\n');
            indent(out, level + 1);
            write_list(out, items, level + 1);
        }
        leaf => {
            out.push(' ');
            write_leaf(out, leaf, level + 1);
        }
    }
}

/// Writes a list whose first dash goes where the writer stands; the others are indented by `level`.
fn write_list(out: &mut String, items: &[Value], level: usize) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            indent(out, level);
        }
        out.push_str("- ");
        match item {
            Value::Map(map) if !map.is_empty() => write_map(out, map, level + 1),
            Value::List(items) if !items.is_empty() => write_list(out, items, level + 1),
            leaf => write_leaf(out, leaf, level + 1),
        }
    }
}

/// Writes what takes no further level, up to and with its newline; `level` is that of a literal block's lines.
fn write_leaf(out: &mut String, value: &Value, level: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
        Value::Text(text) if is_literal(text) => return write_literal(out, text, level),
        Value::Text(text) => write_line_of_text(out, text),
    }
    out.push('\n');
}

fn write_literal(out: &mut String, text: &str, level: usize) {
    out.push('|');
    let first_line = text.lines().find(|line| !line.is_empty());
    if text.starts_with('\n') || first_line.is_some_and(|line| line.starts_with(' ')) {
        out.push('2');
    }
    let body = match text.strip_suffix('\n') {
        None => {
            out.push('-');
            text
        }
        Some(body) => {
            if body.ends_with('\n') {
                out.push('+');
            }
            body
        }
    };
    out.push('\n');
    for line in body.split('\n') {
        if !line.is_empty() {
            indent(out, level);
        }
        out.push_str(line);
        out.push('\n');
    }
}

fn write_line_of_text(out: &mut String, text: &str) {
    if is_plain(text) { out.push_str(text) } else { write_quoted(out, text) }
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        let _ = match char {
            '"' => write!(out, "\\\""),
            '\\' => write!(out, "\\\\"),
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            shown if is_shown(shown) => write!(out, "{shown}"),
            hidden => match u32::from(hidden) {
                code @ 0..=0xff => write!(out, "\\x{code:02X}"),
                code @ 0x100..=0xffff => write!(out, "\\u{code:04X}"),
                code => write!(out, "\\U{code:08X}"),
            },
        };
    }
    out.push('"');
}

fn indent(out: &mut String, level: usize) {
    for _ in 0..level {
        out.push_str("  ");
    }
}

/// Words that some YAML reader takes for null, a truth value or a number.
const NOT_TEXT: [&str; 12] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];

/// Whether every reader takes `text`, written plain, for exactly this text.
///
/// What begins with a digit, a sign or a dot may be a number, a date or a time to some reader, so plain text
/// begins with a letter or a slash.
fn is_plain(text: &str) -> bool {
    let begins_well = text.chars().next().is_some_and(|first| first == '/' || is_letter(first));
    let fine =
        |char: char| is_letter(char) || char.is_ascii_digit() || " !#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\"".contains(char);
    begins_well
        && text.chars().all(fine)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([' ', ':'])
        && !NOT_TEXT.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Latin letters, by ranges of our own: a compiler's tables of letters grow, and the form must not.
fn is_letter(char: char) -> bool {
    char.is_ascii_alphabetic() || matches!(char, '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{24f}')
}

/// Whether `text` can stand as a literal block in which no reader sees anything else.
fn is_literal(text: &str) -> bool {
    let fine = |line: &str| {
        line.is_empty()
            || (line.chars().all(|char| char == '\t' || is_shown(char))
                && line.trim_start_matches(' ').chars().next().is_some_and(|first| first != '\t'))
    };
    text.contains('\n') && text.bytes().any(|b| b != b'\n') && text.split('\n').all(fine)
}

/// Whether a character shows itself and does nothing else: no control, no separator of lines, nothing that
/// turns the direction of writing or takes no room.
fn is_shown(char: char) -> bool {
    !char.is_control()
        && !matches!(char,
            '\u{a0}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::super::value::Number;
    use super::*;

    fn written(text: &str) -> String {
        let map = Map::from([("a".to_owned(), Value::from(text))]);
        canonical(&Value::Map(map)).strip_prefix("a: ").expect("one key").to_owned()
    }

    #[test]
    fn text_stands_plain_only_where_every_reader_takes_it_for_that_text() {
        for plain in ["support", "openai:gpt-4o", "a#b", "Größe", "no way", "/a/b", "a, b", "zendesk.create_ticket"] {
            assert_eq!(written(plain), format!("{plain}\n"));
        }
        for quoted in [
            "",
            " a",
            "a ",
            "no",
            "Yes",
            "on",
            "y",
            "N",
            "null",
            "~",
            "=",
            "<<",
            "1:30",
            "017",
            "0x1f",
            "1e3",
            "1_000",
            "2001-12-14",
            "12",
            "-1",
            ".5",
            "- a",
            "-",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "*a",
            "&a",
            "!a",
            "{a",
            "[a",
            "> a",
            "| a",
            "@a",
            "`a`",
            "%a",
            "'a'",
            "nan",
            ".inf",
            "true",
            "./a",
            "?",
            "? a",
            "🚀 up",
        ] {
            assert_eq!(written(quoted), format!("\"{quoted}\"\n"));
        }
    }

    #[test]
    fn what_does_not_show_itself_is_escaped() {
        assert_eq!(written("a\u{85}b"), "\"a\\x85b\"\n");
        assert_eq!(written("a\u{2028}\u{202e}\u{feff}"), "\"a\\u2028\\u202E\\uFEFF\"\n");
        assert_eq!(written("\u{0}\t\r\"\\"), "\"\\x00\\t\\r\\\"\\\\\"\n");
        assert_eq!(written("\u{e0041}"), "\"\\U000E0041\"\n");
        assert_eq!(written("a\u{2029}b\nc"), "\"a\\u2029b\\nc\"\n");
    }

    #[test]
    fn text_of_several_lines_is_a_literal_block() {
        assert_eq!(written("one\ntwo"), "|-\n  one\n  two\n");
        assert_eq!(written("one\n\n  two\n"), "|\n  one\n\n    two\n");
        assert_eq!(written("one\n\n\n"), "|+\n  one\n\n\n");
        assert_eq!(written("  one\ntwo"), "|2-\n    one\n  two\n");
        assert_eq!(written("\none\n"), "|2\n\n  one\n");
        assert_eq!(written("\n\n"), "\"\\n\\n\"\n");
        assert_eq!(written("one\n \ntwo"), "\"one\\n \\ntwo\"\n");
        assert_eq!(written("one\r\ntwo"), "\"one\\r\\ntwo\"\n");
        assert_eq!(written("one\n\ttwo"), "\"one\\n\\ttwo\"\n");
    }

    #[test]
    fn a_value_has_one_form() {
        let list = Value::List(vec![
            Value::List(vec!["x".into(), Value::List(Vec::new())]),
            Value::Map(Map::from([("b".into(), Value::Null), ("a".into(), "1\n2".into())])),
            Value::Number(Number::Fraction(1e22)),
            Value::Number(Number::Whole(1)),
            Value::Map(Map::new()),
        ]);
        let map = Map::from([
            ("list".into(), list),
            ("B".into(), true.into()),
            ("no".into(), Value::Null),
            ("a:b".into(), "c".into()),
        ]);
        let expected = "B: true\n\"a:b\": c\nlist:\n  - - x\n    - []\n  - a: |-\n      1\n      2\n    b: null\n  - 1.0e+22\n  - 1\n  - {}\n\"no\": null\n";
        assert_eq!(canonical(&Value::Map(map)), expected);
    }
}
