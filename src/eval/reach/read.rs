//! Reading an `invoke`: strictly, for a field that is not understood may be the one that matters.

use std::collections::BTreeMap;

use super::facts::{AgentFacts, ModelFacts};
use super::fields::{Fields, KNOWN};
use super::{A2a, Api, Binding, Chat, Command, Http, Protocol, Reach, Text};
use crate::eval::Template;
use crate::resource::{Value, name};

impl Reach {
    /// Understands an `invoke`. What an `openai` or `anthropic` one does not say, it takes from the agent's Model;
    /// `timeout_ms` counts where it says nothing of time.
    ///
    /// # Errors
    /// Everything that is wrong with it, one sentence each, with what to write.
    pub fn read(invoke: &Value, agent: &AgentFacts, timeout_ms: u64) -> Result<Self, Vec<String>> {
        let kinds = || KNOWN.map(|(kind, _)| kind).join(", ");
        let Some(map) = invoke.as_map() else {
            return Err(vec![format!(
                "`invoke` is {}, and must be a map with a `type`: {}",
                invoke.type_name(),
                kinds()
            )]);
        };
        let kind = match map.get("type") {
            Some(Value::Text(kind)) => kind.as_str(),
            None => return Err(vec![format!("`invoke` has no `type`: add one of {}", kinds())]),
            Some(other) => {
                return Err(vec![format!("`invoke.type` is {}, and must be one of {}", other.type_name(), kinds())]);
            }
        };
        let mut fields = Fields::of(kind, map);
        let timeout_ms = fields.timeout(timeout_ms);
        let max_concurrency = fields.count("maxConcurrency");
        let protocol = match kind {
            "http" => Protocol::Http(http(&mut fields)),
            "openai" => Protocol::OpenAi(chat(&mut fields, agent, false)),
            "anthropic" => Protocol::Anthropic(chat(&mut fields, agent, true)),
            "command" => Protocol::Command(command(&mut fields)),
            "a2a" => Protocol::A2a(a2a(&mut fields)),
            "replay" => Protocol::Replay { file: file(&mut fields) },
            other => {
                let near = name::nearest(other, KNOWN.map(|(kind, _)| kind));
                let help = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                return Err(vec![format!("`invoke.type` is `{other}`, and must be one of {}{help}", kinds())]);
            }
        };
        let wrong = fields.finish();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self { protocol, timeout_ms, max_concurrency, digest: Self::digest_of(invoke) })
    }
}

const METHODS: [&str; 4] = ["GET", "POST", "PUT", "PATCH"];

fn http(fields: &mut Fields<'_>) -> Http {
    let url = address(fields, &["url"]);
    let method = fields.text("method").map_or_else(|| "POST".to_owned(), |method| method.to_ascii_uppercase());
    if !METHODS.contains(&method.as_str()) {
        fields.complain(format!("`invoke.method` is `{method}`, and must be one of {}", METHODS.join(", ")));
    }
    let body = fields.json("body");
    let asks = |text: &serde_json::Value| Template::read(text).map(|template| template.holds_input());
    let in_url = asks(&url.clone().into());
    let in_body = body.as_ref().map_or(Ok(method != "GET"), asks);
    match (in_url, in_body) {
        (Err(why), _) => fields.complain(format!("`invoke.url`: {why}")),
        (_, Err(why)) => fields.complain(format!("`invoke.body`: {why}")),
        (Ok(false), Ok(false)) if method == "GET" => {
            fields.complain("a GET has no body: write `{{input}}` in the query of `invoke.url`, as `?q={{input}}`");
        }
        (Ok(false), Ok(false)) => {
            fields
                .complain("`invoke.body` holds neither `{{input}}` nor `{{messages}}`: every case would ask the same");
        }
        _ if method == "GET" && body.is_some() => fields.complain("a GET has no body: leave `invoke.body` out"),
        _ => {}
    }
    Http {
        url,
        method,
        headers: headers(fields),
        body,
        output: fields.path("output"),
        tool_calls: fields.path("toolCalls"),
        usage: fields.path("usage"),
        cost: fields.path("cost"),
    }
}

