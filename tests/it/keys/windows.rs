//! Since when and until when a key counts: joch and OpenSSH agree, plain Git shows history as good across a rotation, and a
//! key that was taken away cannot date back.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use chrono::{DateTime, TimeDelta, Utc};
use joch::trust::AllowedSigners;

use crate::audit::forge::{forge, forget, found, json, sh, shared, verify};
use crate::ledger_door::bench::Bench;
use crate::support::needs;
use crate::support::world::World;

/// What plain Git says of every commit and every release tag, each once, with the keys that stand on the tip of trust.
const GIT: &str = r#"
cd .joch/ledger.git && git cat-file blob trust:allowed_signers > "$TMPDIR/signers"
git="git -c gpg.ssh.allowedSignersFile=$TMPDIR/signers"
$git log --branches --format=%G? | sort -u
for tag in $(git for-each-ref --format='%(refname:short)' refs/tags/release); do $git verify-tag $tag 2>&1 | grep -q ^Good || echo "$tag"; done
"#;

#[test]
fn openssh_agrees_on_the_moments_at_which_a_key_counts() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("windows");
    let (ana, ben) = (bench.somebody("ana-key"), bench.somebody("ben-key"));
    let start: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().expect("a time");
    let at = |hours: i64| start + TimeDelta::hours(hours);
    let (one, two) = (("ana".to_owned(), ana.public_key().clone()), ("ana".to_owned(), ben.public_key().clone()));
    let namespaces = "namespaces=\"git,joch-evidence@v1\"";
    let undated = format!("ana {namespaces} {}\n", one.1);
    let listed = AllowedSigners::default().follow(std::slice::from_ref(&one), at(0));
    let both = [one.clone(), two.clone()];
    let rotated = listed.follow(std::slice::from_ref(&two), at(2));
    let files = [
        ("undated", AllowedSigners::parse(&undated).expect("an older file")),
        ("undated, closed", AllowedSigners::parse(&undated).expect("older").follow(&[], at(2))),
        ("listed", listed.clone()),
        ("rotated", rotated.clone()),
        ("given back", rotated.follow(&both, at(4))),
        ("gone again", rotated.follow(&both, at(4)).follow(std::slice::from_ref(&two), at(6))),
    ];
    let armor = ana.sign("git", b"text").expect("a signature");
    fs::write(bench.path("sig"), format!("{armor}\n")).expect("a signature");
    let mut counted = [0, 0];
    for (name, signers) in &files {
        fs::write(bench.path("signers"), signers.to_string()).expect("signers");
        for seconds in [-1, 0, 1].into_iter().flat_map(|second| [0, 2, 4, 6].map(|hour| hour * 3600 + second)) {
            let time = start + TimeDelta::seconds(seconds);
            let mut command = bench.command("ssh-keygen");
            command.args(["-Y", "verify", "-f", "signers", "-I", "ana", "-n", "git", "-s", "sig"]);
            command.arg(format!("-Overify-time={}", time.format("%Y%m%d%H%M%SZ")));
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().expect("ssh-keygen runs");
            child.stdin.take().expect("a pipe").write_all(b"text").expect("it reads");
            let theirs = child.wait().expect("it ends").success();
            assert_eq!(signers.covers(ana.public_key(), time), theirs, "{name} at {time}\n{signers}");
            counted[usize::from(theirs)] += 1;
        }
    }
    assert!(counted.into_iter().all(|count| count > 20), "{counted:?}");
}

/// Mallory's key is exchanged for a new one, `~/new`; what the old one signed stays.
fn rotated(name: &str) -> World {
    let world = shared(name);
    rotate(&world);
    world
}

fn rotate(world: &World) {
    sh(world, "mallory", "ssh-keygen -q -t ed25519 -N '' -C new -f ~/new");
    let exchange = "sleep 1; key() { cut -d' ' -f1,2 ../home/mallory/$1; }
                    sed -i \"s|$(key .ssh/id_ed25519.pub)|$(key new.pub)|\" teams/interns.yaml";
    sh(world, "alice", &format!("{exchange}; joch apply -f teams --reason 'a new laptop'"));
}

const EDIT: &str = "sed -i 's/calm, short/calm, kind/' agents/support-triage.yaml;";

#[test]
fn a_rotation_keeps_history_good_in_plain_git() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = rotated("rotation");
    let old = world.sh("mallory", &format!("{EDIT} joch apply -f agents/support-triage.yaml"));
    assert!(old.code == 4 && old.stderr.contains("trust lists no principal for your key"), "{}", old.stderr);
    sh(&world, "mallory", "joch apply -f agents/support-triage.yaml --key ~/new --reason kinder");
    assert_eq!(sh(&world, "bob", GIT), "G\n");
    assert_eq!(verify(&world).0, 0);
    let signers = sh(&world, "bob", "git --git-dir .joch/ledger.git cat-file blob trust:allowed_signers");
    let mallory: Vec<_> = signers.lines().filter(|line| line.starts_with("mallory")).collect();
    let [old, new] = mallory.as_slice() else { panic!("{signers}") };
    let end = old.split("valid-before=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("closed");
    assert!(new.contains(&format!("valid-after=\"{end}\"")) && !new.contains("valid-before"), "{signers}");
}

