//! A branch whose file says nothing: it is named, and the command that is told puts back what it held.

use std::fs;

use serde_json::Value;

use crate::support::world::World;

const TOOL: &str = "apiVersion: joch.dev/v1alpha1\nkind: Tool\nmetadata: {name: t}\nspec: {description: '";

/// A ledger with three releases in `dev` and one in `prod`, and decisions.
fn world() -> World {
    let world = World::new("emptied");
    let must = |line: &str| {
        let outcome = world.sh("alice", line);
        assert_eq!(outcome.code, 0, "{line}\n{}{}", outcome.stdout, outcome.stderr);
    };
    must("joch init --operator alice@example.com --ladder dev,prod");
    for content in 1..=3 {
        fs::write(world.project().join("t.yaml"), format!("{TOOL}{content}'}}\n")).expect("own file");
        must("joch apply -f t.yaml");
    }
    must("joch approve tool/t --from dev --to prod");
    must("joch promote tool/t --from dev --to prod");
    world
}

#[test]
fn a_branch_that_was_emptied_is_named_and_comes_back() {
    let world = world();
    for (branch, content) in [("dev", ""), ("prod", "00"), ("dev", "no id\n"), ("trust", ""), ("evidence", "")] {
        let file = world.project().join(".joch/ledger.git/refs/heads").join(branch);
        let held = fs::read_to_string(&file).expect("a branch");
        // A new file: the old one has other names, of tags that hold the same.
        fs::remove_file(&file).and_then(|()| fs::write(&file, content)).expect("own file");
        let name = format!("refs/heads/{branch}");
        let told = |line: &str, code: i32| {
            let outcome = world.sh("bob", line);
            assert_eq!(outcome.code, code, "{line}\n{}{}", outcome.stdout, outcome.stderr);
            assert!(
                (outcome.stdout.clone() + &outcome.stderr).contains(&name),
                "{line} names {name}: {}",
                outcome.stderr
            );
            outcome.stdout
        };
        told("joch get agents --env dev", 1);
        told("joch apply -f t.yaml", 1);
        let findings: Value = serde_json::from_str(&told("joch audit verify -o json", 2)).expect("JSON");
        assert_eq!(findings["findings"][0]["rule"], "object-damaged");
        assert_eq!(findings["findings"][0]["object"], name.as_str());
        let doctor: Value = serde_json::from_str(&told("joch doctor -o json", 2)).expect("JSON");
        let checks = doctor["checks"].as_array().expect("a list");
        let check = checks.iter().find(|check| check["name"] == "ledger").expect("a check of the ledger");
        let way_back = check["next"].as_str().expect("a way back");
        let outcome = world.sh("alice", way_back);
        assert_eq!(outcome.code, 0, "{way_back}\n{}", outcome.stderr);
        assert_eq!(fs::read_to_string(&file).expect("a branch"), held, "{branch} after `{way_back}`");
        let outcome = world.sh("alice", "joch audit verify");
        assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    }
}

#[test]
fn a_file_that_was_several_references_is_mended_one_by_one() {
    let world = world();
    let ledger = world.project().join(".joch/ledger.git");
    let verify = || {
        let outcome = world.sh("bob", "joch audit verify -o json");
        let said: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        let finding = said["findings"].get(0).map(|finding| finding["message"].as_str().expect("text").to_owned());
        finding.unwrap_or_default()
    };
    fs::write(ledger.join("refs/heads/dev"), "").expect("own file");
    let message = verify();
    let [why, way_back, touched] = message.split("; ").collect::<Vec<_>>()[..] else { panic!("{message}") };
    assert_eq!(why, "the reference `refs/heads/dev` is damaged: its file is empty");
    assert!(touched.starts_with("it touches the releases dev/1"), "{touched}");
    assert_eq!(world.sh("alice", way_back).code, 0, "{way_back}");
    let message = verify();
    let (why, way_back) = message.split_once("; ").expect("a way back");
    assert_eq!(why, "the reference `refs/tags/tool/default/t/v3` is damaged: its file is empty");
    let (remove, _) = way_back.split_once(" && joch audit verify").expect("a command");
    assert_eq!(world.sh("alice", remove).code, 0, "{remove}");
    let message = verify();
    let way_back = message.split('`').nth(1).expect("a command");
    assert!(way_back.starts_with("git update-ref refs/tags/tool/default/t/v3 "), "{message}");
    assert_eq!(world.sh("alice", &format!("cd .joch/ledger.git && {way_back}")).code, 0, "{way_back}");
    assert_eq!(verify(), "");
}

#[test]
fn a_branch_of_which_nothing_is_known_is_fetched() {
    let world = world();
    fs::remove_file(world.project().join(".joch/seen.json")).expect("a memory");
    fs::write(world.project().join(".joch/ledger.git/refs/heads/evidence"), "").expect("own file");
    let outcome = world.sh("bob", "joch get agents --env dev");
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stderr.contains("the reference `refs/heads/evidence` is damaged: its file is empty"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("fetch `refs/heads/evidence` from a clone that is whole"), "{}", outcome.stderr);
}
