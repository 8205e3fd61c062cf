//! Tests as promptfoo has them: `vars`, `assert`, `description`. What a test asks are its vars; what it asserts becomes
//! the expected answer or the rubric, and metrics of the Eval judge by them. An assertion without such a counterpart is
//! refused: it would be a test that nobody runs.

use serde_json::{Map, Value, json};

use crate::eval::case::{Case, Input};
use crate::eval::points;
use crate::resource::path;

use super::document::{Document, Part};
use super::fields::FieldMap;
use super::json::{parse_map, type_name};
use super::split::records;
use super::trouble::{Slip, quoted};
use super::{LARGEST_RECORD, Placed};

/// The most that what all tests share may come to, written out for each, in bytes.
const LARGEST_SHARED: usize = 64 << 20;

/// What every test of a file shares.
#[derive(Default)]
struct Shared {
    vars: Map<String, Value>,
    asserts: Vec<Value>,
}

/// Assertions whose `value` is a good answer.
const ANSWERS: [&str; 5] = ["equals", "contains", "icontains", "factuality", "model-graded-factuality"];
/// Assertions whose `value` is what a judge looks for.
const RUBRICS: [&str; 4] = ["llm-rubric", "model-graded-closedqa", "g-eval", "agent-rubric"];
/// Vars that hold what is asked, where there are several.
const ASKS: [&str; 6] = ["input", "question", "query", "prompt", "message", "user_input"];

pub(super) fn read(text: &str, name: &str, fields: &FieldMap) -> Result<Vec<Placed>, Slip> {
    if let Some((field, _)) = fields.pairs().find(|(field, _)| *field != "input") {
        let what = format!("`spec.dataset.fields.{field}` means nothing for the format `promptfoo`");
        return Err(Slip::new(what, "remove it; `input` may name the var that is asked"));
    }
    let asked = fields.of_case("input");
    let lower = name.to_ascii_lowercase();
    if lower.ends_with(".csv") {
        return Err(Slip::new("promptfoo's CSV is not read", "take `format: csv`, or write the tests as YAML or JSON"));
    }
    if lower.ends_with(".jsonl") || lower.ends_with(".ndjson") {
        let mut cases = Vec::new();
        for (line, record) in records(text)? {
            let document = Document::of(Value::Object(parse_map(record, line)?));
            let test = document.part(&document.root, "")?;
            cases.push((Some(line), case(test, &Shared::default(), asked).map_err(|slip| slip.nowhere().on(line))?));
        }
        return Ok(cases);
    }
    let document = Document::read(text, name)?;
    let (tests, at, shared) = match &document.root {
        Value::Array(tests) => (tests.clone(), String::new(), Shared::default()),
        root => {
            let mut root = document.part(root, "")?;
            if root.take(&["scenarios"]).is_some() {
                return Err(root.slip("`scenarios` are not read", "write their tests out under `tests`"));
            }
            let shared = match root.take(&["defaultTest"]) {
                Some(shared) => self::shared(root.part(shared, "defaultTest")?)?,
                None => Shared::default(),
            };
            (root.list(&["tests"])?, "tests".to_owned(), shared)
        }
    };
    let size = json!([shared.vars, shared.asserts]).to_string().len();
    if size.saturating_mul(tests.len()) > LARGEST_SHARED {
        let what =
            format!("`defaultTest`, written out for {} tests, is larger than {LARGEST_SHARED} bytes", tests.len());
        return Err(Slip::new(what, "split the file into several").on(document.line("defaultTest")));
    }
    let mut cases = Vec::new();
    for (index, test) in tests.iter().enumerate() {
        let at = path::item(&at, index);
        let line = document.line(&at);
        cases.push((line, case(document.part(test, &at)?, &shared, asked).map_err(|slip| slip.on(line))?));
    }
    Ok(cases)
}

fn shared(mut part: Part<'_>) -> Result<Shared, Slip> {
    let shared = Shared { vars: vars(&mut part)?, asserts: part.list(&["assert"])? };
    part.finish("has no counterpart in a case", "remove it from `defaultTest`")?;
    Ok(shared)
}

