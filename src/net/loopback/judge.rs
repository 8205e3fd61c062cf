//! The judge's side of the protocol: what a request of joch shows, read back, and the verdict in the form asked for.

use serde_json::{Map, Value, json};

use crate::eval::Finding;
use crate::eval::judge::PROTOCOL;

/// What a request shows a judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The nonce that a verdict must repeat.
    pub nonce: String,
    /// The criteria, ids and texts.
    pub criteria: Vec<(String, String)>,
    /// The fields of the material by name; text, or data.
    pub material: Map<String, Value>,
}

impl Shown {
    /// Reads the body of a chat request; `None` where it is not one of joch's questions to a judge.
    pub(super) fn of(body: &Value) -> Option<Self> {
        let said = |role: &str| {
            let messages = body.get("messages")?.as_array()?;
            messages.iter().find(|message| message["role"] == role)?["content"].as_str()
        };
        if !said("system")?.contains(PROTOCOL) {
            return None;
        }
        let (mut nonce, mut criteria, mut material) = (None, Vec::new(), Map::new());
        for line in said("user")?.lines() {
            if let Some(rest) = line.strip_prefix("<material ") {
                nonce = rest.strip_suffix('>').map(str::to_owned);
            }
            let Ok(Value::Object(mut line)) = serde_json::from_str(line) else { continue };
            if let (Some(Value::String(id)), Some(Value::String(text))) = (line.remove("criterion"), line.get("text")) {
                criteria.push((id, text.clone()));
            } else if let Some(Value::String(field)) = line.remove("field") {
                let value = line.remove("text").or_else(|| line.remove("value")).unwrap_or_default();
                material.insert(field, value);
            }
        }
        Some(Self { nonce: nonce?, criteria, material })
    }

    /// The text of a field; empty where it is missing or data.
    #[must_use]
    pub fn text(&self, field: &str) -> &str {
        self.material.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// The verdict with these findings.
    pub(super) fn verdict(&self, finding: impl Fn(&str, &str) -> Finding) -> String {
        let verdicts: Vec<_> = self
            .criteria
            .iter()
            .map(|(id, text)| {
                let found = self.contains(text).unwrap_or_else(|| finding(id, text));
                json!({"criterion": id, "evidence": "", "verdict": found})
            })
            .collect();
        json!({"nonce": self.nonce, "verdicts": verdicts}).to_string()
    }

    /// What there is to find of `The output contains the word "x".`, as the canaries ask it.
    fn contains(&self, criterion: &str) -> Option<Finding> {
        let word = criterion.strip_prefix("The output contains the word \"")?.strip_suffix("\".")?;
        let holds = self.text("output").to_lowercase().contains(&word.to_lowercase());
        Some(if holds { Finding::Met } else { Finding::NotMet })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::judge::{canaries, read, request};

    #[test]
    fn what_is_asked_is_what_is_shown_and_the_canaries_are_answered() {
        let nonce = "3f1c9a0b5d7e42868f1e6c0a4d9b3572";
        for canary in canaries() {
            let asked = request(&canary.question, nonce);
            let body = json!({"messages": [
                {"role": "system", "content": asked.system},
                {"role": "user", "content": asked.user},
            ]});
            let shown = Shown::of(&body).expect("a question to a judge");
            assert_eq!((shown.nonce.as_str(), shown.text("output")), (nonce, canary.question.output.as_str()));
            let verdict = shown.verdict(|_, _| unreachable!("all criteria of canaries are about words"));
            assert_eq!(read(&verdict, nonce, &canary.question.ids()), Ok(canary.expected), "{}", canary.name);
        }
        assert_eq!(Shown::of(&json!({"messages": [{"role": "system", "content": "Be kind."}]})), None);
    }
}
