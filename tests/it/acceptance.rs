//! What joch is for, end to end, on the fixture project: the commands of the requirements, plain Git beside
//! them, and the promises that no verb gets past a gate and nothing undoes a rollback.

use crate::support::world::World;

/// A project with its ledger: alice is its admin, bob the release manager with a key.
fn project(name: &str) -> World {
    let world = World::new(name);
    done(&world, "alice", "cp -R \"$FIXTURES/support-triage/.\" . && joch init --operator alice@example.com");
    done(
        &world,
        "alice",
        "printf '      keys: [\"%s\"]\\n' \"$(cut -d' ' -f1,2 \"$FIXTURES/identities/bob/id_ed25519.pub\")\" \
         > key && awk '{print} /role: approver/{while((getline line < \"key\") > 0) print line}' \
         teams/release-manager.yaml > team && mv team teams/release-manager.yaml && rm key",
    );
    done(&world, "alice", "joch apply -f .");
    world
}

fn run(world: &World, person: &str, line: &str) -> (i32, String) {
    let outcome = world.sh(person, line);
    (outcome.code, outcome.stdout + &outcome.stderr)
}

/// Runs a line that must exit with `code`, and gives what it printed.
fn exits(world: &World, person: &str, line: &str, code: i32) -> String {
    let (found, told) = run(world, person, line);
    assert_eq!(found, code, "`{line}` exited with {found}, not {code}:\n{told}");
    let clean = run(world, "alice", "git -C .joch/ledger.git fsck --strict --no-dangling --no-progress");
    assert_eq!(clean, (0, String::new()), "after `{line}`");
    told
}

fn done(world: &World, person: &str, line: &str) -> String {
    let (code, told) = run(world, person, line);
    assert_eq!(code, 0, "`{line}` exited with {code}:\n{told}");
    told
}

fn json(world: &World, line: &str) -> serde_json::Value {
    let outcome = world.sh("alice", &format!("{line} -o json"));
    serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|why| panic!("{line}: {why}\n{}{}", outcome.stdout, outcome.stderr))
}

/// Brings the agent from the first rung to the last; bob approves where somebody must.
fn climb(world: &World) {
    done(world, "alice", "joch promote support-triage --from local --to dev");
    done(world, "alice", "joch promote support-triage --from dev --to staging");
    done(world, "bob", "joch approve support-triage --from staging --to prod");
    done(world, "alice", "joch promote support-triage --from staging --to prod");
}

fn edit(world: &World, file: &str, from: &str, to: &str) {
    let path = world.project().join(file);
    let text = std::fs::read_to_string(&path).expect("a file of the fixture");
    assert!(text.contains(from), "`{file}` has no `{from}`");
    std::fs::write(path, text.replace(from, to)).expect("own file");
}

const TREE: &str = "git -C .joch/ledger.git rev-parse";

#[test]
fn the_commands_of_the_requirements_run_as_written() {
    let world = project("requirements");
    exits(&world, "alice", "joch validate -f .", 0);
    climb(&world);
    for version in 2..=8 {
        edit(
            &world,
            "agents/support-triage.yaml",
            "Work in this order",
            &format!("Version {version}. Work in this order"),
        );
        if version == 7 {
            climb_after_apply(&world);
        } else {
            exits(&world, "alice", "joch apply -f .", 0);
        }
    }
    exits(&world, "alice", "joch promote support-triage --from local --to dev", 0);
    exits(&world, "alice", "joch promote support-triage --from dev --to staging", 0);
    let history = exits(&world, "alice", "joch get agents support-triage --history", 0);
    assert!(history.contains("v8"), "{history}");
    exits(&world, "alice", "joch describe agent support-triage --version 8", 0);
    let diff = exits(&world, "alice", "joch diff agent support-triage --from 7 --to 8", 0);
    assert!(diff.contains("Version 8"), "{diff}");
    exits(&world, "alice", "joch diff agent support-triage --from prod --to staging", 0);
    exits(&world, "alice", "joch diff -f ./agents --against context:prod", 0);
    let promote = "joch promote support-triage --from staging --to prod --require approval:release-manager";
    exits(&world, "alice", promote, 3);
    exits(&world, "bob", "joch approve support-triage --from staging --to prod", 0);
    exits(&world, "alice", promote, 0);
    exits(&world, "alice", "joch promote -f ./agents --from staging --to prod", 0);
    exits(&world, "alice", "joch rollback agent support-triage --to-version 7", 0);
    exits(&world, "alice", "joch audit verify", 0);
}