fn chat(fields: &mut Fields<'_>, agent: &AgentFacts, anthropic: bool) -> Chat {
    let said = fields.has("baseUrl") || fields.has("url");
    let written = said.then(|| address(fields, &["baseUrl", "url"]));
    let model = fields.text("model");
    // An OpenAI target has no use for the key of an Anthropic Model, nor the other way round.
    let facts = agent.model.as_ref().filter(|facts| facts.is_anthropic() == anthropic);
    let base_url = match (written, facts.map(ModelFacts::address)) {
        (Some(url), _) => url,
        (None, Some(Ok(url))) => {
            check_address(fields, "endpoint.baseUrl", &url);
            url
        }
        (None, Some(Err(why))) => {
            fields.complain(format!("{why}, or `baseUrl: https://…` to `invoke`"));
            String::new()
        }
        (None, None) => {
            fields
                .complain("`invoke` has no `baseUrl`, and the agent no Model that names one: add `baseUrl: https://…`");
            String::new()
        }
    };
    // A key goes where its Model says, and nowhere else.
    let same_place =
        facts.is_some_and(|facts| facts.address().is_ok_and(|url| slashless(&url) == slashless(&base_url)));
    let key = match fields.has("key") {
        true => fields.secret_text("key"),
        false => facts.filter(|_| same_place).and_then(|facts| facts.key.clone()).map(Text::Secret),
    };
    let model = model.or_else(|| facts.map(|facts| facts.model.clone())).unwrap_or_else(|| {
        fields.complain("`invoke` has no `model`, and the agent no Model of that provider: add `model: NAME`");
        String::new()
    });
    let mut parameters = facts.map(|facts| facts.parameters.clone()).unwrap_or_default();
    parameters.append(&mut fields.object("parameters"));
    for taken in ["model", "messages", "input", "stream", "n", "system"] {
        if parameters.contains_key(taken) {
            fields.complain(format!("`{taken}` cannot be a parameter: joch sets it"));
        }
    }
    if anthropic && !parameters.contains_key("max_tokens") {
        // This API takes no request that does not say it.
        let most = facts.and_then(|facts| facts.max_output_tokens).unwrap_or(4096);
        parameters.insert("max_tokens".into(), most.into());
    }
    let api = match (anthropic, if anthropic { None } else { fields.text("api") }.as_deref()) {
        (_, None | Some("chat")) => Api::Chat,
        (_, Some("responses")) => Api::Responses,
        (_, Some(other)) => {
            fields.complain(format!("`invoke.api` is `{other}`, and must be `chat` or `responses`"));
            Api::Chat
        }
    };
    let instructions = fields.text("instructions").or_else(|| agent.instructions.clone());
    Chat { base_url, model, key, headers: headers(fields), api, instructions, parameters }
}

fn command(fields: &mut Fields<'_>) -> Command {
    if !fields.has("command") {
        fields.complain("`invoke` of type `command` has no `command`: add `command: [./agent, --json]`");
    }
    let command = fields.texts("command");
    let variables = fields.secret_texts("variables");
    for name in variables.keys() {
        if name.is_empty() || name.contains(['=', '\0']) {
            fields.complain(format!(
                "`invoke.variables` names `{}`, which no variable can be called",
                name.escape_debug()
            ));
        }
    }
    Command { command, lines: fields.bool("lines"), variables }
}

fn a2a(fields: &mut Fields<'_>) -> A2a {
    let url = address(fields, &["url", "baseUrl"]);
    let binding = match fields.text("binding").as_deref() {
        None => None,
        Some("jsonrpc") => Some(Binding::JsonRpc),
        Some("http") => Some(Binding::Http),
        Some(other) => {
            fields.complain(format!("`invoke.binding` is `{other}`, and must be `jsonrpc` or `http`"));
            None
        }
    };
    A2a { url, headers: headers(fields), binding }
}

fn file(fields: &mut Fields<'_>) -> String {
    let file = fields.needed("file", "evals/recorded.jsonl");
    let outside = file.starts_with('/') || file.split(['/', '\\']).any(|part| part == "..");
    if outside {
        fields.complain(format!("`invoke.file` is `{file}`, and must lie in the project"));
    }
    file
}

/// The address under the first of these fields that is there.
fn address(fields: &mut Fields<'_>, keys: &[&str]) -> String {
    let key = keys.iter().find(|key| fields.has(key)).unwrap_or(&keys[0]);
    let there = fields.has(key);
    let url = fields.needed(key, "https://…");
    if there && !url.is_empty() {
        check_address(fields, &format!("invoke.{key}"), &url);
    }
    url
}

