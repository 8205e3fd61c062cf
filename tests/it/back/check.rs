//! A rollback that looks before it goes: which version is taken, what keeps one out, and what does not.

use super::*;

#[test]
fn a_rollback_is_not_held_up_by_what_holds_up_forward_changes() {
    let lab = Lab::gated("back-freeze");
    release(&lab, "one");
    release(&lab, "two");
    lab.file("a.yaml", &agent("a", "three"));
    lab.up("a.yaml", &["a"]);
    let frozen =
        "spec: {soak: 7d, freezes: [{reason: 'year end', owner: ops@example.com, since: 2020-01-01, timeZone: UTC}], ";
    lab.file("prod.yaml", &environment("prod", "[\"approval:rm\", budget]").replace("spec: {", frozen));
    lab.does("alice", "apply -f prod.yaml");
    let reasons = ["FAIL", "freeze", "year end", "soak", "budget", "0 of 1 approvals of team rm"];
    lab.stopped("ci", &format!("promote a {TO_PROD}"), REFUSED, &reasons);
    let told = lab.does("ci", "rollback a --env prod --reason 'v2 is bad'");
    assert!(told.contains("agent/a  v2 -> v1  prod") && told.contains("rolled-back as release prod/3"), "{told}");
    lab.is_sound();
}

#[test]
fn what_nobody_named_is_the_newest_that_is_not_on_hold() {
    let lab = Lab::gated("back-held");
    for words in ["one", "two", "three"] {
        release(&lab, words);
    }
    lab.does("bob", "hold a --version 2 --env prod --reason 'costs too much'");
    let outcome = lab.0.sh("ci", "joch rollback a --env prod");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stdout.contains("v3 -> v1"), "{}", outcome.stdout);
    let notice = "v2 is passed over: agent/a v2 is on hold in `prod`";
    assert!(outcome.stderr.contains(notice) && outcome.stderr.contains("costs too much"), "{}", outcome.stderr);
    // One that somebody names goes through, and it is said.
    let outcome = lab.0.sh("ci", "joch rollback a --env prod --to-version 2");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let notice = "it comes back because you named it, and stays on hold";
    assert!(outcome.stderr.contains(notice), "{}", outcome.stderr);
    // Both others were rolled back from and are on hold now.
    let reasons = [
        "has served no other version of agent/a that comes back unless it is named: v1 is passed over: ",
        "next: joch rollback agent a --to-version 1 --env prod",
        "joch lift agent a --version 1 --env prod --reason TEXT",
    ];
    lab.stopped("ci", "rollback a --env prod", REFUSED, &reasons);
    let runs =
        ["`prod` runs agent/a v2 now: there is nothing to go back to", "`joch rollback agent a --check --env prod`"];
    lab.stopped("ci", "rollback a --env prod --check --to-version 2", REFUSED, &runs);
    lab.does("bob", "lift a --version 3 --env prod --reason 'v2 is worse'");
    let told = lab.does("ci", "rollback a --env prod");
    assert!(told.contains("v2 -> v3"), "what was lifted may come back\n{told}");
    lab.is_sound();
}

