//! Conversations: lists of messages, each of somebody who says something.

use serde_json::Value;

use crate::eval::case::{Input, Message};

use super::json::type_name;
use super::trouble::{Slip, quoted};

/// What a value asks: a text, a conversation if it is a list whose items have a `role`, else data.
pub(super) fn input(value: Value) -> Result<Input, Slip> {
    match value {
        Value::String(text) => Ok(Input::Text(text)),
        Value::Array(items) if items.iter().any(|item| item.get("role").is_some()) => {
            conversation(Value::Array(items)).map_err(|slip| slip.within("input"))
        }
        other => Ok(Input::Data(other)),
    }
}

/// A conversation whose last message waits for an answer.
pub(super) fn conversation(value: Value) -> Result<Input, Slip> {
    let messages = messages(value)?;
    match messages.last().map(|message| message.role.as_str()) {
        Some("user" | "tool") => Ok(Input::Conversation(messages)),
        Some(role) => {
            let what = format!("the last message is of `{role}`, so nobody waits for an answer");
            Err(Slip::new(what, "let a message of `user` stand last; what the agent should say goes into `expected`"))
        }
        None => Err(Slip::new("the conversation has no message", "write `{\"role\": \"user\", \"content\": \"…\"}`")),
    }
}

/// The messages of a list.
pub(super) fn messages(value: Value) -> Result<Vec<Message>, Slip> {
    let Value::Array(items) = value else {
        let what = format!("messages are a list, not {}", type_name(&value));
        return Err(Slip::new(what, "write `[{\"role\": \"user\", \"content\": \"…\"}]`"));
    };
    let read = |(index, item)| message(item).map_err(|slip: Slip| slip.within(&format!("message {}", index + 1)));
    items.into_iter().enumerate().map(read).collect()
}

fn message(item: Value) -> Result<Message, Slip> {
    let Value::Object(mut map) = item else {
        let what = format!("a message is a map, not {}", type_name(&item));
        return Err(Slip::new(what, "write `{\"role\": \"user\", \"content\": \"…\"}`"));
    };
    let role = map.remove("role").unwrap_or_default();
    let role = match role.as_str() {
        Some("developer") => "system".to_owned(),
        Some(role @ ("system" | "user" | "assistant" | "tool")) => role.to_owned(),
        _ => {
            let said = role.as_str().map_or_else(|| type_name(&role).to_owned(), quoted);
            return Err(Slip::new(
                format!("{said} is no role"),
                "write `\"role\":` with `system`, `user`, `assistant` or `tool`",
            ));
        }
    };
    let content = content(map.remove("content").unwrap_or_default())?;
    if let Some((key, _)) = map.iter().find(|(_, value)| !value.is_null()) {
        let what = format!("a message has `role` and `content`, and {} cannot be sent on", quoted(key));
        return Err(Slip::new(what, "remove it, or tell what it says in `content`"));
    }
    Ok(Message { role, content })
}

/// A text, or the texts of a list of parts, one after the other.
fn content(value: Value) -> Result<String, Slip> {
    match value {
        Value::String(text) => Ok(text),
        Value::Array(parts) => parts
            .iter()
            .map(|part| {
                let is_text = matches!(part.get("type").and_then(Value::as_str), None | Some("text" | "input_text"));
                part.get("text").and_then(Value::as_str).filter(|_| is_text)
            })
            .collect::<Option<String>>()
            .ok_or_else(|| {
                Slip::new("a part of the message is no text, and only text can be sent on", "remove the part")
            }),
        other => {
            let what = format!("the content of a message is text, not {}", type_name(&other));
            Err(Slip::new(what, "write `\"content\": \"…\"`"))
        }
    }
}
