//! `joch gates selftest`: what a set of gates would not have caught, told without a word written.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::six_gates::{PROJECT, climbs, does, observes, records, run};
use crate::support::world::World;

/// `prod` demands all six gates.
const STRICT: &str = "gates: [\"eval:support-triage-quality\", \"approval:release-manager\", policy, \"agbom:high\", budget, \
                      \"latency:+20%\"]";

/// The support fixture, served in `prod` and measured in `staging`.
fn served(name: &str) -> World {
    let world = World::new(name);
    let step = "support-triage --from staging --to prod";
    does(&world, "alice", PROJECT);
    observes(&world);
    climbs(&world);
    records(&world, &run(&world, 1000, "0.02"));
    does(&world, "bob", &format!("joch approve {step}"));
    does(&world, "alice", &format!("joch promote {step}"));
    world
}

/// The same, and the Environment says this beside.
fn with(name: &str, spec: &str) -> World {
    let world = served(name);
    let path = world.project().join("environments/prod.yaml");
    let text = std::fs::read_to_string(&path).expect("the fixture");
    std::fs::write(&path, format!("{}\n  {spec}\n", text.trim_end())).expect("own file");
    does(&world, "alice", "joch apply -f environments/prod.yaml");
    world
}

fn tried(world: &World, code: i32) -> Value {
    let outcome = world.sh("mallory", "env -u JOCH_SIGNING_KEY joch gates selftest support-triage -o json");
    assert_eq!(outcome.code, code, "{}{}", outcome.stdout, outcome.stderr);
    serde_json::from_str(&outcome.stdout).expect("JSON")
}

/// What came of each seed.
fn fates(answer: &Value) -> BTreeMap<String, String> {
    let text = |planted: &Value, field: &str| planted[field].as_str().unwrap_or_default().to_owned();
    let planted = answer["planted"].as_array().expect("a list");
    planted.iter().map(|p| (format!("{} {}", text(p, "expected"), text(p, "seed")), text(p, "fate"))).collect()
}

#[test]
fn all_six_gates_catch_every_bad_change_and_let_the_harmless_ones_through() {
    let world = with("selftest-strict", STRICT);
    let before = world.sh("alice", "git --git-dir .joch/ledger.git for-each-ref").stdout;
    let answer = tried(&world, 0);
    assert_eq!(answer["verdict"], "sound", "{answer:#}");
    let fates = fates(&answer);
    let told: Vec<String> = fates.iter().map(|(seed, fate)| format!("{fate} {seed}")).collect();
    let listed = std::fs::read_to_string("docs/selftest.md").expect("the page");
    let page: Vec<String> = told
        .iter()
        .filter(|line| !line.starts_with("absent"))
        .map(|line| line.split_once(' ').map_or(line.clone(), |(_, seed)| format!("- {}", seed.trim())))
        .collect();
    let (caught, passed) = (answer["caught"].as_u64().expect("a number"), answer["passed"].as_u64().expect("a number"));
    if std::env::var("JOCH_WRITE_DOCS").is_ok() {
        let (head, _) = listed.split_once("## The list\n").expect("its heading");
        let count = format!("{caught} bad changes are caught, and {passed} harmless ones get through:");
        let text = format!("{head}## The list\n\n{count}\n\n{}\n", page.join("\n"));
        std::fs::write("docs/selftest.md", text).expect("own file");
        return;
    }
    for line in &page {
        assert!(listed.lines().any(|known| known == line), "docs/selftest.md does not list `{line}`");
    }
    assert!(listed.contains(&format!("{caught} bad changes")) && listed.contains(&format!("{passed} harmless")));
    assert_eq!(world.sh("alice", "git --git-dir .joch/ledger.git for-each-ref").stdout, before, "it wrote something");
}

#[test]
fn a_gate_that_is_not_there_or_only_advises_catches_nothing() {
    let world = with(
        "selftest-blind",
        &STRICT.replace("\"agbom:high\", ", "").replace("policy,", "{gate: policy, mode: advisory},"),
    );
    let fates = fates(&tried(&world, 2));
    for seed in
        ["agbom AGB-MCP-006 an MCP server is reached over plain http", "policy a tool does what a policy forbids"]
    {
        assert_eq!(fates.get(seed).map(String::as_str), Some("missed"), "{seed}: {fates:#?}");
    }
    assert_eq!(fates["eval an eval fails"], "caught");
    let told = world.sh("mallory", "env -u JOCH_SIGNING_KEY joch gates selftest support-triage").stdout;
    for next in [
        "next: demand `agbom:high` under `spec.gates` of environment/prod",
        "next: take `mode: advisory` from `policy` under `spec.gates` of environment/prod",
    ] {
        assert!(told.contains(next), "{next}: {told}");
    }
    let names = world.sh("mallory", "env -u JOCH_SIGNING_KEY joch gates selftest support-triage -o name").stdout;
    assert!(names.lines().any(|name| name == "an MCP server is reached over plain http"), "{names}");
    assert!(!names.contains("an eval fails"), "{names}");
}

#[test]
fn a_hold_is_no_block() {
    let world = with("selftest-hold", "gates: [\"approval:release-manager\"]");
    let answer = tried(&world, 2);
    assert_eq!(answer["verdict"], "unsound");
    let fates = fates(&answer);
    assert_eq!(fates["eval an eval fails"], "missed", "an approval that is waited for says nothing of the content");
    assert_eq!(fates["trust a gate is dropped"], "caught");
}

#[test]
fn gates_that_are_not_there_yet_can_be_tried_on_the_fixture_as_it_is() {
    let world = served("selftest-required");
    let all =
        "--require eval:support-triage-quality --require policy --require agbom --require budget --require latency";
    let told = world.sh("mallory", &format!("env -u JOCH_SIGNING_KEY joch gates selftest support-triage {all}"));
    assert_eq!(told.code, 0, "{}{}", told.stdout, told.stderr);
    assert!(told.stdout.contains("sound: the gates of prod catch 49 of 49 bad"), "{}", told.stdout);
    let without = world.sh("mallory", "env -u JOCH_SIGNING_KEY joch gates selftest support-triage");
    assert_eq!(without.code, 2, "{}", without.stdout);
    let slip = world.sh("mallory", "joch gates selftest --require agbomb");
    assert!(slip.code == 64 && slip.stderr.contains("agbomb"), "{} {}", slip.code, slip.stderr);
}
