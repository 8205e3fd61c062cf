//! What an answer says: its text, tool calls, tokens and cost, where paths say, or where they usually stand.

use serde_json::Value;

use crate::eval::{self, Decimal, Fault, FaultKind, JsonPath, Reply, ToolCall, Usage, json_path};
use crate::net::attempts::{brief, said};
use crate::net::client::Answer;

/// Where in an answer what stands.
#[derive(Debug, Default)]
pub(super) struct Paths {
    output: Option<(String, JsonPath)>,
    tool_calls: Option<(String, JsonPath)>,
    usage: Option<JsonPath>,
    cost: Option<JsonPath>,
    /// Whether paths can be given at all.
    by_path: bool,
}

/// Where the text of an answer usually stands.
const USUAL: [&str; 6] = ["output", "answer", "text", "response", "message", "content"];
const USUAL_CALLS: [&str; 2] = ["tool_calls", "toolCalls"];
/// Names of models, versions and reasons are words, not texts.
const WORD: usize = 200;
/// Why an answer ended that was withheld.
const WITHHELD: &str = "content_filter";

impl Paths {
    pub(super) fn open(http: &eval::Http) -> Result<Self, String> {
        let open = |path: &Option<String>| path.as_deref().map(json_path).transpose();
        let named = |path: &Option<String>| Ok::<_, String>(path.clone().zip(open(path)?));
        Ok(Self {
            output: named(&http.output)?,
            tool_calls: named(&http.tool_calls)?,
            usage: open(&http.usage)?,
            cost: open(&http.cost)?,
            by_path: true,
        })
    }

    /// The answer of an HTTP request that succeeded.
    pub(super) fn read(&self, answer: &Answer) -> Result<Reply, Fault> {
        let kind = answer.header("content-type").unwrap_or_default().trim().to_ascii_lowercase();
        if kind.starts_with("text/html") {
            return Err(malformed("the answer is a web page: check the address, and whether it wants a sign-in"));
        }
        if kind.starts_with("text/event-stream") {
            return Err(malformed("the answer is a stream of events: ask the agent for one JSON answer"));
        }
        let is_json = kind.split(';').next().is_some_and(|kind| kind.trim().ends_with("json"));
        self.read_bytes(&answer.body, is_json)
    }

