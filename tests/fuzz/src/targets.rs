//! The entry points for bytes that somebody else chose. Each takes any bytes, and panics where a law is broken. The
//! fuzzer and the suite (`tests/it/corpus.rs`) use this one file.

use joch::audit::{Memory, trailers};
use joch::bom::{Observation, cyclonedx::Bill};
use joch::diff::{Change, apply, between, classes, lines};
use joch::eval::RunResult;
use joch::gate::{Glass, Hold, Review, Statement};
use joch::ledger::signature::{GIT, split_commit, split_tag, verify};
use joch::ledger::{ObjectId, parse_commit, parse_tag, parse_tree, write_tree};
use joch::policy::{flaws, rego};
use joch::release::layout::{self, Tag};
use joch::release::{Brief, Manifest, Record, fold};
use joch::resource::validate::validate_one;
use joch::resource::yaml::{Found, read, read_data};
use joch::resource::{Kind, Resource, ResourceId, Value};
use joch::trust::{AllowedSigners, LedgerSettings, PublicKey};

/// Every target by its name, which is that of its program and of its part of the corpus.
pub const TARGETS: [(&str, fn(&[u8])); 8] = [
    ("yaml", yaml),
    ("object", object),
    ("signers", signers),
    ("signature", signature),
    ("diff", diff),
    ("stored", stored),
    ("rego", rego),
    ("words", words),
];

/// A file of resources: what is read from it has one canonical text, which is read back.
pub fn yaml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for file in ["a.yaml", "a.json"] {
        for document in read(file, text, Found::Named).documents {
            let stored = document.resource.canonical();
            assert_eq!(Resource::from_canonical(&stored).as_ref(), Ok(&document.resource), "{stored}");
            drop(validate_one(&document));
            if document.resource.id().kind == Kind::Policy {
                drop(flaws(&document.resource));
            }
        }
        drop(read_data(file, text));
    }
    drop(Resource::from_canonical(text));
    drop(LedgerSettings::parse(text));
}

/// A raw commit, tag or tree: what is read can be read one way only.
pub fn object(bytes: &[u8]) {
    let id: ObjectId = "4b825dc642cb6eb9a060e54bf8d69288fbee4904".parse().expect("an id");
    if let Ok(commit) = parse_commit(id, bytes) {
        let text = std::str::from_utf8(bytes).expect("a commit that was read is text");
        let (head, message) = text.split_once("\n\n").expect("a head and a message");
        assert_eq!(message, commit.message);
        assert!(!text.contains('\0'));
        for key in ["tree ", "author ", "committer "] {
            assert_eq!(head.lines().filter(|line| line.starts_with(key)).count(), 1, "one {key}");
        }
    }
    if let Ok(signed) = split_commit(bytes) {
        let again = split_commit(&signed.payload);
        assert!(again.is_err(), "what a signature covers holds another: {again:?}");
        if let Ok(commit) = parse_commit(id, bytes) {
            let covered = parse_commit(id, &signed.payload).expect("the commit without its signature");
            assert_eq!((covered.tree, &covered.parents), (commit.tree, &commit.parents));
            assert_eq!((covered.author, covered.committer), (commit.author, commit.committer));
            assert_eq!(covered.message, commit.message);
        }
    }
    if let Ok(tag) = parse_tag(id, bytes) {
        if let Ok(signed) = split_tag(bytes) {
            let covered = parse_tag(id, &signed.payload).expect("the tag without its signature");
            assert_eq!((covered.target, covered.name), (tag.target, tag.name));
            assert!(tag.message.starts_with(&covered.message));
        }
    }
    if let Ok(entries) = parse_tree(bytes) {
        assert_eq!(write_tree(entries), bytes, "a tree has one form");
    }
}

/// `allowed_signers`, and the lines of public keys.
pub fn signers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(signers) = AllowedSigners::parse(text) {
        let written = signers.to_string();
        assert_eq!(AllowedSigners::parse(&written).as_ref(), Ok(&signers), "{written}");
        assert!(signers.extends(&signers) && signers.extends(&AllowedSigners::default()));
        for (key, principal) in signers.ever() {
            assert!(!principal.contains(['*', '?', '!', ',', '"']), "{principal} speaks for others");
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert!(key.fingerprint().starts_with("SHA256:"));
        assert_eq!(key.to_string().parse(), Ok(key));
    }
}

/// What the signatures of the corpus sign.
pub const PAYLOAD: &[u8] = b"joch\n";

