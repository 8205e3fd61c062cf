//! A bill is written when its version is cut, carried as it is, printed as it stands, and bound by the record.

use super::{fails, family, parted, sh};
use crate::support::needs;
use crate::support::world::World;

const BILL: &str = "agents/default/support-triage/bom.cdx.json";

fn blob(world: &World, commit: &str) -> String {
    sh(world, &format!("git -C .joch/ledger.git show {commit}:{BILL}"))
}

#[test]
fn the_bill_of_a_version_is_the_same_bytes_wherever_it_runs_and_however_it_is_read() {
    let world = family("bom-carried");
    let first = blob(&world, "local");
    sh(&world, "sleep 1; joch promote support-triage --from local --to dev");
    assert_eq!(blob(&world, "dev"), first);
    assert_eq!(sh(&world, "joch agbom support-triage --format cyclonedx"), first);
    // A second version, and back: the first comes with the bill that it had.
    sh(&world, "sed -i 's/calm, brief/calm, short/' agents/*.yaml && joch apply -f agents");
    assert_ne!(blob(&world, "local"), first);
    sh(&world, "joch rollback agent support-triage --to-version 1 --env local");
    assert_eq!(blob(&world, "local"), first);
    for line in ["--version 1", "--env dev", "--version v1 -o json", "-o yaml --env local"] {
        assert_eq!(sh(&world, &format!("joch agbom support-triage --format cyclonedx {line}")), first, "{line}");
    }
    let digest =
        sh(&world, "git -C .joch/ledger.git show dev:agents/default/support-triage/record.json | grep '\"bom\"'");
    let sum = sh(&world, &format!("git -C .joch/ledger.git show dev:{BILL} | sha256sum | cut -c1-64"));
    assert!(digest.contains(&format!("sha256:{}", sum.trim())), "{digest}{sum}");
    sh(&world, "joch audit verify");
    sh(&world, "joch delete agent support-triage --env dev");
    fails(&world, &format!("git -C .joch/ledger.git cat-file -e dev:{BILL}"), 128);
    sh(&world, "joch audit verify");
}

#[test]
fn every_version_of_an_agent_has_one_serial_number_and_counts_in_its_version() {
    let world = family("bom-serial");
    sh(&world, "sed -i 's/calm, brief/calm, short/' agents/*.yaml && joch apply -f agents");
    let told = |version: u64, field: &str| {
        let line = format!("joch agbom support-triage --version {version} --format cyclonedx | grep -m1 '\"{field}\"'");
        sh(&world, &line)
    };
    assert_eq!(told(1, "serialNumber"), told(2, "serialNumber"));
    assert_eq!((told(1, "version").trim(), told(2, "version").trim()), ("\"version\": 1,", "\"version\": 2,"));
    let other = sh(&world, "joch agbom near --format cyclonedx | grep serialNumber");
    assert_ne!(told(1, "serialNumber"), other);
}

