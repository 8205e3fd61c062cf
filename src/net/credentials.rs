//! The values of Secrets: given to those who need them, and masked in everything that comes back.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::eval::{Fault, FaultKind, Reply, Text};

/// The values of Secrets by the name of the Secret, or by `NAMESPACE/NAME`. They show themselves nowhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    values: BTreeMap<String, String>,
    /// What is masked, the longest first, so that one value inside of another hides neither.
    masked: Vec<String>,
}

/// What stands in place of a credential.
const MASK: &str = "[credential]";
/// Shorter values are no credentials, and masking them would tear texts apart.
const SHORTEST: usize = 6;
/// So much of a credential at the end of a text that was cut is no chance.
const BEGINNING: usize = 4;

impl Credentials {
    /// These values by Secret.
    #[must_use]
    pub fn new(values: BTreeMap<String, String>) -> Self {
        let masked = values.values().cloned().collect();
        let mut credentials = Self { values, masked };
        credentials.order();
        credentials
    }

    /// `text` without any credential in it.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.mask_in(&mut text);
        text
    }

    /// Knows these as well: what stands in a resource, in a place where credentials stand.
    pub(super) fn with<'t>(&self, plain: impl IntoIterator<Item = &'t str>) -> Self {
        let mut credentials = self.clone();
        credentials.masked.extend(plain.into_iter().map(str::to_owned));
        credentials.order();
        credentials
    }

    /// The text itself.
    ///
    /// # Errors
    /// That nobody gave the value of the Secret.
    pub(super) fn resolve(&self, text: &Text) -> Result<String, Fault> {
        let value = |secret: &str| {
            self.values.get(secret).filter(|value| !value.is_empty()).cloned().ok_or_else(|| {
                let why =
                    format!("the Secret `{secret}` has no value here: set what its `source` names, and run again");
                Fault::new(FaultKind::Credentials, why)
            })
        };
        match text {
            Text::Plain(text) => Ok(text.clone()),
            Text::Secret(secret) => value(secret),
            Text::Prefixed { prefix, secret } => Ok(format!("{prefix}{}", value(secret)?)),
        }
    }

    pub(super) fn mask_reply(&self, mut reply: Reply) -> Reply {
        if self.masked.is_empty() {
            return reply;
        }
        self.mask_in(&mut reply.text);
        for call in &mut reply.tool_calls {
            self.mask_in(&mut call.name);
            self.mask_json(&mut call.arguments);
        }
        for text in [&mut reply.model, &mut reply.agent_version, &mut reply.cut_short].into_iter().flatten() {
            self.mask_cut(text);
        }
        reply
    }

    pub(super) fn mask_fault(&self, fault: Fault) -> Fault {
        let Fault { kind, mut message } = fault;
        self.mask_cut(&mut message);
        Fault { kind, message }
    }

    /// Masks in a text that was cut, where its end may be the beginning of a credential.
    fn mask_cut(&self, text: &mut String) {
        self.mask_in(text);
        let begins = |value: &str| {
            let ends = value.char_indices().map(|(end, _)| end).filter(|end| *end >= BEGINNING);
            ends.rev().find(|end| text.ends_with(&value[..*end]))
        };
        if let Some(tail) = self.masked.iter().filter_map(|value| begins(value)).max() {
            text.truncate(text.len() - tail);
            text.push_str(MASK);
        }
    }

    fn mask_in(&self, text: &mut String) {
        for value in &self.masked {
            if text.contains(value.as_str()) {
                *text = text.replace(value.as_str(), MASK);
            }
        }
    }

    fn mask_json(&self, json: &mut Value) {
        match json {
            Value::String(text) => self.mask_in(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_json(item)),
            Value::Object(entries) => {
                if entries.keys().any(|key| self.masked.iter().any(|value| key.contains(value.as_str()))) {
                    let renamed = std::mem::take(entries).into_iter().map(|(key, value)| (self.mask(&key), value));
                    *entries = renamed.collect();
                }
                entries.values_mut().for_each(|value| self.mask_json(value));
            }
            _ => {}
        }
    }

    fn order(&mut self) {
        // A value is also known without the line break that files end with, and a header's without its scheme.
        let trimmed: Vec<String> = self.masked.iter().map(|value| value.trim().to_owned()).collect();
        let bare = trimmed.iter().filter_map(|value| Some(value.split_once(' ')?.1.trim().to_owned()));
        self.masked = trimmed.iter().cloned().chain(bare).filter(|value| value.len() >= SHORTEST).collect();
        self.masked.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.masked.dedup();
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::eval::ToolCall;

    fn credentials() -> Credentials {
        let values =
            [("key", "sk-123456789"), ("long", "sk-123456789-more"), ("short", "abc"), ("file", "from-file\n")];
        Credentials::new(values.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    #[test]
    fn no_credential_comes_back() {
        let call = ToolCall {
            name: "t".into(),
            arguments: json!({"a": ["Bearer sk-123456789"], "from-file": {"b": "sk-123456789-more"}}),
        };
        let reply =
            Reply { text: "abc sk-123456789-more, sk-123456789".into(), tool_calls: vec![call], ..Reply::default() };
        let masked = credentials().mask_reply(reply);
        assert_eq!(masked.text, "abc [credential], [credential]");
        let arguments = json!({"a": ["Bearer [credential]"], "[credential]": {"b": "[credential]"}});
        assert_eq!(masked.tool_calls[0].arguments, arguments);
        assert_eq!(format!("{:?}", credentials()), r#"{"file", "key", "long", "short"}"#);
    }

    #[test]
    fn a_credential_written_in_the_open_is_masked_too() {
        let known = credentials().with(["Bearer open-token"]);
        assert_eq!(known.mask("got open-token, and Bearer open-token"), "got [credential], and [credential]");
    }

    #[test]
    fn a_credential_that_was_cut_is_masked_too() {
        let long = format!("{}sk-123456789-more", "x".repeat(290));
        let masked = credentials().mask_fault(Fault::new(FaultKind::Refused, long));
        assert!(masked.message.ends_with("xx[credential]"), "{}", masked.message);
    }

    #[test]
    fn a_secret_without_a_value_is_said_and_never_empty() {
        let empty = Credentials::new([("empty".to_owned(), String::new())].into());
        for secret in ["none", "empty"] {
            let fault = empty.resolve(&Text::Secret(secret.into())).expect_err("no value");
            assert_eq!(fault.kind, FaultKind::Credentials);
            assert!(fault.message.contains(secret));
        }
    }
}
