//! Files with one fault each, and the findings that a person sees for it, next to each other under
//! `fixtures/invalid`. `JOCH_WRITE_EXPECTED=1 cargo test --test it invalid` writes the findings anew; read the
//! diff before you commit it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use joch::resource::yaml::{Found, read};
use joch::resource::{rules, validate};

fn fixtures() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/invalid");
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .expect("the fixtures are there")
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "expected"))
        .collect();
    files.sort();
    files
}

/// What a person is told about a file, and the rules that were broken.
fn told(path: &Path) -> (String, Vec<&'static str>) {
    let text = fs::read_to_string(path).expect("a readable fixture");
    let name = path.file_name().and_then(|name| name.to_str()).expect("a name in ASCII");
    let mut read = read(name, &text, Found::Named);
    read.findings.extend(validate::validate(&read.documents, &validate::Nowhere));
    let mut told = String::new();
    for finding in &read.findings {
        writeln!(told, "{finding}").expect("a String takes all");
    }
    (told, read.findings.iter().map(|finding| finding.rule).collect())
}

#[test]
fn every_fault_is_told_as_expected() {
    let mut differing = String::new();
    for path in fixtures() {
        let (told, _) = told(&path);
        let beside = path.with_extension("expected");
        if env::var_os("JOCH_WRITE_EXPECTED").is_some() {
            fs::write(&beside, &told).expect("a writable fixture");
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if told != expected {
            writeln!(differing, "{}\n--- expected\n{expected}--- told\n{told}", path.display())
                .expect("a String takes all");
        }
    }
    assert!(differing.is_empty(), "{differing}");
}

#[test]
fn every_fault_breaks_a_rule_of_the_table() {
    for path in fixtures() {
        let (_, broken) = told(&path);
        assert!(!broken.is_empty(), "{} breaks no rule", path.display());
        for rule in broken {
            assert!(rules::find(rule).is_some(), "`{rule}` is not in the table");
        }
    }
}

/// Rules whose files would be too large to keep, or that need more than one file, or more than a look at the resource.
const TOLD_BY_OTHER_TESTS: [&str; 8] = [
    "dataset",
    "eval-cannot-run",
    "exception",
    "limit-aliases",
    "limit-documents",
    "limit-size",
    "policy-malformed",
    "policy-rego",
];

#[test]
fn every_rule_of_the_table_has_a_fault() {
    let broken: BTreeSet<&str> = fixtures().iter().flat_map(|path| told(path).1).collect();
    let untold = rules::RULES.iter().map(|rule| rule.id).filter(|id| !broken.contains(id));
    assert_eq!(untold.collect::<Vec<_>>(), TOLD_BY_OTHER_TESTS);
}

#[test]
fn no_file_keeps_a_reader_long() {
    let start = Instant::now();
    let bomb = (1..200).fold("a0: &a0 [x]\n".to_owned(), |mut text, n| {
        writeln!(text, "a{n}: &a{n} [*a{0}, *a{0}, *a{0}]", n - 1).expect("a String takes all");
        text
    });
    let texts = [
        bomb,
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "{a: ".repeat(50_000),
        "? ".repeat(100_000),
        "---\n".repeat(200_000),
        "a: 'b\n---\n".repeat(1000),
        "&a ".repeat(100_000),
        format!("a: {}", "!".repeat(100_000)),
        "\"\\".repeat(100_000),
        "#\n".repeat(400_000),
        "a: |\n".to_owned() + &" \n".repeat(300_000),
    ];
    for (index, text) in texts.iter().enumerate() {
        for file in ["x.yaml", "x.json"] {
            let each = Instant::now();
            let found = read(file, text, Found::Named);
            assert!(found.documents.is_empty());
            assert!(each.elapsed() < Duration::from_secs(5), "text {index} as {file} took {:?}", each.elapsed());
        }
    }
    assert!(start.elapsed() < Duration::from_secs(20), "all of them took {:?}", start.elapsed());
}