#[test]
fn a_new_key_does_not_date_back_and_an_old_one_does_not_date_ahead() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    // A release by the new key, dated as the one before it: before the rotation.
    let world = rotated("window-back");
    sh(&world, "mallory", &format!("{EDIT} joch apply -f agents/support-triage.yaml --key ~/new"));
    forget(&world);
    let back =
        "export JOCH_SIGNING_KEY=$HOME/new; take local; at $(git show -s --format=%ct heads/local^); again local";
    forge(&world, "mallory", back);
    assert_finding(&world, "key-unlisted", "plain Git does not take it");
    assert_ne!(sh(&world, "bob", GIT), "G\n");
    // The old key, where nobody has heard of the rotation, cites the trust that still knew it.
    let world = shared("window-ahead");
    sh(&world, "alice", "cp -r .joch/ledger.git ../elsewhere.git");
    rotate(&world);
    sh(
        &world,
        "mallory",
        &format!(
            "sleep 1; rm .joch/seen.json; {EDIT} JOCH_LEDGER=../elsewhere.git joch apply -f agents/support-triage.yaml"
        ),
    );
    let fetch = "git fetch -q ../elsewhere.git 'refs/heads/local:refs/heads/local' 'refs/tags/*:refs/tags/*'; rm -f $GIT_DIR/FETCH_HEAD";
    forge(&world, "mallory", fetch);
    assert_eq!(found(&world), ["key-unlisted"]);
    assert_ne!(sh(&world, "bob", GIT), "G\n");
}

/// `audit verify` finds that this rule is broken and says why.
fn assert_finding(world: &World, rule: &str, why: &str) {
    let (_, result) = verify(world);
    let findings = result["findings"].as_array().expect("findings");
    let told = |finding: &serde_json::Value| {
        finding["rule"] == rule && finding["message"].as_str().is_some_and(|message| message.contains(why))
    };
    assert!(findings.iter().any(told), "no {rule}: {why}\n{result:#}");
}

#[test]
fn a_yes_that_a_stolen_key_dates_back_is_named_and_does_not_count() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = shared("stolen-yes");
    for line in
        ["joch promote support-triage --from local --to dev", "joch promote support-triage --from dev --to staging"]
    {
        sh(&world, "alice", line);
    }
    // What whoever has Bob's key would write, written where nobody sees it.
    sh(&world, "alice", "cp -r .joch/ledger.git ../elsewhere.git && cp .joch/seen.json ../seen.json");
    sh(&world, "bob", "JOCH_LEDGER=../elsewhere.git joch approve support-triage --from staging --to prod");
    sh(&world, "alice", "cp ../seen.json .joch/seen.json");
    sh(&world, "alice", "sed -i '/keys:/d' teams/release-manager.yaml && joch apply -f teams --reason stolen");
    sh(&world, "alice", "rm .joch/seen.json; cp -r .joch/ledger.git ../clean.git");
    let take = "git fetch -q ../elsewhere.git refs/heads/evidence; stolen=$(git rev-parse FETCH_HEAD); rm -f \"$GIT_DIR/FETCH_HEAD\"";
    // The commit itself, as Bob's key signed it and dated it.
    forge(&world, "mallory", &format!("{take}; git update-ref refs/heads/evidence $stolen"));
    assert_finding(&world, "key-unlisted", "a key that trust");
    let stopped = world.sh("alice", "joch promote support-triage --from staging --to prod");
    assert!(stopped.code == 2 && stopped.stderr.contains("(key-unlisted)"), "{}", stopped.stderr);
    // The word alone, in a commit of somebody whose key counts.
    sh(&world, "alice", "rm -rf .joch/ledger.git .joch/seen.json && cp -r ../clean.git .joch/ledger.git");
    let words = "take evidence; for path in $(git diff --name-only heads/evidence $stolen); do git cat-file blob $stolen:$path | put $path; done; echo 'more evidence' | add evidence";
    forge(&world, "mallory", &format!("{take}; {words}"));
    assert_eq!(found(&world), ["key-unlisted"]);
    assert_finding(&world, "key-unlisted", "had taken away before it was added");
    not_counted(&world);
}

/// Bob's yes brings nothing into `prod`.
fn not_counted(world: &World) {
    let stopped = world.sh("alice", "joch promote support-triage --from staging --to prod -o json");
    assert_eq!(stopped.code, 3, "{}{}", stopped.stdout, stopped.stderr);
    assert!(json(&stopped).to_string().contains("0 of 1"), "{}", stopped.stdout);
}

#[test]
fn one_person_with_two_keys_is_one_person() {
    let world = shared("two-keys");
    sh(&world, "bob", "ssh-keygen -q -t ed25519 -N '' -C second -f ~/second");
    let two = "k=$(cut -d' ' -f1,2 ../home/bob/second.pub); sed -i \"s|keys: \\[\\(.*\\)\\]|keys: [\\1, \\\"$k\\\"]|\" teams/release-manager.yaml";
    sh(&world, "alice", &format!("{two} && joch apply -f teams"));
    for line in
        ["joch promote support-triage --from local --to dev", "joch promote support-triage --from dev --to staging"]
    {
        sh(&world, "alice", line);
    }
    sh(&world, "bob", "joch approve support-triage --from staging --to prod");
    sh(&world, "bob", "joch approve support-triage --from staging --to prod --key ~/second");
    let wanted =
        "joch promote support-triage --from staging --to prod --require approval:release-manager:2 --dry-run -o json";
    let stopped = world.sh("alice", wanted);
    assert_eq!(stopped.code, 3, "{}{}", stopped.stdout, stopped.stderr);
    assert!(json(&stopped).to_string().contains("1 of 2"), "{}", stopped.stdout);
    // A no by one key takes back what the other said, and a yes by the other takes that back.
    sh(&world, "bob", "joch reject support-triage --from staging --to prod --rationale no --key ~/second");
    assert_eq!(world.sh("alice", "joch promote support-triage --from staging --to prod").code, 2);
    sh(&world, "bob", "sleep 1; joch approve support-triage --from staging --to prod --rationale 'after all'");
    sh(&world, "alice", "joch promote support-triage --from staging --to prod");
    assert_eq!(verify(&world).0, 0);
    assert_eq!(sh(&world, "bob", GIT), "G\n");
}
