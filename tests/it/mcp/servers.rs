//! Servers that are not what they should be, and what is said of them.

use super::*;

fn stderr(bench: &Bench, line: &str, code: i32) -> String {
    bench.joch("alice", line, code).stderr
}

/// A project whose server answers `tools/list` like this.
fn against(name: &str, list: impl Fn(&Request) -> Value + Send + Sync + 'static) -> (World, Server) {
    let server = Server::start(move |request| speaks(request, &list(request)));
    (project(name, &resource(&server.url(), "auth: {type: none}")), server)
}

#[test]
fn a_credential_that_is_not_taken_is_told_without_it() {
    let bench = Bench::new("mcp-401");
    let wrong = bench.world.sh("alice", "HELP_TOKEN=tok-wrong-99 joch mcp record help-center");
    assert_eq!(wrong.code, CREDENTIALS, "{}", wrong.stderr);
    assert!(
        wrong.stderr.contains("answered 401: who are you?") && !wrong.stderr.contains("tok-wrong"),
        "{}",
        wrong.stderr
    );
    let unset = bench.world.sh("alice", "joch mcp record help-center");
    assert_eq!(unset.code, CREDENTIALS);
    assert!(unset.stderr.contains("`HELP_TOKEN` is not set"), "{}", unset.stderr);
}

#[test]
fn a_list_without_an_end_is_given_up() {
    let (world, server) = against("mcp-endless", |_| json!({"tools": [], "nextCursor": "more"}));
    let outcome = world.sh("alice", "joch mcp record help-center");
    assert_eq!(outcome.code, COULD_NOT);
    assert!(outcome.stderr.contains("its list has no end"), "{}", outcome.stderr);
    assert_eq!(server.count(), 4);
}

#[test]
fn a_list_that_is_too_large_is_given_up() {
    let tools: Vec<_> = (0..2_001).map(|number| json!({"name": format!("t{number}")})).collect();
    let (world, _server) = against("mcp-many", move |_| json!({"tools": tools}));
    let many = world.sh("alice", "joch mcp record help-center");
    assert_eq!(many.code, COULD_NOT);
    assert!(many.stderr.contains("more than 2000 tools"), "{}", many.stderr);
    let (world, _server) =
        against("mcp-long", |_| json!({"tools": [{"name": "a", "description": "x".repeat(5 << 20)}]}));
    let long = world.sh("alice", "joch mcp record help-center");
    assert_eq!(long.code, COULD_NOT);
    assert!(long.stderr.contains("says more than joch reads"), "{}", long.stderr);
}

#[test]
fn two_tools_of_one_name_are_no_offer() {
    let (world, _server) = against("mcp-twins", |_| json!({"tools": [{"name": "a"}, {"name": "a", "title": "A"}]}));
    let outcome = world.sh("alice", "joch mcp record help-center");
    assert_eq!(outcome.code, REFUSED);
    assert!(outcome.stderr.contains("two tools `a`"), "{}", outcome.stderr);
}

#[test]
fn hostile_words_reach_the_ledger_and_no_terminal() {
    let bench = Bench::new("mcp-hostile");
    let words = "\u{1b}[2J\u{1b}]0;pwned\u{7} Finds.\r\n::error::x \u{202e}\u{200b}\u{e0041}";
    bench.offers(json!([{"name": "a\u{1b}[1m\nb", "title": "\u{9b}2J", "description": words,
        "inputSchema": {"type": "object", "properties": {"\u{1b}[31m": {"description": words}}}, "icons": [words]}]));
    for format in ["table", "wide", "markdown", "name"] {
        for command in ["record", "show", "diff"] {
            let told = bench.joch("alice", &format!("mcp {command} help-center -o {format}"), 0);
            for text in [&told.stdout, &told.stderr] {
                let bad = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}' | '\u{e0041}');
                assert!(!text.contains(bad), "{command} -o {format}: {text:?}");
            }
        }
    }
    let shown = bench.joch("alice", "mcp show help-center", 0).stdout;
    assert!(shown.contains("\\u{1b}[2J") && shown.contains("\\u{e0041}"), "{shown}");
    assert_eq!(bench.json("alice", "mcp show help-center")["observation"]["tools"][0]["description"], words);
    bench.is_clean();
}

