//! `joch agbom ls`: who uses what, where, in which version.

use super::{agent, done, json, project, write};

#[test]
fn who_uses_a_server_is_told_for_every_environment_with_the_versions() {
    let world = project("lists-uses");
    for number in 0..4 {
        write(&world, "one.yaml", &agent(number, 1));
        done(&world, "joch apply -f one.yaml");
    }
    let approved = world.sh("bob", "joch approve a0 --from staging --to prod");
    assert_eq!(approved.code, 0, "{}", approved.stderr);
    done(&world, "joch promote a0 --from staging --to prod");
    // The server changes where it is applied, and not where nobody promoted it.
    let server = "apiVersion: tools.joch.dev/v1alpha1\nkind: MCPServer\nmetadata: { name: server-0 }\nspec: { transport: \
                  streamable_http, endpoint: { url: \"https://mcp.example/new\" } }\n";
    write(&world, "server.yaml", server);
    done(&world, "joch apply -f server.yaml");
    let listed = done(&world, "joch agbom ls --mcp-server server-0").stdout;
    let rows: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        rows,
        [
            vec!["NAME", "ENVIRONMENT", "VERSION", "COMPONENTS", "USES"],
            vec!["a0", "staging", "v2", "6", "mcp-server/default/server-0", "v2"],
            vec!["a3", "staging", "v2", "6", "mcp-server/default/server-0", "v2"],
            vec!["a0", "prod", "v1", "6", "mcp-server/default/server-0", "v1"],
        ],
        "{listed}"
    );
    let listed = json(&world, "joch agbom ls --uses mcp-server/default/server-0 --env prod -o json");
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let item = &listed["items"][0];
    assert_eq!([&item["name"], &item["release"]], ["a0", "prod/1"]);
    assert_eq!(item["uses"][0]["version"], 1);
    let bill = json(&world, "joch agbom a0 --env prod -o json");
    assert_eq!(bill["components"].as_array().map(Vec::len), Some(6), "as many as its bill has");
    assert_eq!(done(&world, "joch agbom ls --mcp-server server-0 --env prod -o name").stdout, "agent/a0\n");
    let markdown = done(&world, "joch agbom ls --mcp-server server-0 --env prod -o markdown").stdout;
    assert!(markdown.contains("mcp-server/default/server-0"), "{markdown}");
}

#[test]
fn all_that_is_asked_for_must_be_held() {
    let world = project("lists-all");
    for number in [0, 1, 10] {
        write(&world, "one.yaml", &agent(number, 1));
        done(&world, "joch apply -f one.yaml");
    }
    for (asked, names) in [
        ("--uses tool/tool-1", "agent/a1\n"),
        ("--mcp-server server-1", "agent/a1\nagent/a10\n"),
        ("--mcp-server server-1 --uses tool/tool-10", "agent/a10\n"),
        ("--model answers --uses tool/tool-0", "agent/a0\n"),
        ("--model openai/answers-1 --uses tool/tool-0", "agent/a0\n"),
        ("--model answers-1 --uses tool/tool-0", "agent/a0\n"),
        ("--image registry.example.com/ --uses tool/tool-0", "agent/a0\n"),
        ("--image registry.other/", ""),
        ("--image 1.6.0", ""),
        ("--uses tool/other/tool-1", ""),
        ("--uses mcp-server/tool-1", ""),
        ("--env prod", ""),
    ] {
        assert_eq!(done(&world, &format!("joch agbom ls {asked} -o name")).stdout, names, "{asked}");
    }
    let slip = done(&world, "joch agbom ls --mcp-server server-11").stderr;
    assert!(
        slip.contains("nothing called `mcp-server/server-11` is used in any environment; did you mean `server-1`?"),
        "{slip}"
    );
    let wrong = world.sh("alice", "joch agbom ls --uses server-1");
    assert_eq!(wrong.code, 64, "{}", wrong.stderr);
}