fn check_address(fields: &mut Fields<'_>, place: &str, url: &str) {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else {
        return fields.complain(format!("`{place}` must begin with `https://` or `http://`"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        // The address itself is not repeated: what stands before the `@` is a password.
        fields.complain(format!("`{place}` holds credentials: take them out, and write a header with a `secretRef`"));
    } else if authority.is_empty() || authority.starts_with(':') || url.contains(|c: char| c.is_control()) {
        fields.complain(format!("`{place}` names no host"));
    } else if url.split_once("{{").is_some_and(|(before, _)| !before.contains('?')) {
        fields.complain(format!("`{place}` has a gap before its query; gaps stand behind the `?`"));
    }
}

/// Headers that say how a message is framed, or to whom it goes, which is not for an `invoke` to say.
const FRAMING: [&str; 6] = ["connection", "content-length", "host", "idempotency-key", "te", "transfer-encoding"];

fn headers(fields: &mut Fields<'_>) -> BTreeMap<String, Text> {
    let headers = fields.secret_texts("headers");
    for (name, text) in &headers {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            fields.complain(format!("`invoke.headers` names `{}`, which no header can be called", name.escape_debug()));
        } else if FRAMING.contains(&name.to_ascii_lowercase().as_str()) {
            fields.complain(format!("`invoke.headers` names `{name}`, which joch sets itself: leave it out"));
        }
        let (Text::Plain(value) | Text::Prefixed { prefix: value, .. }) = text else { continue };
        if value.chars().any(char::is_control) {
            fields.complain(format!("the header `{name}` has a line break or a control character"));
        }
    }
    headers
}