/// An armored signature: it covers one payload and one purpose.
pub fn signature(bytes: &[u8]) {
    let Ok(armor) = std::str::from_utf8(bytes) else { return };
    if verify(armor, GIT, PAYLOAD).is_ok() {
        assert!(verify(armor, GIT, b"joch").is_err(), "it covers something else, too");
        assert!(verify(armor, "file", PAYLOAD).is_err(), "it serves another purpose, too");
    }
}

/// Two trees of values: their difference leads from one to the other and back, and equal trees have none.
pub fn diff(bytes: &[u8]) {
    let mut sides = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let (Some(Ok(old)), Some(Ok(new))) = (sides.next(), sides.next()) else { return };
    let id = ResourceId::agent("default", "x");
    let changes = between(&id, Some(&old), Some(&new));
    assert!(between(&id, Some(&old), Some(&old)).is_empty());
    assert_eq!(changes.is_empty(), old == new);
    assert_eq!(apply(Some(&old), &changes), Ok(Some(new.clone())));
    let back: Vec<Change> = changes.iter().map(Change::inverse).collect();
    assert_eq!(apply(Some(&new), &back), Ok(Some(old)));
    let json = serde_json::to_vec(&changes).expect("plain data");
    assert_eq!(serde_json::from_slice::<Vec<Change>>(&json).expect("as written"), changes);
    drop(lines(&changes));
    drop(classes(&changes, &[]));
}

/// JSON that a ledger or a checkout holds: what is read is written and read back as the same.
pub fn stored(bytes: &[u8]) {
    if let Ok(record) = Record::from_json(bytes) {
        assert_eq!(Record::from_json(&record.to_json()).as_ref(), Ok(&record));
        let brief = Brief::from_json(bytes).expect("a record has what a list tells of it");
        assert_eq!((brief.release, brief.to_version), (record.release, record.to_version));
    }
    if let Ok(manifest) = Manifest::from_json(bytes) {
        let written = serde_json::to_vec(&manifest).expect("plain data");
        assert_eq!(Manifest::from_json(&written), Ok(manifest));
    }
    if let Ok(result) = RunResult::from_json(bytes) {
        let written = result.to_json();
        assert_eq!(RunResult::from_json(&written).expect("as written").to_json(), written);
    }
    if let Ok(bill) = Bill::from_json(bytes) {
        let written = bill.to_json();
        assert_eq!(Bill::from_json(&written).expect("as written").to_json(), written);
    }
    if let Ok(observation) = Observation::from_json(bytes) {
        assert_eq!(Observation::from_json(&observation.to_json()), Ok(observation));
    }
    if let Ok(memory) = Memory::from_json(bytes) {
        assert_eq!(Memory::from_json(&memory.to_json()), Ok(memory));
    }
    if let Ok(statement) = Statement::from_json(bytes) {
        let written = serde_json::to_vec(&statement).expect("plain data");
        assert_eq!(Statement::from_json(&written), Ok(statement));
    }
    if let Ok(hold) = Hold::from_json(bytes) {
        assert_eq!(Hold::from_json(&serde_json::to_vec(&hold).expect("plain data")), Ok(hold));
    }
    if let Ok(glass) = Glass::from_json(bytes) {
        assert_eq!(Glass::from_json(&serde_json::to_vec(&glass).expect("plain data")), Ok(glass));
    }
    if let Ok(review) = Review::from_json(bytes) {
        assert_eq!(Review::from_json(&serde_json::to_vec(&review).expect("plain data")), Ok(review));
    }
}

/// A policy in Rego: it is asked, or told why not, and says the same twice.
pub fn rego(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if rego::check(text).is_ok() {
        let input = r#"{"agent": {"name": "x", "tools": ["a", "b"]}, "environment": "prod"}"#;
        assert_eq!(rego::ask(text, input), rego::ask(text, input));
    }
}

/// Words of people: folded they stay on one line and forge no trailer; a tag has one spelling.
pub fn words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let folded = fold(text);
    assert!(!folded.contains(char::is_control) && fold(&folded) == folded, "{folded:?}");
    let message = format!("apply x\n\nWhy - {folded}\n\nJoch-Reason: {folded}\n");
    assert_eq!(trailers(&message).len(), 1, "{message:?}");
    drop(trailers(text));
    match Tag::parse(text) {
        Some(Tag::Release { environment, number }) => assert_eq!(layout::release_tag(&environment, number), text),
        Some(Tag::Version { id, version }) => assert_eq!(layout::version_tag(&id, version), text),
        None => {}
    }
}