#[test]
fn a_server_that_cannot_be_reached_is_said_to_be_so() {
    let world = project("mcp-nobody", &resource("http://127.0.0.1:1", ""));
    let nobody = world.sh("alice", "joch mcp record help-center");
    assert_eq!(nobody.code, COULD_NOT);
    assert!(nobody.stderr.contains("cannot be reached") && nobody.stderr.contains("-f FILE"), "{}", nobody.stderr);
    let server = Server::start(|_| Answer::Full(200, vec![("content-type".into(), "text/html".into())], "<p>".into()));
    let world = project("mcp-page", &resource(&server.url(), ""));
    let page = world.sh("alice", "joch mcp record help-center");
    assert_eq!(page.code, COULD_NOT);
    assert!(page.stderr.contains("answers with `text/html`"), "{}", page.stderr);
}

/// A server in a few lines of shell.
const SCRIPT: &str = r#"#!/bin/sh
while read -r line; do
    id=$(printf %s "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
    case "$line" in
        *'"initialize"'*) echo '{"jsonrpc":"2.0","id":'"$id"',"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"shell","version":"1"}}}' ;;
        *'"tools/list"'*) echo '{"jsonrpc":"2.0","id":'"$id"',"result":{"tools":[{"name":"find","description":"Key '"$KEY"'."}]}}' ;;
    esac
done
"#;

#[test]
fn a_program_runs_where_it_was_allowed_and_nowhere_else() {
    let stdio = |more: &str| {
        format!(
            "apiVersion: tools.joch.dev/v1alpha1\nkind: MCPServer\nmetadata: {{name: help-center}}\nspec:\n  \
             transport: stdio\n  endpoint: {{command: [./serve.sh], variables: {{KEY: {{secretRef: {{name: help-token}}}}}}}}\n{more}"
        )
    };
    let world = project("mcp-stdio", &stdio(""));
    fs::write(world.project().join("serve.sh"), SCRIPT).expect("own file");
    world.sh("alice", "chmod +x serve.sh");
    let asked = world.sh("alice", "joch mcp record help-center");
    assert_eq!(asked.code, REFUSED);
    assert!(asked.stderr.contains("`./serve.sh`, which would run here with your rights"), "{}", asked.stderr);
    assert!(asked.stderr.contains("--allow-stdio"), "{}", asked.stderr);
    let told = world.sh("alice", &format!("HELP_TOKEN={TOKEN} joch mcp record help-center --allow-stdio -o json"));
    let told: Value = serde_json::from_str(&told.stdout).expect(&told.stderr);
    assert_eq!(told["observation"]["transport"], "stdio");
    assert_eq!(told["observation"]["serverName"], "shell");
    assert_eq!(told["observation"]["tools"][0]["description"], "Key [credential].");
    fs::write(world.project().join("server.yaml"), stdio("  security: {allowStdio: false}\n")).expect("own file");
    // A program that must not run as one is no server that anybody could use.
    let forbidden = world.sh("alice", "joch apply -f server.yaml");
    assert_eq!(forbidden.code, REFUSED);
    assert!(forbidden.stderr.contains("allowStdio"), "{}{}", forbidden.stdout, forbidden.stderr);
}

#[test]
fn what_an_observation_begins_with_is_enough_to_name_it() {
    let bench = Bench::new("mcp-ids");
    let first = bench.json("alice", "mcp record help-center")["evidence"].as_str().expect("an id").to_owned();
    bench.offers(json!([{"name": "search", "description": "Searches."}]));
    bench.joch("alice", "mcp record help-center", 0);
    bench.offers(json!([{"name": "search", "description": DESCRIPTION}]));
    bench.joch("alice", "mcp record help-center", 0);
    let told = bench.joch("alice", &format!("mcp diff help-center --from {}", &first[..12]), 0).stdout;
    assert!(told.contains("nothing changed"), "{told}");
    let told = bench.joch("alice", &format!("mcp diff help-center --to {first}"), 0).stdout;
    assert!(told.contains("never seen to say anything else"), "{told}");
    assert!(stderr(&bench, "mcp diff help-center --from zz", COULD_NOT).contains("begins with `zz`"));
    assert!(stderr(&bench, "mcp diff help-center --from ''", USAGE).contains("several ids"));
    assert!(stderr(&bench, "mcp show other", COULD_NOT).contains("nobody has recorded"));
}
