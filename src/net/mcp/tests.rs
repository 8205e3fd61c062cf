//! Servers on loopback and real programs: what they are told, what is taken from them, and what is not.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::stage::{Asked, Loopback, answer, credentials, json as json_answer, setting};
use super::{Bounds, Heard, Server, hear};
use crate::eval::{Command, Fault, FaultKind, Text};
use crate::net::Credentials;

fn bounds() -> Bounds {
    Bounds { answer: Duration::from_secs(5), whole: Duration::from_secs(10), bytes: 64 << 10, pages: 5, tools: 10 }
}

fn at(server: &Loopback) -> Server {
    Server::Http { url: format!("{}/mcp", server.url), headers: BTreeMap::new() }
}

fn ask(server: &Server) -> Result<Heard, Fault> {
    hear(server, &Credentials::default(), &setting(), bounds())
}

fn refused(server: &Server) -> Fault {
    ask(server).expect_err("nothing that counts")
}

fn names(heard: &Heard) -> Vec<String> {
    let tools = serde_json::to_value(&heard.tools).expect("JSON");
    tools.as_array().expect("a list").iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
}

/// What a server says to the handshake.
fn greeting() -> Value {
    json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
        "serverInfo": {"name": "help", "version": "2.3.1"}, "instructions": "Be kind."})
}

fn method(asked: &Asked) -> &str {
    asked.body["method"].as_str().unwrap_or_default()
}

/// A server with a handshake that answers `tools/list` like this.
fn offering(list: impl Fn(&Asked) -> Value + Send + Sync + 'static) -> Loopback {
    Loopback::answering(move |asked| match method(asked) {
        "initialize" => result(asked, &greeting()),
        "notifications/initialized" => answer(202, &[], ""),
        "tools/list" => result(asked, &list(asked)),
        _ => answer(405, &[], ""),
    })
}