#[test]
fn a_delta_names_what_moved_beside_the_numbers() {
    let world = family("bom-delta");
    sh(&world, "sed -i 's/2\\.3\\.1/2.4.0/' mcp-servers/*.yaml && sed -i 's/:1\\.6\\.0@/:1.7.0@/' adapters/*.yaml");
    sh(&world, "sed -i 's/gpt-4.1-2025-04-14/gpt-4.1-2026-01-01/' models/gpt-4.1.yaml && joch apply -f .");
    let told = sh(&world, "joch agbom support-triage --diff --from 1 --to 2");
    for line in [
        "~ mcp-server/help-center v1 -> v2 (pinnedVersion 2.3.1 -> 2.4.0)",
        "~ model/gpt-4.1 v1 -> v2 (model gpt-4.1-2025-04-14 -> gpt-4.1-2026-01-01)",
        "~ image/registry.example.com/joch/adapter-openai-agents 1.6.0@sha256:",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    let diff = sh(&world, "joch diff agent support-triage --from 1 --to local -o json");
    assert!(
        diff.contains("\"moved\": \"pinnedVersion 2.3.1 -> 2.4.0\"") && diff.contains("\"what\": \"image\""),
        "{diff}"
    );
    let record = sh(&world, "git -C .joch/ledger.git show local:agents/default/support-triage/record.json");
    assert!(record.contains("\"moved\": \"pinnedVersion 2.3.1 -> 2.4.0\"") && record.contains("\"what\": \"image\""));
    let markdown = sh(&world, "joch agbom support-triage --diff -o markdown");
    assert!(markdown.contains("```diff\n! ") && markdown.contains("pinnedVersion 2.3.1 -> 2.4.0"), "{markdown}");
    assert!(sh(&world, "joch agbom support-triage --diff --from local --to local").contains("the same components"));
    sh(&world, "joch audit verify");
}

#[test]
fn a_child_with_another_content_stays_a_component_of_its_own() {
    let world = parted("bom-parted");
    sh(&world, "joch apply -f tools -f family.yaml");
    let bill = sh(&world, "joch agbom parent -o name");
    let lines: Vec<_> = bill.lines().collect();
    assert!(lines.contains(&"joch:image/_/registry.example.com%3A5000/team/parent"), "{bill}");
    assert!(
        lines.contains(&"joch:image/_/registry.example.com%3A5000/team/parent@agent/default/near/agent/default/near")
    );
    assert!(lines.contains(&"joch:a2a-peer/_/elsewhere") && lines.contains(&"joch:a2a-peer/team-b/billing"));
    assert!(!lines.contains(&"joch:a2a-peer/_/near"), "it is a child");
    let document = sh(&world, "joch agbom parent --format cyclonedx");
    assert!(!document.contains("hunter2"), "a key in an address");
    sh(&world, "joch promote -f . --from local --to dev && joch audit verify");
}

#[test]
fn what_there_is_no_bill_for_is_said_with_a_way_on() {
    let world = family("bom-none");
    let told = |line: &str, code: i32| fails(&world, line, code).stderr;
    assert!(told("joch agbom support-triage --version 9", 1).contains("has no version 9"));
    assert!(told("joch agbom nobody", 1).contains("was never applied"));
    assert!(told("joch agbom support-triage --env prod", 1).contains("prod"));
    assert!(told("joch agbom support-triage --env nowhere", 1).contains("nowhere"));
    assert!(told("joch agbom tool/odd", 64).contains("agents have"));
    assert!(told("joch agbom support-triage --format swid", 64).contains("`--format cyclonedx` or `--format spdx`"));
    assert!(told("joch agbom support-triage --from 1", 64).contains("--diff"));
    assert!(told("joch agbom", 64).contains("no agent is named"));
    assert!(world.sh("alice", "joch agbom support-triage").stderr.contains("as `local` runs it"));
}

#[test]
fn a_version_from_before_there_were_bills_gets_one_when_it_is_released_again() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = World::new("bom-old");
    sh(&world, "cp -r $FIXTURES/support-triage/. . && joch init --operator alice@example.com && joch apply -f .");
    // As a joch before bills left it.
    crate::audit::forge(
        &world,
        "alice",
        "take local; drop agents/default/support-triage/bom.cdx.json
         git cat-file blob :$record | sed -z 's/,\\n  \"bom\": \"[^\"]*\"//' | put $record; again local",
    );
    sh(&world, "rm -f .joch/seen.json; joch audit verify");
    let refused = fails(&world, "joch agbom support-triage", 1);
    assert!(refused.stderr.contains("was released by a joch that wrote none"), "{}", refused.stderr);
    assert!(refused.stderr.contains("release it again"), "{}", refused.stderr);
    sh(&world, "sleep 1; joch promote support-triage --from local --to dev");
    let given = sh(&world, "joch agbom support-triage --version 1 --format cyclonedx");
    let released = sh(&world, "git -C .joch/ledger.git show local:release.json | grep timestamp | cut -d'\"' -f4");
    assert!(given.contains(&format!("\"timestamp\": \"{}\"", released.trim())), "it is of the version's own time");
    sh(&world, "joch promote support-triage --from dev --to staging");
    assert_eq!(sh(&world, "joch agbom support-triage --env staging --format cyclonedx"), given);
    sh(&world, "joch audit verify");
}