#[test]
fn a_rejected_version_does_not_come_back_until_that_person_approves_it() {
    let lab = Lab::gated("back-rejected");
    release(&lab, "one");
    // The second is approved and serves; while the third runs, Bob says no to the second for good.
    release(&lab, "two");
    release(&lab, "three");
    lab.file("a.yaml", &agent("a", "two"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("reject a {TO_PROD} --rationale 'it leaks'"));
    let reasons = ["agent/a v2 does not come back to `prod`: rejected by bob@example.com", "--to-version 1 --env prod"];
    lab.stopped("ci", "rollback a --env prod --to-version 2", REFUSED, &reasons);
    let check = json(&lab, "alice", "rollback a --env prod --check");
    assert_eq!(check["choice"], 1);
    assert_eq!(check["versions"][0]["rejectedBy"], "bob@example.com");
    assert_eq!(check["versions"][0]["canRun"], "no");
    lab.does("bob", &format!("approve a {TO_PROD}"));
    lab.does("ci", "rollback a --env prod --to-version 2");
    lab.is_sound();
}

#[test]
fn an_approval_after_a_rejection_lets_a_version_come_back_whatever_has_run_since() {
    let lab = Lab::gated("back-approved");
    release(&lab, "one");
    lab.file("a.yaml", &agent("a", "two"));
    lab.up("a.yaml", &["a"]);
    lab.does("bob", &format!("reject a {TO_PROD}"));
    lab.does("bob", &format!("approve a {TO_PROD}"));
    lab.does("ci", &format!("promote a {TO_PROD}"));
    release(&lab, "three");
    let told = lab.does("ci", "rollback a --env prod");
    assert!(told.contains("v3 -> v2"), "{told}");
    lab.is_sound();
}

/// An agent with a tool that names a Secret and a value of the environment.
fn needy(words: &str) -> String {
    let agent = head("Agent", "{name: a}") + &format!("spec: {{instructions: {words}, tools: [{{name: t}}]}}\n");
    let tool = head("Tool", "{name: t}")
        + "spec: {type: rest, rest: {baseUrl: {fromEnvironment: URL}}, auth: {secretRef: {name: key}}}\n";
    let secret = head("Secret", "{name: key}") + "spec: {provider: vault, key: kv/key}\n";
    [agent, tool, secret].join("---\n")
}

fn with_value(defaults: &str) -> String {
    let rungs = ["local", "dev", "staging", "prod"];
    let value = |rung: &str| if rung == "prod" { defaults } else { "{URL: \"https://x.example\"}" };
    let of = |rung: &&str| {
        format!("{}spec: {{defaults: {}}}\n", head("Environment", &format!("{{name: {rung}}}")), value(rung))
    };
    rungs.iter().map(of).collect::<Vec<_>>().join("---\n")
}

/// Version 1 needs a Secret and a value, version 2 nothing.
fn poor(name: &str) -> Lab {
    let lab = Lab::new(name);
    lab.file("rungs.yaml", &with_value("{URL: \"https://x.example\"}"));
    lab.does("alice", "apply -f rungs.yaml");
    lab.file("a.yaml", &needy("one"));
    lab.up("a.yaml", &["a"]);
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab.file("a.yaml", &agent("a", "two"));
    lab.up("a.yaml", &["a"]);
    lab.does("ci", &format!("promote a {TO_PROD}"));
    lab
}

#[test]
fn a_version_whose_secret_is_gone_does_not_come_back_unless_somebody_says_so() {
    let lab = poor("back-secret");
    let fine = json(&lab, "alice", "rollback a --env prod --check");
    assert_eq!((&fine["choice"], &fine["versions"][0]["canRun"]), (&1.into(), &"yes".into()), "{fine:#}");
    lab.does("ci", "delete secret key --env prod");
    let reason = "tool/t names secret/key, and the catalog of `prod` has none";
    lab.stopped(
        "ci",
        "rollback a --env prod --to-version 1",
        REFUSED,
        &["cannot run in `prod` any more", reason, "--despite-missing"],
    );
    let ways = ["--to-version 1 --env prod --despite-missing", "joch rollback secret key --env prod"];
    lab.stopped("ci", "rollback a --env prod", REFUSED, &["v1 is passed over", reason, ways[0], ways[1]]);
    let check = lab.0.sh("alice", "joch rollback a --env prod --check -o json");
    assert_eq!(check.code, REFUSED, "nothing can come back");
    let check: serde_json::Value = serde_json::from_str(&check.stdout).expect("JSON");
    assert_eq!(check["choice"], serde_json::Value::Null);
    assert_eq!(check["versions"][0]["missing"][0]["rule"], "secret-missing");
    let outcome = lab.0.sh("ci", "joch rollback a --env prod --to-version 1 --despite-missing");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("comes back, and may not run"), "{}", outcome.stderr);
    let record = &json(&lab, "alice", "describe release prod/4")["records"][0];
    assert_eq!(record["warnings"][0]["rule"], "secret-missing");
    lab.does("ci", "rollback secret key --env prod");
    let named = ["secret/key stays in `prod`: it is named by the closure of agent/a", "change or delete these agents"];
    lab.stopped("ci", "delete secret key --env prod", REFUSED, &named);
    lab.is_sound();
}