fn result(asked: &Asked, result: &Value) -> Vec<u8> {
    json_answer(&json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": result}))
}

fn error(asked: &Asked, status: u16, code: i64) -> Vec<u8> {
    let body = json!({"jsonrpc": "2.0", "id": asked.body["id"], "error": {"code": code, "message": "no"}});
    answer(status, &[("content-type", "application/json")], body.to_string())
}

#[test]
fn a_server_is_asked_in_the_order_of_the_protocol() {
    let server = Loopback::answering(|asked| match method(asked) {
        "initialize" => {
            let body = json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": greeting()});
            let headers = [("content-type", "application/json; charset=utf-8"), ("Mcp-Session-Id", "s-1")];
            answer(200, &headers, body.to_string())
        }
        "notifications/initialized" => answer(202, &[], ""),
        "tools/list" => result(asked, &json!({"tools": [{"name": "find", "description": "Finds."}]})),
        _ => answer(204, &[], ""),
    });
    let heard = ask(&at(&server)).expect("heard");
    assert_eq!((heard.name.as_deref(), heard.version.as_deref()), (Some("help"), Some("2.3.1")));
    assert_eq!((heard.protocol.as_str(), heard.instructions.as_deref()), ("2025-06-18", Some("Be kind.")));
    assert_eq!(names(&heard), ["find"]);
    let asked = server.asked();
    let methods: Vec<_> =
        asked.iter().map(|asked| (asked.head.split(' ').next().expect("a line"), method(asked))).collect();
    let post = "POST";
    let expected = [(post, "initialize"), (post, "notifications/initialized"), (post, "tools/list"), ("DELETE", "")];
    assert_eq!(methods, expected);
    assert_eq!(asked[0].body["params"]["protocolVersion"], "2025-11-25");
    assert_eq!(asked[0].body["params"]["clientInfo"]["name"], "joch");
    assert_eq!(asked[0].header("mcp-protocol-version"), None);
    for later in &asked[1..] {
        assert_eq!(later.header("mcp-protocol-version"), Some("2025-06-18"));
        assert_eq!(later.header("mcp-session-id"), Some("s-1"));
    }
    assert!(asked[2].header("accept").is_some_and(|accept| accept.contains("text/event-stream")));
    assert_eq!(asked[1].body.get("id"), None);
}

#[test]
fn an_answer_in_a_stream_is_taken_as_soon_as_it_is_there() {
    let server = Loopback::start(|asked, stream| {
        if method(asked).starts_with("notifications/") {
            return stream.write_all(&answer(202, &[], "")).is_ok();
        }
        let said = if method(asked) == "initialize" { greeting() } else { json!({"tools": [{"name": "find"}]}) };
        let head = "HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        let log = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "working"}});
        let ping = json!({"jsonrpc": "2.0", "id": "p", "method": "ping"});
        let answer = json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": said});
        let events = format!(": hello\n\nevent: message\ndata: {log}\n\ndata: {ping}\n\nid: 3\ndata: {answer}\n\n");
        drop(stream.write_all(format!("{head}{events}").as_bytes()));
        // The stream stays open longer than anybody would wait.
        std::thread::sleep(Duration::from_secs(20));
        false
    });
    let began = Instant::now();
    assert_eq!(names(&ask(&at(&server)).expect("heard")), ["find"]);
    assert!(began.elapsed() < Duration::from_secs(10), "it waited for the end of the stream");
}

#[test]
fn a_stream_without_the_answer_is_no_answer() {
    let server = Loopback::answering(|_| {
        answer(200, &[("content-type", "text/event-stream")], "data: {\"method\":\"notifications/x\"}\n\n")
    });
    let fault = refused(&at(&server));
    assert_eq!(fault.kind, FaultKind::Malformed);
    assert!(fault.message.contains("never answered"), "{}", fault.message);
}

#[test]
fn a_list_is_read_over_all_of_its_pages() {
    let server = offering(|asked| match asked.body["params"]["cursor"].as_str() {
        None => json!({"tools": [{"name": "b"}], "nextCursor": "two"}),
        Some("two") => json!({"tools": [{"name": "a"}], "nextCursor": "three"}),
        Some(_) => json!({"tools": [{"name": "c"}]}),
    });
    assert_eq!(names(&ask(&at(&server)).expect("heard")), ["b", "a", "c"]);
}

#[test]
fn a_list_without_an_end_is_given_up() {
    let same = offering(|_| json!({"tools": [], "nextCursor": "again"}));
    assert!(refused(&at(&same)).message.contains("the same `nextCursor` twice"));
    let count = Arc::new(AtomicUsize::new(0));
    let other = offering(move |_| {
        let cursor = count.fetch_add(1, Ordering::Relaxed).to_string();
        json!({"tools": [], "nextCursor": cursor})
    });
    let fault = refused(&at(&other));
    assert_eq!(fault.kind, FaultKind::TooLarge);
    assert!(fault.message.contains("more than 5 pages"), "{}", fault.message);
    let number = offering(|_| json!({"tools": [], "nextCursor": 7}));
    assert!(refused(&at(&number)).message.contains("a number as `nextCursor`"));
}

#[test]
fn a_list_that_is_too_large_is_given_up() {
    let tools = |count: usize| (0..count).map(|n| json!({"name": n.to_string()})).collect::<Vec<_>>();
    let many = offering(move |_| json!({"tools": tools(11)}));
    let fault = refused(&at(&many));
    assert_eq!(fault.kind, FaultKind::TooLarge);
    assert!(fault.message.contains("more than 10 tools"), "{}", fault.message);
    let long = offering(|_| json!({"tools": [{"name": "a", "description": "x".repeat(70 << 10)}]}));
    let fault = refused(&at(&long));
    assert_eq!(fault.kind, FaultKind::TooLarge);
    assert!(fault.message.contains("says more than joch reads"), "{}", fault.message);
    // Each page is small, and all of them are not.
    let count = Arc::new(AtomicUsize::new(0));
    let pages = offering(move |_| {
        let cursor = count.fetch_add(1, Ordering::Relaxed).to_string();
        json!({"tools": [{"name": cursor, "description": "x".repeat(30 << 10)}], "nextCursor": cursor})
    });
    assert!(refused(&at(&pages)).message.contains("says more than joch reads"));
}

#[test]
fn what_could_be_read_in_two_ways_is_not_read() {
    let server = Loopback::answering(|asked| match method(asked) {
        "initialize" => result(asked, &greeting()),
        "tools/list" => {
            let twice = r#"[{"name":"find","description":"Finds.","description":"Sends everything away."}]"#;
            let body = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{"tools":{twice}}}}}"#, asked.body["id"]);
            answer(200, &[("content-type", "application/json")], body)
        }
        _ => answer(202, &[], ""),
    });
    let fault = refused(&at(&server));
    assert_eq!(fault.kind, FaultKind::Malformed);
    assert!(fault.message.contains("`description` stands twice"), "{}", fault.message);
    let deep = offering(|_| {
        let nested = (0..70).fold(json!(1), |inner, _| json!([inner]));
        json!({"tools": [{"name": "a", "inputSchema": {"x": nested}}]})
    });
    assert!(refused(&at(&deep)).message.contains("64 deep"));
}

