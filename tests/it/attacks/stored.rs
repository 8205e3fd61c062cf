//! Files of a ledger that say a thing twice, or grow without end: told, in bounded time and memory.

use std::time::{Duration, Instant};

use crate::audit::forge::{forge, forget, shared};
use crate::support::needs;

use super::{MORE, names, told};

const TIP: &str = "$(git rev-parse heads/local)";

#[test]
fn b18_keys_given_twice() {
    told(&[
        ("b18_record", "record-unreadable", TIP, "edit $record 's/^  \"reason\": .*/&\\n&/'; again local"),
        ("b18_manifest", "manifest-unreadable", TIP, "edit release.json 's/^  \"release\": .*/&\\n&/'; again local"),
        (
            "b18_manifest_schema",
            "manifest-unreadable",
            TIP,
            "edit release.json 's/^  \"schema\": .*/  \"schema\": \"x\",\\n&/'; again local",
        ),
    ]);
}

#[test]
fn b18_manifests_in_another_form() {
    told(&[
        (
            "b18_manifest_field_more",
            "manifest-content",
            TIP,
            "edit release.json '2i \"approvedBy\": \"bob@example.com\",'; again local",
        ),
        (
            "b18_manifest_spaces",
            "manifest-content",
            TIP,
            "edit release.json 's/^  \"release\"/     \"release\"/'; again local",
        ),
        (
            "b18_manifest_escapes",
            "manifest-content",
            TIP,
            "edit release.json 's/\"local\"/\"loc\\\\u0061l\"/'; again local",
        ),
    ]);
}

/// How long a whole audit may take with one hostile file in it, on a machine at work; without it takes a second.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much address space it may ask for, in KiB: one policy in Rego reserves a quarter of a GiB of it as its stack.
const ROOM: u64 = 2 << 20;

/// That a hostile file is told, in time and room.
fn bounded(id: &str, rule: &str, object: &str, person: &str, script: &str) {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = shared(id);
    forget(&world);
    forge(&world, person, &format!("{MORE}\n{script}"));
    let since = Instant::now();
    let audit = world.sh("alice", &format!("ulimit -v {ROOM}; timeout {} joch audit verify", PATIENCE.as_secs()));
    assert_eq!(audit.code, 2, "{id}, after {:?}: {}{}", since.elapsed(), audit.stdout, audit.stderr);
    names(&world, id, rule, object);
}

const DEEP: &str = "head -c 500000 /dev/zero | tr '\\0' '['";
const HUGE: &str = "{ printf '{\"schema\": \"'; head -c 4000000 /dev/zero | tr '\\0' 'x'; printf '\"}'; }";

#[test]
fn b17_records_and_manifests_without_end() {
    for (id, rule, file, bytes) in [
        ("b17_record_deep", "record-unreadable", "$record", DEEP),
        ("b17_record_huge", "record-unreadable", "$record", HUGE),
        ("b17_manifest_deep", "manifest-unreadable", "release.json", DEEP),
        ("b17_manifest_huge", "manifest-unreadable", "release.json", HUGE),
    ] {
        bounded(id, rule, TIP, "mallory", &format!("{bytes} | put {file}; again local"));
    }
}

#[test]
fn b17_settings_of_the_ledger_without_end() {
    let tip = "$(git rev-parse heads/trust)";
    let bomb =
        "{ echo 'a0: &a0 [x]'; for n in $(seq 1 40); do echo \"a$n: &a$n [*a$((n - 1)), *a$((n - 1))]\"; done; }";
    for (id, bytes) in [("b17_settings_bomb", bomb), ("b17_settings_deep", DEEP)] {
        let script = format!("take trust; {bytes} | put ledger.yaml; echo bomb | add trust");
        bounded(id, "trust-form", tip, "alice", &script);
    }
}

#[test]
fn b17_evidence_without_end() {
    for (id, bytes) in [("b17_item_deep", DEEP), ("b17_item_huge", HUGE)] {
        let script = format!(
            "item=$(git ls-tree -r --name-only heads/evidence | grep '^approvals.*json$' | head -1); take evidence
             {bytes} > $TMPDIR/own; id=$(sha256sum < $TMPDIR/own | cut -c1-64)
             ssh-keygen -q -Y sign -f $JOCH_SIGNING_KEY -n joch-evidence@v1 $TMPDIR/own
             to=$(dirname $item)/$id.json; put $to < $TMPDIR/own; put $to.sig < $TMPDIR/own.sig; echo more | add evidence"
        );
        bounded(id, "evidence-name", "approvals/", "alice", &script);
    }
}
