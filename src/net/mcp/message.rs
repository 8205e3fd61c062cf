//! Messages of JSON-RPC: a request as it goes out, and its answer among what comes back.

use crate::bom::exact;
use crate::eval::{Fault, FaultKind};
use crate::net::attempts::brief;
use crate::resource::{Map, Number, Value};

/// How a request was answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answered {
    /// With a result.
    Result(Value),
    /// With an error.
    Error {
        /// Its number.
        code: i128,
        /// Its words, in short.
        message: String,
    },
}

/// What one message was.
#[derive(Debug, PartialEq)]
pub(super) enum Came {
    /// The answer to this request.
    Answer(Answered),
    /// A request of the server's own: its id and method.
    Asked(Value, String),
    /// Something that nobody waits for.
    Other,
}

/// A request with this id; without one, a notification.
pub(super) fn request(id: Option<u64>, method: &str, params: Map) -> Vec<u8> {
    let mut message = Map::new();
    message.insert("jsonrpc".into(), "2.0".into());
    message.insert("method".into(), method.into());
    if let Some(id) = id {
        message.insert("id".into(), number(id));
    }
    if !params.is_empty() {
        message.insert("params".into(), params.into());
    }
    written(message)
}

/// What joch says to a request of the server's own: yes to a ping, and no to everything else.
pub(super) fn reply(id: Value, method: &str) -> Vec<u8> {
    let mut message = Map::new();
    message.insert("jsonrpc".into(), "2.0".into());
    message.insert("id".into(), id);
    if method == "ping" {
        message.insert("result".into(), Map::new().into());
    } else {
        let error = [("code", Value::from(-32601)), ("message", "joch only lists tools".into())];
        let error: Map = error.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        message.insert("error".into(), error.into());
    }
    written(message)
}

fn written(message: Map) -> Vec<u8> {
    serde_json::to_vec(&Value::from(message)).expect("a message holds only what JSON can")
}

fn number(id: u64) -> Value {
    Value::Number(Number::Whole(id.into()))
}

/// Reads the messages of one JSON text: one, or a list of several.
///
/// # Errors
/// It is not JSON, or no message.
pub(super) fn read(text: &[u8], id: u64) -> Result<Vec<Came>, Fault> {
    match exact(text).map_err(|why| malformed(format!("what came is not JSON that can be read in one way: {why}")))? {
        Value::List(items) => items.into_iter().map(|item| one(item, id)).collect(),
        item => Ok(vec![one(item, id)?]),
    }
}

fn one(message: Value, id: u64) -> Result<Came, Fault> {
    let Value::Map(mut message) = message else {
        return Err(malformed(format!("what came is {}, and no message of JSON-RPC", message.type_name())));
    };
    if let Some(Value::Text(method)) = message.remove("method") {
        let asked = message.remove("id").filter(|id| *id != Value::Null);
        return Ok(asked.map_or(Came::Other, |id| Came::Asked(id, method)));
    }
    if message.get("id") != Some(&number(id)) {
        // An error without an id is the answer to what could not be read, and one request is out at a time.
        let unread = message.get("id").is_none_or(|id| *id == Value::Null) && message.contains_key("error");
        if !unread {
            return Ok(Came::Other);
        }
    }
    match (message.remove("result"), message.remove("error")) {
        (Some(result @ Value::Map(_)), None) => Ok(Came::Answer(Answered::Result(result))),
        (None, Some(error)) => {
            let code = match error.get("code") {
                Some(Value::Number(Number::Whole(code))) => *code,
                _ => 0,
            };
            let message = brief(error.get("message").and_then(Value::as_text).unwrap_or_default());
            Ok(Came::Answer(Answered::Error { code, message }))
        }
        _ => Err(malformed("the answer has neither a result nor an error".into())),
    }
}

pub(super) fn malformed(why: String) -> Fault {
    Fault::new(FaultKind::Malformed, why)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn came(text: &str) -> Vec<Came> {
        read(text.as_bytes(), 7).expect("messages")
    }

    #[test]
    fn an_answer_is_told_from_everything_else() {
        let result = Came::Answer(Answered::Result(Map::new().into()));
        assert_eq!(came(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#), [result]);
        let error = Answered::Error { code: -32601, message: "no such method".into() };
        assert_eq!(came(r#"{"id":7,"error":{"code":-32601,"message":"no\n such method"}}"#), [Came::Answer(error)]);
        let unread = Answered::Error { code: -32000, message: "no header".into() };
        assert_eq!(came(r#"{"id":null,"error":{"code":-32000,"message":"no header"}}"#), [Came::Answer(unread)]);
        assert_eq!(came(r#"{"id":8,"result":{}}"#), [Came::Other]);
        assert_eq!(came(r#"{"id":"7","result":{}}"#), [Came::Other]);
        assert_eq!(came(r#"{"method":"notifications/message","params":{}}"#), [Came::Other]);
        assert_eq!(came(r#"{"id":"x","method":"ping"}"#), [Came::Asked("x".into(), "ping".into())]);
        assert_eq!(came(r#"[{"method":"a"},{"id":7,"result":{}}]"#).len(), 2);
    }

    #[test]
    fn what_is_no_message_is_said_to_be_none() {
        for text in
            ["", "7", "\"x\"", "[7]", r#"{"id":7}"#, r#"{"id":7,"result":[]}"#, r#"{"id":7,"id":7,"result":{}}"#]
        {
            let refused = read(text.as_bytes(), 7).expect_err(text);
            assert_eq!(refused.kind, FaultKind::Malformed, "{text}");
        }
    }

    #[test]
    fn a_ping_is_answered_and_nothing_else_is_done() {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        assert_eq!(text(reply("x".into(), "ping")), r#"{"id":"x","jsonrpc":"2.0","result":{}}"#);
        assert!(text(reply("x".into(), "sampling/createMessage")).contains("-32601"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(read(&bytes, 7));
        }
    }
}