    /// An answer as it came; `is_json` where it must be JSON.
    pub(super) fn read_bytes(&self, body: &[u8], is_json: bool) -> Result<Reply, Fault> {
        let text = str::from_utf8(body).map_err(|_| malformed("the answer is not UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let needs_json = is_json || self.output.is_some() || self.tool_calls.is_some();
        match serde_json::from_str::<Value>(text) {
            Ok(json) if needs_json || json.is_object() => self.read_json(&json),
            Err(why) if needs_json && text.trim().is_empty() => Err(malformed(format!("the answer is empty: {why}"))),
            Err(why) if needs_json => Err(malformed(format!("the answer is not JSON: {why}"))),
            _ => Ok(Reply { text: text.strip_suffix('\n').unwrap_or(text).to_owned(), ..Reply::default() }),
        }
    }

    fn read_json(&self, json: &Value) -> Result<Reply, Fault> {
        if let Some(why) = failure(json, self.output.is_none()) {
            let why = format!("the agent answered with an error: {}", brief(&why));
            return Err(Fault::new(FaultKind::Refused, why));
        }
        let tool_calls = self.tool_calls(json)?;
        let cut_short = cut_short(json);
        let text = self.text(json, tool_calls.is_empty());
        // What was withheld has no text to be found.
        kept(text.as_deref().unwrap_or_default(), cut_short.as_deref(), refusal(json))?;
        let text = text?;
        Ok(Reply {
            text,
            tool_calls,
            usage: match &self.usage {
                Some(path) => path.find(json).first().and_then(|found| usage(found)),
                None => json.get("usage").and_then(usage),
            },
            cost: self.cost(json)?,
            model: json.get("model").and_then(word),
            agent_version: None,
            cut_short,
        })
    }

    fn text(&self, json: &Value, alone: bool) -> Result<String, Fault> {
        let Some((path, found)) = &self.output else {
            return match usual_text(json, 0) {
                Some(text) => Ok(text),
                None if !alone => Ok(String::new()),
                None => {
                    let help = if self.by_path { ": say where it stands, as `output: $.result.text`" } else { "" };
                    Err(malformed(format!("the answer has no text under `{}`{help}", USUAL.join("`, `"))))
                }
            };
        };
        let found = found.find(json);
        let texts: Vec<String> = found.iter().filter(|value| !value.is_null()).map(|value| text_of(value)).collect();
        if texts.is_empty() && (found.is_empty() || alone) {
            let what = if found.is_empty() { "nothing" } else { "null" };
            return Err(malformed(format!("`output: {path}` finds {what} in the answer")));
        }
        Ok(texts.join("\n"))
    }

    fn tool_calls(&self, json: &Value) -> Result<Vec<ToolCall>, Fault> {
        let at = |place: &str, found: &Value| calls(found).map_err(|why| malformed(format!("`{place}`: {why}")));
        if let Some((path, found)) = &self.tool_calls {
            let found = found.find(json);
            return match found.as_slice() {
                [one] => at(path, one),
                many => at(path, &Value::Array(many.iter().copied().cloned().collect())),
            };
        }
        let message = json.get("message").or_else(|| json.pointer("/choices/0/message"));
        let places = [Some(json), message].into_iter().flatten();
        for place in places {
            for name in USUAL_CALLS {
                if let Some(found) = place.get(name) {
                    return at(name, found);
                }
            }
        }
        Ok(Vec::new())
    }

    fn cost(&self, json: &Value) -> Result<Option<Decimal>, Fault> {
        let found = match &self.cost {
            Some(path) => path.find(json).first().copied(),
            None => {
                let names = ["cost_usd", "costUsd", "cost"];
                names.iter().find_map(|name| json.get(name)).filter(|found| !found.is_object())
            }
        };
        let read = match found {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Number(number)) => number.to_string().parse::<Decimal>().ok(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        match read.filter(|cost| *cost >= Decimal::ZERO) {
            Some(cost) => Ok(Some(cost)),
            None => Err(malformed("the answer's cost is no number of US dollars")),
        }
    }
}

pub(crate) fn malformed(why: impl AsRef<str>) -> Fault {
    Fault::new(FaultKind::Malformed, why)
}

/// Tool calls in whichever form: `{name, arguments}`, `{function: {name, arguments}}`, `{type: tool_use, name, input}`.
pub(super) fn calls(value: &Value) -> Result<Vec<ToolCall>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => {
            let calls: Vec<_> = items.iter().map(calls).collect::<Result<_, _>>()?;
            Ok(calls.into_iter().flatten().collect())
        }
        Value::String(name) => Ok(vec![ToolCall { name: name.clone(), arguments: Value::Object(Default::default()) }]),
        Value::Object(entries) => {
            let call = entries.get("function").filter(|function| function.is_object()).unwrap_or(value);
            let names = ["name", "tool", "tool_name", "toolName"];
            let name = names.iter().find_map(|name| call.get(name)?.as_str());
            let name = name.ok_or("a tool call has no `name`")?;
            let places = ["arguments", "args", "input", "parameters"];
            let arguments = places.iter().find_map(|place| call.get(place));
            Ok(vec![ToolCall { name: name.to_owned(), arguments: arguments_of(arguments) }])
        }
        _ => Err("tool calls must be a list of `{name, arguments}`".into()),
    }
}

/// Arguments, which some APIs write as a text that holds JSON.
fn arguments_of(value: Option<&Value>) -> Value {
    match value {
        None | Some(Value::Null) => Value::Object(Default::default()),
        Some(Value::String(text)) => match serde_json::from_str::<Value>(text) {
            Ok(read @ (Value::Object(_) | Value::Array(_))) => read,
            _ => Value::String(text.clone()),
        },
        Some(other) => other.clone(),
    }
}

/// Tokens; none where one of both counts is missing.
pub(crate) fn usage(value: &Value) -> Option<Usage> {
    let count = |names: &[&str]| names.iter().find_map(|name| value.get(name)?.as_u64());
    let input = count(&["input_tokens", "inputTokens", "prompt_tokens", "promptTokens", "input"])?;
    let output = count(&["output_tokens", "outputTokens", "completion_tokens", "completionTokens", "output"])?;
    // One API counts what it took from its cache beside the rest, and not in it.
    let cached = ["cache_creation_input_tokens", "cache_read_input_tokens"].iter();
    let cached = cached.filter_map(|name| value.get(name)?.as_u64()).fold(0, u64::saturating_add);
    Some(Usage { input: input.saturating_add(cached), output })
}

/// A word of the answer, such as the name of a model.
pub(crate) fn word(value: &Value) -> Option<String> {
    let word = value.as_str().filter(|word| !word.is_empty())?;
    Some(word.chars().take(WORD).collect())
}

/// Why an answer ended, where it is not because it was complete.
pub(crate) fn reason(said: &str) -> Option<String> {
    match said.to_ascii_lowercase().replace('-', "_").as_str() {
        "length" | "max_tokens" | "max_output_tokens" | "model_context_window_exceeded" => Some("length".into()),
        "content_filter" | "content_filtered" | "refusal" | "safety" => Some(WITHHELD.into()),
        _ => None,
    }
}

/// That an answer without a text was not withheld, neither by a filter nor by the model itself. What was cut at its
/// length is an answer.
pub(crate) fn kept(text: &str, cut_short: Option<&str>, refusal: Option<&str>) -> Result<(), Fault> {
    let why = match (cut_short, refusal.filter(|words| !words.trim().is_empty())) {
        _ if !text.trim().is_empty() => return Ok(()),
        (_, Some(words)) => format!("refusal: {}", brief(words)),
        (Some(WITHHELD), None) => WITHHELD.to_owned(),
        _ => return Ok(()),
    };
    Err(Fault::new(FaultKind::Refused, format!("the answer was withheld: {why}")))
}

/// The words of an answer that is an error, though it came as a success. `as_usual` where nothing says where the answer
/// stands: then an answer that calls itself a failure is one, too.
fn failure(json: &Value, as_usual: bool) -> Option<String> {
    let mut errors = ["error", "errors"].iter().filter_map(|name| json.get(name));
    if let Some(error) = errors.find(|error| !is_empty(error)) {
        let words = said(error).or_else(|| said(json.get("message")?));
        return Some(words.unwrap_or_else(|| error.to_string()));
    }
    let status = json.get("status").and_then(Value::as_str).unwrap_or_default().trim();
    let failed = ["error", "failed", "failure"].iter().any(|word| status.eq_ignore_ascii_case(word));
    let denied = ["success", "ok"].iter().any(|name| json.get(name) == Some(&Value::Bool(false)));
    (as_usual && (failed || denied)).then(|| said(json).unwrap_or_else(|| json.to_string()))
}

fn is_empty(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

fn refusal(json: &Value) -> Option<&str> {
    ["/refusal", "/message/refusal", "/choices/0/message/refusal"].iter().find_map(|at| json.pointer(at)?.as_str())
}

fn cut_short(json: &Value) -> Option<String> {
    let places = ["/finish_reason", "/finishReason", "/stop_reason", "/choices/0/finish_reason"];
    places.iter().find_map(|place| json.pointer(place)?.as_str()).and_then(reason)
}

fn usual_text(value: &Value, depth: u32) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Object(_) if depth < 4 => {
            let found = USUAL.iter().find_map(|name| usual_text(value.get(name)?, depth + 1));
            found.or_else(|| usual_text(value.pointer("/choices/0/message")?, depth + 1))
        }
        // The parts of a message.
        Value::Array(items) if depth > 0 && depth < 4 && !items.is_empty() => {
            let texts: Option<Vec<&str>> = items.iter().map(|item| item.get("text")?.as_str()).collect();
            texts.map(|texts| texts.concat())
        }
        _ => None,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
