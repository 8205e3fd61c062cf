//! What is wrong with an Eval: collected while it is read, so that a person sees all of it at once.

use std::fmt;

use crate::eval::Decimal;
use crate::resource::envelope::environment_key;
use crate::resource::name::nearest;
use crate::resource::{Number, Value, path};

/// Something that keeps an Eval from being run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where: `spec.metrics[0].samples`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

/// The flaws so far.
#[derive(Debug, Default)]
pub(super) struct Flaws(pub(super) Vec<Flaw>);

/// `` `spec.run.trials`: what is wrong; how to mend it ``
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}; {}", self.path, self.message, self.help)
    }
}

impl Flaws {
    pub(super) fn add(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(Flaw { path: path.to_owned(), message: message.into(), help: help.into() });
    }

    /// The value, unless nothing stands there, or something that each environment fills in.
    fn said<'v>(&mut self, value: Option<&'v Value>, at: &str) -> Option<&'v Value> {
        let value = value.filter(|value| **value != Value::Null)?;
        if let Some(key) = environment_key(value) {
            self.add(at, format!("it is left to the environment, which does not say `{key}`"), "write it here");
            return None;
        }
        Some(value)
    }

    fn mismatch(&mut self, takes: &str, value: &Value, at: &str) {
        self.add(at, format!("{takes} is expected, not {}", value.type_name()), format!("write {takes}"));
    }

    pub(super) fn whole(&mut self, value: Option<&Value>, at: &str, least: u32, most: u32) -> Option<u32> {
        let value = self.said(value, at)?;
        let whole = match value {
            Value::Number(Number::Whole(whole)) => u32::try_from(*whole).ok(),
            _ => None,
        };
        let whole = whole.filter(|whole| (least..=most).contains(whole));
        if whole.is_none() {
            let found = match value {
                Value::Number(number) => format!("`{number}`"),
                other => other.type_name().to_owned(),
            };
            let message = format!("a whole number from {least} to {most} is expected, not {found}");
            self.add(at, message, format!("write, say, `{}`", least.max(1)));
        }
        whole
    }

    pub(super) fn number(&mut self, value: Option<&Value>, at: &str) -> Option<f64> {
        let value = self.said(value, at)?;
        let number = value.as_number().map(Number::as_f64);
        if number.is_none() {
            self.mismatch("a number", value, at);
        }
        number
    }

    /// A share from 0 to 1, in millionths. One that does not come out even is rounded down, which forgives less.
    pub(super) fn millionths(&mut self, value: Option<&Value>, at: &str) -> Option<u32> {
        let share = self.number(value, at)?;
        if !(0.0..=1.0).contains(&share) {
            self.add(at, format!("`{share}` is no share from 0 to 1"), "write, say, `0.02` for 2 of 100 cases");
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and 1000000")]
        Some((share * 1e6 + 1e-6).floor() as u32)
    }

    /// A number of at least 0.
    pub(super) fn decimal(&mut self, value: Option<&Value>, at: &str) -> Option<Decimal> {
        let value = self.said(value, at)?;
        let decimal = value.as_number().and_then(Decimal::from_number).filter(|decimal| *decimal >= Decimal::ZERO);
        if decimal.is_none() {
            self.add(at, "a number of at least 0 is expected", "write, say, `0.02`");
        }
        decimal
    }

    pub(super) fn flag(&mut self, value: Option<&Value>, at: &str) -> Option<bool> {
        let value = self.said(value, at)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.mismatch("`true` or `false`", value, at);
        }
        flag
    }

    /// A text that is not empty.
    pub(super) fn text<'v>(&mut self, value: Option<&'v Value>, at: &str) -> Option<&'v str> {
        let value = self.said(value, at)?;
        match value.as_text() {
            Some("") => self.add(at, "the text is empty", "write one, or remove the field"),
            Some(text) => return Some(text),
            None => self.mismatch("text", value, at),
        }
        None
    }

    /// A list of texts that are not empty, or the one that stands without a list; no field is an empty list.
    pub(super) fn texts(&mut self, value: Option<&Value>, at: &str) -> Vec<String> {
        match self.said(value, at) {
            None => Vec::new(),
            Some(Value::List(items)) => {
                let each = items.iter().enumerate();
                each.filter_map(|(index, item)| self.item(item, &path::item(at, index))).collect()
            }
            one => self.text(one, at).map(str::to_owned).into_iter().collect(),
        }
    }

    fn item(&mut self, item: &Value, at: &str) -> Option<String> {
        if *item == Value::Null {
            self.mismatch("text", item, at);
        }
        self.text(Some(item), at).map(str::to_owned)
    }

    pub(super) fn word<T: Copy>(&mut self, value: Option<&Value>, at: &str, words: &[(&str, T)]) -> Option<T> {
        let word = self.text(value, at)?;
        let found = words.iter().find(|(known, _)| *known == word);
        if found.is_none() {
            let known: Vec<String> = words.iter().map(|(known, _)| format!("`{known}`")).collect();
            self.add(at, format!("`{word}` is not understood"), format!("write one of {}", known.join(", ")));
        }
        found.map(|(_, meant)| *meant)
    }

    /// Refuses keys that are nearly one of the known: what they say would go unheard.
    pub(super) fn check_keys(&mut self, value: &Value, known: &[&str], at: &str) {
        for key in value.as_map().into_iter().flatten().map(|(key, _)| key) {
            if known.contains(&key.as_str()) {
                continue;
            }
            if let Some(meant) = nearest(key, known.iter().copied()) {
                self.add(&path::entry(at, key), "joch does not know this field", format!("did you mean `{meant}`?"));
            }
        }
    }
}
