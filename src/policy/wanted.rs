//! What a rule asks of one fact, and whether a value answers it.

use std::fmt;

use crate::resource::name::nearest;
use crate::resource::{Number, Value};

use super::key::{Key, Takes};

/// What a value must be for the rule to match.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// One of these.
    OneOf(Vec<Value>),
    /// Anything else than this.
    Not(Value),
    /// A number that compares so.
    Compared(Comparison, Number),
    /// No provider that the environment allows.
    NotAllowlisted,
    /// Whatever the runtime makes of it.
    Runtime(Value),
}

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

const SIGNS: [(&str, Comparison); 4] =
    [("<=", Comparison::AtMost), (">=", Comparison::AtLeast), ("<", Comparison::Below), (">", Comparison::Above)];

/// How many characters of a value are told.
const LONGEST: usize = 300;

/// The word for a provider that no allow-list has.
const NOT_ALLOWLISTED: &str = "not-allowlisted";

impl Wanted {
    /// What `value` asks of `key`.
    ///
    /// # Errors
    /// Why it asks nothing that could ever be answered, and the likely fix.
    pub fn read(key: &Key, value: &Value) -> Result<Self, (String, Option<String>)> {
        if key.takes == Takes::Anything {
            return Ok(Self::Runtime(value.clone()));
        }
        match value {
            Value::List(items) if items.is_empty() => Err(("an empty list matches nothing".into(), None)),
            Value::List(items) => {
                let plain = items.iter().map(|item| match item {
                    Value::Text(text) if comparison(text).is_some() || text.starts_with("!=") => {
                        Err((format!("`{text}` cannot stand in a list"), Some("write two rules".into())))
                    }
                    item => one(key, item),
                });
                Ok(Self::OneOf(plain.collect::<Result<_, _>>()?))
            }
            Value::Text(text) if text == NOT_ALLOWLISTED => {
                if key.name == "model.provider" {
                    Ok(Self::NotAllowlisted)
                } else {
                    Err((format!("`{NOT_ALLOWLISTED}` is said of `model.provider` only"), None))
                }
            }
            Value::Text(text) if text.starts_with("!=") => {
                let rest = text["!=".len()..].trim();
                Ok(Self::Not(one(key, &typed(key, rest))?))
            }
            Value::Text(text) => match comparison(text) {
                Some(_) if key.takes != Takes::Number => {
                    Err((format!("`{text}` compares numbers, and `{}` is none", key.name), None))
                }
                Some((comparison, rest)) => match number(rest) {
                    Some(number) => Ok(Self::Compared(comparison, number)),
                    None => Err((format!("`{rest}` is not a finite number"), None)),
                },
                None => Ok(Self::OneOf(vec![one(key, value)?])),
            },
            other => Ok(Self::OneOf(vec![one(key, other)?])),
        }
    }

    /// Whether one value is what is wanted; `None` where it is of another type than the rule speaks of.
    #[must_use]
    pub fn holds(&self, value: &Value, allowed: Option<&[String]>) -> Option<bool> {
        match self {
            Self::OneOf(wanted) => {
                let same_type = wanted.iter().any(|wanted| wanted.type_name() == value.type_name());
                same_type.then(|| wanted.contains(value))
            }
            Self::Not(unwanted) => (unwanted.type_name() == value.type_name()).then(|| unwanted != value),
            Self::Compared(comparison, number) => {
                let (value, number) = (value.as_number()?.as_f64(), number.as_f64());
                Some(match comparison {
                    Comparison::Below => value < number,
                    Comparison::AtMost => value <= number,
                    Comparison::Above => value > number,
                    Comparison::AtLeast => value >= number,
                })
            }
            Self::NotAllowlisted => {
                let (provider, allowed) = (value.as_text()?, allowed?);
                Some(!allowed.iter().any(|name| name == provider))
            }
            Self::Runtime(_) => None,
        }
    }
}

/// As in a sentence: `financial`, `one of a, b`, `< 0.5`.
impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(values) if values.len() == 1 => f.write_str(&told(&values[0])),
            Self::OneOf(values) => {
                f.write_str(&brief(format!("one of {}", values.iter().map(told).collect::<Vec<_>>().join(", "))))
            }
            Self::Not(value) => write!(f, "not {}", told(value)),
            Self::Compared(comparison, number) => {
                let sign = SIGNS.iter().find(|(_, known)| known == comparison).map_or("", |(sign, _)| sign);
                write!(f, "{sign} {number}")
            }
            Self::NotAllowlisted => f.write_str("not allow-listed"),
            Self::Runtime(value) => f.write_str(&told(value)),
        }
    }
}

