//! What machines read from `get`, `describe` and `diff`: the fields of the contract, and the limits of a comment.

use serde_json::Value;

use crate::support::world::World;

#[test]
fn a_history_has_the_fields_of_the_contract() {
    let world = project("reads-history");
    let history = json(&world, "joch get agents triage --history -o json");
    assert_eq!(history["kind"], "History");
    let items = history["items"].as_array().expect("a list");
    assert_eq!(items.iter().map(|item| &item["version"]).collect::<Vec<_>>(), [2, 1]);
    for field in ["version", "digest", "commit", "time", "operator", "change", "events"] {
        assert!(!items[0][field].is_null(), "{field}: {history:#}");
    }
    let events = items[1]["events"].as_array().expect("a list");
    let told: Vec<_> = events.iter().map(|event| format!("{} {}", event["event"], event["release"])).collect();
    assert_eq!(told, ["\"promote\" \"prod/1\"", "\"apply\" \"dev/1\""]);
    // The commit of an item is where plain Git finds that version.
    let tagged = world.sh("alice", "git -C .joch/ledger.git rev-parse agent/default/triage/v1");
    assert_eq!(items[1]["commit"], tagged.stdout.trim());
}

#[test]
fn a_release_of_an_environment_is_one_item_of_its_history() {
    let world = project("reads-releases");
    let history = json(&world, "joch get agent/triage --history --env prod -o json");
    let items = history["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["events"][0]["release"], "prod/1");
    assert_eq!(items[0]["reason"], "live");
}

#[test]
fn a_description_says_what_runs_where_under_which_policies() {
    let world = project("reads-description");
    let description = json(&world, "joch describe agent triage --env prod -o json");
    assert_eq!(description["resource"]["metadata"]["name"], "triage");
    assert_eq!(description["version"], 1);
    assert_eq!(description["policies"][0]["name"], "privacy");
    assert_eq!(description["policies"][0]["version"], 1);
    let prod = &description["environments"][1];
    assert_eq!(
        [&prod["environment"], &prod["release"], &prod["operator"], &prod["behindTrust"]],
        [&Value::from("prod"), &"prod/1".into(), &"alice@example.com".into(), &false.into()]
    );
    let closure = description["closure"].as_array().expect("a list");
    let kinds: Vec<_> = closure.iter().map(|member| member["kind"].as_str().expect("text")).collect();
    assert_eq!(kinds, ["Model", "Policy"]);
}

#[test]
fn a_diff_names_the_referenced_policy_and_what_else_it_touches() {
    let world = project("reads-diff");
    let diff = json(&world, "joch diff agent triage --from prod --to dev -o json");
    assert_eq!([&diff["from"]["version"], &diff["to"]["version"]], [1, 2]);
    assert_eq!([&diff["from"]["environment"], &diff["to"]["environment"]], ["prod", "dev"]);
    assert_eq!(diff["changes"][0]["resource"], "policy/default/privacy");
    assert_eq!(diff["abom"]["changed"][0]["name"], "privacy");
    assert_eq!(diff["affected"][0]["name"], "digest");
    assert_eq!(diff["affected"][0]["through"][0], "policy/default/privacy");
}

#[test]
fn an_environment_is_compared_as_it_was_at_a_moment() {
    let world = project("reads-moment");
    let before = json(&world, "joch diff triage --from prod@2001-01-01 --to prod -o json");
    assert!(before["from"]["digest"].is_null());
    assert_eq!(before["from"]["time"], "2001-01-01T00:00:00Z");
    let now = json(&world, "joch diff triage --from prod@2999-01-01T00:00Z --to prod -o json");
    assert_eq!(now["changes"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_list_of_nothing_is_empty_and_no_failure() {
    let world = project("reads-empty");
    let list = json(&world, "joch get tools -o json");
    assert_eq!(list["items"].as_array().map(Vec::len), Some(0));
    let outcome = world.sh("alice", "joch get tools");
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", "note: there are no tools\n"));
}

#[test]
fn a_kind_that_joch_does_not_know_is_found_by_the_word_that_lists_print() {
    let world = project("reads-kinds");
    let flags =
        "apiVersion: joch.dev/v1alpha1\nkind: FeatureFlag\nmetadata: { name: f, namespace: team-a }\nspec: { a: 1 }\n";
    std::fs::write(world.project().join("flags.yaml"), flags).expect("own file");
    done(&world, "joch apply -f flags.yaml");
    for word in ["FeatureFlag", "feature-flag", "feature-flags"] {
        let outcome = world.sh("alice", &format!("joch get {word} -o name"));
        assert_eq!(outcome.stdout, "feature-flag/team-a/f\n", "{word}: {}", outcome.stderr);
    }
    let missing = world.sh("alice", "joch describe feature-flag f -n team-a --version 9");
    assert_eq!(missing.code, 1);
    assert!(
        missing.stderr.ends_with("next: `joch get feature-flag f -n team-a --history` lists them\n"),
        "{}",
        missing.stderr
    );
}

#[test]
fn what_was_deleted_keeps_its_history() {
    let world = project("reads-deleted");
    done(&world, "joch delete agent triage --env prod --reason over");
    let history = json(&world, "joch get agent triage --history --env prod -o json");
    let items = history["items"].as_array().expect("a list");
    assert_eq!([&items[0]["change"], &items[1]["change"]], ["deleted", "created"]);
    assert!(items[0]["version"].is_null());
    let diff = json(&world, "joch diff triage --from prod --to dev -o json");
    assert_eq!([&diff["from"]["version"], &diff["resources"][0]["change"]], [&Value::Null, &"created".into()]);
}

#[test]
fn files_that_differ_nowhere_are_no_difference() {
    let world = project("reads-same");
    let outcome = world.sh("alice", "joch diff -f . --against context:dev --exit-code");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "dev -> files\n  4 unchanged\nnothing changed\n"));
    let head = || world.sh("alice", "git -C .joch/ledger.git for-each-ref").stdout;
    let before = head();
    let outcome = world.sh("alice", "joch diff -f agents.yaml --against prod --exit-code");
    assert_eq!(outcome.code, 2);
    assert_eq!(head(), before, "a diff writes nothing");
}

#[test]
fn a_context_of_the_project_names_another_ledger() {
    let world = project("reads-context");
    done(&world, "cp -r .joch/ledger.git other.git");
    done(&world, "printf 'contexts:\\n  live: {ledger: other.git, environment: prod}\\n' >> joch.yaml");
    done(&world, "sed -i 's/card/iban/' shared.yaml && joch apply -f shared.yaml");
    let diff = json(&world, "joch diff -f shared.yaml --against context:live -o json");
    assert_eq!(diff["from"]["environment"], "prod");
    assert_eq!(diff["affected"][0]["name"], "triage");
    assert!(diff["resources"].as_array().expect("a list").iter().all(|row| row["name"] != "digest"), "{diff:#}");
}

#[test]
fn a_comment_on_a_pull_request_says_what_it_left_out() {
    let world = project("reads-comment");
    edit(&world, "agents.yaml", &"one more line of a very long prompt\n    ".repeat(4000));
    let comment = comment(&world);
    assert!(comment.chars().count() < 65_536);
    assert!(comment.starts_with("<!-- joch:diff prod -->\n### joch: `prod -> files`\n"), "{comment}");
    let told = "**Left out here**, because a comment holds 60000 characters: `agent/digest`, `agent/triage`.";
    assert!(comment.contains(told), "{comment}");
    assert!(comment.contains("<summary>policy/privacy: 1 change</summary>"), "{comment}");
}

#[test]
fn a_comment_on_a_pull_request_is_not_ended_by_what_it_quotes() {
    let world = project("reads-quoted");
    edit(&world, "agents.yaml", "```\n    </details> @everyone \u{202e}");
    let comment = comment(&world);
    assert!(comment.contains("````diff\n"), "{comment}");
    assert!(comment.contains("+     </details> @everyone \\u{202e}"), "{comment}");
}

/// Two agents that share a policy; v1 of one is in production, and the policy has changed since.
fn project(name: &str) -> World {
    let world = World::new(name);
    let agent = |name: &str| {
        format!(
            "apiVersion: joch.dev/v1alpha1\nkind: Agent\nmetadata: {{ name: {name} }}\nspec:\n  model: openai:gpt-4.1\n  \
             policies: [privacy]\n  instructions: |\n    Be brief.\n"
        )
    };
    let shared = "apiVersion: joch.dev/v1alpha1\nkind: Model\nmetadata: { name: gpt-4.1 }\n\
                  spec: { provider: openai, model: gpt-4.1 }\n---\napiVersion: joch.dev/v1alpha1\nkind: Policy\n\
                  metadata: { name: privacy }\nspec:\n  rules:\n    - when: { data.contains: mail }\n      \
                  action: { redact: true }\n";
    let agents = format!("{}---\n{}", agent("triage"), agent("digest"));
    std::fs::write(world.project().join("agents.yaml"), agents).expect("own file");
    std::fs::write(world.project().join("shared.yaml"), shared).expect("own file");
    for line in [
        "joch init --ladder dev,prod --operator alice@example.com",
        "joch apply -f .",
        "joch promote triage --from dev --to prod --reason live",
        "sed -i 's/mail/card/' shared.yaml",
        "joch apply -f .",
    ] {
        done(&world, line);
    }
    world
}

fn done(world: &World, line: &str) {
    let outcome = world.sh("alice", line);
    assert_eq!(outcome.code, 0, "{line}: {}{}", outcome.stdout, outcome.stderr);
}

fn json(world: &World, line: &str) -> Value {
    let outcome = world.sh("alice", line);
    assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|why| panic!("{line}: {why}: {}", outcome.stdout))
}

/// Puts `text` before the prompts of a file.
fn edit(world: &World, file: &str, text: &str) {
    let path = world.project().join(file);
    let before = std::fs::read_to_string(&path).expect("own file");
    std::fs::write(&path, before.replace("Be brief", &format!("{text}Be brief"))).expect("own file");
}

fn comment(world: &World) -> String {
    let outcome = world.sh("alice", "joch diff -f . --against context:prod -o markdown");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    outcome.stdout
}
