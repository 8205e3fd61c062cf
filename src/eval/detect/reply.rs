//! A whole answer without the credentials in it, for whatever is stored or sent on.

use serde_json::{Map, Value};

use crate::eval::Reply;

use super::mask::mask_secrets;

/// The answer with `[openai-key]` and so on in place of all credentials: in its text, in the names of the tools that
/// it called, and in all that their arguments say.
#[must_use]
pub fn without_secrets(mut reply: Reply) -> Reply {
    reply.text = mask_secrets(&reply.text);
    for call in &mut reply.tool_calls {
        call.name = mask_secrets(&call.name);
        call.arguments = masked("", &call.arguments, 0);
    }
    reply
}

/// Deeper than any parser of JSON reads.
const DEEPEST: usize = 256;

/// The value with every text in it masked; `key` is what leads to it, which may be what tells a credential.
fn masked(key: &str, value: &Value, depth: usize) -> Value {
    match value {
        _ if depth > DEEPEST => Value::Null,
        Value::String(text) => {
            let lead = format!("{key}: ");
            let whole = mask_secrets(&format!("{lead}{text}"));
            let rest = whole.strip_prefix(&lead).map_or_else(|| mask_secrets(text), str::to_owned);
            Value::String(rest)
        }
        Value::Array(list) => list.iter().map(|item| masked(key, item, depth + 1)).collect(),
        Value::Object(map) => {
            let one = |(key, item): (&String, &Value)| (mask_secrets(key), masked(key, item, depth + 1));
            Value::Object(map.iter().map(one).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::eval::ToolCall;

    #[test]
    fn no_credential_of_an_answer_is_left() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ9x2b3c4d";
        let arguments = json!({
            "mail": "joe@acme.com",
            "body": ["key AKIAQWERTYUIOPASDFGH", 7, null],
            "AKIAQWERTYUIOPASDFGH": {"secret_access_key": secret},
        });
        let reply = Reply {
            text: "AKIAQWERTYUIOPASDFGH of joe@acme.com".to_owned(),
            tool_calls: vec![
                ToolCall { name: "send AKIAQWERTYUIOPASDFGH".to_owned(), arguments },
                ToolCall { name: "send".to_owned(), arguments: json!(format!("{{\"secret_key\": \"{secret}\"}}")) },
            ],
            ..Reply::default()
        };
        let reply = without_secrets(reply);
        let stored = serde_json::to_string(&reply).expect("plain data");
        assert!(!stored.contains("AKIA") && !stored.contains("wJalr"), "{stored}");
        assert_eq!(reply.text, "[aws-access-key] of joe@acme.com");
        assert_eq!(reply.tool_calls[0].arguments["mail"], "joe@acme.com");
        assert_eq!(reply.tool_calls[0].arguments["body"], json!(["key [aws-access-key]", 7, null]));
        assert_eq!(without_secrets(reply.clone()), reply);
    }
}
