//! What somebody who knows Git and holds a key can do to a ledger, and the rule that each of it breaks.

use crate::support::needs;

use super::forge::{forge, forget, found, rules_after, sh, shared, verify};

/// That `person` doing `script` to a shared ledger breaks `rule`.
fn breaks(rule: &str, name: &str, person: &str, script: &str) {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let rules = rules_after(&format!("attack-{name}"), person, script);
    assert!(rules.iter().any(|found| found == rule), "expected `{rule}`, found {rules:?}");
}

/// That it breaks these rules, and no other.
fn breaks_only(rules: &[&str], name: &str, person: &str, script: &str) {
    if needs(&["ssh-keygen"]) {
        assert_eq!(rules_after(&format!("attack-{name}"), person, script), rules);
    }
}

mod refs {
    use super::*;

    #[test]
    fn a_tag_that_answers_for_a_branch() {
        breaks_only(&["ref-grammar"], "tag-prod", "mallory", "git update-ref refs/tags/prod heads/dev");
    }

    #[test]
    fn a_branch_outside_the_table() {
        breaks_only(&["ref-grammar"], "branch-main", "mallory", "git update-ref refs/heads/main heads/dev");
    }

    #[test]
    fn notes_a_stash_and_a_ref_that_names_a_ref() {
        breaks_only(&["ref-grammar"], "notes", "mallory", "git notes add -m 'approved by all' heads/prod");
        breaks_only(&["ref-grammar"], "stash", "mallory", "git update-ref refs/stash heads/prod");
        breaks("ref-grammar", "symbolic", "mallory", "git symbolic-ref refs/remotes/x refs/heads/prod");
    }

    #[test]
    fn another_object_shown_in_place_of_one() {
        let replace = "git replace -f $(git rev-parse heads/prod) $(git rev-parse heads/dev)";
        breaks_only(&["repository-refused"], "replace", "mallory", replace);
        let graft = "mkdir -p $GIT_DIR/info; git rev-parse heads/prod > $GIT_DIR/info/grafts";
        breaks_only(&["repository-refused"], "graft", "mallory", graft);
        let shallow = "git rev-parse heads/prod > $GIT_DIR/shallow";
        breaks_only(&["repository-refused"], "shallow", "mallory", shallow);
        let alternates = "echo /elsewhere/objects > $GIT_DIR/objects/info/alternates";
        breaks_only(&["repository-refused"], "alternates", "mallory", alternates);
    }

    #[test]
    fn a_branch_that_is_gone() {
        breaks("branch-missing", "no-staging", "mallory", "git update-ref -d refs/heads/staging");
    }

    #[test]
    fn an_object_that_is_gone_or_hurt() {
        let file =
            "file() { id=$(git rev-parse $1); echo $GIT_DIR/objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-); }";
        let gone = format!("{file}\nrm -f $(file heads/prod:$record)");
        breaks("object-missing", "object-gone", "mallory", &gone);
        let hurt = format!("{file}\nf=$(file heads/prod); chmod +w $f; echo x > $f");
        breaks("object-damaged", "object-hurt", "mallory", &hurt);
    }
}

mod signatures {
    use super::*;

