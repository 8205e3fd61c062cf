//! The threat model names tests: each of them is in the suite.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The threats that the page tells at least; it may grow, and not shrink.
const THREATS: usize = 48;

#[test]
fn every_threat_has_a_test_that_is_there() {
    let page = fs::read_to_string("docs/threats.md").expect("the page");
    let mut known = BTreeSet::new();
    for room in ["src", "tests/it"] {
        tests(Path::new(room), &mut known);
    }
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Threat"));
    let mut count = 0;
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 4, "threat, answer, tests, server: {row}");
        let named: Vec<_> = cells[2].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test shows this: {row}");
        for name in named {
            assert!(known.contains(name), "docs/threats.md names `{name}`, which is no test");
        }
        count += 1;
    }
    assert!(count >= THREATS, "{count} threats are left of {THREATS}");
}

/// The names of functions that stand behind `#[test]`.
fn tests(directory: &Path, known: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("a directory of ours") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            tests(&path, known);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a file of ours");
            let mut lines = text.lines().map(str::trim_start);
            while let Some(line) = lines.next() {
                if line == "#[test]" {
                    let name = lines.find_map(|line| line.strip_prefix("fn ")?.split_once('('));
                    known.extend(name.map(|(name, _)| name.to_owned()));
                }
            }
        }
    }
}
