//! The values of Secrets: given to those who need them, and masked in everything that comes back.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::eval::{Fault, FaultKind, Reply, Text};
use crate::resource;

use super::disguise::forms;

/// The values of Secrets by the name of the Secret, or by `NAMESPACE/NAME`. They show themselves nowhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    values: BTreeMap<String, String>,
    /// What is masked: every form of every value, the longest first.
    masked: Vec<String>,
}

/// What stands in place of a credential.
const MASK: &str = "[credential]";
/// So much of a credential at the end of a text that was cut is no chance.
const BEGINNING: usize = 4;

impl Credentials {
    /// These values by Secret.
    #[must_use]
    pub fn new(values: BTreeMap<String, String>) -> Self {
        let masked = forms(values.values().map(String::as_str));
        Self { values, masked }
    }

    /// `text` without any credential in it, in whichever form.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.mask_text(&mut text);
        text
    }

    /// Knows these as well: what stands in a resource, in a place where credentials stand.
    pub(super) fn with<'t>(&self, plain: impl IntoIterator<Item = &'t str>) -> Self {
        let plain: Vec<&str> = plain.into_iter().collect();
        let all = self.values.values().map(String::as_str).chain(plain);
        Self { values: self.values.clone(), masked: forms(all) }
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
        self.mask_text(&mut reply.text);
        for call in &mut reply.tool_calls {
            self.mask_text(&mut call.name);
            self.mask_json(&mut call.arguments);
        }
        for text in [&mut reply.model, &mut reply.agent_version, &mut reply.cut_short].into_iter().flatten() {
            self.mask_cut(text);
        }
        reply
    }

    /// `value` without any credential in it.
    pub(super) fn mask_value(&self, value: resource::Value) -> resource::Value {
        if self.masked.is_empty() {
            return value;
        }
        let mut json = serde_json::to_value(&value).expect("a value holds only what JSON can");
        self.mask_json(&mut json);
        // A key that was masked may now stand beside another that was.
        resource::Value::try_from(json).unwrap_or_else(|_| MASK.into())
    }

    pub(super) fn mask_fault(&self, fault: Fault) -> Fault {
        let Fault { kind, mut message } = fault;
        self.mask_cut(&mut message);
        Fault { kind, message }
    }

    /// Masks in a text that was cut, where its end may be the beginning of a credential.
    fn mask_cut(&self, text: &mut String) {
        self.mask_text(text);
        let begins = |form: &str| {
            let ends = form.char_indices().map(|(end, _)| end).take_while(|end| *end <= text.len());
            ends.filter(|end| *end >= BEGINNING && text.ends_with(&form[..*end])).last()
        };
        if let Some(tail) = self.masked.iter().filter_map(|form| begins(form)).max() {
            text.truncate(text.len() - tail);
            text.push_str(MASK);
        }
    }

    /// Masks in a text; in one that is JSON also what only its reader sees. Gives whether there was anything.
    fn mask_text(&self, text: &mut String) -> bool {
        let mut masked = false;
        if !self.masked.is_empty()
            && text.trim_start().starts_with(['{', '[', '"'])
            && let Ok(mut json) = serde_json::from_str::<Value>(text)
            && self.mask_parts(&mut json)
        {
            *text = json.to_string();
            masked = true;
        }
        self.mask_in(text) || masked
    }

    fn mask_in(&self, text: &mut String) -> bool {
        let mut masked = false;
        for form in &self.masked {
            if text.contains(form.as_str()) {
                *text = text.replace(form.as_str(), MASK);
                masked = true;
            }
        }
        masked
    }

    /// Masks in all texts, and then in the whole as it is written, where numbers show and what reaches across parts.
    fn mask_json(&self, json: &mut Value) {
        self.mask_parts(json);
        let mut written = json.to_string();
        if self.mask_in(&mut written) {
            *json = serde_json::from_str(&written).unwrap_or(Value::String(written));
        }
    }

    fn mask_parts(&self, json: &mut Value) -> bool {
        match json {
            Value::String(text) => self.mask_text(text),
            Value::Array(items) => items.iter_mut().fold(false, |masked, item| self.mask_parts(item) | masked),
            Value::Object(entries) => {
                let mut masked = false;
                let taken = std::mem::take(entries);
                entries.extend(taken.into_iter().map(|(mut key, mut value)| {
                    masked |= self.mask_text(&mut key) | self.mask_parts(&mut value);
                    (key, value)
                }));
                masked
            }
            _ => false,
        }
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
