//! Samples as inspect_ai has them: `input` is a text or a conversation, `target` the answer or a list of good ones, and
//! `choices` are put below the question, lettered.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::eval::case::Input;

use super::Placed;
use super::csv::rows;
use super::fields::FieldMap;
use super::json::{parse, parse_map, type_name};
use super::messages;
use super::record::{Seen, case, check_near, take_expected};
use super::split::records;
use super::trouble::Slip;

/// What a sample sets up around the agent, which joch does not run.
const SURROUNDINGS: [&str; 3] = ["sandbox", "files", "setup"];

pub(super) fn read(text: &str, name: &str, (): ()) -> Result<Vec<Placed>, Slip> {
    let (mut cases, mut seen) = (Vec::new(), [Seen::default(), Seen::default()]);
    if name.to_ascii_lowercase().ends_with(".csv") {
        for (line, cells) in rows(text)?.1 {
            cases.push((Some(line), row(cells).and_then(|map| sample(map, &mut seen)).map_err(|slip| slip.on(line))?));
        }
    } else {
        for (line, record) in records(text)? {
            cases.push((Some(line), sample(parse_map(record, line)?, &mut seen).map_err(|slip| slip.on(line))?));
        }
    }
    Ok(cases)
}

/// The sample that a row says: lists and maps stand in their cells as JSON, choices also with commas between them.
fn row(cells: Vec<(String, String)>) -> Result<Map<String, Value>, Slip> {
    let mut map = Map::new();
    for (column, cell) in cells {
        let is_json = cell.trim_start().starts_with(['[', '{']);
        let value = match column.as_str() {
            "target" | "choices" | "metadata" if is_json => {
                parse(&cell, 1).map_err(|slip| slip.nowhere().within(&column))?
            }
            "choices" => cell.split(',').map(|choice| Value::from(choice.trim())).collect(),
            _ => Value::from(cell),
        };
        map.insert(column, value);
    }
    Ok(map)
}

fn sample(mut map: Map<String, Value>, [near, seen]: &mut [Seen; 2]) -> Result<crate::eval::Case, Slip> {
    if let Some(key) = SURROUNDINGS.iter().find(|key| map.get(**key).is_some_and(|value| !value.is_null())) {
        let what = format!("the sample has `{key}`, and joch sets nothing up around an agent");
        return Err(Slip::new(what, "leave such samples out"));
    }
    for key in SURROUNDINGS {
        map.remove(key);
    }
    let mut input = match map.remove("input") {
        Some(Value::String(text)) => Input::Text(text),
        Some(list @ Value::Array(_)) => messages::conversation(list).map_err(|slip| slip.within("input"))?,
        Some(other) => {
            let what = format!("`input` is text or a list of messages, not {}", type_name(&other));
            return Err(Slip::new(what, "write `\"input\": \"…\"`"));
        }
        None => return Err(Slip::new("the sample has no `input`", "write what the agent is asked")),
    };
    check_near(&map, &["id", "input", "target", "choices", "metadata"], near)?;
    take_expected(&mut map, "target")?;
    let choices = map.remove("choices").filter(|choices| !choices.is_null());
    if let Some(choices) = &choices {
        let listed = lettered(choices)?;
        match &mut input {
            Input::Text(text) => text.push_str(&listed),
            Input::Conversation(messages) => {
                messages.last_mut().into_iter().for_each(|message| message.content.push_str(&listed));
            }
            Input::Data(_) => {}
        }
    }
    map.insert("input".into(), "".into());
    let mut case = case(map, &FieldMap::default(), seen)?;
    case.input = input;
    if let Some(choices) = choices
        && case.metadata.insert("choices".into(), choices).is_some()
    {
        return Err(Slip::new("`choices` stand under `metadata`, too", "remove one of the two"));
    }
    Ok(case)
}

/// The choices, each on a line after its letter, below a blank line.
fn lettered(choices: &Value) -> Result<String, Slip> {
    let next = "write 2 to 26 texts, as `[\"yes\", \"no\"]`";
    let items = choices.as_array().filter(|items| (2..=26).contains(&items.len()));
    let items = items.ok_or_else(|| Slip::new("`choices` is no list of 2 to 26 texts", next))?;
    let mut listed = String::from("\n");
    for (letter, item) in ('A'..='Z').zip(items) {
        let choice =
            item.as_str().ok_or_else(|| Slip::new(format!("a choice is text, not {}", type_name(item)), next))?;
        write!(listed, "\n{letter}) {choice}").map_err(|_| Slip::new("a choice cannot be written", next))?;
    }
    Ok(listed)
}
