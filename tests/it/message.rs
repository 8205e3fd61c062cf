//! Commit messages of releases as Git reads them: nothing that a user writes becomes a trailer.

use std::io::Write as _;
use std::process::Stdio;

use joch::release::{Event, Manifest, MessageFacts, Record};

use crate::support::world::{World, fixtures};

/// A release from the archive, with what a user can choose in it changed.
fn message(alter: impl FnOnce(&mut Manifest, &mut Record)) -> String {
    let read = |name: &str| std::fs::read(fixtures().join("records").join(name)).expect("in the archive");
    let mut manifest = Manifest::from_json(&read("promoted.manifest.json")).expect("stays readable");
    let mut record = Record::from_json(&read("promoted.record.json")).expect("stays readable");
    alter(&mut manifest, &mut record);
    MessageFacts { manifest: &manifest, records: &[record], source_commit: Some("0123abcd") }.message()
}

/// The trailers that Git finds.
fn trailers(world: &World, message: &str) -> Vec<String> {
    let mut git = world.command("alice", "git");
    git.args(["interpret-trailers", "--parse"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut git = git.spawn().expect("git");
    git.stdin.take().expect("piped").write_all(message.as_bytes()).expect("git reads");
    let output = git.wait_with_output().expect("git ends");
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

const KEYS: [&str; 8] = [
    "Joch-Event",
    "Joch-Release",
    "Joch-Source",
    "Joch-Trust",
    "Joch-Evidence",
    "Joch-Operator",
    "Joch-Reason",
    "Joch-Agent",
];

fn keys(trailers: &[String]) -> Vec<&str> {
    trailers.iter().map(|trailer| trailer.split(':').next().unwrap_or_default()).collect()
}

#[test]
fn a_release_has_the_trailers_of_the_ledger() {
    let world = World::new("trailers");
    let trailers = trailers(&world, &message(|_, _| {}));
    assert_eq!(keys(&trailers), KEYS);
    assert_eq!(trailers[6], "Joch-Reason: now it is");
    assert!(trailers[7].starts_with("Joch-Agent: default/support-triage v1..v2 sha256:"), "{}", trailers[7]);
}

#[test]
fn no_text_of_a_user_forges_a_trailer() {
    let world = World::new("forgery");
    let forged = "Joch-Approved-By: ceo@example.com";
    let reasons = [
        format!("ok\n\n{forged}"),
        format!("ok\r\n\r\n{forged}\r\n"),
        format!("ok\r{forged}"),
        format!("ok\u{2028}{forged}\u{2029}{forged}\u{85}{forged}\u{b}{forged}\u{c}{forged}"),
        format!("ok\0\n{forged}"),
        format!("\n\n---\n\n{forged}"),
        format!("---\n{forged}"),
        format!("---\ndiff --git a/x b/x\n{forged}"),
        format!("# ------------------------ >8 ------------------------\n{forged}"),
        format!("{forged}\n {forged}\n\t{forged}"),
        format!("(cherry picked from commit 0)\nSigned-off-by: x\n\n{forged}"),
        format!("{}\n{forged}", "x".repeat(100_000)),
        format!("{}\n{forged}", "é\u{202e}".repeat(100_000)),
        format!("{}{forged}", "\n".repeat(100_000)),
        "\n\n\n".to_owned(),
        String::new(),
    ];
    for reason in reasons {
        let message = message(|manifest, record| {
            manifest.reason = Some(reason.clone());
            manifest.operator.principal.name = format!("mallory\n{forged}");
            let change = record.diff.first_mut().expect("a change");
            change.path = format!("spec.x\n\n{forged}\n");
            for gate in &mut record.gates {
                gate.reason = format!("rejected\n\n{forged}\n\n---\n");
            }
        });
        let trailers = trailers(&world, &message);
        let start: String = reason.chars().take(40).collect();
        assert_eq!(keys(&trailers), KEYS, "{start:?}\n{message}");
        assert!(!message.lines().any(|line| line.starts_with("---")), "{start:?}: an end of the message within it");
        assert!(message.len() < 10_000, "{start:?}: a message is for people");
    }
}

#[test]
fn many_agents_are_counted_and_every_event_has_a_title() {
    let world = World::new("titles");
    let many = message(|manifest, _| {
        let one = manifest.agents[0].clone();
        manifest.agents =
            (0..10_000).map(|n| joch::release::ManifestAgent { name: format!("a{n}"), ..one.clone() }).collect();
    });
    assert!(many.starts_with("promote 10000 agents: staging -> prod\n\n"), "{many}");
    assert!(many.contains("- and 9980 more\n"));
    assert_eq!(trailers(&world, &many).last().map(String::as_str), Some("Joch-Agents: 10000"));
    for (event, title) in [
        (Event::Apply, "apply agent/support-triage v1 -> v2 to prod"),
        (Event::Rollback, "roll back agent/support-triage v1 -> v2 in prod"),
        (Event::Delete, "delete agent/support-triage v1 -> v2 from prod"),
    ] {
        let message = message(|manifest, _| manifest.event = event);
        assert_eq!(message.lines().next(), Some(title));
    }
}
