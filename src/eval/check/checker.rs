//! A check, compiled once and then asked for every case.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::eval::detect::{Sort, counts, leaks, usable};
use crate::eval::{Case, Check, Decimal, JsonPath, LeakSettings, Reply, Score, Trajectory, json_path};

use super::{json, text, trajectory};

/// A check that was understood, and compiled.
#[derive(Debug)]
pub struct Checker {
    check: Compiled,
}

#[derive(Debug)]
enum Compiled {
    Exact { strict: bool },
    Contains { texts: Vec<String>, strict: bool, none: bool },
    Regex { pattern: Regex, none: bool },
    JsonSchema(Box<jsonschema::Validator>),
    JsonPath { path: JsonPath, equals: Option<Value> },
    Trajectory { order: Trajectory, arguments: bool },
    Leakage { settings: LeakSettings, what: Sort },
}

/// The longest pattern, in bytes.
const LONGEST_PATTERN: usize = 4096;
/// How large a compiled pattern may be, in bytes.
const PATTERN_SIZE: usize = 2 << 20;
/// How much memory a search may use beside it, in bytes.
const SEARCH_SIZE: usize = 16 << 20;
/// How deep groups may stand in groups.
const PATTERN_DEPTH: u32 = 50;

impl Checker {
    /// Compiles a check.
    ///
    /// # Errors
    /// A pattern, schema or path that is none or is too large; a text or country that says nothing.
    pub fn new(check: &Check) -> Result<Self, String> {
        let check = match check {
            Check::Exact { strict } => Compiled::Exact { strict: *strict },
            Check::Contains { texts, strict, none } => {
                if texts.iter().any(String::is_empty) {
                    return Err("an empty text is in every answer; write what to look for".to_owned());
                }
                Compiled::Contains { texts: texts.clone(), strict: *strict, none: *none }
            }
            Check::Regex { pattern, none } => Compiled::Regex { pattern: compile(pattern)?, none: *none },
            Check::JsonSchema(schema) => Compiled::JsonSchema(Box::new(json::schema(schema)?)),
            Check::JsonPath { path, equals } => Compiled::JsonPath { path: json_path(path)?, equals: equals.clone() },
            Check::Trajectory { order, arguments } => Compiled::Trajectory { order: *order, arguments: *arguments },
            Check::PiiLeakage(settings) => leakage(settings, Sort::Pii)?,
            Check::SecretLeakage(settings) => leakage(settings, Sort::Secret)?,
        };
        Ok(Self { check })
    }

    /// What an answer scores: 1 where the check holds and 0 where it does not; for leaks 1 where the answer leaks. No
    /// score where the case does not say what the check needs.
    #[must_use]
    pub fn score(&self, case: &Case, reply: &Reply) -> Score {
        let holds = match &self.check {
            Compiled::Exact { strict } => text::is_expected(case, &reply.text, *strict),
            Compiled::Contains { texts, strict, none } => text::contains(case, &reply.text, texts, *strict, *none),
            Compiled::Regex { pattern, none } => Ok(pattern.is_match(&reply.text) != *none),
            Compiled::JsonSchema(schema) => Ok(json::read(&reply.text).is_some_and(|value| schema.is_valid(&value))),
            Compiled::JsonPath { path, equals } => {
                Ok(json::read(&reply.text).is_some_and(|value| json::found(path, &value, equals.as_ref())))
            }
            Compiled::Trajectory { order, arguments } => trajectory::follows(case, reply, *order, *arguments),
            Compiled::Leakage { settings, what } => {
                Ok(leaks(reply, case, settings, *what).iter().any(|leak| counts(leak, settings)))
            }
        };
        match holds {
            Ok(true) => Score::Scored(Decimal::ONE),
            Ok(false) => Score::Scored(Decimal::ZERO),
            Err(why) => Score::Unscored(why.to_owned()),
        }
    }
}

fn leakage(settings: &LeakSettings, what: Sort) -> Result<Compiled, String> {
    usable(settings)?;
    Ok(Compiled::Leakage { settings: settings.clone(), what })
}

fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.is_empty() {
        return Err("an empty pattern matches every answer; write what to look for".to_owned());
    }
    if pattern.len() > LONGEST_PATTERN {
        return Err(format!("the pattern is {} bytes long; {LONGEST_PATTERN} are the most", pattern.len()));
    }
    let built = RegexBuilder::new(pattern)
        .size_limit(PATTERN_SIZE)
        .dfa_size_limit(SEARCH_SIZE)
        .nest_limit(PATTERN_DEPTH)
        .build();
    built.map_err(|why| match why {
        regex::Error::CompiledTooBig(limit) => {
            format!("the pattern `{pattern}` needs more than {} MiB; repeat less in it", limit >> 20)
        }
        other => {
            // The last line says what is wrong; those before draw where.
            let told = other.to_string();
            let reason = told.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("`{pattern}` is not a pattern: {reason}")
        }
    })
}