fn climb_after_apply(world: &World) {
    exits(world, "alice", "joch apply -f .", 0);
    climb(world);
}

#[test]
fn a_rollback_restores_every_byte_and_a_later_policy_does_not_undo_it() {
    let world = project("rollback");
    climb(&world);
    let before = done(&world, "alice", &format!("{TREE} heads/prod:agents/default/support-triage/closure"));
    edit(&world, "agents/support-triage.yaml", "Tone: calm", "Tone: wild");
    edit(&world, "tools/billing.yaml", "requiresApproval: true", "requiresApproval: false");
    edit(&world, "policies/pii-redaction.yaml", "  description: ", "  description: Second wording. ");
    done(&world, "alice", "joch apply -f .");
    climb(&world);
    let changed = done(&world, "alice", &format!("{TREE} heads/prod:agents/default/support-triage/closure"));
    assert_ne!(before, changed);
    exits(&world, "alice", "joch rollback agent support-triage --to-version 1 --reason 'too wild'", 0);
    let after = done(&world, "alice", &format!("{TREE} heads/prod:agents/default/support-triage/closure"));
    assert_eq!(before, after, "the same Git tree");
    // A policy applied afterwards reaches production with an approval, and brings itself only.
    edit(&world, "policies/customer-facing-side-effects.yaml", "  description: ", "  description: Stricter. ");
    let told = exits(&world, "alice", "joch apply -f policies/customer-facing-side-effects.yaml --env prod", 3);
    assert!(told.contains("approval:release-manager"), "{told}");
    let waiting = json(&world, "joch approvals ls --waiting");
    let id = waiting["items"][0]["id"].as_str().expect("an attempt waits").to_owned();
    exits(&world, "bob", &format!("joch approvals decide {id} --decision approve --rationale 'stricter is fine'"), 0);
    exits(&world, "alice", "joch apply -f policies/customer-facing-side-effects.yaml --env prod", 0);
    let differing = done(
        &world,
        "alice",
        "git -C .joch/ledger.git diff --name-only agent/default/support-triage/v1 heads/prod -- agents/default/support-triage/closure",
    );
    assert_eq!(differing, "agents/default/support-triage/closure/policies/customer-facing-side-effects.yaml\n");
    exits(&world, "alice", "joch audit verify", 0);
}

#[test]
fn a_promotion_that_would_undo_what_the_target_has_says_so_and_stops() {
    let world = project("regressions");
    climb(&world);
    edit(
        &world,
        "policies/customer-facing-side-effects.yaml",
        "  description: ",
        "  description: Applied in production. ",
    );
    exits(&world, "alice", "joch apply -f policies/customer-facing-side-effects.yaml --env prod", 3);
    let waiting = json(&world, "joch approvals ls --waiting");
    let id = waiting["items"][0]["id"].as_str().expect("an attempt waits").to_owned();
    done(&world, "bob", &format!("joch approvals decide {id} --decision approve"));
    done(&world, "alice", "joch apply -f policies/customer-facing-side-effects.yaml --env prod");
    let tip = done(&world, "alice", &format!("{TREE} heads/prod"));
    edit(&world, "agents/support-triage.yaml", "Tone: calm", "Tone: warm");
    done(&world, "alice", "joch apply -f agents");
    done(&world, "alice", "joch promote support-triage --from local --to dev");
    done(&world, "alice", "joch promote support-triage --from dev --to staging");
    done(&world, "bob", "joch approve support-triage --from staging --to prod");
    let told = exits(&world, "alice", "joch promote support-triage --from staging --to prod", 2);
    assert!(told.contains("policy/customer-facing-side-effects goes back"), "{told}");
    assert_eq!(tip, done(&world, "alice", &format!("{TREE} heads/prod")), "production is untouched");
}