#[test]
fn a_promotion_that_would_take_back_names_a_way_that_works() {
    let lab = Lab::new("back-regression");
    let policy = |words: &str| {
        head("Policy", "{name: p}")
            + &format!(
                "spec: {{description: {words}, rules: [{{name: r, when: {{tool.name: x}}, action: {{deny: true}}}}]}}\n"
            )
    };
    let up = |words: &str| {
        lab.file("p.yaml", &policy(words));
        lab.does("ci", "apply -f p.yaml");
    };
    up("one");
    lab.does("ci", "promote policy/p --from local --to dev");
    up("two");
    up("three");
    lab.does("ci", "promote policy/p --from local --to dev");
    // `dev` served versions 1 and 3, and never 2.
    let promote = "promote policy/p --from local --to dev";
    lab.does("ci", "rollback policy p --env local --to-version 2");
    lab.stopped("ci", promote, REFUSED, &["next: `joch apply -f FILE --env dev` with the content of v2"]);
    lab.does("ci", "rollback policy p --env local --to-version 1");
    lab.stopped("ci", promote, REFUSED, &["next: joch rollback policy p --to-version 1 --env dev"]);
    lab.does("ci", "rollback policy p --to-version 1 --env dev");
    lab.is_sound();
}

#[test]
fn next_commands_are_of_the_command_that_was_given() {
    let lab = Lab::new("back-next");
    lab.file("a.yaml", &agent("a", "one"));
    lab.up("a.yaml", &["a"]);
    lab.stopped("alice", "agbom a --diff", USAGE, &["next: name one: `joch agbom a --diff --from R --to R`"]);
    let next = "next: joch gates input a --from staging --to prod";
    lab.stopped("alice", "gates input a --from local --to dev", REFUSED, &["there is nothing to judge", next]);
    lab.does("alice", "gates input a --from staging --to prod");
    let glass = format!("promote a {TO_PROD} --override approval:rm --reason 'it burns' --ticket INC-7");
    let nobody = ["nobody may override a gate of `prod`", "next: an admin names people under `spec.override`"];
    lab.stopped("bob", &glass, crate::bypass::CREDENTIALS, &nobody);
}

#[test]
fn a_version_whose_value_is_gone_does_not_come_back_at_all() {
    let lab = poor("back-value");
    lab.file("rungs.yaml", &with_value("{}"));
    lab.does("alice", "apply -f rungs.yaml");
    let reason = "wants `URL` at";
    for flag in ["", " --despite-missing"] {
        let line = format!("rollback a --env prod --to-version 1{flag}");
        lab.stopped("ci", &line, REFUSED, &["cannot run in `prod` any more", reason]);
    }
    lab.is_sound();
}

#[test]
fn a_policy_that_forbids_it_by_now_is_told_and_recorded_and_does_not_stop_it() {
    let lab = Lab::gated("back-policy");
    let on_model = |words: &str, model: &str| {
        let agent = head("Agent", "{name: a}") + &format!("spec: {{model: {model}, instructions: {words}}}\n");
        agent
            + "---\n"
            + &head("Model", &format!("{{name: {model}}}"))
            + &format!("spec: {{provider: {model}, model: x}}\n")
    };
    for (words, model) in [("one", "openai"), ("two", "mistral")] {
        lab.file("a.yaml", &on_model(words, model));
        lab.up("a.yaml", &["a"]);
        lab.does("alice", &format!("approve a {TO_PROD}"));
        lab.does("ci", &format!("promote a {TO_PROD}"));
    }
    let policy = head("Policy", "{name: no-openai}")
        + "spec: {rules: [{name: models, when: {model.provider: openai}, action: {deny: true, reason: 'not any more'}}]}\n";
    lab.file(
        "prod.yaml",
        &[environment("prod", "[\"approval:rm\"]").replace("spec: {", "spec: {policies: [no-openai], "), policy]
            .join("---\n"),
    );
    lab.does("alice", "apply -f prod.yaml");
    let check = lab.0.sh("alice", "joch rollback a --env prod --to-version 1 --check");
    assert_eq!(check.code, REFUSED, "a check of one version says no\n{}", check.stdout);
    assert!(check.stdout.contains("warned") && check.stdout.contains("not any more"), "{}", check.stdout);
    let outcome = lab.0.sh("ci", "joch rollback a --env prod --to-version 1");
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("the policies in force speak against it"), "{}", outcome.stderr);
    let record = &json(&lab, "alice", "describe release prod/3")["records"][0];
    assert_eq!(record["warnings"][0]["rule"], "policy-denies");
    lab.is_sound();
}
