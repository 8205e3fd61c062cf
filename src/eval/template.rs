//! A JSON body with gaps for what a case says. Gaps are filled in the parsed tree, never in text, so that whatever a
//! case holds, it stays one value.

use serde_json::{Map, Value, json};

use super::case::{Case, Input};

/// A template that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Node);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// Holds no gap.
    Fixed(Value),
    /// Is a gap and nothing else: filled with the value itself.
    Gap(Gap),
    /// Holds gaps: filled with their texts.
    Text(Vec<Part>),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Words(String),
    Gap(Gap),
}

#[derive(Debug, Clone, PartialEq)]
enum Gap {
    Input,
    Id,
    Messages,
    Metadata(Vec<String>),
}

impl Template {
    /// Understands a body.
    ///
    /// # Errors
    /// A gap that joch does not know; an opening `{{` without its end.
    pub fn read(body: &Value) -> Result<Self, String> {
        node(body).map(Self)
    }

    /// Whether it holds the input of a case, in whatever form.
    #[must_use]
    pub fn holds_input(&self) -> bool {
        self.0.holds_input()
    }

    /// The body for a case.
    ///
    /// # Errors
    /// That the case lacks the metadata that a gap names.
    pub fn fill(&self, case: &Case) -> Result<Value, String> {
        self.0.fill(case)
    }

    /// The text for a case: what is not text is written as JSON.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub fn fill_text(&self, case: &Case) -> Result<String, String> {
        Ok(match self.0.fill(case)? {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }
}

/// What is asked as a list of messages: a text or data is one message of the user.
#[must_use]
pub(crate) fn messages(input: &Input) -> Value {
    match input {
        Input::Conversation(messages) => json!(messages),
        other => json!([{"role": "user", "content": other.text()}]),
    }
}

impl Node {
    fn holds_input(&self) -> bool {
        let asks = |gap: &Gap| matches!(gap, Gap::Input | Gap::Messages);
        match self {
            Self::Fixed(_) => false,
            Self::Gap(gap) => asks(gap),
            Self::Text(parts) => parts.iter().any(|part| matches!(part, Part::Gap(gap) if asks(gap))),
            Self::List(items) => items.iter().any(Self::holds_input),
            Self::Map(entries) => entries.iter().any(|(_, node)| node.holds_input()),
        }
    }

    fn fill(&self, case: &Case) -> Result<Value, String> {
        Ok(match self {
            Self::Fixed(value) => value.clone(),
            Self::Gap(gap) => gap.value(case)?,
            Self::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Words(words) => text.push_str(words),
                        Part::Gap(gap) => text.push_str(&gap.text(case)?),
                    }
                }
                Value::String(text)
            }
            Self::List(items) => Value::Array(items.iter().map(|item| item.fill(case)).collect::<Result<_, _>>()?),
            Self::Map(entries) => {
                let fill = |(key, node): &(String, Self)| Ok((key.clone(), node.fill(case)?));
                Value::Object(entries.iter().map(fill).collect::<Result<Map<_, _>, String>>()?)
            }
        })
    }
}

impl Gap {
    fn read(name: &str) -> Result<Self, String> {
        match name.trim() {
            "input" => Ok(Self::Input),
            "id" => Ok(Self::Id),
            "messages" => Ok(Self::Messages),
            other => match other.strip_prefix("metadata.") {
                Some(path) if path.split('.').all(|key| !key.is_empty()) => {
                    Ok(Self::Metadata(path.split('.').map(str::to_owned).collect()))
                }
                _ => Err(format!(
                    "`{{{{{other}}}}}` is not known; there are `{{{{input}}}}`, `{{{{messages}}}}`, `{{{{id}}}}` and `{{{{metadata.NAME}}}}`"
                )),
            },
        }
    }

    fn value(&self, case: &Case) -> Result<Value, String> {
        Ok(match self {
            Self::Input => match &case.input {
                Input::Text(text) => Value::String(text.clone()),
                Input::Conversation(messages) => json!(messages),
                Input::Data(data) => data.clone(),
            },
            Self::Id => Value::String(case.id.clone()),
            Self::Messages => messages(&case.input),
            Self::Metadata(path) => {
                let first = case.metadata.get(&path[0]);
                let found = path[1..].iter().try_fold(first, |value, key| Some(value?.get(key)));
                found.flatten().cloned().ok_or_else(|| format!("the case has no `metadata.{}`", path.join(".")))?
            }
        })
    }