fn case(mut part: Part<'_>, shared: &Shared, asked: Option<&str>) -> Result<Case, Slip> {
    let mut vars = vars(&mut part)?;
    for (key, value) in &shared.vars {
        vars.entry(key.clone()).or_insert_with(|| value.clone());
    }
    let own = part.list(&["assert"])?;
    let asserts: Vec<&Value> = shared.asserts.iter().chain(&own).collect();
    let (mut expected, mut rubric) = (None, Vec::new());
    for (index, assert) in asserts.iter().enumerate() {
        let read = assertion(assert, &vars).map_err(|slip| slip.within(&format!("{}.assert[{index}]", part.at)))?;
        match read {
            Asserted::Answer(answer) if expected.as_ref().is_none_or(|known| *known == answer) => {
                expected = Some(answer)
            }
            Asserted::Answer(_) => {
                let what = "two assertions name different answers, and a case has one";
                return Err(part.slip(what, "keep the one, and make a metric of the Eval of the other"));
            }
            Asserted::Points(points) => rubric.extend(points),
        }
    }
    let mut metadata = match part.take(&["metadata"]) {
        None => Map::new(),
        Some(Value::Object(map)) => map,
        Some(other) => return Err(part.slip(format!("`metadata` is a map, not {}", type_name(&other)), "write a map")),
    };
    let mut note = |key: &str, value: Value| match metadata.insert(key.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(key.to_owned()),
    };
    let description = part.text(&["description"])?;
    let (input, others) = ask(vars, asked, &part)?;
    let noted = description
        .map_or(Ok(()), |text| note("description", text.into()))
        .and_then(|()| if others.is_empty() { Ok(()) } else { note("vars", others.into()) })
        .and_then(|()| if asserts.is_empty() { Ok(()) } else { note("assert", json!(asserts)) });
    noted.map_err(|key| part.slip(format!("`metadata.{key}` is taken"), "call it otherwise"))?;
    part.finish("has no counterpart in a case", "remove it, or say it in the Eval")?;
    let tags = Vec::new();
    Ok(Case { id: String::new(), input, expected, rubric, expected_tools: None, tags, metadata })
}

/// The vars of a test: texts that stand for themselves.
fn vars(part: &mut Part<'_>) -> Result<Map<String, Value>, Slip> {
    let vars = match part.take(&["vars"]) {
        None => return Ok(Map::new()),
        Some(Value::Object(vars)) => vars,
        Some(other) => {
            return Err(part.slip(format!("`vars` is a map, not {}", type_name(&other)), "write the vars out"));
        }
    };
    for (key, value) in &vars {
        let what = match value {
            Value::Array(_) => "is a list, which stands for several tests",
            Value::String(text) if text.starts_with("file://") => "is read from a file",
            Value::String(text) if is_template(text) => "holds a template",
            _ => continue,
        };
        return Err(part.slip(format!("the var {} {what}", quoted(key)), "write the tests out, with the text itself"));
    }
    Ok(vars)
}

/// What is asked, and the vars that are not: the var that the Eval names, the only one, or the one whose name says it.
fn ask(
    mut vars: Map<String, Value>,
    asked: Option<&str>,
    part: &Part<'_>,
) -> Result<(Input, Map<String, Value>), Slip> {
    let name = match asked {
        Some(name) => Some(name.to_owned()),
        None if vars.len() == 1 => vars.keys().next().cloned(),
        None => {
            let mut names = ASKS.iter().filter(|name| vars.contains_key(**name));
            match (names.next(), names.next()) {
                (Some(name), None) => Some((*name).to_owned()),
                _ => None,
            }
        }
    };
    let Some(name) = name else {
        let next = "write `fields: { input: VAR }` under `spec.dataset`";
        return Err(part.slip(format!("the test has {} vars, and none is known to be what is asked", vars.len()), next));
    };
    match vars.remove(&name) {
        Some(Value::String(text)) => Ok((Input::Text(text), vars)),
        Some(Value::Null) | None => Err(part.slip(format!("the test has no var {}", quoted(&name)), "add it")),
        Some(other) => Ok((Input::Data(other), vars)),
    }
}