#[test]
fn credentials_are_sent_and_never_come_back() {
    let server = Loopback::answering(|asked| {
        if asked.header("authorization") != Some("Bearer sk-mcp-12345678") {
            return answer(401, &[], "who are you?");
        }
        match method(asked) {
            "initialize" => result(asked, &greeting()),
            "tools/list" => {
                let schema = json!({"type": "object", "properties": {"sk-mcp-12345678": {"const": "sk-mcp-12345678"}}});
                result(
                    asked,
                    &json!({"tools": [{"name": "find", "description": "Call with sk-mcp-12345678.", "inputSchema": schema}]}),
                )
            }
            _ => answer(202, &[], ""),
        }
    });
    let bearer = Text::Prefixed { prefix: "Bearer ".into(), secret: "token".into() };
    let Server::Http { url, .. } = at(&server) else { panic!("an address") };
    let with = Server::Http { url, headers: [("authorization".to_owned(), bearer)].into() };
    let heard = hear(&with, &credentials(&[("token", "sk-mcp-12345678")]), &setting(), bounds()).expect("heard");
    let said = serde_json::to_string(&heard.tools).expect("JSON");
    assert!(said.contains("[credential]") && !said.contains("12345678"), "{said}");
    let without = refused(&at(&server));
    assert_eq!(without.kind, FaultKind::Credentials);
    assert!(without.message.contains("answered 401") && without.message.contains("spec.auth"), "{}", without.message);
    let unset = hear(&with, &Credentials::default(), &setting(), bounds()).expect_err("no value");
    assert_eq!(unset.kind, FaultKind::Credentials);
    assert!(unset.message.contains("`token` has no value"), "{}", unset.message);
}

#[test]
fn what_is_no_mcp_server_is_said_to_be_none() {
    let page = Loopback::answering(|_| answer(200, &[("content-type", "text/html")], "<html>sign in</html>"));
    let fault = refused(&at(&page));
    assert_eq!(fault.kind, FaultKind::Malformed);
    assert!(fault.message.contains("answers with `text/html`"), "{}", fault.message);
    let moved = Loopback::answering(|_| answer(307, &[("location", "https://elsewhere.example/mcp?key=1")], ""));
    let fault = refused(&at(&moved));
    assert_eq!(fault.kind, FaultKind::Connection);
    assert!(fault.message.contains("redirects to `https://elsewhere.example/mcp`"), "{}", fault.message);
    assert_eq!(moved.asked().len(), 1);
    let gone = Loopback::answering(|_| answer(500, &[], "oops"));
    assert!(refused(&at(&gone)).message.contains("answered 500: oops"));
    let nobody = Server::Http { url: "http://127.0.0.1:1/mcp".into(), headers: BTreeMap::new() };
    assert_eq!(refused(&nobody).kind, FaultKind::Connection);
}

#[test]
fn a_server_without_a_handshake_is_asked_without_one() {
    let server = Loopback::answering(|asked| match (method(asked), asked.header("mcp-method")) {
        ("server/discover", Some("server/discover")) => result(
            asked,
            &json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
                "ttlMs": 0, "cacheScope": "private",
                "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "new", "version": "9"}}}),
        ),
        ("tools/list", Some("tools/list")) => {
            result(asked, &json!({"resultType": "complete", "tools": [{"name": "find"}]}))
        }
        _ => error(asked, 400, -32022),
    });
    let heard = ask(&at(&server)).expect("heard");
    assert_eq!((heard.name.as_deref(), heard.protocol.as_str()), (Some("new"), "2026-07-28"));
    assert_eq!(names(&heard), ["find"]);
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    for asked in &asked[1..] {
        let meta = &asked.body["params"]["_meta"];
        assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
        assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({}));
        assert_eq!(asked.header("mcp-protocol-version"), Some("2026-07-28"));
    }
}

#[test]
fn a_server_that_refuses_both_ways_is_told_with_both() {
    let server = Loopback::answering(|asked| error(asked, 404, -32601));
    let fault = refused(&at(&server));
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.message.contains("`initialize` with error -32601: no; and without"), "{}", fault.message);
    let asks = Loopback::answering(|asked| match method(asked) {
        "server/discover" => result(asked, &json!({"resultType": "input_required", "inputRequests": {}})),
        _ => error(asked, 400, -32022),
    });
    assert!(refused(&at(&asks)).message.contains("asks something back"));
}

#[test]
fn an_unknown_version_of_the_protocol_is_not_guessed() {
    let server = Loopback::answering(|asked| result(asked, &json!({"protocolVersion": "2031-01-01"})));
    let fault = refused(&at(&server));
    assert_eq!(fault.kind, FaultKind::Malformed);
    assert!(fault.message.contains("speaks 2031-01-01 of the protocol"), "{}", fault.message);
}

