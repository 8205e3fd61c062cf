//! Refs that answer for others, or name a thing twice; and what was said in another ledger.

use crate::audit::forge::{forge, forget, found, json, sh, shared, verify};
use crate::support::needs;

use super::told;

#[test]
fn x10_branches_that_answer_for_others() {
    told(&[
        (
            "x10_a_branch_of_a_full_name",
            "ref-grammar",
            "refs/heads/refs/heads/prod",
            "git update-ref refs/heads/refs/heads/prod heads/dev",
        ),
        (
            "x10_a_branch_of_a_remote",
            "ref-grammar",
            "refs/remotes/origin/prod",
            "git update-ref refs/remotes/origin/prod heads/dev",
        ),
        (
            "x10_a_rung_that_is_another",
            "object-damaged",
            "refs/heads/prod",
            "git update-ref -d refs/heads/prod; git symbolic-ref refs/heads/prod refs/heads/staging",
        ),
        (
            "x10_a_tag_that_is_another",
            "ref-grammar",
            "refs/tags/release/local/1",
            "git update-ref -d refs/tags/release/local/1
             git symbolic-ref refs/tags/release/local/1 refs/tags/release/local/2",
        ),
        ("x10_a_rung_in_capitals", "ref-grammar", "refs/heads/PROD", "git update-ref refs/heads/PROD heads/dev"),
        (
            "x10_a_ref_outside_of_refs",
            "ref-grammar",
            "heads/prod",
            "mkdir -p $GIT_DIR/heads; git rev-parse heads/dev > $GIT_DIR/heads/prod",
        ),
    ]);
}

#[test]
fn x10_tags_that_name_a_thing_twice() {
    told(&[
        (
            "x10_a_release_with_a_zero",
            "ref-grammar",
            "refs/tags/release/local/02",
            "git tag -s -m x release/local/02 heads/local > $TMPDIR/out",
        ),
        (
            "x10_a_release_of_the_future",
            "rewound-branch",
            "refs/tags/release/local/3",
            "git tag -s -m x release/local/3 heads/local > $TMPDIR/out",
        ),
        (
            "x10_a_version_with_a_zero",
            "ref-grammar",
            "refs/tags/agent/default/support-triage/v02",
            "git update-ref refs/tags/agent/default/support-triage/v02 heads/local",
        ),
        (
            "x10_a_second_name_of_one_version",
            "version-tag-unknown",
            "refs/tags/agent/default/support-triage/v3",
            "git update-ref refs/tags/agent/default/support-triage/v3 heads/local",
        ),
        (
            "x10_a_version_that_nobody_ever_made",
            "version-tag-unknown",
            "refs/tags/agent/default/other/v1",
            "git update-ref refs/tags/agent/default/other/v1 heads/local",
        ),
    ]);
}

/// Mallory takes what Bob said in a ledger where nothing is at stake, of the same agents and people, to the real one.
#[test]
fn x11_what_was_said_in_another_ledger() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = shared("x11_said_elsewhere");
    sh(&world, "mallory", "joch promote support-triage --from local --to dev");
    sh(&world, "alice", "joch promote support-triage --from dev --to staging");
    let held = "joch hold agent support-triage --version 1 --env prod --reason slow";
    sh(&world, "bob", held);
    let lab = "cp -r .joch/ledger.git ../real.git; rm -rf .joch joch.yaml; joch init --operator alice@example.com
               cp agents/support-triage.yaml ../second.yaml; sed -i 's/calm, short/calm, brief/' agents/support-triage.yaml
               joch apply -f .; for s in 'local dev' 'dev staging'; do
                   set -- $s; joch promote support-triage --from $1 --to $2; done";
    sh(&world, "alice", &format!("cp joch.yaml ../pin.yaml; {lab}"));
    let climb = "joch approve support-triage --from staging --to prod";
    sh(&world, "bob", climb);
    sh(
        &world,
        "alice",
        "joch promote support-triage --from staging --to prod; cp ../second.yaml agents/support-triage.yaml
        joch apply -f agents/support-triage.yaml; joch promote support-triage --from local --to dev
        joch promote support-triage --from dev --to staging",
    );
    sh(
        &world,
        "bob",
        &format!(
            "{held}; joch lift agent support-triage --version 1 --env prod --reason fine; {climb} --rationale yes"
        ),
    );
    sh(
        &world,
        "alice",
        "mv .joch/ledger.git ../lab.git; rm -rf .joch; mkdir .joch; mv ../real.git .joch/ledger.git; mv ../pin.yaml joch.yaml",
    );
    let replay = "take evidence; git --git-dir=../lab.git ls-tree -r heads/evidence > $TMPDIR/said
        for p in $(grep -E '(approvals|holds)/' $TMPDIR/said | sed 's/^[^\\t]*\\t//'); do
            git rev-parse -q --verify \"heads/evidence:$p\" > $TMPDIR/out || git --git-dir=../lab.git cat-file blob \"heads/evidence:$p\" | put \"$p\"
        done; echo more | add evidence";
    forget(&world);
    forge(&world, "mallory", replay);
    let (code, result) = verify(&world);
    assert_eq!(code, 2, "{result:#}");
    let named = result["findings"].as_array().expect("findings").iter().filter(|f| f["rule"] == "evidence-ledger");
    let objects: Vec<_> = named.map(|finding| finding["object"].as_str().expect("text").to_owned()).collect();
    assert!(objects.iter().any(|object| object.contains(":approvals/")), "{result:#}");
    assert!(objects.iter().any(|object| object.contains(":holds/")), "{result:#}");
    assert_eq!(found(&world), ["evidence-ledger"]);
    // Neither counts.
    let outcome = world.sh("alice", "joch promote support-triage --from staging --to prod -o json");
    assert_eq!(outcome.code, 3, "{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(json(&outcome)["verdict"], "pending");
    let holds = sh(&world, "alice", "joch get holds");
    assert!(holds.contains("slow"), "the hold stands: {holds}");
}
