//! joch's own format: one JSON object a case.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::eval::case::{Case, ExpectedCall, Input, Message};
use crate::eval::points;
use crate::resource::name::nearest;

use super::Placed;
use super::fields::{FieldMap, KNOWN};
use super::json::{parse_map, type_name};
use super::messages;
use super::split::records;
use super::trouble::{Slip, quoted};

/// What earlier records of a dataset have shown.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The fields that the Eval renames and that some record has.
    renamed: BTreeSet<&'static str>,
    /// Keys that are no slip: of ten thousand records with one key it is found out once.
    plain: BTreeSet<String>,
}

/// The most keys that are kept in mind.
const PLAIN: usize = 1000;

/// What other formats call a field. One of these where the field itself is missing is a slip, not metadata.
const ALIASES: [(&str, &str); 21] = [
    ("question", "input"),
    ("query", "input"),
    ("prompt", "input"),
    ("user_input", "input"),
    ("userInput", "input"),
    ("inputs", "input"),
    ("expected_output", "expected"),
    ("expectedOutput", "expected"),
    ("expected_response", "expected"),
    ("expectedResponse", "expected"),
    ("ideal", "expected"),
    ("target", "expected"),
    ("reference", "expected"),
    ("reference_answer", "expected"),
    ("reference_outputs", "expected"),
    ("ground_truth", "expected"),
    ("groundTruth", "expected"),
    ("rubrics", "rubric"),
    ("criteria", "rubric"),
    ("reference_tool_calls", "expected_tools"),
    ("expected_tool_calls", "expected_tools"),
];

/// The fields of a record as a person writes them.
const WRITTEN: [&str; 9] =
    ["id", "input", "messages", "expected", "rubric", "expected_tools", "expectedTools", "tags", "metadata"];

pub(super) fn read(text: &str, fields: &FieldMap) -> Result<Vec<Placed>, Slip> {
    let mut seen = Seen::default();
    let mut cases = Vec::new();
    for (line, record) in records(text)? {
        let case = case(parse_map(record, line)?, fields, &mut seen).map_err(|slip| slip.on(line))?;
        cases.push((Some(line), case));
    }
    match fields.pairs().find(|(field, _)| !seen.renamed.contains(field)) {
        Some((field, name)) if !cases.is_empty() => {
            let what =
                format!("no record has the field {}, which `spec.dataset.fields` names for `{field}`", quoted(name));
            Err(Slip::new(what, "mend the name, or remove it"))
        }
        _ => Ok(cases),
    }
}

/// The case that a record says.
pub(super) fn case(mut map: Map<String, Value>, fields: &FieldMap, seen: &mut Seen) -> Result<Case, Slip> {
    let mut found = BTreeSet::new();
    for (field, name) in fields.pairs() {
        let Some(value) = take(&mut map, name) else { continue };
        seen.renamed.insert(field);
        if map.contains_key(field) {
            let what = format!("the record has both `{field}` and {}, which is to be `{field}`", quoted(name));
            return Err(Slip::new(what, "remove one of the two, or mend `spec.dataset.fields`"));
        }
        map.insert(field.to_owned(), value);
    }
    if let Some(tools) = map.remove("expectedTools")
        && map.insert("expected_tools".into(), tools).is_some()
    {
        return Err(Slip::new("`expected_tools` and `expectedTools` are the same", "remove one of the two"));
    }
    let mut take = |field: &'static str| {
        let value = map.remove(field).filter(|value| !value.is_null());
        if value.is_some() {
            found.insert(field);
        }
        value
    };
    let [id, input, messages, expected, rubric, tools, tags, metadata] = KNOWN.map(&mut take);
    check_left(&map, &found, seen)?;
    Ok(Case {
        id: id.map(read_id).transpose()?.unwrap_or_default(),
        input: read_input(input, messages)?,
        expected,
        rubric: rubric.map(read_rubric).transpose()?.unwrap_or_default(),
        expected_tools: tools.map(read_tools).transpose()?,
        tags: tags.map(read_tags).transpose()?.unwrap_or_default(),
        metadata: read_metadata(metadata, map)?,
    })
}