    fn text(&self, case: &Case) -> Result<String, String> {
        Ok(match self {
            Self::Input => case.input.text(),
            Self::Id => case.id.clone(),
            Self::Messages | Self::Metadata(_) => match self.value(case)? {
                Value::String(text) => text,
                other => other.to_string(),
            },
        })
    }
}

fn node(body: &Value) -> Result<Node, String> {
    let made = match body {
        Value::String(text) => return text_node(text),
        Value::Array(items) => Node::List(items.iter().map(node).collect::<Result<_, _>>()?),
        Value::Object(entries) => {
            if let Some(key) = entries.keys().find(|key| key.contains("{{")) {
                return Err(format!("the key `{key}` holds a gap; gaps stand in values"));
            }
            let nodes = entries.iter().map(|(key, value)| Ok((key.clone(), node(value)?)));
            Node::Map(nodes.collect::<Result<_, String>>()?)
        }
        other => Node::Fixed(other.clone()),
    };
    // A subtree without gaps is kept as the value it is.
    let is_fixed = match &made {
        Node::List(items) => items.iter().all(|item| matches!(item, Node::Fixed(_))),
        Node::Map(entries) => entries.iter().all(|(_, node)| matches!(node, Node::Fixed(_))),
        _ => false,
    };
    Ok(if is_fixed { Node::Fixed(body.clone()) } else { made })
}

fn text_node(text: &str) -> Result<Node, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else {
            return Err(format!("`{text}` opens `{{{{` and does not close it"));
        };
        if !before.is_empty() {
            parts.push(Part::Words(before.to_owned()));
        }
        parts.push(Part::Gap(Gap::read(name)?));
        rest = behind;
    }
    if parts.is_empty() {
        return Ok(Node::Fixed(Value::String(text.to_owned())));
    }
    if !rest.is_empty() {
        parts.push(Part::Words(rest.to_owned()));
    }
    match <[Part; 1]>::try_from(parts) {
        Ok([Part::Gap(gap)]) => Ok(Node::Gap(gap)),
        Ok(one) => Ok(Node::Text(one.into())),
        Err(parts) => Ok(Node::Text(parts)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::Message;
    use super::*;

    fn case(input: Input) -> Case {
        Case {
            id: "c-1".into(),
            input,
            expected: Some(json!("secret answer")),
            rubric: Vec::new(),
            expected_tools: None,
            tags: Vec::new(),
            metadata: json!({"user": {"name": "Ann"}, "tier": 3}).as_object().expect("a map").clone(),
        }
    }

    fn filled(body: Value, input: Input) -> Result<Value, String> {
        Template::read(&body)?.fill(&case(input))
    }

    #[test]
    fn a_gap_alone_takes_the_value_and_in_a_text_its_words() {
        let body = json!({"q": "{{input}}", "t": "ask: {{ input }} ({{id}})", "m": "{{messages}}", "n": "{{metadata.tier}}",
            "who": "{{metadata.user.name}}!", "fixed": [1, {"a": null}]});
        assert_eq!(
            filled(body, Input::Text("hi".into())),
            Ok(
                json!({"q": "hi", "t": "ask: hi (c-1)", "m": [{"role": "user", "content": "hi"}], "n": 3, "who": "Ann!",
                "fixed": [1, {"a": null}]})
            )
        );
        assert_eq!(filled(json!("{{input}}"), Input::Data(json!({"order": [1, 2]}))), Ok(json!({"order": [1, 2]})));
        let talk = Input::Conversation(vec![Message { role: "user".into(), content: "hi".into() }]);
        assert_eq!(filled(json!("{{input}}"), talk), Ok(json!([{"role": "user", "content": "hi"}])));
    }

    #[test]
    fn what_a_case_holds_never_becomes_structure() {
        for hostile in ["\", \"admin\": true, \"x\": \"", "{{id}}", "}}{{", "\\\"}\n\u{0}"] {
            let filled = filled(json!({"q": "{{input}}", "t": "a {{input}}"}), Input::Text(hostile.into()));
            assert_eq!(filled, Ok(json!({"q": hostile, "t": format!("a {hostile}")})));
        }
    }

    #[test]
    fn what_is_not_known_of_a_case_is_not_made_up() {
        assert!(Template::read(&json!("{{expected}}")).expect_err("unknown").contains("is not known"));
        assert!(Template::read(&json!({"a": ["{{inptu}}"]})).is_err());
        assert!(Template::read(&json!("{{input")).expect_err("open").contains("does not close"));
        assert!(Template::read(&json!({"{{input}}": 1})).is_err());
        let missing = filled(json!("{{metadata.plan}}"), Input::Text("hi".into()));
        assert_eq!(missing, Err("the case has no `metadata.plan`".into()));
    }
}
