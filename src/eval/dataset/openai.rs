//! Samples as OpenAI evals has them: `input` is a conversation or a text, `ideal` the answer or a list of good ones.

use serde_json::Value;

use crate::eval::case::Input;

use super::Placed;
use super::fields::FieldMap;
use super::json::{parse_map, type_name};
use super::messages;
use super::record::{Seen, case, check_near, take_expected};
use super::split::records;
use super::trouble::Slip;

pub(super) fn read(text: &str, (): ()) -> Result<Vec<Placed>, Slip> {
    let (mut cases, mut near, mut seen) = (Vec::new(), Seen::default(), Seen::default());
    for (line, record) in records(text)? {
        let mut map = parse_map(record, line)?;
        if map.contains_key("item") && !map.contains_key("input") {
            let what = "the sample holds an `item`, whose fields a template gives their meaning";
            let next = "take `format: joch` with, say, `fields: { input: item.question, expected: item.answer }`";
            return Err(Slip::new(what, next).on(line));
        }
        let input = match map.remove("input") {
            Some(Value::String(text)) => Ok(Input::Text(text)),
            Some(list @ Value::Array(_)) => messages::conversation(list).map_err(|slip| slip.within("input")),
            Some(other) => {
                let what = format!("`input` is text or a list of messages, not {}", type_name(&other));
                Err(Slip::new(what, "write `\"input\": [{\"role\": \"user\", \"content\": \"…\"}]`"))
            }
            None => Err(Slip::new("the sample has no `input`", "write what the agent is asked")),
        };
        let input = input.map_err(|slip| slip.on(line))?;
        check_near(&map, &["input", "ideal"], &mut near).map_err(|slip| slip.on(line))?;
        take_expected(&mut map, "ideal").map_err(|slip| slip.on(line))?;
        // What a case is asked is settled; the rest of the record is as joch has it.
        map.insert("input".into(), "".into());
        let mut case = case(map, &FieldMap::default(), &mut seen).map_err(|slip| slip.on(line))?;
        case.input = input;
        cases.push((Some(line), case));
    }
    Ok(cases)
}