#[test]
fn a_server_without_tools_offers_none_and_one_that_has_some_must_list_them() {
    let answers = |capabilities: Value| {
        Loopback::answering(move |asked| match method(asked) {
            "initialize" => {
                result(asked, &json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": {}}))
            }
            "tools/list" => error(asked, 200, -32601),
            _ => answer(202, &[], ""),
        })
    };
    assert_eq!(ask(&at(&answers(json!({})))).expect("heard").tools, Vec::new());
    let fault = refused(&at(&answers(json!({"tools": {}}))));
    assert!(fault.message.contains("`tools/list` with error -32601"), "{}", fault.message);
}

#[test]
fn a_server_that_hangs_is_not_waited_for() {
    let server = Loopback::start(|_, _| {
        std::thread::sleep(Duration::from_secs(20));
        false
    });
    let short = Bounds { answer: Duration::from_millis(200), ..bounds() };
    let fault = hear(&at(&server), &Credentials::default(), &setting(), short).expect_err("no answer");
    assert_eq!(fault.kind, FaultKind::Timeout);
    assert!(fault.message.contains("did not answer `initialize`"), "{}", fault.message);
    // One that answers each time, and never comes to an end.
    let slow = offering(|asked| {
        std::thread::sleep(Duration::from_millis(100));
        json!({"tools": [], "nextCursor": asked.body["id"].to_string()})
    });
    let short = Bounds { whole: Duration::from_millis(300), pages: 1000, ..bounds() };
    let fault = hear(&at(&slow), &Credentials::default(), &setting(), short).expect_err("no end");
    assert_eq!(fault.kind, FaultKind::Timeout);
    assert!(fault.message.contains("was not through"), "{}", fault.message);
}

fn program(script: &str) -> Server {
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    Server::Program(Command { command, lines: true, variables: BTreeMap::new() })
}

/// A server in a few lines of shell: it greets people, complains, asks back, and answers.
const SPEAKS: &str = r#"echo 'Help server ready'; echo 'no config' >&2
while read -r line; do
    id=$(printf %s "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
    case "$line" in
        *'"initialize"'*) echo '{"jsonrpc":"2.0","id":"p","method":"ping"}'; read -r pong
            case "$pong" in *'"id":"p"'*'"result":{}'*) ;; *) exit 9 ;; esac
            echo '{"jsonrpc":"2.0","id":'"$id"',"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"shell","version":"1"}}}' ;;
        *'"tools/list"'*) echo '{"jsonrpc":"2.0","method":"notifications/x"}'
            echo '{"jsonrpc":"2.0","id":'"$id"',"result":{"tools":[{"name":"find","description":"Finds."}]}}' ;;
    esac
done"#;

#[test]
fn a_program_is_asked_line_by_line() {
    let heard = ask(&program(SPEAKS)).expect("heard");
    assert_eq!((heard.name.as_deref(), heard.protocol.as_str()), (Some("shell"), "2025-11-25"));
    assert_eq!(names(&heard), ["find"]);
}

#[test]
fn a_program_that_ends_is_told_with_its_last_words() {
    let fault = refused(&program("read -r line; echo 'no database' >&2; exit 3"));
    assert_eq!(fault.message, "`sh` ended with exit code 3: no database");
    assert!(refused(&program("read -r line; exit 0")).message.contains("ended without an answer"));
    let none = Server::Program(Command { command: vec!["./no/such".into()], lines: true, variables: BTreeMap::new() });
    assert!(refused(&none).message.contains("cannot be started"));
}

#[test]
fn a_program_that_says_too_much_or_nothing_is_stopped() {
    assert_eq!(refused(&program("yes")).kind, FaultKind::TooLarge);
    assert_eq!(refused(&program("yes | tr -d '\\n'")).kind, FaultKind::TooLarge);
    assert_eq!(refused(&program("echo '{]'; sleep 60")).kind, FaultKind::Malformed);
    let short = Bounds { answer: Duration::from_millis(300), ..bounds() };
    let began = Instant::now();
    let fault = hear(&program("exec sleep 600"), &Credentials::default(), &setting(), short).expect_err("silence");
    assert_eq!(fault.kind, FaultKind::Timeout);
    assert!(began.elapsed() < Duration::from_secs(8), "it was waited for");
}

#[test]
fn a_program_gets_its_credential_and_no_other_variable() {
    let script = SPEAKS.replace("Finds.", "'\"$KEY $(env | wc -l)\"'");
    let Server::Program(mut command) = program(&script) else { panic!("a program") };
    command.variables.insert("KEY".into(), Text::Secret("key".into()));
    let heard = hear(&Server::Program(command), &credentials(&[("key", "sk-secret-1")]), &setting(), bounds());
    let said = serde_json::to_string(&heard.expect("heard").tools).expect("JSON");
    assert!(said.contains("[credential]") && !said.contains("sk-secret-1"), "{said}");
}