/// What an assertion says of a good answer.
enum Asserted {
    Answer(Value),
    Points(Vec<String>),
}

fn assertion(assert: &Value, vars: &Map<String, Value>) -> Result<Asserted, Slip> {
    let text = |key: &str| assert.get(key).and_then(Value::as_str);
    let kind =
        text("type").ok_or_else(|| Slip::new("the assertion has no `type`", "write it, or remove the assertion"))?;
    let is_answer = ANSWERS.contains(&kind);
    if !is_answer && !RUBRICS.contains(&kind) {
        let what = format!("the assertion {} has no counterpart in a case", quoted(kind));
        return Err(Slip::new(what, remedy(kind)));
    }
    let known = ["type", "value", "metric", "description"];
    let odd = |(key, value): &(&String, &Value)| {
        let is_neutral = value.is_null() || key.as_str() == "weight" && value.as_f64() == Some(1.0);
        !is_neutral && !known.contains(&key.as_str())
    };
    if let Some((key, _)) = assert.as_object().into_iter().flatten().find(odd) {
        let what = format!("{} of the assertion {} has no counterpart in a case", quoted(key), quoted(kind));
        return Err(Slip::new(what, "remove it, or say it in the Eval: as a threshold, or a weight of a criterion"));
    }
    let value = assert.get("value").filter(|value| !value.is_null());
    let value = value.ok_or_else(|| Slip::new("the assertion has no `value`", "write it, or remove the assertion"))?;
    let value = match value {
        Value::String(text) => Value::String(filled(text, vars)?),
        other => other.clone(),
    };
    match value {
        answer if is_answer => Ok(Asserted::Answer(answer)),
        Value::String(text) => Ok(Asserted::Points(points(&text))),
        list @ Value::Array(_) => Ok(Asserted::Points(super::record::read_rubric(list)?)),
        other => Err(Slip::new(format!("a rubric is text, not {}", type_name(&other)), "write it as text")),
    }
}

/// How to say in an Eval what an assertion says.
fn remedy(kind: &str) -> &'static str {
    match kind.strip_prefix("not-").unwrap_or(kind) {
        "contains" | "icontains" | "contains-all" | "icontains-all" | "contains-any" | "icontains-any" => {
            "make it a metric of the Eval, with `check: contains` and `texts` or `none`, and remove it here"
        }
        "regex" | "starts-with" => "make it a metric of the Eval, with `check: regex`, and remove it here",
        "is-json" | "contains-json" => "make it a metric of the Eval, with `check: json_schema`, and remove it here",
        "cost" => "make it a metric of the Eval, `cost_per_case`, and remove it here",
        "latency" => "make it a metric of the Eval, as `latency_p95_ms`, and remove it here",
        "tool-call-f1" | "is-valid-openai-tools-call" => {
            "make it a metric of the Eval, `tool_trajectory`, with `expected_tools` in joch's own format, and remove it here"
        }
        _ => "make it a metric of the Eval, with `type: exec` and a program of your own, and remove it here",
    }
}

fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// The text with `{{ name }}` replaced by that var. Whatever else a template may hold is refused.
fn filled(text: &str, vars: &Map<String, Value>) -> Result<String, Slip> {
    if text.starts_with("file://") {
        return Err(Slip::new("the value is read from a file", "write the text itself"));
    }
    if text.contains("{%") || text.contains("{#") {
        return Err(Slip::new("the value holds a template", "write the text itself"));
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        match vars.get(name.trim()) {
            Some(Value::String(value)) => out.extend([before, value]),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => out.extend([before, &value.to_string()]),
            _ => {
                return Err(Slip::new(
                    format!("the template {} is not understood", quoted(name)),
                    "write the text itself",
                ));
            }
        }
        if out.len() > LARGEST_RECORD {
            return Err(Slip::new(
                format!("the value, filled in, is larger than {LARGEST_RECORD} bytes"),
                "shorten it",
            ));
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
