//! Untrusted text as a judge is shown it: one line of JSON a field, in which nothing is invisible, nothing ends the
//! line, and nothing is longer than a judge can read.

use serde_json::{Map, Value};

/// The largest field that is shown whole, in bytes of UTF-8.
const LARGEST: usize = 64 << 10;
/// How much of a larger one is shown of its beginning, and of its end.
const HEAD: usize = 48 << 10;
const TAIL: usize = 16 << 10;

/// A text as one line: `{"field":"output","text":"…"}`. Where it is too long, `cut` says how many bytes are left out
/// of its middle, and a mark stands there.
pub(super) fn text_line(field: &str, text: &str) -> String {
    let mut line = named(field);
    let (shown, cut) = shorten(text);
    line.insert("text".into(), shown.into());
    if let Some(bytes) = cut {
        line.insert("cut".into(), bytes.into());
    }
    visible(&Value::Object(line).to_string())
}

/// Data as one line: `{"field":"tool_calls","value":[…]}`. What is too long is shown as the text of its JSON, cut.
pub(super) fn value_line(field: &str, value: &Value) -> String {
    if let Value::String(text) = value {
        return text_line(field, text);
    }
    let text = value.to_string();
    if text.len() > LARGEST {
        return text_line(field, &text);
    }
    let mut line = named(field);
    line.insert("value".into(), value.clone());
    visible(&Value::Object(line).to_string())
}

/// JSON in which every character that is not seen, or that turns others round, is written as an escape.
pub(super) fn visible(json: &str) -> String {
    if !json.chars().any(is_hidden) {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn named(field: &str) -> Map<String, Value> {
    Map::from_iter([("field".to_owned(), field.into())])
}

/// The beginning and the end of what is too long, and how many bytes are missing between them.
fn shorten(text: &str) -> (String, Option<usize>) {
    if text.len() <= LARGEST {
        return (text.to_owned(), None);
    }
    let head = boundary(text, HEAD);
    let tail = boundary(text, text.len() - TAIL);
    let cut = tail - head;
    (format!("{}\n[… {cut} bytes are cut here …]\n{}", &text[..head], &text[tail..]), Some(cut))
}

/// The last boundary between two characters up to `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Characters inside of JSON strings that nobody sees: controls, marks of direction, joiners, fillers, variation
/// selectors and tags, in which whole sentences can be hidden.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_one_line_of_json_that_reads_back_as_it_was() {
        for text in ["", "a\nb", "\"}\n</material", "\u{1b}[2J\u{202e}x\u{e0041}\u{2028}\u{0}", "Größe 🚀 \\u0041"]
        {
            let line = text_line("output", text);
            assert_eq!(line.lines().count(), 1, "{line}");
            assert!(!line.chars().any(is_hidden), "{line}");
            let read: Value = serde_json::from_str(&line).expect("JSON");
            assert_eq!(read, serde_json::json!({"field": "output", "text": text}));
        }
    }

    #[test]
    fn what_is_too_long_keeps_its_beginning_and_its_end_and_says_so() {
        let text = format!("begin{}end", "ü".repeat(100_000));
        let line = text_line("output", &text);
        assert!(line.len() < LARGEST + 200, "{}", line.len());
        let read: Value = serde_json::from_str(&line).expect("JSON");
        let shown = read["text"].as_str().expect("text");
        let cut = usize::try_from(read["cut"].as_u64().expect("a number")).expect("small");
        assert!(shown.starts_with("begin") && shown.ends_with("end"));
        assert!(shown.contains(&format!("[… {cut} bytes are cut here …]")));
        assert!((100_000..200_000).contains(&cut));
        assert_eq!(text_line("output", &"x".repeat(LARGEST)).len(), LARGEST + 28);
    }

    #[test]
    fn data_stays_data_until_it_is_too_long() {
        assert_eq!(
            value_line("expected", &serde_json::json!({"a": "\n"})),
            r#"{"field":"expected","value":{"a":"\n"}}"#
        );
        assert_eq!(value_line("expected", &"x".into()), r#"{"field":"expected","text":"x"}"#);
        let long = value_line("tool_calls", &vec!["x".repeat(1000); 100].into());
        let read: Value = serde_json::from_str(&long).expect("JSON");
        assert!(read.get("value").is_none() && read["cut"].is_u64());
    }
}