    /// The tip of `local` again, its bytes made by this.
    fn instead(make: &str) -> String {
        format!(
            "take local; git cat-file commit \"$old\" > \"$TMPDIR/signed\"
             sed '/^gpgsig/,/END SSH SIGNATURE/d' \"$TMPDIR/signed\" > \"$TMPDIR/bare\"
             new=$({make}); git update-ref refs/heads/local \"$new\"
             git tag -f -s -m x release/local/2 \"$new\"
             for tag in $(git for-each-ref --format='%(refname)' --points-at=\"$old\" refs/tags/agent); do
                 git update-ref $tag \"$new\"; done"
        )
    }

    #[test]
    fn a_commit_that_nobody_signed() {
        let make = instead("git hash-object -t commit -w \"$TMPDIR/bare\"");
        breaks("unsigned", "unsigned", "mallory", &make);
    }

    #[test]
    fn a_signature_made_for_another_purpose() {
        breaks("signature-namespace", "namespace", "mallory", &instead("seal file < \"$TMPDIR/bare\""));
    }

    #[test]
    fn a_commit_changed_after_it_was_signed() {
        let make = "sed 's/^author [^<]*/author bob@example.com /' \"$TMPDIR/signed\" > \"$TMPDIR/new\"; \
                    git hash-object -t commit -w \"$TMPDIR/new\"";
        breaks("signature-mismatch", "changed", "mallory", &instead(make));
    }

    #[test]
    fn a_signature_of_another_kind() {
        let make = "sed '/^committer/a gpgsig -----BEGIN PGP SIGNATURE-----\\n \\n x\\n -----END PGP SIGNATURE-----' \
                    \"$TMPDIR/bare\" > \"$TMPDIR/new\"; git hash-object -t commit -w --literally \"$TMPDIR/new\"";
        breaks("signature-kind", "openpgp", "mallory", &instead(make));
    }

    #[test]
    fn a_signature_that_cannot_be_read() {
        let make = "sed 's/^ U1NIU0lH/ AAAAAAAA/' \"$TMPDIR/signed\" > \"$TMPDIR/new\"; \
                    git hash-object -t commit -w --literally \"$TMPDIR/new\"";
        breaks("signature-unreadable", "unreadable", "mallory", &instead(make));
    }

    #[test]
    fn headers_and_bytes_that_hide_something() {
        let encoding = "sed '/^committer/a encoding utf-7' \"$TMPDIR/bare\" | seal git";
        breaks("commit-form", "encoding", "mallory", &instead(encoding));
        let nul = "{ cat \"$TMPDIR/bare\"; printf '\\000hidden\\n'; } | seal git";
        breaks("commit-form", "nul", "mallory", &instead(nul));
    }

    #[test]
    fn a_key_that_trust_does_not_list() {
        breaks("key-unlisted", "unlisted", "ci", "me mallory; take local; again local");
    }

    #[test]
    fn a_key_without_the_role() {
        breaks("role", "no-role", "mallory", "take prod; again prod");
        breaks("role", "approver", "bob", "take local; again local");
    }

    #[test]
    fn a_name_that_is_not_the_signers() {
        breaks("identity", "name", "mallory", "me bob; take local; again local");
    }

    #[test]
    fn a_key_that_was_taken_away_and_signs_under_the_trust_of_before() {
        let world = shared("attack-revoked");
        sh(&world, "alice", "cp -r .joch/ledger.git ../elsewhere.git");
        sh(&world, "alice", "sed -i '/mallory/d; s/members:/members: []/' teams/interns.yaml; joch apply -f teams");
        let line = "sed -i 's/calm, short/calm, kind/' agents/support-triage.yaml
                    rm -f .joch/seen.json; JOCH_LEDGER=../elsewhere.git joch apply -f agents/support-triage.yaml";
        sh(&world, "mallory", line);
        forge(
            &world,
            "mallory",
            "git fetch -q ../elsewhere.git 'refs/heads/local:refs/heads/local' 'refs/tags/*:refs/tags/*'",
        );
        assert_eq!(found(&world), ["key-unlisted"]);
    }
}

mod order {
    use super::*;

