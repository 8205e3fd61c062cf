//! How many attacks the suite has: it may gain some, and loses none unseen.

use std::collections::BTreeSet;
use std::fs;

/// The attacks of this room, and those of the audit's, at least.
const NAMED: usize = 100;
const AUDITED: usize = 100;

#[test]
fn no_attack_is_lost() {
    let mut named = BTreeSet::new();
    for entry in fs::read_dir("tests/it/attacks").expect("this room") {
        let path = entry.expect("an entry").path();
        if path.ends_with("count.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a file of ours");
        // A table names each of its attacks by an id such as b25_two_authors, which stands nowhere else.
        for word in text.split('"').filter(|word| is_id(word)) {
            assert!(named.insert(word.to_owned()), "{word} is there twice");
        }
    }
    assert!(named.len() >= NAMED, "{} attacks are left of {NAMED}", named.len());
    let audited = fs::read_to_string("tests/it/audit/attacks.rs").expect("a file of ours");
    let calls = ["breaks(", "breaks_only(", "record(\"", "item(\"", "item(\n"];
    let count: usize = calls.iter().map(|call| audited.matches(call).count()).sum();
    assert!(count >= AUDITED, "{count} attacks are left of {AUDITED}");
}

/// Two or three letters and digits, then a name: `b25_two_authors`, `d3_03_…`, `x07_…`.
fn is_id(word: &str) -> bool {
    let rest = word.strip_prefix("d3_").or_else(|| word.strip_prefix(['b', 'x'])).unwrap_or_default();
    let (number, name) = rest.split_once('_').unwrap_or_default();
    number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() && !name.contains(' ')
}
