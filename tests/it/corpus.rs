//! The corpus of the fuzzer, through the entry points that it uses: what it once found stays found, and every file that
//! tells one of its targets something keeps its laws.

use std::fs;
use std::path::Path;

// The fuzzer's own crate gives them to its programs.
#[allow(unreachable_pub)]
#[path = "../fuzz/src/targets.rs"]
mod targets;

/// The files that each target has at least; there may be more, and never fewer.
const FLOORS: [(&str, usize); 8] = [
    ("yaml", 12),
    ("object", 12),
    ("signers", 6),
    ("signature", 5),
    ("diff", 8),
    ("stored", 8),
    ("rego", 5),
    ("words", 8),
];

#[test]
fn every_file_of_the_corpus_keeps_the_laws_of_its_target() {
    for (name, target) in targets::TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(Path::new("tests/fuzz/corpus").join(name)).expect("each target has a corpus") {
            let path = entry.expect("an entry").path();
            let bytes = fs::read(&path).expect("a file of the corpus");
            let held = std::panic::catch_unwind(|| target(&bytes));
            assert!(held.is_ok(), "{}: see the law above", path.display());
            count += 1;
        }
        let floor = FLOORS.iter().find(|(named, _)| *named == name).map(|(_, floor)| *floor);
        assert!(floor.is_some_and(|floor| count >= floor), "{name}: {count} files are left of {floor:?}");
    }
}

#[test]
fn the_corpus_holds_what_counts_and_not_only_what_is_refused() {
    let read = |path: &str| fs::read(Path::new("tests/fuzz/corpus").join(path)).expect("a file of the corpus");
    let armor = String::from_utf8(read("signature/good")).expect("text");
    let verify = joch::ledger::signature::verify;
    assert!(verify(&armor, "git", targets::PAYLOAD).is_ok(), "{:?}", verify(&armor, "git", targets::PAYLOAD));
    assert!(joch::release::Record::from_json(&read("stored/record.json")).is_ok());
    assert!(joch::ledger::signature::split_commit(&read("object/commit")).is_ok());
    let id = "4b825dc642cb6eb9a060e54bf8d69288fbee4904".parse().expect("an id");
    assert!(joch::ledger::parse_tag(id, &read("object/tag")).is_ok());
    assert!(joch::ledger::parse_tree(&read("object/tree")).is_ok_and(|entries| !entries.is_empty()));
    let signers = String::from_utf8(read("signers/closed")).expect("text");
    assert!(joch::trust::AllowedSigners::parse(&signers).is_ok());
    let policy = String::from_utf8(read("rego/deny")).expect("text");
    assert_eq!(joch::policy::rego::check(&policy), Ok(()));
}
