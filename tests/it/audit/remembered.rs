//! What an audit found clean is not planned again, and nobody can make it take for clean what is not.

use std::fs;

use super::forge::{forge, forget, json, sh, shared};
use crate::support::needs;
use crate::support::world::World;

/// What `audit verify` says: its exit code, its verdict, how many releases it remembered, and the rules that it names.
fn verified(world: &World, more: &str) -> (i32, String, u64, Vec<String>) {
    let outcome = world.sh("alice", &format!("joch audit verify {more} -o json"));
    let said = json(&outcome);
    let rules = said["findings"].as_array().expect("findings").iter();
    let mut rules: Vec<_> = rules.map(|finding| finding["rule"].as_str().expect("a rule").to_owned()).collect();
    rules.dedup();
    let remembered = said["checked"]["remembered"].as_u64().expect("a number");
    (outcome.code, said["verdict"].as_str().expect("a word").to_owned(), remembered, rules)
}

fn clean(remembered: u64) -> (i32, String, u64, Vec<String>) {
    (0, "clean".to_owned(), remembered, Vec::new())
}

const CACHE: &str = ".joch/cache/verified";

#[test]
fn what_was_found_clean_is_remembered_and_what_is_new_is_judged() {
    let world = shared("remembered");
    assert_eq!(verified(&world, ""), clean(0));
    assert_eq!(verified(&world, ""), clean(5));
    assert_eq!(verified(&world, "--no-memory"), clean(0));
    assert_eq!(verified(&world, "--env prod"), clean(1));
    sh(&world, "alice", "sed -i 's/calm, short/calm, long/' agents/support-triage.yaml");
    sh(&world, "alice", "joch apply -f agents/support-triage.yaml --reason longer");
    assert_eq!(verified(&world, ""), clean(5));
    assert_eq!(verified(&world, ""), clean(6));
    // Another person has another seal, and believes nothing of this.
    let outcome = world.sh("bob", "joch audit verify -o json");
    assert_eq!(json(&outcome)["checked"]["remembered"], 0);
}

#[test]
fn a_forged_memory_is_none() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = shared("remembered-forged");
    assert_eq!(verified(&world, ""), clean(0));
    let kept = fs::read_to_string(world.project().join(CACHE)).expect("it is kept");
    let old = sh(&world, "alice", "git --git-dir=.joch/ledger.git rev-parse refs/heads/local");
    // Whoever may write to the project puts another release in the place of one that was clean, and its id into memory.
    forge(&world, "mallory", "take local; edit \"$record\" 's/shorter/better/'; again local");
    forget(&world);
    let new = sh(&world, "alice", "git --git-dir=.joch/ledger.git rev-parse refs/heads/local");
    let forged = kept.replace(old.trim(), new.trim());
    assert_ne!(forged, kept, "the release was not remembered by its id");
    let unsealed = &forged[64..];
    for text in [forged.as_str(), unsealed, &kept, ""] {
        fs::write(world.project().join(CACHE), text).expect("own file");
        let (code, verdict, _, rules) = verified(&world, "");
        assert_eq!((code, verdict.as_str()), (2, "refused"), "{rules:?}");
        assert!(rules.contains(&"record-content".to_owned()), "{rules:?}");
        assert_eq!(verified(&world, "").2, 0, "a judgement of another past was believed");
    }
}

#[test]
fn the_memory_of_another_ledger_is_none() {
    let (one, other) = (shared("remembered-one"), World::new("remembered-other"));
    assert_eq!(verified(&one, ""), clean(0));
    sh(
        &other,
        "alice",
        "cp -r $FIXTURES/support-triage/. . && joch init --operator alice@example.com && joch apply -f .",
    );
    assert_eq!(verified(&other, ""), clean(0));
    // The same person, and so the same seal.
    let key = ".local/state/joch/cache-key";
    fs::copy(one.home("alice").join(key), other.home("alice").join(key)).expect("own file");
    fs::copy(one.project().join(CACHE), other.project().join(CACHE)).expect("own file");
    assert_eq!(verified(&other, ""), clean(0));
}

#[test]
fn what_is_gone_or_hurt_is_found_although_it_was_remembered() {
    for (rule, harm) in [("object-missing", "rm -f"), ("object-damaged", "chmod +w"), ("object-damaged", "")] {
        let world = shared("remembered-hurt");
        assert_eq!(verified(&world, ""), clean(0));
        let file = "f=$GIT_DIR/objects/$(git rev-parse heads/staging:$record | sed 's,^..,&/,')";
        let harm = match harm {
            "rm -f" => "rm -f $f".to_owned(),
            "" => "chmod +w $f; : > $f".to_owned(),
            _ => "chmod +w $f; printf x | dd of=$f bs=1 seek=30 conv=notrunc 2> $TMPDIR/dd".to_owned(),
        };
        forge(&world, "mallory", &format!("{file}; {harm}"));
        let (code, _, remembered, rules) = verified(&world, "");
        assert_eq!((code, remembered), (2, 5), "{harm}: {rules:?}");
        assert_eq!(rules, [rule], "{harm}");
    }
}

#[test]
fn a_quick_look_says_from_where_it_looked() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = shared("since");
    let said = json(&world.sh("alice", "joch audit verify --env local --since 1 -o json"));
    assert_eq!((&said["verdict"], &said["since"]), (&"clean-since".into(), &"local/1".into()));
    assert_eq!(said["checked"]["skipped"], 1);
    let told = sh(&world, "alice", "joch audit verify --env local --since local/1");
    assert!(told.contains("releases up to local/1") && told.contains("clean-since: "), "{told}");
    for bad in ["--since 1", "--env local --since 9", "--env local --since prod/1", "--env local --since 0"] {
        assert_eq!(world.sh("alice", &format!("joch audit verify {bad}")).code, 64, "{bad}");
    }
    // What came after is judged; a quick look leaves no memory behind.
    forge(&world, "mallory", "take local; edit \"$record\" 's/shorter/better/'; again local");
    forget(&world);
    let (code, verdict, remembered, rules) = verified(&world, "--env local --since 1");
    assert_eq!((code, verdict.as_str(), remembered), (2, "refused", 0));
    assert!(rules.contains(&"record-content".to_owned()), "{rules:?}");
    assert!(!world.project().join(CACHE).exists());
}
