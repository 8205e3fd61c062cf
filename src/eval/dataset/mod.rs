//! Datasets: cases from bytes, in the formats that teams have. A dataset is read as a whole or not at all: a case that is
//! skipped, or half understood, would change what a run measures without anyone noticing.

mod adk;
mod csv;
mod document;
mod fields;
mod format;
mod inspect;
mod json;
mod messages;
mod openai;
mod promptfoo;
mod record;
mod split;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::HashMap;

pub use fields::FieldMap;
pub use format::Format;
pub use trouble::Trouble;

use crate::resource::{Digest, Resource, Value};

use super::case::Case;
use trouble::Slip;

/// The largest record, in bytes: one line of JSON, one row of CSV.
pub const LARGEST_RECORD: usize = 4 << 20;
/// The most cases of one dataset.
pub const MOST_CASES: usize = 1_000_000;
/// The longest id of a case, in bytes.
const LONGEST_ID: usize = 200;

/// A case, and the line on which it begins, where that is known.
type Placed = (Option<usize>, Case);

/// Reads the cases of a dataset. `name` is only copied into errors; `fields` says which fields of a record mean what.
///
/// A case without an id gets one from its content, so that it keeps it wherever it stands.
///
/// # Errors
/// The first thing that is wrong, with its line and how to mend it. A dataset without cases is one.
pub fn read(bytes: &[u8], format: Format, name: &str, fields: &FieldMap) -> Result<Vec<Case>, Trouble> {
    let read = || -> Result<Vec<Case>, Slip> {
        let text = text(bytes)?;
        finish(match format {
            Format::Joch => record::read(text, fields)?,
            Format::Csv => csv::read(text, fields)?,
            Format::Promptfoo => promptfoo::read(text, name, fields)?,
            Format::Inspect => inspect::read(text, name, fields.none_for(format)?)?,
            Format::OpenAiEvals => openai::read(text, fields.none_for(format)?)?,
            Format::AdkEvalset => adk::read(text, fields.none_for(format)?)?,
        })
    };
    read().map_err(|slip| slip.at(name))
}

/// Reads the dataset of an Eval from its bytes, wherever they were kept: a file, or the ledger.
///
/// # Errors
/// As [`read`]; or the Eval does not say how to read them, or names the digest of other bytes.
pub fn of_eval(eval: &Resource, bytes: &[u8], name: &str) -> Result<Vec<Case>, Trouble> {
    let dataset = eval.spec().get("dataset").unwrap_or(&Value::Null);
    let refused = |(what, next): (String, &str)| Slip::new(what, next).at(name);
    check_digest(dataset, bytes).map_err(refused)?;
    let uri = dataset.get("uri").and_then(Value::as_text).unwrap_or(name);
    let format = Format::of(dataset, uri).map_err(|what| refused((what, "mend `spec.dataset.format`")))?;
    let fields = FieldMap::of(dataset).map_err(|what| refused((what, "mend `spec.dataset.fields`")))?;
    read(bytes, format, name, &fields)
}

/// Refuses bytes that are not those whose digest the Eval names, in hex, with or without `sha256:`.
fn check_digest(dataset: &Value, bytes: &[u8]) -> Result<(), (String, &'static str)> {
    let Some(said) = dataset.get("sha256").filter(|said| **said != Value::Null) else { return Ok(()) };
    let is = Digest::of(bytes).hex();
    let named = said.as_text().map(|text| text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase());
    if named.as_deref() == Some(is.as_str()) {
        return Ok(());
    }
    let what = format!("this is not the dataset whose digest the Eval names: it has `sha256: {is}`");
    Err((what, "bring back the dataset that was meant, or write this digest under `spec.dataset`"))
}

/// The text of a file, without the mark that some editors put before it.
fn text(bytes: &[u8]) -> Result<&str, Slip> {
    let line = |offset: usize| 1 + bytes[..offset].iter().filter(|byte| **byte == b'\n').count();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Slip::new("the file is UTF-16", "save it as UTF-8").on(1));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|why| Slip::new("this line is not UTF-8", "save the file as UTF-8").on(line(why.valid_up_to())))?;
    if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
        return Err(
            Slip::new("this line holds a NUL character", "remove it, or save the file as UTF-8").on(line(offset))
        );
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Names the cases that have no name, and checks that no two share one.
fn finish(placed: Vec<Placed>) -> Result<Vec<Case>, Slip> {
    if placed.is_empty() {
        return Err(Slip::new(
            "the dataset holds no case",
            "write one, as `{\"id\": \"greeting\", \"input\": \"Hello\"}`",
        ));
    }
    if placed.len() > MOST_CASES {
        return Err(Slip::new(
            format!("the dataset holds more than {MOST_CASES} cases"),
            "split it into several Evals",
        ));
    }
    let mut cases = Vec::with_capacity(placed.len());
    let mut lines: HashMap<String, Option<usize>> = HashMap::with_capacity(placed.len());
    for (line, mut case) in placed {
        let is_named = !case.id.is_empty();
        if !is_named {
            case.id = format!("case-{}", &case.digest().hex()[..16]);
        }
        check_id(&case.id).map_err(|slip| slip.on(line))?;
        if let Some(first) = lines.insert(case.id.clone(), line) {
            let first = first.map(|first| format!(", first on line {first}")).unwrap_or_default();
            return Err(if is_named {
                Slip::new(format!("the id `{}` stands twice{first}", case.id), "give one of the two another id")
                    .on(line)
            } else {
                let what = format!("the same case stands twice{first}");
                Slip::new(what, "remove one of the two, or give each an `id`").on(line)
            });
        }
        cases.push(case);
    }
    Ok(cases)
}

fn check_id(id: &str) -> Result<(), Slip> {
    if id.len() > LONGEST_ID {
        return Err(Slip::new(format!("the id has {} bytes, more than {LONGEST_ID}", id.len()), "write a shorter one"));
    }
    if id.trim() != id || id.chars().any(|char| char.is_control() || is_invisible(char)) {
        let what = format!("the id `{}` holds characters that nobody sees", id.escape_default());
        return Err(Slip::new(what, "write it with letters, digits and `-`"));
    }
    Ok(())
}

/// Marks of direction and of no width, with which two ids could look alike.
fn is_invisible(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
