//! How an MCP server is reached, as its resource says.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::eval::{Command, Text};
use crate::net::mcp::Server;
use crate::resource::{Resource, Value};

use super::super::failure::Failure;

/// Where the server is, and the word for how it is spoken to.
///
/// # Errors
/// The resource does not say it, says it in a way that joch does not speak, or asks for a program that nobody allowed.
pub(super) fn reach(server: &Resource, allow_stdio: bool) -> Result<(Server, &'static str), Failure> {
    let spec = server.spec();
    let transport = spec.get("transport").and_then(Value::as_text).map(|word| word.to_ascii_lowercase());
    match transport.as_deref().map(|word| word.replace('-', "_")).as_deref() {
        Some("stdio") => Ok((Server::Program(program(server, allow_stdio)?), "stdio")),
        Some("streamable_http" | "http") => Ok((address(server)?, "streamable_http")),
        None if spec.at(&["endpoint", "url"]).is_some() => Ok((address(server)?, "streamable_http")),
        None => Err(unreachable(server, "has neither a `transport` nor an `endpoint.url`")),
        Some(other) => Err(unreachable(server, &format!("is spoken to over `{other}`, which joch does not speak"))),
    }
}

/// The Secrets that it names.
pub(super) fn secrets(server: &Server) -> Vec<&str> {
    let texts = match server {
        Server::Http { headers, .. } => headers,
        Server::Program(command) => &command.variables,
    };
    let secret = |text| match text {
        &Text::Plain(_) => None,
        Text::Secret(secret) | Text::Prefixed { secret, .. } => Some(secret.as_str()),
    };
    texts.values().filter_map(secret).collect()
}

fn program(server: &Resource, allow_stdio: bool) -> Result<Command, Failure> {
    let spec = server.spec();
    let id = server.id();
    let by_file = format!("joch mcp record {} -f FILE, with what it answers to `tools/list`", id.name);
    let command: Vec<String> = spec
        .at(&["endpoint", "command"])
        .map(Value::texts)
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect();
    if command.is_empty() {
        return Err(unreachable(server, "is a program, and `endpoint.command` does not say which"));
    }
    if spec.at(&["security", "allowStdio"]).and_then(Value::as_bool) == Some(false) {
        let message = format!("`security.allowStdio` of {id} forbids to run it as a program here");
        return Err(Failure::refused("stdio", message).next(by_file));
    }
    if !allow_stdio {
        let message = format!("{id} is a program, `{}`, which would run here with your rights", command.join(" "));
        return Err(Failure::refused("stdio", message).next(format!("add `--allow-stdio` if it may; or {by_file}")));
    }
    let mut variables = BTreeMap::new();
    for (name, value) in spec.at(&["endpoint", "variables"]).and_then(Value::as_map).into_iter().flatten() {
        let text = Text::read(value);
        let text = text.map_err(|why| unreachable(server, &format!("has `endpoint.variables.{name}`, which {why}")))?;
        variables.insert(name.clone(), text);
    }
    Ok(Command { command, lines: true, variables })
}

fn address(server: &Resource) -> Result<Server, Failure> {
    let url = server.spec().at(&["endpoint", "url"]).and_then(Value::as_text);
    let url = url.ok_or_else(|| unreachable(server, "has no `endpoint.url`"))?.to_owned();
    let headers = headers(server)?;
    if !headers.is_empty() && url.starts_with("http://") && !stays_here(&url) {
        return Err(unreachable(server, "would be sent a credential over plain http, where everybody can read it"));
    }
    Ok(Server::Http { url, headers })
}

fn headers(server: &Resource) -> Result<BTreeMap<String, Text>, Failure> {
    let auth = match server.spec().get("auth") {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(auth) => auth,
    };
    let refuse = |why: String| unreachable(server, &why);
    let secret = |prefix: &str| {
        let mut value = crate::resource::Map::new();
        value.extend(auth.get("secretRef").cloned().map(|secret| ("secretRef".to_owned(), secret)));
        let prefix = auth.get("prefix").and_then(Value::as_text).unwrap_or(prefix);
        if !prefix.is_empty() {
            value.insert("prefix".into(), prefix.into());
        }
        Text::read(&value.into()).map_err(|_| refuse("has an `auth` without a `secretRef`".into()))
    };
    let (header, text) = match auth.get("type").and_then(Value::as_text) {
        Some("none") => return Ok(BTreeMap::new()),
        Some("bearer") => ("authorization", secret("Bearer ")?),
        Some("header" | "api_key") => {
            let header = auth.get("header").and_then(Value::as_text);
            (header.ok_or_else(|| refuse("has an `auth` that names no `header`".into()))?, secret("")?)
        }
        Some(other) => return Err(refuse(format!("signs in by `{other}`, which joch does not do"))),
        None => return Err(refuse("has an `auth` without a `type`".into())),
    };
    Ok([(header.to_owned(), text)].into())
}