#[test]
fn who_names_a_secret_is_told_and_a_name_that_nobody_uses_is_told_as_that() {
    let world = project("lists-secret");
    for number in [0, 1] {
        let text = agent(number, 1);
        let auth = "sideEffects: { level: read_only }, auth: { secretRef: { name: leaked } }";
        let text = if number == 0 { text.replace("sideEffects: { level: read_only }", auth) } else { text };
        write(&world, "one.yaml", &text);
        done(&world, "joch apply -f one.yaml");
    }
    let listed = done(&world, "joch agbom ls --uses secret/leaked").stdout;
    assert!(listed.contains("a0") && listed.contains("secret/default/leaked") && !listed.contains("a1"), "{listed}");
    for (asked, told) in [
        ("--uses secret/leakde", "nothing called `secret/leakde` is used in any environment; did you mean `leaked`?"),
        ("--uses model/nosuch", "nothing called `model/nosuch` is used in any environment"),
        ("--mcp-server nope --env prod", "nothing called `mcp-server/nope` is used in any environment"),
        ("--uses secret/leaked --env prod", "`secret/leaked` is not used in `prod`; it is in staging"),
        ("--uses secret/leaked --uses tool/tool-1", "no agent has all of that in any environment"),
        ("--env prod", "no agent runs in `prod`"),
    ] {
        let outcome = done(&world, &format!("joch agbom ls {asked}"));
        assert!(outcome.stdout.is_empty() && outcome.stderr.contains(told), "{asked}: {}", outcome.stderr);
    }
    let refused = world.sh("alice", "joch agbom ls --uses eval/x");
    assert_eq!(refused.code, 64, "{}", refused.stderr);
    assert!(refused.stderr.contains("an Eval measures agents, and is no part of one"), "{}", refused.stderr);
    let every = json(&world, "joch agbom ls --env staging -o json");
    assert_eq!(every["items"].as_array().map(Vec::len), Some(2), "without a filter every agent is listed");
    let unknown = world.sh("alice", "joch agbom ls --env nowhere");
    assert!(unknown.stderr.contains("next: `joch get environments` lists what there is"), "{}", unknown.stderr);
}

#[test]
fn an_agent_whose_server_is_unpinned_is_of_high_risk_until_it_is_pinned_again() {
    let world = project("lists-risk");
    for number in [0, 1] {
        write(&world, "one.yaml", &agent(number, 1));
        done(&world, "joch apply -f one.yaml");
    }
    let rules = |name: &str| -> Vec<String> {
        let listed = json(&world, "joch agbom ls --high-risk -o json");
        let items = listed["items"].as_array().expect("a list").clone();
        let of = items.iter().filter(|item| item["name"] == name);
        let findings = of.flat_map(|item| item["findings"].as_array().expect("a list").clone());
        findings.map(|finding| format!("{} {}", finding["rule"], finding["component"]).replace('"', "")).collect()
    };
    let unpinned = "AGB-MCP-001 joch:mcp-server/default/server-1".to_owned();
    assert!(!rules("a0").contains(&unpinned) && !rules("a1").contains(&unpinned));
    let server = |security: &str| {
        let text = format!(
            "apiVersion: tools.joch.dev/v1alpha1\nkind: MCPServer\nmetadata: {{ name: server-1 }}\nspec: {{ transport: \
             streamable_http, endpoint: {{ url: \"https://mcp.example/1\" }}, security: {{ {security} }} }}\n"
        );
        write(&world, "server.yaml", &text);
        done(&world, "joch apply -f server.yaml");
    };
    server("pinServerVersion: false");
    assert!(rules("a1").contains(&unpinned), "{:?}", rules("a1"));
    assert!(!rules("a0").contains(&unpinned), "{:?}", rules("a0"));
    server("pinServerVersion: true, pinnedVersion: \"1.0.0\"");
    assert!(!rules("a1").contains(&unpinned), "{:?}", rules("a1"));
}