#[test]
fn no_verb_gets_past_the_gate_of_an_environment() {
    let world = project("gates");
    climb(&world);
    let tip = done(&world, "alice", &format!("{TREE} heads/prod"));
    edit(&world, "agents/support-triage.yaml", "Tone: calm", "Tone: wild");
    edit(&world, "tools/billing.yaml", "requiresApproval: true", "requiresApproval: false");
    exits(&world, "alice", "joch apply -f . --env prod", 3);
    exits(&world, "alice", "joch apply -f tools/billing.yaml --env prod", 3);
    done(&world, "alice", "joch apply -f .");
    for step in ["--from local --to dev", "--from dev --to staging"] {
        done(&world, "alice", &format!("joch promote tool/billing.issue_credit {step}"));
        done(&world, "alice", &format!("joch promote support-triage {step}"));
    }
    exits(&world, "alice", "joch promote tool/billing.issue_credit --from staging --to prod", 3);
    exits(&world, "alice", "joch promote -f . --from staging --to prod", 3);
    exits(&world, "alice", "joch delete agent support-triage --env prod", 3);
    // The Deployment that makes the demand is guarded by it, and so is taking it away.
    edit(&world, "deployments/support-triage-prod.yaml", "    requiresApproval: release-manager\n", "");
    exits(&world, "alice", "joch apply -f deployments --env prod", 3);
    exits(&world, "alice", "joch delete deployment support-triage-prod --env prod", 3);
    exits(&world, "alice", "joch rollback agent support-triage --to-version 2 --env prod", 2);
    assert_eq!(tip, done(&world, "alice", &format!("{TREE} heads/prod")), "production is untouched");
    exits(&world, "alice", "joch audit verify", 0);
}

#[test]
fn a_deleted_agent_keeps_its_record_and_a_returning_name_its_numbers() {
    let world = project("deletion");
    let deleted = exits(&world, "alice", "joch delete agent support-triage --env local", 0);
    assert!(deleted.contains("deleted"), "{deleted}");
    exits(&world, "alice", "joch delete agent support-triage --env local", 0);
    let record =
        done(&world, "alice", "git -C .joch/ledger.git show heads/local:agents/default/support-triage/record.json");
    assert!(record.contains("\"toVersion\": null"), "{record}");
    exits(&world, "alice", "joch apply -f agents", 0);
    let back = json(&world, "joch get agents support-triage --history");
    assert_eq!(back["items"][0]["version"], 1, "the same content keeps its number");
    exits(&world, "alice", "joch delete tool billing.issue_credit --env local", 2);
    exits(&world, "alice", "joch audit verify", 0);
}

#[test]
fn content_seen_before_keeps_its_number() {
    let world = project("numbers");
    edit(&world, "agents/support-triage.yaml", "Tone: calm", "Tone: warm");
    done(&world, "alice", "joch apply -f .");
    edit(&world, "agents/support-triage.yaml", "Tone: warm", "Tone: calm");
    done(&world, "alice", "joch apply -f .");
    let result = json(&world, "joch apply -f . --env dev");
    let agent = result["resources"].as_array().and_then(|all| all.iter().find(|one| one["kind"] == "Agent"));
    assert_eq!(agent.expect("the agent")["version"], 1, "A, B, A again is 1, 2, 1");
}

#[test]
fn a_record_names_the_adapter_of_the_agent_and_not_of_its_child() {
    let world = World::new("adapters");
    let record = |kind: &str, name: &str, spec: &str| {
        format!("apiVersion: joch.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n---\n")
    };
    let files = [
        record("Agent", "dad", "{framework: {adapterRef: zeta}, children: [kid]}"),
        record("Agent", "kid", "{framework: {adapterRef: alpha}}"),
        record("FrameworkAdapter", "alpha", "{framework: a}"),
        record("FrameworkAdapter", "zeta", "{framework: z}"),
    ];
    std::fs::write(world.project().join("a.yaml"), files.concat()).expect("own file");
    done(&world, "alice", "joch init --operator alice@example.com && joch apply -f a.yaml");
    let proof = json(&world, "joch audit prove agent dad --env local");
    assert_eq!(proof["adapter"]["name"], "zeta", "{proof:#}");
    exits(&world, "alice", "joch audit verify", 0);
}