/// Whether what is sent to an address of plain http leaves this machine.
fn stays_here(url: &str) -> bool {
    let authority = url.trim_start_matches("http://").split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn unreachable(server: &Resource, why: &str) -> Failure {
    let id = server.id();
    Failure::refused("mcp-reach", format!("{id} {why}")).next(format!(
        "mend it and apply it (`joch schema mcp-server` lists the fields), or `joch mcp record {} -f FILE` with what it \
         answers to `tools/list`",
        id.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::sample::one;

    fn reached(spec: &str, allow_stdio: bool) -> Result<(Server, &'static str), Failure> {
        reach(&one("MCPServer help-center", spec), allow_stdio)
    }

    fn refusal(spec: &str) -> String {
        reached(spec, true).expect_err(spec).message
    }

    #[test]
    fn an_address_is_reached_with_the_secret_that_it_names() {
        let spec = "{transport: streamable_http, endpoint: {url: 'https://x.example/mcp'}, \
                    auth: {type: bearer, secretRef: {name: token}}}";
        let (server, word) = reached(spec, false).expect("an address");
        assert_eq!((word, secrets(&server)), ("streamable_http", vec!["token"]));
        let bearer = Text::Prefixed { prefix: "Bearer ".into(), secret: "token".into() };
        let headers = [("authorization".to_owned(), bearer)].into();
        assert_eq!(server, Server::Http { url: "https://x.example/mcp".into(), headers });
        let key = "{endpoint: {url: 'https://x.example'}, auth: {type: api_key, header: X-Key, secretRef: token}}";
        let headers = [("X-Key".to_owned(), Text::Secret("token".into()))].into();
        let (server, _) = reached(key, false).expect("an address");
        assert_eq!(server, Server::Http { url: "https://x.example".into(), headers });
    }

    #[test]
    fn what_is_not_said_is_not_guessed() {
        for (spec, why) in [
            ("{}", "neither a `transport`"),
            ("{transport: sse, endpoint: {url: 'https://x.example'}}", "over `sse`"),
            ("{transport: http}", "no `endpoint.url`"),
            ("{endpoint: {url: 'https://x.example'}, auth: {type: oauth2}}", "by `oauth2`"),
            ("{endpoint: {url: 'https://x.example'}, auth: {secretRef: token}}", "without a `type`"),
            ("{endpoint: {url: 'https://x.example'}, auth: {type: bearer}}", "without a `secretRef`"),
            ("{endpoint: {url: 'https://x.example'}, auth: {type: api_key, secretRef: token}}", "names no `header`"),
            ("{transport: stdio}", "does not say which"),
        ] {
            let message = refusal(spec);
            assert!(message.contains(why), "{spec}: {message}");
        }
    }

    #[test]
    fn a_credential_never_goes_over_plain_http() {
        let spec = |url: &str| format!("{{endpoint: {{url: '{url}'}}, auth: {{type: bearer, secretRef: token}}}}");
        for url in ["http://x.example/mcp", "http://127.0.0.1.x.example/", "http://10.0.0.1/", "http://localhost.x:80"]
        {
            assert!(refusal(&spec(url)).contains("plain http"), "{url}");
        }
        for url in ["http://127.0.0.1:80/mcp", "http://localhost:80", "http://[::1]:80/mcp", "https://x.example"] {
            assert!(reached(&spec(url), false).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_program_runs_only_where_somebody_said_so() {
        let spec = "{transport: stdio, endpoint: {command: [./serve, --fast], variables: {KEY: {secretRef: key}}}}";
        let refused = reached(spec, false).expect_err("nobody said so");
        assert_eq!(refused.code, "stdio");
        assert!(refused.message.contains("`./serve --fast`"), "{}", refused.message);
        let (server, word) = reached(spec, true).expect("a program");
        assert_eq!((word, secrets(&server)), ("stdio", vec!["key"]));
        let never = "{transport: stdio, endpoint: {command: ./serve}, security: {allowStdio: false}}";
        assert!(refusal(never).contains("forbids"));
    }
}
