//! Records and manifests that were ever written stay readable, to the byte. `fixtures/records` only grows: each
//! file stands there as a ledger held it, and none is ever changed to make a test pass.

use std::fs;
use std::path::Path;

use super::*;

/// The files of the archive whose names end so.
fn archive(ending: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/records");
    let files = fs::read_dir(folder).expect("the archive").map(|entry| entry.expect("a file").path());
    let files = files.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()));
    let found: Vec<_> = files.filter(|(name, _)| name.ends_with(ending)).collect();
    assert!(!found.is_empty(), "the archive has no *{ending}");
    found
}

fn same(name: &str, stored: &[u8], again: &[u8]) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text(stored), text(again), "{name} is read, and would be written otherwise");
}

#[test]
fn every_record_ever_written_is_read_and_written_the_same() {
    for (name, stored) in archive(".record.json") {
        let record = Record::from_json(&stored).unwrap_or_else(|why| panic!("{name}: {why}"));
        same(&name, &stored, &record.to_json());
    }
}

#[test]
fn every_manifest_ever_written_is_read_and_written_the_same() {
    for (name, stored) in archive(".manifest.json") {
        let manifest = Manifest::from_json(&stored).unwrap_or_else(|why| panic!("{name}: {why}"));
        same(&name, &stored, &write_json(&manifest));
    }
}

#[test]
fn the_archive_holds_every_event_and_a_refusal() {
    let records: Vec<_> = archive(".record.json").iter().map(|(_, bytes)| Record::from_json(bytes).unwrap()).collect();
    for event in [Event::Apply, Event::Promote, Event::Rollback, Event::Delete] {
        assert!(records.iter().any(|record| record.event == event && record.verdict == event.done()), "{event}");
    }
    assert!(records.iter().any(|record| record.verdict == "blocked"));
    assert!(records.iter().any(|record| record.approvals.iter().any(|approval| approval.counted == "superseded")));
}

#[test]
fn a_newer_schema_says_upgrade_and_what_is_none_says_what_is_missing() {
    let newer = |bytes: &[u8]| String::from_utf8_lossy(bytes).replacen("/v1\"", "/v2\"", 1).into_bytes();
    let (_, record) = &archive(".record.json")[0];
    let (_, manifest) = &archive(".manifest.json")[0];
    assert_eq!(
        Record::from_json(&newer(record)).expect_err("newer"),
        "it is of schema `joch.dev/release-record/v2`, and this joch reads `joch.dev/release-record/v1`: upgrade joch"
    );
    assert!(Manifest::from_json(&newer(manifest)).expect_err("newer").contains("upgrade joch"));
    assert!(Record::from_json(manifest).expect_err("a manifest is no record").contains("joch.dev/release/v1"));
    assert!(Record::from_json(b"{}").expect_err("none").contains("names no schema"));
    let future = br#"{"schema": "joch.dev/release-record/v9", "release": {"unlike": "today"}}"#;
    assert!(Record::from_json(future).expect_err("newer").contains("upgrade joch"), "whatever else is in it");
    for damaged in [&b""[..], b"[]", b"null", b"{", br#"{"schema": "joch.dev/release-record/v1"}"#] {
        assert!(Record::from_json(damaged).is_err());
    }
}