/// Takes the field of another format that says what is expected, and puts it where joch has it.
pub(super) fn take_expected(map: &mut Map<String, Value>, field: &str) -> Result<(), Slip> {
    let Some(value) = map.remove(field).filter(|value| !value.is_null() && value.as_str() != Some("")) else {
        return Ok(());
    };
    if map.insert("expected".into(), one_or_many(value, field)?).is_some() {
        let what = format!("the sample has both `{field}` and `expected`");
        return Err(Slip::new(what, "remove one of the two"));
    }
    Ok(())
}

/// A text, or a list of texts of which each would do; a list of one is that one.
fn one_or_many(value: Value, field: &str) -> Result<Value, Slip> {
    match value {
        Value::Array(mut items) if items.len() == 1 && items[0].is_string() => Ok(items.remove(0)),
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_string) => Ok(Value::Array(items)),
        one @ Value::String(_) => Ok(one),
        other => {
            let what = format!("`{field}` is a text or a list of texts, not {}", type_name(&other));
            Err(Slip::new(what, format!("write `\"{field}\": \"…\"`, or remove it")))
        }
    }
}

/// Refuses keys that are nearly one of the `known` and stand in its place.
pub(super) fn check_near(map: &Map<String, Value>, known: &[&str], seen: &mut Seen) -> Result<(), Slip> {
    for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
        if seen.plain.contains(key) {
            continue;
        }
        if let Some(meant) = nearest(key, known.iter().copied()).filter(|meant| is_slip(key, meant)) {
            let what = format!("a case has no field {}", quoted(key));
            return Err(Slip::new(what, format!("did you mean `{meant}`? If not, put it under `metadata`")));
        }
        if seen.plain.len() < PLAIN {
            seen.plain.insert(key.clone());
        }
    }
    Ok(())
}

