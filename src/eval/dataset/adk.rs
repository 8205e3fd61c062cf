//! An evalset of the Agent Development Kit: each case is a conversation, of which the last turn is asked anew. What was
//! said before is sent with it as it stands; the last turn's answer and tools are what is expected.

use serde_json::{Map, Value, json};

use crate::eval::case::{Case, ExpectedCall, Input, Message};
use crate::resource::path;

use super::Placed;
use super::document::{Document, Part};
use super::json::type_name;
use super::trouble::{Slip, quoted};

/// One turn.
struct Turn {
    asked: String,
    answered: Option<String>,
    tools: Option<Vec<ExpectedCall>>,
}

const NEXT: &str = "leave it out of this evalset";

pub(super) fn read(text: &str, (): ()) -> Result<Vec<Placed>, Slip> {
    let document = Document::read(text, "evalset.json")?;
    if document.root.is_array() {
        let what = "this is an evalset of the older form, a list of recordings";
        let next = "bring it into the form with `eval_cases`, as newer versions of the kit do by themselves";
        return Err(Slip::new(what, next));
    }
    let mut root = document.part(&document.root, "")?;
    let key = if document.root.get("evalCases").is_some() { "evalCases" } else { "eval_cases" };
    let mut cases = Vec::new();
    for (index, value) in root.list(&["eval_cases", "evalCases"])?.iter().enumerate() {
        let at = path::item(key, index);
        let case = case(document.part(value, &at)?).map_err(|slip| slip.on(document.line(&at)))?;
        cases.push((document.line(&at), case));
    }
    Ok(cases)
}

fn case(mut part: Part<'_>) -> Result<Case, Slip> {
    let id = part.text(&["eval_id", "evalId"])?.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| part.slip("the case has no `eval_id`", "give it one"))?;
    if part.take(&["conversation_scenario", "conversationScenario"]).is_some() {
        return Err(part.slip("the conversation is made up while it runs, and joch sends what is written", NEXT));
    }
    let turns = part.list(&["conversation"])?;
    let mut turns = turns
        .into_iter()
        .enumerate()
        .map(|(index, turn)| self::turn(part.item(turn, "conversation", index)?))
        .collect::<Result<Vec<_>, _>>()?;
    let last = turns.pop().ok_or_else(|| part.slip("the conversation has no turn", NEXT))?;
    let mut metadata = Map::new();
    let mut messages = Vec::new();
    for turn in turns {
        let Some(answered) = turn.answered else {
            let what = "a turn before the last has no `final_response`, so nobody knows how the conversation went on";
            return Err(part.slip(what, "add it, or leave the case out"));
        };
        messages.push(Message { role: "user".into(), content: turn.asked });
        messages.push(Message { role: "assistant".into(), content: answered });
        // They were called before the case begins: worth knowing, and nothing that is expected.
        for tool in turn.tools.into_iter().flatten() {
            let earlier = metadata.entry("earlier_tool_uses").or_insert_with(|| json!([]));
            earlier.as_array_mut().into_iter().for_each(|list| list.push(json!(tool)));
        }
    }
    let input = if messages.is_empty() {
        Input::Text(last.asked)
    } else {
        messages.push(Message { role: "user".into(), content: last.asked });
        Input::Conversation(messages)
    };
    if let Some(state) = part.take(&["session_input", "sessionInput"]) {
        if state.get("state").and_then(Value::as_object).is_some_and(|state| !state.is_empty()) {
            let what = "`session_input.state` sets up the agent before it is asked, which joch cannot do";
            return Err(part.slip(what, NEXT));
        }
        metadata.insert("session_input".into(), state);
    }
    let rubric = rubrics(&mut part)?;
    part.take(&["creation_timestamp", "creationTimestamp"]);
    part.finish("has no counterpart in a case", NEXT)?;
    Ok(Case {
        id,
        input,
        expected: last.answered.map(Value::from),
        rubric,
        expected_tools: last.tools,
        tags: Vec::new(),
        metadata,
    })
}

fn turn(mut part: Part<'_>) -> Result<Turn, Slip> {
    let asked = part.take(&["user_content", "userContent"]);
    let asked = asked.ok_or_else(|| part.slip("the turn has no `user_content`", "add what the user says"))?;
    let asked = said(part.part(asked, "user_content")?)?;
    let answered = match part.take(&["final_response", "finalResponse"]) {
        Some(answer) => Some(said(part.part(answer, "final_response")?)?),
        None => None,
    };
    let tools = match part.take(&["intermediate_data", "intermediateData"]) {
        Some(data) => tools(part.part(data, "intermediate_data")?)?,
        None => None,
    };
    for known in [["invocation_id", "invocationId"], ["creation_timestamp", "creationTimestamp"]] {
        part.take(&known);
    }
    part.finish("has no counterpart in a case", NEXT)?;
    Ok(Turn { asked, answered, tools })
}

/// The text of a content; a part that is none, or not meant to be said, cannot be sent on.
fn said(mut content: Part<'_>) -> Result<String, Slip> {
    content.take(&["role"]);
    let mut text = String::new();
    for (index, value) in content.list(&["parts"])?.into_iter().enumerate() {
        let mut part = content.item(value, "parts", index)?;
        let thought = part.take(&["thought"]) == Some(Value::Bool(true));
        let piece = part.text(&["text"])?;
        part.finish("is no text, and only text can be sent on", NEXT)?;
        if !thought {
            text.push_str(&piece.unwrap_or_default());
        }
    }
    content.finish("has no counterpart in a message", NEXT)?;
    Ok(text)
}

/// The tools that were used, in order; `None` where nothing is said about tools.
fn tools(mut data: Part<'_>) -> Result<Option<Vec<ExpectedCall>>, Slip> {
    let uses = data.take(&["tool_uses", "toolUses"]);
    // What tools and other agents said is of that run, and not asked of another.
    for known in [["tool_responses", "toolResponses"], ["intermediate_responses", "intermediateResponses"]] {
        data.take(&known);
    }
    data.finish("has no counterpart in a case; tools are read from `tool_uses`", NEXT)?;
    let Some(uses) = uses else { return Ok(None) };
    let Value::Array(uses) = uses else {
        return Err(data.slip(format!("`tool_uses` is a list, not {}", type_name(&uses)), "write a list"));
    };
    let mut calls = Vec::new();
    for (index, value) in uses.into_iter().enumerate() {
        let mut one = data.item(value, "tool_uses", index)?;
        let name = one.text(&["name"])?.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| one.slip("the tool has no `name`", "write it"))?;
        let arguments = one.take(&["args"]);
        one.take(&["id"]);
        one.finish("has no counterpart in an expected tool", NEXT)?;
        calls.push(ExpectedCall { name, arguments });
    }
    Ok(Some(calls))
}

fn rubrics(part: &mut Part<'_>) -> Result<Vec<String>, Slip> {
    let text = |value: &Value| {
        let content = value.get("rubric_content").or(value.get("rubricContent"))?;
        let text = content.get("text_property").or(content.get("textProperty"))?.as_str()?;
        Some(text.to_owned()).filter(|text| !text.trim().is_empty())
    };
    let rubrics = part.list(&["rubrics"])?;
    rubrics
        .iter()
        .map(|value| text(value).ok_or_else(|| part.slip(format!("{} is no rubric", quoted(&value.to_string())), NEXT)))
        .collect()
}
