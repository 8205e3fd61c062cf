//! The parameters of what is computed from case and answer.

use crate::eval::definition::{Check, LeakSettings, Trajectory};
use crate::resource::metric::Check as Word;
use crate::resource::{Value, path};

use super::flaws::Flaws;

/// The largest compiled pattern, in bytes.
const PATTERN: usize = 1 << 20;

/// The parameters of a check, by their keys.
pub(super) fn parameters(word: Word) -> &'static [&'static str] {
    match word {
        Word::Exact => &["strict"],
        Word::Contains => &["texts", "strict", "none"],
        Word::Regex => &["pattern", "none"],
        Word::JsonSchema => &["schema"],
        Word::JsonPath => &["path", "equals"],
        Word::ToolTrajectory => &["order", "arguments"],
        Word::PiiLeakage | Word::SecretLeakage => &["allow", "countEchoed", "regions"],
    }
}

/// The check with its parameters; `None` where one is missing or not understood, which stands among the flaws.
pub(super) fn check(word: Word, metric: &Value, at: &str, flaws: &mut Flaws) -> Option<Check> {
    let key = |key: &str| path::entry(at, key);
    let flag = |name: &str, default: bool, flaws: &mut Flaws| {
        flaws.flag(metric.get(name), &path::entry(at, name)).unwrap_or(default)
    };
    Some(match word {
        Word::Exact => Check::Exact { strict: flag("strict", true, flaws) },
        Word::Contains => {
            let none = flag("none", false, flaws);
            let texts = flaws.texts(metric.get("texts"), &key("texts"));
            if none && texts.is_empty() {
                flaws.add(&key("none"), "it is not said which texts the answer must not hold", "add `texts: [\"…\"]`");
                return None;
            }
            // Without regard to case more is found, so that is stricter where nothing may be found.
            Check::Contains { texts, strict: flag("strict", !none, flaws), none }
        }
        Word::Regex => {
            let pattern = required("pattern", "pattern: \"^Dear \"", metric, at, flaws)?;
            if let Err(why) = regex::RegexBuilder::new(&pattern).size_limit(PATTERN).build() {
                let why = why.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                flaws.add(
                    &key("pattern"),
                    format!("the pattern cannot be used: {why}"),
                    "mend it; in double quotes write `\\\\` for `\\`",
                );
                return None;
            }
            Check::Regex { pattern, none: flag("none", false, flaws) }
        }
        Word::JsonSchema => {
            let schema = metric.get("schema").filter(|schema| matches!(schema, Value::Map(_) | Value::Bool(_)));
            let schema = schema.and_then(json);
            let Some(schema) = schema.filter(jsonschema::meta::is_valid) else {
                let message = "a JSON Schema is expected";
                flaws.add(&key("schema"), message, "write, say, `schema: { type: object, required: [answer] }`");
                return None;
            };
            Check::JsonSchema(schema)
        }
        Word::JsonPath => {
            let path = required("path", "path: \"$.answer\"", metric, at, flaws)?;
            if let Err(why) = serde_json_path::JsonPath::parse(&path) {
                flaws.add(&key("path"), format!("this is no JSONPath: {why}"), "write, say, `$.answer`");
                return None;
            }
            Check::JsonPath { path, equals: metric.get("equals").and_then(json) }
        }
        Word::ToolTrajectory => Check::Trajectory {
            order: flaws.word(metric.get("order"), &key("order"), &ORDERS).unwrap_or(Trajectory::Strict),
            arguments: flag("arguments", true, flaws),
        },
        Word::PiiLeakage => Check::PiiLeakage(leaks(metric, at, flaws)),
        Word::SecretLeakage => Check::SecretLeakage(leaks(metric, at, flaws)),
    })
}

const ORDERS: [(&str, Trajectory); 4] = [
    ("strict", Trajectory::Strict),
    ("unordered", Trajectory::Unordered),
    ("subset", Trajectory::Subset),
    ("superset", Trajectory::Superset),
];

fn leaks(metric: &Value, at: &str, flaws: &mut Flaws) -> LeakSettings {
    let regions = flaws.texts(metric.get("regions"), &path::entry(at, "regions"));
    for region in &regions {
        if region.len() != 2 || !region.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let message = format!("`{}` is no country", region.escape_debug());
            flaws.add(&path::entry(at, "regions"), message, "write two capital letters, as `DE`");
        }
    }
    LeakSettings {
        allow: flaws.texts(metric.get("allow"), &path::entry(at, "allow")),
        count_echoed: flaws.flag(metric.get("countEchoed"), &path::entry(at, "countEchoed")).unwrap_or(false),
        regions,
    }
}

fn required(key: &str, example: &str, metric: &Value, at: &str, flaws: &mut Flaws) -> Option<String> {
    let at = path::entry(at, key);
    if matches!(metric.get(key), None | Some(Value::Null)) {
        flaws.add(&at, format!("`{key}` is missing"), format!("add, say, `{example}`"));
        return None;
    }
    flaws.text(metric.get(key), &at).map(str::to_owned)
}

/// As JSON. Every value of a resource has a form there.
fn json(value: &Value) -> Option<serde_json::Value> {
    serde_json::to_value(value).ok()
}