/// A value as one word or line.
pub(super) fn told(value: &Value) -> String {
    brief(match value {
        Value::Text(text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    })
}

/// The beginning of a text.
fn brief(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// One plain value that the key can have.
fn one(key: &Key, value: &Value) -> Result<Value, (String, Option<String>)> {
    let takes = |what: &str| (format!("`{}` is {what}, not {}", key.name, value.type_name()), None);
    match (key.takes, value) {
        (Takes::Word(words), Value::Text(word)) if !words.contains(&word.as_str()) => {
            let help = nearest(word, words.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
            Err((format!("`{}` is one of {}, not `{word}`", key.name, words.join(", ")), help))
        }
        (Takes::Text | Takes::Word(_), Value::Text(_))
        | (Takes::Bool, Value::Bool(_))
        | (Takes::Number, Value::Number(_))
        | (Takes::Anything, _) => Ok(value.clone()),
        (Takes::Text | Takes::Word(_), Value::Number(_) | Value::Bool(_)) => {
            Err((takes("text").0, Some(format!("quote it: `\"{}\"`", told(value)))))
        }
        (Takes::Text | Takes::Word(_), _) => Err(takes("text")),
        (Takes::Bool, _) => Err(takes("`true` or `false`")),
        (Takes::Number, _) => {
            Err((takes("a number").0, Some("write a number, or a comparison such as `\"<0.5\"`".into())))
        }
    }
}

/// What stands after `!=`, as the key would have it.
fn typed(key: &Key, text: &str) -> Value {
    match key.takes {
        Takes::Bool => text.parse().map_or_else(|_| text.into(), Value::Bool),
        Takes::Number => number(text).map_or_else(|| text.into(), Value::Number),
        Takes::Text | Takes::Word(_) | Takes::Anything => text.into(),
    }
}

fn comparison(text: &str) -> Option<(Comparison, &str)> {
    SIGNS.iter().find_map(|(sign, comparison)| Some((*comparison, text.strip_prefix(sign)?.trim())))
}

fn number(text: &str) -> Option<Number> {
    Number::from_f64(text.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::super::key::find;
    use super::*;

    fn read(key: &str, value: Value) -> Result<String, String> {
        let key = find(key).expect("a key");
        Wanted::read(key, &value).map(|wanted| wanted.to_string()).map_err(|(why, _)| why)
    }

    #[test]
    fn a_value_is_a_scalar_a_list_a_comparison_or_its_opposite() {
        assert_eq!(read("tool.sideEffect", "financial".into()), Ok("financial".into()));
        assert_eq!(
            read("tool.sideEffect", Value::List(vec!["financial".into(), "privileged".into()])),
            Ok("one of financial, privileged".into())
        );
        assert_eq!(read("mcpServer.trustScore", "<0.5".into()), Ok("< 0.5".into()));
        assert_eq!(read("cost.runUsd", ">= 5".into()), Ok(">= 5".into()));
        assert_eq!(read("model.provider", "!=openai".into()), Ok("not openai".into()));
        assert_eq!(read("model.provider", "not-allowlisted".into()), Ok("not allow-listed".into()));
        assert_eq!(read("tool.requiresApproval", "!=true".into()), Ok("not true".into()));
    }

    #[test]
    fn what_could_never_be_answered_is_refused() {
        for (key, value, says) in [
            ("tool.sideEffect", Value::from("finanical"), "is one of"),
            ("tool.sideEffect", Value::List(Vec::new()), "matches nothing"),
            ("tool.sideEffect", Value::List(vec!["!=financial".into()]), "cannot stand in a list"),
            ("tool.name", "<3".into(), "compares numbers"),
            ("tool.name", Value::from(3), "is text"),
            ("mcpServer.trustScore", "<inf".into(), "not a finite number"),
            ("mcpServer.trustScore", "<NaN".into(), "not a finite number"),
            ("mcpServer.trustScore", "low".into(), "is a number"),
            ("mcpServer.schemaDrift", "yes".into(), "`true` or `false`"),
            ("tool.name", "not-allowlisted".into(), "`model.provider` only"),
            ("tool.name", Value::Null, "is text"),
        ] {
            let said = read(key, value).expect_err(key);
            assert!(said.contains(says), "{key}: {said}");
        }
    }
}
