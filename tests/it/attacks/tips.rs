//! A tip that plain Git left: nobody builds on it, whoever only reads still can, and the way back that is told leads back.

use serde_json::Value;

use crate::audit::forge::{forge, forget, sh, shared};
use crate::support::needs;
use crate::support::world::{Outcome, World};

/// What every forger here may use, beside the tools of all.
const MORE: &str = r#"
# bare COMMIT: it without its signature, as bytes
bare() { git cat-file commit "$1" | sed '/^gpgsig/,/END SSH SIGNATURE/d'; }
# stranger: the key that signs from here on is one that nobody listed
stranger() { ssh-keygen -q -t ed25519 -N '' -f "$TMPDIR/stranger"; JOCH_SIGNING_KEY="$TMPDIR/stranger"; }
# next BRANCH: the raw release that would come next there, with a manifest that is another one
next() {
    take "$1"; number=$(git cat-file blob :release.json | sed -n 's/^ *"release": \([0-9]*\),$/\1/p')
    edit release.json "s/\"release\": $number,/\"release\": $((number + 1)),/"
    git cat-file commit "$old" | sed "1,/^\$/d; s,^Joch-Release: .*,Joch-Release: $1/$((number + 1))," | raw "$old"
}
# unsigned BRANCH: the raw commit on standard input is its tip
unsigned() { cat > "$TMPDIR/bare"; git update-ref "refs/heads/$1" "$(git hash-object -t commit -w "$TMPDIR/bare")"; }
# signed BRANCH: the same, signed
signed() { git update-ref "refs/heads/$1" "$(seal git)"; }
"#;

/// Who asks for what, in a ledger of which that branch was forged.
fn verbs(branch: &str) -> Vec<(&'static str, String)> {
    let mut verbs = vec![
        ("alice", format!("joch apply -f agents/support-triage.yaml --env {branch}")),
        ("alice", format!("joch apply -f agents/support-triage.yaml --env {branch} --dry-run")),
        ("alice", format!("joch delete agent support-triage --env {branch}")),
        ("alice", format!("joch hold agent support-triage --version 1 --env {branch} --reason why")),
        ("alice", format!("joch lift agent support-triage --version 1 --env {branch} --reason why")),
        ("alice", "joch apply -f team.yaml".to_owned()),
    ];
    if branch == "local" {
        verbs.push(("alice", "joch promote support-triage --from local --to dev".to_owned()));
        verbs.push(("alice", "joch rollback agent support-triage --env local --to-version 1".to_owned()));
    } else {
        verbs.extend([
            ("alice", "joch promote support-triage --from staging --to prod".to_owned()),
            ("bob", "joch approve support-triage --from staging --to prod".to_owned()),
            ("bob", "joch reject support-triage --from staging --to prod --rationale why".to_owned()),
        ]);
    }
    verbs
}

/// That nobody builds on the branch after this: each verb says the rule, and what is wrong.
fn refused(id: &str, branch: &str, rule: &str, person: &str, script: &str) -> World {
    let world = shared(id);
    sh(&world, "alice", "sed 's/^spec:/&\\n  description: more/' teams/interns.yaml > team.yaml");
    forget(&world);
    forge(&world, person, &format!("{MORE}\n{script}"));
    let tips = "git --git-dir=.joch/ledger.git for-each-ref";
    let before = sh(&world, "alice", tips);
    let place = if branch == "evidence" { "local" } else { branch };
    // All that write, for one of each kind; else one of them.
    let all = ["_nobody_signed_the_tip", "_that_no_tag_names", "_of_a_stranger"].iter().any(|end| id.ends_with(end));
    for (person, line) in verbs(place).into_iter().take(if all { usize::MAX } else { 1 }) {
        let outcome = world.sh(person, &format!("{line} -o json"));
        let error = error(&outcome);
        assert_eq!((outcome.code, &error["code"]), (2, &"forged-tip".into()), "{id}: {line}: {error:#}");
        let message = error["message"].as_str().expect("text");
        assert!(message.starts_with(&format!("`{branch}` is not built on")), "{id}: {line}: {message}");
        assert!(message.ends_with(&format!("({rule})")), "{id}: {line}: {message}");
        let next = error["next"].as_str().expect("a next command");
        assert!(next.contains("joch audit verify"), "{next}");
    }
    assert_eq!(sh(&world, "alice", tips), before, "{id}: nothing was written");
    assert_eq!(world.sh("bob", "joch get agents").code, 0, "{id}");
    assert_eq!(world.sh("bob", "joch audit verify").code, 2, "{id}");
    world
}

/// What a verb that was refused said of it, behind its notices.
fn error(outcome: &Outcome) -> Value {
    let at = outcome.stderr.find('{').unwrap_or_else(|| panic!("no error: {}{}", outcome.stdout, outcome.stderr));
    serde_json::from_str(&outcome.stderr[at..]).unwrap_or_else(|why| panic!("{why}: {}", outcome.stderr))
}

/// The same; and the way back, which the refusal tells, leads back.
fn and_back(id: &str, branch: &str, rule: &str, person: &str, script: &str) {
    let world = refused(id, branch, rule, person, script);
    let line = "joch hold agent support-triage --version 1 --env local --reason why -o json";
    let line = if branch == "prod" { line.replace("local", "prod") } else { line.to_owned() };
    let error = error(&world.sh("alice", &line));
    let message = error["message"].as_str().expect("text");
    let at = message.find("git update-ref").expect("the way back");
    let back = message[at..].split('`').next().expect("a command");
    sh(&world, "alice", &format!("export GIT_DIR=.joch/ledger.git; {back}"));
    sh(&world, "alice", &line);
    assert_eq!(world.sh("bob", "joch audit verify").code, 0, "{id}");
}

