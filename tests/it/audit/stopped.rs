//! Decisions that stopped a change are made again from the commits, the evidence and the rules that they cite.

use super::forge::{forge, forget, found, sh, shared, verify};
use crate::support::world::World;

/// Writes a decision of its own beside the newest stopped one: the same, with one word changed, and signed.
const LIE: &str = r#"
take evidence
for path in $(git ls-tree -r --name-only evidence decisions/prod | grep 'json$'); do
    git cat-file blob "evidence:$path" > "$TMPDIR/before"
    grep -q '^  "verdict": "pending"' "$TMPDIR/before" || continue
    sed "$CHANGE" "$TMPDIR/before" > "$TMPDIR/changed"
    cmp -s "$TMPDIR/before" "$TMPDIR/changed" || { stopped=$path; mv "$TMPDIR/changed" "$TMPDIR/item"; }
done
name="${stopped%-*}-$(sha256sum "$TMPDIR/item" | cut -d' ' -f1).json"
rm -f "$TMPDIR/item.sig"; ssh-keygen -q -Y sign -f "$JOCH_SIGNING_KEY" -n joch-evidence@v1 "$TMPDIR/item"
put "$name" < "$TMPDIR/item"; put "$name.sig" < "$TMPDIR/item.sig"
git cat-file commit evidence | sed '1,/^$/d' | add evidence
"#;

/// A ledger in which a promotion into `prod` waits for an approval.
fn waiting(name: &str) -> World {
    let world = shared(name);
    sh(&world, "alice", "sed -i 's/calm, brief/calm, short/' agents/support-triage.yaml");
    for line in [
        "joch apply -f agents/support-triage.yaml",
        "joch promote support-triage --from local --to dev",
        "joch promote support-triage --from dev --to staging",
    ] {
        sh(&world, "alice", line);
    }
    assert_eq!(world.sh("alice", "joch promote support-triage --from staging --to prod").code, 3);
    world
}

#[test]
fn an_apply_and_a_delete_that_were_stopped_are_decided_again() {
    let world = shared("stopped-apply");
    sh(&world, "alice", "sed -i 's/calm, brief/calm, short/' agents/support-triage.yaml policies/pii-redaction.yaml");
    assert_eq!(world.sh("alice", "joch apply -f . --env prod").code, 3);
    assert_eq!(world.sh("alice", "joch delete agent support-triage --env prod").code, 3);
    let (code, result) = verify(&world);
    assert_eq!((code, &result["findings"]), (0, &serde_json::json!([])), "{result:#}");
    assert_eq!(result["checked"]["stopped"], 2, "{result:#}");
    forget(&world);
    forge(&world, "alice", &format!("CHANGE='s/calm, short/calm, long/'\n{LIE}"));
    assert_eq!(found(&world), ["record-diff"]);
}

fn lied(name: &str, change: &str) -> Vec<String> {
    let world = waiting(name);
    forget(&world);
    forge(&world, "alice", &format!("CHANGE='{change}'\n{LIE}"));
    found(&world)
}

#[test]
fn an_honest_stop_is_decided_again() {
    let world = waiting("stopped-honest");
    let (code, result) = verify(&world);
    assert_eq!((code, &result["findings"]), (0, &serde_json::json!([])), "{result:#}");
    assert!(result["checked"]["stopped"].as_u64() >= Some(1), "{result:#}");
}

#[test]
fn a_team_that_is_asked_for_one_approval_and_for_two_gives_two_answers() {
    let world = waiting("stopped-two-counts");
    sh(&world, "bob", "joch approve support-triage --from staging --to prod");
    let more = "joch promote support-triage --from staging --to prod --require approval:release-manager:2";
    let outcome = world.sh("alice", more);
    assert_eq!(outcome.code, 3, "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("1 of 2 approvals of team release-manager"), "{}", outcome.stdout);
    let (code, result) = verify(&world);
    assert_eq!((code, &result["findings"]), (0, &serde_json::json!([])), "{result:#}");
}

#[test]
fn an_answer_that_does_not_follow_from_the_evidence() {
    assert_eq!(lied("stopped-verdict", r#"s|^      "verdict": "pending"|      "verdict": "pass"|"#), ["gate-verdict"]);
}

#[test]
fn a_diff_that_is_not_that_of_the_closures() {
    assert_eq!(lied("stopped-diff", "s/calm, short/calm, long/"), ["record-diff"]);
}

#[test]
fn another_version_than_what_ran() {
    assert_eq!(lied("stopped-from", r#"s/"fromVersion": 1/"fromVersion": 2/"#), ["record-content"]);
}

#[test]
fn an_author_left_out() {
    assert_eq!(lied("stopped-authors", r#"s/"authors": \[/"authors": [ "eve@example.com",/"#), ["record-content"]);
}