fn slashless(url: &str) -> &str {
    url.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn facts(provider: &str, base_url: Option<&str>) -> AgentFacts {
        let model = ModelFacts {
            name: "big".into(),
            provider: provider.into(),
            model: "gpt-x".into(),
            base_url: base_url.map(str::to_owned),
            local: false,
            key: Some("openai-key".into()),
            parameters: Map::new(),
            max_output_tokens: None,
        };
        AgentFacts { instructions: Some("be kind".into()), model: Some(model) }
    }

    fn read(invoke: serde_json::Value, facts: &AgentFacts) -> Result<Reach, Vec<String>> {
        Reach::read(&invoke.try_into().expect("a value"), facts, 60_000)
    }

    fn chat_of(invoke: serde_json::Value, facts: &AgentFacts) -> Chat {
        match read(invoke, facts).expect("an invoke").protocol {
            Protocol::OpenAi(chat) | Protocol::Anthropic(chat) => chat,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_what_to_write() {
        for (invoke, says) in [
            (json!("http"), "must be a map"),
            (json!({"url": "http://x"}), "has no `type`"),
            (json!({"type": "htpp"}), "did you mean `http`?"),
            (json!({"type": "http"}), "has no `url`: add `url: https://…`"),
            (json!({"type": "http", "url": "ftp://x"}), "must begin with `https://`"),
            (json!({"type": "http", "url": "https://"}), "names no host"),
            (json!({"type": "http", "url": "https://u:hunter2@x/"}), "holds credentials"),
            (json!({"type": "http", "url": "https://x/{{input}}"}), "a gap before its query"),
            (json!({"type": "http", "url": "http://x", "ouput": "$.a"}), "did you mean `output`?"),
            (json!({"type": "http", "url": "http://x", "model": "m"}), "takes no `model`"),
            (json!({"type": "http", "url": "http://x", "body": {"q": "{{inptu}}"}}), "`{{inptu}}` is not known"),
            (json!({"type": "http", "url": "http://x", "body": {"q": "hi"}}), "every case would ask the same"),
            (json!({"type": "http", "url": "http://x", "method": "GET"}), "a GET has no body"),
            (json!({"type": "http", "url": "http://x", "method": "BREW"}), "must be one of GET"),
            (json!({"type": "http", "url": "http://x", "output": "a.b"}), "is not a JSONPath"),
            (json!({"type": "http", "url": "http://x", "headers": {"a b": "c"}}), "no header can be called"),
            (json!({"type": "http", "url": "http://x", "headers": {"Host": "c"}}), "leave it out"),
            (json!({"type": "http", "url": "http://x", "headers": {"a": "b\r\nc: d"}}), "a line break"),
            (
                json!({"type": "http", "url": "http://x", "headers": {"a": {"secret": "b"}}}),
                "`{ secretRef: { name: … } }`",
            ),
            (json!({"type": "http", "url": "http://x", "timeoutSeconds": 0}), "must be a number of seconds"),
            (json!({"type": "http", "url": "http://x", "maxConcurrency": 0}), "a whole number from 1"),
            (json!({"type": "openai", "parameters": {"stream": true}}), "`stream` cannot be a parameter"),
            (json!({"type": "openai", "api": "assistants"}), "must be `chat` or `responses`"),
            (json!({"type": "command"}), "has no `command`"),
            (json!({"type": "command", "command": []}), "must be a list of texts"),
            (json!({"type": "command", "command": ["a"], "variables": {"A=B": "c"}}), "no variable can be called"),
            (json!({"type": "a2a", "url": "http://x", "binding": "grpc"}), "must be `jsonrpc` or `http`"),
            (json!({"type": "replay", "file": "../x.jsonl"}), "must lie in the project"),
            (json!({"type": "replay", "file": "/etc/passwd"}), "must lie in the project"),
        ] {
            let why = read(invoke.clone(), &facts("openai", None)).expect_err(says).join("; ");
            assert!(why.contains(says), "{invoke}: {why}");
            assert!(!why.contains("hunter2"));
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = read(json!({"type": "http", "method": "BREW", "output": 3, "x": 1}), &AgentFacts::default());
        assert_eq!(wrong.expect_err("wrong").len(), 4);
    }

    #[test]
    fn a_model_says_what_an_invoke_does_not() {
        let chat = chat_of(json!({"type": "openai"}), &facts("openai", None));
        assert_eq!((chat.base_url.as_str(), chat.model.as_str()), ("https://api.openai.com/v1", "gpt-x"));
        assert_eq!(chat.key, Some(Text::Secret("openai-key".into())));
        assert_eq!(chat.instructions.as_deref(), Some("be kind"));
        let chat = chat_of(json!({"type": "openai", "model": "other"}), &facts("vllm", Some("http://gpu:8000/v1")));
        assert_eq!((chat.base_url.as_str(), chat.model.as_str()), ("http://gpu:8000/v1", "other"));
        let chat = chat_of(json!({"type": "anthropic"}), &facts("anthropic", None));
        assert_eq!(chat.base_url, "https://api.anthropic.com/v1");
        assert_eq!(chat.parameters["max_tokens"], 4096);
        let why = read(json!({"type": "openai"}), &facts("vllm", None)).expect_err("no address").join("; ");
        assert!(why.contains("names no address"), "{why}");
        let why = read(json!({"type": "anthropic"}), &facts("openai", None)).expect_err("another API").join("; ");
        assert!(why.contains("no `baseUrl`") && why.contains("no `model`"), "{why}");
    }

    #[test]
    fn a_key_goes_nowhere_but_where_its_model_says() {
        let elsewhere = json!({"type": "openai", "baseUrl": "http://elsewhere/v1"});
        assert_eq!(chat_of(elsewhere, &facts("openai", None)).key, None);
        let there = json!({"type": "openai", "baseUrl": "https://api.openai.com/v1/"});
        assert!(chat_of(there, &facts("openai", None)).key.is_some());
        let said = json!({"type": "openai", "baseUrl": "http://elsewhere/v1", "key": {"secretRef": {"name": "k", "namespace": "n"}}});
        assert_eq!(chat_of(said, &facts("openai", None)).key, Some(Text::Secret("n/k".into())));
    }

    #[test]
    fn times_and_limits_are_as_written() {
        let reach = read(
            json!({"type": "replay", "file": "a.jsonl", "timeoutSeconds": 1.5, "maxConcurrency": 3}),
            &AgentFacts::default(),
        );
        let reach = reach.expect("an invoke");
        assert_eq!((reach.timeout_ms, reach.max_concurrency), (1500, Some(3)));
        let reach = read(json!({"type": "replay", "file": "a.jsonl"}), &AgentFacts::default()).expect("an invoke");
        assert_eq!((reach.timeout_ms, reach.max_concurrency), (60_000, None));
    }
}