/// Takes the field of this name, or at this path of names.
fn take(map: &mut Map<String, Value>, name: &str) -> Option<Value> {
    if let Some(value) = map.remove(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    let inner = map.get_mut(first)?.as_object_mut()?;
    let value = take(inner, rest)?;
    if inner.is_empty() {
        map.remove(first);
    }
    Some(value)
}

/// Refuses what is left over and was likely meant as a field.
fn check_left(left: &Map<String, Value>, found: &BTreeSet<&str>, seen: &mut Seen) -> Result<(), Slip> {
    for key in left.keys() {
        if let Some((_, field)) = ALIASES.iter().find(|(alias, field)| alias == key && !found.contains(field)) {
            if *field == "input" && found.contains("messages") {
                continue;
            }
            let what = format!("the record has {} and no `{field}`", quoted(key));
            let next = format!(
                "call it `{field}`, or write `fields: {{ {field}: {key} }}` under `spec.dataset`; if it is something else, put it under `metadata`"
            );
            return Err(Slip::new(what, next));
        }
    }
    check_near(left, &WRITTEN, seen)
}

/// Of a short field only one letter is likely slipped: a `task` is no misspelt `tags`.
fn is_slip(key: &str, meant: &str) -> bool {
    meant.len() > 4 || strsim::damerau_levenshtein(&key.to_lowercase(), meant) == 1
}

fn read_id(value: Value) -> Result<String, Slip> {
    match value {
        Value::String(id) if !id.is_empty() => Ok(id),
        Value::String(_) => Err(Slip::new("the id is empty", "write one, or leave it out")),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(Slip::new(format!("an id is text, not {}", type_name(&other)), "quote it")),
    }
}

fn read_input(input: Option<Value>, earlier: Option<Value>) -> Result<Input, Slip> {
    match (input, earlier) {
        (None, None) => {
            Err(Slip::new("the record has no `input`", "write what the agent is asked, as `\"input\": \"…\"`"))
        }
        (Some(input), None) => messages::input(input),
        (None, Some(messages)) => messages::conversation(messages),
        (Some(Value::String(last)), Some(earlier)) => {
            let mut messages = messages::messages(earlier)?;
            messages.push(Message { role: "user".into(), content: last });
            Ok(Input::Conversation(messages))
        }
        (Some(_), Some(_)) => {
            Err(Slip::new("beside `messages`, `input` is the last message, and so a text", "move it into `messages`"))
        }
    }
}

/// Points from a text or a list of texts.
pub(super) fn read_rubric(value: Value) -> Result<Vec<String>, Slip> {
    let next = "write one point a line, each with `- ` before it, or a list of texts";
    let rubric = match value {
        Value::String(text) => points(&text),
        Value::Array(items) => {
            let text = |item: Value| match item {
                Value::String(text) if !text.trim().is_empty() => Ok(text),
                other => Err(Slip::new(format!("a point of the rubric is text, not {}", type_name(&other)), next)),
            };
            items.into_iter().map(text).collect::<Result<_, _>>()?
        }
        other => return Err(Slip::new(format!("a rubric is text or a list, not {}", type_name(&other)), next)),
    };
    if rubric.is_empty() {
        return Err(Slip::new("the rubric says nothing", "write what a judge looks for, or remove it"));
    }
    Ok(rubric)
}

/// Names of tools, or maps with a `name` and perhaps `arguments` (also called `args`).
pub(super) fn read_tools(value: Value) -> Result<Vec<ExpectedCall>, Slip> {
    let next = "write `[\"search\"]`, `[{\"name\": \"search\", \"arguments\": {…}}]`, or `[]` for none";
    let Value::Array(items) = value else {
        return Err(Slip::new(format!("expected tools are a list, not {}", type_name(&value)), next));
    };
    let call = |item: Value| match item {
        Value::String(name) if !name.trim().is_empty() => Ok(ExpectedCall { name, arguments: None }),
        Value::Object(mut map) => {
            let name = map.remove("name");
            let arguments = map.remove("arguments");
            let arguments = match (arguments, map.remove("args")) {
                (Some(_), Some(_)) => {
                    return Err(Slip::new("`arguments` and `args` are the same", "remove one of the two"));
                }
                (arguments, args) => arguments.or(args).filter(|value| !value.is_null()),
            };
            if let Some(key) = map.keys().next() {
                return Err(Slip::new(format!("an expected tool has no field {}", quoted(key)), next));
            }
            match name {
                Some(Value::String(name)) if !name.trim().is_empty() => Ok(ExpectedCall { name, arguments }),
                _ => Err(Slip::new("an expected tool has no name", next)),
            }
        }
        other => Err(Slip::new(format!("an expected tool is a name or a map, not {}", type_name(&other)), next)),
    };
    items.into_iter().map(call).collect()
}

fn read_tags(value: Value) -> Result<Vec<String>, Slip> {
    let items = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    let tag = |item: Value| match item {
        Value::String(tag) if !tag.trim().is_empty() => Ok(tag),
        other => Err(Slip::new(format!("a tag is text, not {}", type_name(&other)), "write `\"tags\": [\"billing\"]`")),
    };
    items.into_iter().map(tag).collect()
}

/// What the record says under `metadata`, and what is left of it.
fn read_metadata(said: Option<Value>, left: Map<String, Value>) -> Result<Map<String, Value>, Slip> {
    let mut metadata = match said {
        None => Map::new(),
        Some(Value::Object(map)) => map,
        Some(other) => {
            let what = format!("`metadata` is a map, not {}", type_name(&other));
            return Err(Slip::new(what, "write `\"metadata\": {\"key\": \"value\"}`"));
        }
    };
    for (key, value) in left {
        if metadata.contains_key(&key) {
            let what = format!("{} stands in the record and under `metadata`, too", quoted(&key));
            return Err(Slip::new(what, "remove one of the two"));
        }
        metadata.insert(key, value);
    }
    Ok(metadata)
}