#[test]
fn nobody_builds_on_a_tip_that_nobody_signed_who_may() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    and_back("x08_nobody_signed_the_tip", "prod", "unsigned", "mallory", "next prod | unsigned prod");
    let plain = "take prod; echo x | git commit-tree -p heads/prod 'heads/prod^{tree}' > \"$TMPDIR/new\"
                 git update-ref refs/heads/prod \"$(cat \"$TMPDIR/new\")\"";
    and_back("x08_a_tip_by_commit_tree", "prod", "unsigned", "mallory", plain);
    and_back("x08_a_stranger_signed_the_tip", "prod", "key-unlisted", "mallory", "stranger; next prod | signed prod");
    and_back("x08_a_tip_of_somebody_without_the_role", "prod", "role", "mallory", "next prod | signed prod");
    and_back("x08_a_tip_of_an_approver", "prod", "role", "bob", "next prod | signed prod");
    and_back("x08_a_tip_in_another_name", "local", "identity", "mallory", "me alice; next local | signed local");
}

#[test]
fn nobody_builds_on_a_release_that_is_none() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let untagged = "next local | signed local";
    and_back("x08_a_tip_that_no_tag_names", "local", "manifest-content", "mallory", untagged);
    let same =
        "take local; echo x | git hash-object -w --stdin > \"$TMPDIR/o\"; echo x | put README; echo x | add local";
    and_back("x08_a_tip_with_a_file_of_its_own", "local", "tree-path", "mallory", same);
    let idle = "take local; git cat-file commit \"$old\" | sed '1,/^$/d' | add local";
    and_back("x08_a_tip_that_changes_nothing", "local", "manifest-missing", "mallory", idle);
    let words = "take local; again local 's/^Joch-Reason: .*/Joch-Reason: approved by all/'";
    refused("x08_a_tip_that_says_other_words", "local", "message", "mallory", words);
    let number = "take local; edit release.json 's/\"release\": 2,/\"release\": 7,/'; again local";
    refused("x08_a_tip_of_another_number", "local", "release-number", "mallory", number);
    let merge =
        "take local; bare \"$old\" | sed \"s/^parent .*/&\\nparent $(git rev-parse heads/dev)/\" | signed local";
    refused("x08_a_tip_that_merges", "local", "one-parent", "mallory", merge);
}

#[test]
fn nobody_builds_on_a_release_whose_tag_is_another() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let gone = "git update-ref -d refs/tags/release/local/2";
    refused("x08_a_tip_whose_tag_is_gone", "local", "release-tag-missing", "mallory", gone);
    let light = "git update-ref refs/tags/release/local/2 heads/local";
    refused("x08_a_tip_whose_tag_nobody_signed", "local", "release-tag-form", "mallory", light);
    let moved = "git tag -f -s -m x release/local/2 heads/local^ > \"$TMPDIR/out\"";
    refused("x08_a_tip_whose_tag_moved", "local", "release-tag-moved", "mallory", moved);
    let nested = "git tag -f -s -m x release/local/2 tags/release/local/2 > \"$TMPDIR/out\" 2>&1";
    refused("x08_a_tip_with_a_tag_of_a_tag", "local", "release-tag-form", "mallory", nested);
    let other = "git tag -f -s -m x release/local/2 heads/local > \"$TMPDIR/out\"";
    refused("x08_a_tip_whose_tag_somebody_else_signed", "local", "release-tag-signer", "bob", other);
}

#[test]
fn nobody_builds_on_a_branch_that_was_rewound() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let beside = "git update-ref refs/heads/local heads/local^";
    refused("x08_a_tip_rewound_beside_its_tag", "local", "rewound-branch", "mallory", beside);
    let genesis = "git update-ref refs/heads/prod heads/prod^";
    refused("x08_a_tip_rewound_to_the_genesis", "prod", "rewound-branch", "mallory", genesis);
    let decided = format!("git update-ref -d refs/tags/release/prod/1; {genesis}");
    refused("x08_a_tip_rewound_below_what_evidence_decided", "prod", "rewound-branch", "mallory", &decided);
}

#[test]
fn nobody_builds_on_evidence_that_is_none() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let item = "$(git ls-tree -r --name-only heads/evidence approvals | head -1)";
    let taken = format!("take evidence; i=\"{item}\"; drop \"$i\"; drop \"$i.sig\"");
    let stranger = format!("stranger; {taken}; echo x | raw \"$old\" | signed evidence");
    and_back("x08_evidence_of_a_stranger", "evidence", "key-unlisted", "mallory", &stranger);
    let unsigned = format!("{taken}; echo x | raw \"$old\" | unsigned evidence");
    and_back("x08_evidence_that_nobody_signed", "evidence", "unsigned", "mallory", &unsigned);
    let gone = format!("{taken}; echo x | add evidence");
    and_back("x08_evidence_taken_away", "evidence", "evidence-changed", "mallory", &gone);
    let alone = "take evidence; echo '{}' | put approvals/default/x/0123/0.json; echo x | add evidence";
    and_back("x08_an_item_that_nobody_signed", "evidence", "evidence-signature", "mallory", alone);
    // What lies below an honest tip is looked at too.
    let below = format!("{unsigned}; take evidence; echo x | add evidence");
    refused("x08_evidence_below_an_honest_tip", "evidence", "unsigned", "mallory", &below);
}
