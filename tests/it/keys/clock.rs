//! Commits that are dated later than now, and an old state of trust that somebody publishes again.

use crate::audit::forge::{forge, forget, found, sh, shared, verify};

#[test]
fn a_commit_dated_ahead_is_named_and_nothing_is_built_on_it() {
    // Five minutes are a difference of clocks; an hour is told by verbs, a year refused.
    for (name, seconds, code) in [("skew", 200, 0), ("hour", 3600_i64, 2), ("years", 2_000_000_000, 2)] {
        let world = shared(&format!("ahead-{name}"));
        forget(&world);
        forge(&world, "alice", &format!("take evidence; at $(($(date +%s) + {seconds})); again evidence"));
        let (_, result) = verify(&world);
        let rules: Vec<_> = result["findings"].as_array().into_iter().flatten().map(|f| f["rule"].as_str()).collect();
        assert_eq!(rules.contains(&Some("time-ahead")), code == 2, "{name}: {result:#}");
    }
}

#[test]
fn a_ledger_that_stands_years_ahead_is_not_written_to() {
    let world = shared("ahead-refused");
    let dated = r#"s/"timestamp": ".*"/"timestamp": "2096-10-02T07:06:40Z"/"#;
    let edits = format!("edit release.json '{dated}'; edit $record '{dated}'");
    forge(&world, "mallory", &format!("take local; at 4000000000; {edits}; again local"));
    forget(&world);
    let edit = "sed -i 's/calm, short/calm, kind/' agents/support-triage.yaml;";
    let refused = world.sh("alice", &format!("{edit} joch apply -f agents/support-triage.yaml"));
    assert_eq!(refused.code, 2, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("`local` stands at 2096-10-02T07:06:40+00:00"), "{}", refused.stderr);
    assert!(refused.stderr.contains("joch audit verify"), "{}", refused.stderr);
    assert!(found(&world).contains(&"time-ahead".to_owned()));
    // Whoever may write to `local` alone stops nothing else, and dates nothing else ahead.
    sh(&world, "alice", "joch promote support-triage --from local --to dev");
    sh(
        &world,
        "alice",
        "sed -i '/mallory/d; s/members:/members: []/' teams/interns.yaml && joch apply -f teams --env dev",
    );
    let years = "git --git-dir .joch/ledger.git log -2 --format=%cd --date=format:%Y dev trust --";
    assert!(!sh(&world, "alice", years).contains("2096"));
}

#[test]
fn an_old_state_of_trust_that_one_admin_publishes_again_is_named_and_not_built_on() {
    let world = shared("old-trust");
    sh(
        &world,
        "alice",
        "k=$(cut -d' ' -f1,2 ../home/bob/.ssh/id_ed25519.pub); sed -i \"/members:/a\\    - { user: bob@example.com, role: admin, keys: [\\\"$k\\\"] }\" teams/interns.yaml && joch apply -f teams && joch trust quorum 2",
    );
    sh(
        &world,
        "alice",
        "git --git-dir .joch/ledger.git tag -d x 2> /dev/null; sed -i '/mallory/d' teams/interns.yaml; joch apply -f teams --reason 'mallory left'",
    );
    assert_eq!(verify(&world).0, 0);
    sh(&world, "alice", "cp -r .joch ../saved");
    // The tree of before, as it was signed, in a new commit of Alice alone: Mallory is back.
    let republish =
        "take trust; git read-tree heads/trust~1; git cat-file commit heads/trust~1 | sed '1,/^$/d' | add trust";
    forge(&world, "alice", republish);
    forget(&world);
    let rules = found(&world);
    for rule in ["trust-quorum", "trust-signers"] {
        assert!(rules.contains(&rule.to_owned()), "{rules:?}");
    }
    not_built_on(&world);
    // With the list of keys as joch would write it, the quorum of the state before is still missing.
    sh(&world, "alice", "rm -rf .joch && cp -r ../saved .joch");
    let careful = "take trust; git read-tree heads/trust~1; git cat-file blob heads/trust:seen.json | put seen.json
        { git cat-file blob heads/trust:allowed_signers; t=$(date -u -d @$(git show -s --format=%ct heads/trust) +%Y%m%d%H%M%SZ)
          printf 'mallory@example.com namespaces=\"git,joch-evidence@v1\",valid-after=\"%s\" %s\\n' $t \"$(cut -d' ' -f1,2 ../home/mallory/.ssh/id_ed25519.pub)\"; } | put allowed_signers
        git cat-file commit heads/trust~1 | sed '1,/^$/d' | add trust";
    forge(&world, "alice", careful);
    forget(&world);
    assert_eq!(found(&world), ["trust-quorum"]);
    not_built_on(&world);
}

fn not_built_on(world: &crate::support::world::World) {
    let refused = world.sh("alice", "joch promote support-triage --from local --to dev");
    assert_eq!(refused.code, 2, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("the trust branch cannot be believed"), "{}", refused.stderr);
    assert!(refused.stderr.contains("it asks for less, which needs 2 admins"), "{}", refused.stderr);
}