    #[test]
    fn a_merge() {
        let merge = "take local
                     { git cat-file commit $old | sed '/^gpgsig/,/END SSH SIGNATURE/d' | sed \"/^parent/a parent $(git rev-parse heads/dev)\"; } | seal git > \"$TMPDIR/new\"
                     git update-ref refs/heads/local $(cat \"$TMPDIR/new\")";
        breaks("one-parent", "merge", "mallory", merge);
    }

    #[test]
    fn a_branch_that_begins_elsewhere() {
        let root = "take prod; git update-ref refs/heads/prod $(git rev-parse heads/trust~1)";
        breaks("genesis", "genesis", "alice", root);
    }

    #[test]
    fn a_number_left_out() {
        breaks(
            "release-number",
            "number",
            "mallory",
            "take local; edit release.json 's/\"release\": 2/\"release\": 3/'; again local",
        );
    }

    #[test]
    fn a_tree_changed_beside_its_manifest() {
        let script = "take local; edit $closure/agent.yaml 's/calm, short/rude/'; echo 'just a fix' | add local";
        breaks("manifest-missing", "no-manifest", "mallory", script);
    }

    #[test]
    fn a_clock_turned_back() {
        breaks("time-backwards", "clock", "mallory", "take local; at 1000000000; again local");
    }

    #[test]
    fn trust_and_evidence_that_are_not_there_or_older() {
        let trust = "take local; edit release.json 's/\"trust\": \"..../\"trust\": \"0000/'; again local";
        breaks("trust-backwards", "trust-cited", "mallory", trust);
        let evidence = "take local; edit release.json 's/\"evidence\": \"..../\"evidence\": \"0000/'; again local";
        breaks("evidence-backwards", "evidence-cited", "mallory", evidence);
        let older = "take local; edit release.json \"s/$(git rev-parse heads/trust)/$(git rev-parse heads/trust~1)/\"; again local";
        breaks("trust-backwards", "trust-older", "mallory", older);
    }

    #[test]
    fn a_branch_rewound_beside_its_tags() {
        breaks("rewound-branch", "rewound", "mallory", "git update-ref refs/heads/local heads/local~1");
    }

    #[test]
    fn a_branch_rewound_with_its_tags_that_this_checkout_remembers() {
        let world = shared("attack-remembered");
        assert_eq!(verify(&world).0, 0);
        forge(
            &world,
            "mallory",
            "git tag -d release/local/2 agent/default/support-triage/v2; git update-ref refs/heads/local heads/local~1",
        );
        assert_eq!(found(&world), ["rewound-branch"]);
        forget(&world);
        assert_eq!(verify(&world).0, 0, "with no memory and no trace in the ledger it cannot be known");
    }

    #[test]
    fn a_branch_rewound_below_what_evidence_decided() {
        let script = "git tag -d release/prod/1; git update-ref refs/heads/prod heads/prod~1";
        breaks_only(&["rewound-branch"], "decided", "alice", script);
    }

    #[test]
    fn a_branch_rewound_below_what_trust_had_seen() {
        let world = shared("attack-seen");
        sh(&world, "alice", "sed -i 's/eu-west-1/eu-west-2/' environments/dev.yaml; joch apply -f environments");
        let script =
            "git tag -d release/local/2 agent/default/support-triage/v2; git update-ref refs/heads/local heads/local~1";
        forget(&world);
        forge(&world, "mallory", script);
        assert_eq!(found(&world), ["rewound-branch"]);
    }

    #[test]
    fn a_version_whose_release_is_gone() {
        let world = shared("attack-gap");
        sh(
            &world,
            "mallory",
            "sed -i 's/calm, short/calm, kind/' agents/support-triage.yaml; joch apply -f agents --env dev",
        );
        let script =
            "git tag -d release/local/2 agent/default/support-triage/v2; git update-ref refs/heads/local heads/local~1";
        forget(&world);
        forge(&world, "mallory", script);
        assert_eq!(found(&world), ["version-gap"]);
    }
}

mod tags {
    use super::*;

    const AGENT: &str = "agent/default/support-triage";

    #[test]
    fn the_tag_of_a_release_that_is_gone_moved_or_of_another_form() {
        breaks_only(&["release-tag-missing"], "tag-gone", "mallory", "git tag -d release/local/1");
        breaks_only(&["release-tag-moved"], "tag-moved", "mallory", "git tag -f -s -m x release/local/2 heads/local~1");
        breaks_only(&["release-tag-form"], "tag-light", "mallory", "git tag -f release/local/2 heads/local");
        let renamed = "git update-ref refs/tags/release/local/2 $(git rev-parse tags/release/local/1)";
        breaks("release-tag-form", "tag-renamed", "mallory", renamed);
        breaks_only(&["unsigned"], "tag-unsigned", "mallory", "git tag -f -a -m x release/local/2 heads/local");
        breaks_only(&["release-tag-signer"], "tag-signer", "bob", "git tag -f -s -m x release/local/2 heads/local");
        let tree = "git tag -f -s -m x release/local/2 heads/local^{tree}";
        breaks("release-tag-form", "tag-tree", "mallory", tree);
    }

    #[test]
    fn the_tag_of_a_version_that_is_gone_moved_or_of_another_form() {
        breaks_only(&["version-tag-missing"], "version-gone", "mallory", &format!("git tag -d {AGENT}/v1"));
        breaks_only(&["version-tag-moved"], "version-moved", "mallory", &format!("git tag -f {AGENT}/v1 heads/dev"));
        breaks_only(
            &["version-tag-moved"],
            "version-form",
            "mallory",
            &format!("git tag -f -s -m x {AGENT}/v2 heads/local"),
        );
        breaks_only(&["version-tag-unknown"], "version-more", "mallory", &format!("git tag {AGENT}/v3 heads/local"));
    }

    #[test]
    fn a_number_given_twice_or_to_what_has_one() {
        let twice = "take local; edit release.json 's/\"version\": 2/\"version\": 1/'; again local";
        breaks("version-twice", "version-twice", "mallory", twice);
        let digest =
            "digest=$(git cat-file blob heads/local~1:$record | sed -n 's/.*\"toDigest\": \"sha256:\\(.*\\)\",/\\1/p')";
        let content = format!(
            "take local; {digest}; edit release.json \"/minted/,\\$s/[0-9a-f]\\{{64\\}}/$digest/\"; again local"
        );
        breaks("content-twice", "content-twice", "mallory", &content);
        let none = "take local; edit release.json '/\"minted\"/,$d'; { git cat-file blob :release.json; echo '  \"minted\": [] }'; } | put release.json; again local";
        breaks("version-content", "version-none", "mallory", none);
    }
}

mod records {
    use super::*;

    /// The newest record of `local`, changed by this.
    fn record(rule: &str, name: &str, sed: &str) {
        breaks(rule, name, "mallory", &format!("take local; edit $record '{sed}'; again local"));
    }

    #[test]
    fn a_record_that_lies_about_its_tree() {
        record("record-digest", "digest", "s/\"toDigest\": \"sha256:..../\"toDigest\": \"sha256:0000/");
        record("record-version", "version", "s/\"toVersion\": 2/\"toVersion\": 1/");
        record("record-diff", "diff", "s/calm, short/calm, brief/");
        record("record-members", "members", "s/\"name\": \"pii-redaction\"/\"name\": \"pii-reduction\"/");
        record("record-content", "event", "s/\"event\": \"apply\"/\"event\": \"rollback\"/");
        record("record-content", "verdict", "s/\"verdict\": \"applied\"/\"verdict\": \"promoted\"/");
        record("record-content", "reason", "s/shorter/for Bob/");
        record("record-content", "previous", "s/\"previousRelease\": \"local.1\"/\"previousRelease\": null/");
        record("operator", "operator", "s/mallory@/bob@/");
        record("record-form", "field", "s/\"kind\": \"Release\"/\"kind\": \"Release\", \"approvedBy\": \"bob\"/");
        record("record-unreadable", "schema", "s/release-record.v1/release-record\\/v9/");
        breaks("record-missing", "record-gone", "mallory", "take local; drop $record; again local");
    }

    #[test]
    fn a_manifest_that_lies_about_its_tree() {
        let change = |sed: &str| format!("take local; edit release.json '{sed}'; again local");
        breaks(
            "manifest-content",
            "m-env",
            "mallory",
            &change("s/\"environment\": \"local\"/\"environment\": \"dev\"/"),
        );
        breaks(
            "manifest-content",
            "m-agents",
            "mallory",
            &change("s/\"name\": \"support-triage\"/\"name\": \"other\"/"),
        );
        breaks("manifest-content", "m-previous", "mallory", &change("s/\"previous\": \"local.1\"/\"previous\": null/"));
        breaks("operator", "m-operator", "mallory", &change("s/mallory@/bob@/"));
        breaks("manifest-unreadable", "m-schema", "mallory", &change("s/release.v1/release\\/v9/"));
    }

    #[test]
    fn a_tree_that_holds_more_or_something_else() {
        breaks("tree-path", "stray", "mallory", "take local; echo hello | put README.md; again local");
        breaks(
            "tree-path",
            "bill",
            "mallory",
            "take dev; edit $record s/a/b/; echo x | put agents/default/other/record.json; again dev",
        );
        breaks("closure-form", "comment", "mallory", "take local; edit $closure/agent.yaml '1i # hi'; again local");
        breaks(
            "closure-form",
            "place",
            "mallory",
            "take local; git cat-file blob :$closure/agent.yaml | put $closure/tools/x.yaml; again local",
        );
        breaks(
            "catalog-form",
            "entry",
            "mallory",
            "take local; f=catalog/tools/default/zendesk.create_ticket.yaml; edit $f '1i # hi'; again local",
        );
        breaks(
            "catalog-form",
            "entry-place",
            "mallory",
            "take local; git cat-file blob :catalog/policies/default/pii-redaction.yaml | put catalog/policies/default/other.yaml; again local",
        );
        breaks(
            "manifest-content",
            "entry-unnamed",
            "mallory",
            "take local; edit catalog/policies/default/pii-redaction.yaml s/card/cart/; again local",
        );
        breaks(
            "catalog-form",
            "cases",
            "mallory",
            "take local; echo '{}' | put catalog/evals/default/support-triage-quality.cases.jsonl; edit catalog/evals/default/support-triage-quality.yaml s/support/sport/; again local",
        );
        breaks(
            "removal",
            "removal",
            "mallory",
            "take local; drop catalog/policies/default/pii-redaction.yaml; again local",
        );
    }

    #[test]
    fn a_message_that_says_what_its_manifest_does_not() {
        breaks(
            "message",
            "trailer",
            "mallory",
            "take local; again local 's/^Joch-Reason: .*/&\\nJoch-Approved-By: bob@example.com/'",
        );
        breaks("message", "early-trailer", "mallory", "take local; again local '2a Joch-Release: prod/9\\n'");
        breaks("message", "title", "mallory", "take local; again local '1s/local/prod/'");
        breaks(
            "operator",
            "m-trailer",
            "mallory",
            "take local; again local 's/^Joch-Operator: .*/Joch-Operator: bob@example.com/'",
        );
    }

    #[test]
    fn a_promotion_that_brings_something_else_than_its_source() {
        breaks(
            "promote-source",
            "p-content",
            "mallory",
            "take dev; edit $closure/agent.yaml 's/calm, brief/rude/'; again dev",
        );
        let commit = "take dev; again dev \"s/^Joch-Source: .*/Joch-Source: $(git rev-parse heads/staging)/\"";
        breaks("promote-source", "p-commit", "mallory", commit);
        let skip = "take staging; edit release.json 's/\"source\": \"dev\"/\"source\": \"local\"/'; edit $record '/\"source\": {/,/}/s/dev/local/'
                    again staging \"s/^Joch-Source: .*/Joch-Source: $(git rev-parse heads/local~1)/; 1s/dev/local/\"";
        breaks("promote-source", "p-skip", "alice", skip);
    }

    #[test]
    fn a_rollback_to_what_never_served() {
        let script = "take local; edit release.json 's/\"event\": \"apply\"/\"event\": \"rollback\"/'
                      edit $record 's/\"event\": \"apply\"/\"event\": \"rollback\"/; s/\"verdict\": \"applied\"/\"verdict\": \"rolled-back\"/'
                      again local 's/^Joch-Event: apply/Joch-Event: rollback/; 1s/apply \\(.*\\) to local/roll back \\1 in local/'";
        breaks("rollback-served", "never-served", "mallory", script);
    }
}

mod gates {
    use super::*;

    #[test]
    fn gates_taken_out_of_a_record() {
        let none = "take prod; edit $record '/^  \"gates\": \\[/,/^  \\],/c\\  \"gates\": [],'; again prod";
        breaks("gate-missing", "gates-gone", "alice", none);
        breaks("decision-missing", "gates-decision", "alice", none);
    }

    #[test]
    fn an_approval_that_nobody_gave() {
        let evidence = "take prod; edit $record '/^  \"gates\": \\[/,/^  \\],/s/\"[0-9a-f]\\{64\\}\"/\"'$(printf 0%.0s $(seq 64))'\"/'; again prod";
        breaks("gate-verdict", "gates-evidence", "alice", evidence);
        let rules =
            "take prod; edit $record 's/\"gateRules\": \"sha256:..../\"gateRules\": \"sha256:0000/'; again prod";
        breaks("gate-rules", "gates-rules", "alice", rules);
        let words = "take prod; edit $record '/^  \"gates\": \\[/,/^  \\],/s/\"reason\": \"[^\"]*\"/\"reason\": \"fine\"/'; again prod";
        breaks("gate-verdict", "gates-words", "alice", words);
        let invented = r#"take prod; edit $record 's/^  "gates": \[$/&\n{"gate":"policy","name":"","verdict":"pass","reason":"","evidence":[]},/'; again prod"#;
        breaks("gate-verdict", "gates-invented", "alice", invented);
        let another = r#"take prod; edit $record 's/"joch": "[^"]*"/"joch": "0.0.9"/'; again prod"#;
        breaks("record-content", "gates-another-joch", "alice", another);
        let both = "take prod; edit $record 's/\"joch\": \"[^\"]*\"/\"joch\": \"0.0.9\"/'; \
                    edit release.json 's/\"joch\": \"[^\"]*\"/\"joch\": \"0.0.9\"/'; again prod";
        breaks("manifest-content", "gates-unknown-joch", "alice", both);
        let failed = "take prod; edit $record '/^  \"gates\": \\[/,/^  \\],/s/\"pass\"/\"fail\"/'; again prod";
        breaks("gate-not-passed", "gates-failed", "alice", failed);
    }

    #[test]
    fn a_release_decided_before_a_rejection_that_it_does_not_cite() {
        if !needs(&["ssh-keygen"]) {
            return;
        }
        let world = shared("attack-late");
        sh(
            &world,
            "alice",
            "cp -r .joch/ledger.git ../elsewhere.git; git --git-dir ../elsewhere.git update-ref refs/heads/evidence heads/evidence~1; \
                             git --git-dir ../elsewhere.git update-ref refs/heads/prod heads/prod~1; git --git-dir ../elsewhere.git tag -d release/prod/1; \
                             git --git-dir ../elsewhere.git update-ref refs/heads/local heads/local~1",
        );
        sh(
            &world,
            "bob",
            "rm -f .joch/seen.json; JOCH_LEDGER=../elsewhere.git joch reject support-triage --from staging --to prod",
        );
        let script = "git fetch -q ../elsewhere.git heads/evidence; reject=$(git rev-parse FETCH_HEAD)
                      take evidence; git read-tree $reject
                      for path in $(git diff-tree -r --name-only --no-commit-id $old); do git cat-file blob $old:$path | put $path; done
                      git update-ref refs/heads/evidence $(git cat-file commit $old | sed '1,/^$/d' | raw $reject | seal git)";
        forget(&world);
        forge(&world, "alice", script);
        let rules = found(&world);
        assert!(rules.contains(&"evidence-stale".to_owned()), "{rules:?}");
    }

    #[test]
    fn a_release_under_the_trust_of_before_its_gates() {
        let world = shared("attack-stale-trust");
        sh(&world, "mallory", "joch promote support-triage --from local --to dev");
        sh(&world, "alice", "cp -r .joch/ledger.git ../elsewhere.git");
        sh(
            &world,
            "alice",
            "printf '  gates: [\"approval:release-manager\"]\\n' >> environments/staging.yaml; joch apply -f environments",
        );
        sh(
            &world,
            "alice",
            "rm -f .joch/seen.json; JOCH_LEDGER=../elsewhere.git joch promote support-triage --from dev --to staging",
        );
        forge(
            &world,
            "alice",
            "git fetch -q ../elsewhere.git 'refs/heads/staging:refs/heads/staging' 'refs/tags/*:refs/tags/*'",
        );
        assert_eq!(found(&world), ["stale-trust"]);
    }
}

mod evidence {
    use super::*;

    const ITEM: &str =
        "item=$(git ls-tree -r --name-only heads/evidence | grep '^approvals.*json$' | head -1); take evidence;";

    fn item(rule: &str, name: &str, person: &str, script: &str) {
        breaks(rule, name, person, &format!("{ITEM} {script}; echo 'more evidence' | add evidence"));
    }

    #[test]
    fn an_item_changed_or_taken_away() {
        item("evidence-changed", "e-changed", "alice", "edit $item s/approve/reject/");
        item("evidence-changed", "e-gone", "alice", "drop $item");
    }

    #[test]
    fn an_item_of_another_name_or_place() {
        item(
            "evidence-name",
            "e-name",
            "alice",
            "git cat-file blob :$item | put ${item%.json}0.json; git cat-file blob :$item.sig | put ${item%.json}0.json.sig",
        );
        let elsewhere = "to=$(echo $item | sed s/support-triage/other/); git cat-file blob :$item | put $to; git cat-file blob :$item.sig | put $to.sig";
        item("evidence-name", "e-place", "alice", elsewhere);
        item("evidence-name", "e-folder", "alice", "echo x | put notes.txt");
        item(
            "evidence-name",
            "e-orphan",
            "alice",
            "git cat-file blob :$item.sig | put approvals/default/x/0123456789abcdef/a.json.sig",
        );
    }

    /// Somebody's own item, signed in this way.
    fn own(sign: &str) -> String {
        format!(
            "git cat-file blob :$item | sed 's/approve/reject/' > \"$TMPDIR/own\"; id=$(sha256sum < \"$TMPDIR/own\" | cut -c1-64)
             {sign}
             to=$(dirname $item)/$id.json; put $to < \"$TMPDIR/own\"; test ! -f \"$TMPDIR/own.sig\" || put $to.sig < \"$TMPDIR/own.sig\""
        )
    }

    #[test]
    fn an_item_that_nobody_signed_or_the_wrong_one() {
        let sign = |namespace: &str| {
            own(&format!("ssh-keygen -q -Y sign -f \"$JOCH_SIGNING_KEY\" -n {namespace} \"$TMPDIR/own\""))
        };
        item("evidence-signature", "e-unsigned", "alice", &own(""));
        item("evidence-signature", "e-purpose", "alice", &sign("git"));
        item("evidence-signature", "e-stranger", "ci", &sign("joch-evidence@v1"));
        item("key-unlisted", "e-commit", "ci", &sign("joch-evidence@v1"));
    }
}

mod bills {
    use super::*;

    const BILL: &str = "bill=agents/default/support-triage/bom.cdx.json\n";

    #[test]
    fn a_bill_changed_beside_its_record() {
        let script = format!("{BILL}take local; edit $bill s/incomplete/complete/; again local");
        breaks_only(&["bom-digest"], "bill-changed", "mallory", &script);
        let dropped = format!("{BILL}take local; drop $bill; again local");
        breaks_only(&["bom-missing"], "bill-dropped", "mallory", &dropped);
    }

    #[test]
    fn a_bill_and_its_record_changed_together() {
        let script = format!(
            "{BILL}take local; edit $bill 's/\"read_only\"/\"pure\"/'
             sum=$(git cat-file blob :$bill | sha256sum | cut -c1-64)
             edit $record \"s/^\\(  .bom.: .\\)sha256:[0-9a-f]*/\\1sha256:$sum/\"; again local"
        );
        breaks_only(&["bom-content"], "bill-and-record", "mallory", &script);
    }

    #[test]
    fn a_release_without_a_bill_after_one_that_has_it() {
        let script = format!(
            "{BILL}take local; drop $bill
             git cat-file blob :$record | sed -z 's/,\\n  \"bom\": \"[^\"]*\"//' | put $record; again local"
        );
        breaks_only(&["bom-missing"], "bill-none", "mallory", &script);
    }

    #[test]
    fn a_bill_that_is_not_the_one_its_version_was_cut_with() {
        let script = format!(
            "{BILL}take dev; edit $bill 's/\"0.1.0\"/\"9.9.9\"/'
             sum=$(git cat-file blob :$bill | sha256sum | cut -c1-64)
             edit $record \"s/^\\(  .bom.: .\\)sha256:[0-9a-f]*/\\1sha256:$sum/\"; again dev"
        );
        breaks("bom-content", "bill-other", "mallory", &script);
    }
}

mod trust {
    use super::*;

    #[test]
    fn a_change_by_somebody_who_is_no_admin() {
        let script = "take trust; edit environments/prod.yaml s/eu-central-1/us-east-1/; echo 'move prod' | add trust";
        breaks_only(&["role"], "t-role", "mallory", script);
        breaks("key-unlisted", "t-stranger", "ci", script);
    }

    #[test]
    fn a_key_dropped_from_the_list_or_slipped_into_it() {
        let dropped = "take trust; edit allowed_signers /mallory/d; echo 'tidy up' | add trust";
        breaks_only(&["trust-signers"], "t-dropped", "alice", dropped);
        let slipped = "take trust; { git cat-file blob :allowed_signers; sed 's/mallory/ci/' ../home/ci/.ssh/id_ed25519.pub | \
                       awk '{print \"ci@example.com namespaces=\\\"git,joch-evidence@v1\\\" \" $1 \" \" $2}'; } > $TMPDIR/list; \
                       put allowed_signers < $TMPDIR/list; echo 'add ci' | add trust";
        breaks_only(&["trust-signers"], "t-slipped", "alice", slipped);
        let wildcard = "take trust; edit allowed_signers '1s/^[^ ]*/*/'; echo 'all of us' | add trust";
        breaks("trust-form", "t-wildcard", "alice", wildcard);
    }

    #[test]
    fn settings_and_files_that_are_not_as_joch_writes_them() {
        let uuid = "take trust; edit ledger.yaml 's/^uuid: ..../uuid: 0000/'; echo 'other id' | add trust";
        breaks("trust-settings", "t-uuid", "alice", uuid);
        let comment = "take trust; edit environments/prod.yaml '1i # hi'; echo 'a comment' | add trust";
        breaks("trust-form", "t-comment", "alice", comment);
        let stray = "take trust; git cat-file blob :environments/prod.yaml | put environments/production.yaml; echo 'twice' | add trust";
        breaks("trust-form", "t-place", "alice", stray);
    }

    #[test]
    fn a_memory_that_goes_back() {
        if !needs(&["ssh-keygen"]) {
            return;
        }
        let world = shared("attack-t-seen");
        sh(&world, "alice", "sed -i 's/eu-west-1/eu-west-2/' environments/dev.yaml; joch apply -f environments");
        let script = "take trust; git cat-file blob $(git rev-parse heads/trust~1):seen.json | put seen.json; echo 'forget' | add trust";
        forget(&world);
        forge(&world, "alice", script);
        assert_eq!(found(&world), ["trust-seen"]);
    }

    #[test]
    fn another_root_than_the_project_pins() {
        let world = shared("attack-root");
        sh(&world, "alice", "sed -i 's/^trustRoot: ..../trustRoot: 0000/' joch.yaml");
        assert_eq!(found(&world), ["trust-root"]);
    }
}
