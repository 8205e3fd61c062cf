//! `joch audit`: the log tells everything once, a proof is what plain Git shows, and whatever is done to a ledger by
//! hand is found.

mod attacks;
mod export;
pub(crate) mod forge;
mod honest;
mod remembered;
mod stopped;
pub(crate) mod whole;

use crate::support::needs;
use crate::support::world::World;

pub(crate) use forge::forge;
use forge::json;

/// A ledger of Alice's with a release in `local` and one in `staging`.
fn released(name: &str) -> World {
    let world = World::new(name);
    sh(&world, "cp -r $FIXTURES/support-triage/. .");
    sh(&world, "joch init --operator alice@example.com");
    sh(&world, "joch apply -f . --reason 'first of all'");
    sh(&world, "joch apply -f . --env staging");
    world
}

/// Runs a line as Alice; it must succeed.
fn sh(world: &World, line: &str) -> String {
    let outcome = world.sh("alice", line);
    assert_eq!(outcome.code, 0, "{line}\n{}{}", outcome.stdout, outcome.stderr);
    outcome.stdout
}

#[test]
fn the_log_tells_the_newest_first_and_of_each_thing_once() {
    let world = released("audit-log");
    let log = json(&world.sh("alice", "joch audit log -o json"));
    let items = log["items"].as_array().expect("items");
    let told: Vec<_> = items.iter().map(|item| (item["event"].as_str(), item["release"].as_str())).collect();
    let (trust, apply) = (Some("trust"), Some("apply"));
    assert_eq!(told, [(apply, Some("staging/1")), (apply, Some("local/1")), (trust, None), (trust, None)]);
    assert_eq!(items[1]["reason"], "first of all");
    let about = json(&world.sh("alice", "joch audit log --agent support-triage --env local -o json"));
    assert_eq!(about["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(about["items"][0]["subjects"].as_array().map(Vec::len), Some(1));
    assert_eq!(json(&world.sh("alice", "joch audit log --since 2999-01-01 -o json"))["items"], serde_json::json!([]));
    assert_eq!(world.sh("alice", "joch audit log --since yesterday").code, 64);
}

#[test]
fn a_proof_is_what_plain_git_shows() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = released("audit-prove");
    for at in ["", "--at $(date -u +%Y-%m-%dT%H:%M:%SZ)"] {
        let proof =
            json(&world.sh("alice", &format!("joch audit prove agent support-triage --env staging {at} -o json")));
        assert_eq!((&proof["version"], &proof["release"]), (&1.into(), &"staging/1".into()));
        assert_eq!(proof["signature"]["verdict"], "good");
        let commands = proof["verify"].as_array().expect("commands");
        let script: Vec<_> = commands.iter().map(|command| command.as_str().expect("text")).collect();
        let script = format!("cd .joch/ledger.git && set -e\n{}\n", script.join("\n"));
        std::fs::write(world.project().join("prove.sh"), script).expect("own file");
        let shown = world.sh("bob", "sh prove.sh 2>&1");
        assert_eq!(shown.code, 0, "{}", shown.stdout);
        let digest = proof["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:")).expect("a digest");
        assert!(shown.stdout.contains(&format!("\n{digest}  -\n")), "{}", shown.stdout);
        assert_eq!(shown.stdout.matches("Good \"git\" signature for alice@example.com").count(), 2, "{}", shown.stdout);
    }
}

#[test]
fn nothing_is_proven_of_an_agent_that_did_not_run() {
    let world = released("audit-absent");
    let before = world.sh("alice", "joch audit prove agent support-triage --env staging --at 2001-01-01");
    assert_eq!(before.code, 1, "{}", before.stderr);
    let elsewhere = world.sh("alice", "joch audit prove agent support-triage --env prod");
    assert_eq!(elsewhere.code, 1, "{}", elsewhere.stderr);
    assert_eq!(world.sh("alice", "joch audit prove agent support-triage --env staging --at 2999-01-01").code, 64);
    assert_eq!(world.sh("alice", "joch audit prove policy pii-redaction --env staging").code, 64);
}
