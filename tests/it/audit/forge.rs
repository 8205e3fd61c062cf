//! A ledger that several people share, and what somebody who knows Git can do to it.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::OnceLock;

use crate::support::world::{Outcome, World};

/// Functions that forgers use, in the ledger's repository. Whoever runs them signs with their own key and gives
/// themselves the name that joch would.
const TOOLS: &str = r#"
set -e
export GIT_DIR="$PWD/.joch/ledger.git" GIT_INDEX_FILE="$TMPDIR/index"
me() {
    export GIT_AUTHOR_NAME="$1@example.com" GIT_AUTHOR_EMAIL="$1@example.com"
    export GIT_COMMITTER_NAME="$1@example.com" GIT_COMMITTER_EMAIL="$1@example.com"
}
me "$(basename "$HOME")"
at() { export GIT_AUTHOR_DATE="$1 +0000" GIT_COMMITTER_DATE="$1 +0000"; }
# put PATH: standard input becomes that file of the index
put() { git update-index --add --cacheinfo "100644,$(git hash-object -w --stdin),$1"; }
# edit PATH SED: changes that file of the index
edit() { git cat-file blob ":$1" > "$TMPDIR/edit"; sed "$2" "$TMPDIR/edit" | put "$1"; }
# drop PATH: takes that file out of the index
drop() { printf '0 %040d\t%s\n' 0 "$1" | git update-index --index-info; }
# take BRANCH: the index is its tip, and the time that of its tip
take() { old=$(git rev-parse "heads/$1"); git read-tree "$old"; at "$(git show -s --format=%ct "$old")"; }
# raw PARENT: an unsigned commit of the index, as bytes; its message is standard input
raw() {
    message=$(cat; echo .); who="$GIT_AUTHOR_NAME <$GIT_AUTHOR_EMAIL> $GIT_AUTHOR_DATE"
    printf 'tree %s\nparent %s\nauthor %s\ncommitter %s\n\n%s' "$(git write-tree)" "$1" "$who" "$who" "${message%.}"
}
# seal NAMESPACE: signs the raw commit on standard input for that purpose, and writes it
seal() {
    cat > "$TMPDIR/raw"; rm -f "$TMPDIR/raw.sig"
    ssh-keygen -q -Y sign -f "$JOCH_SIGNING_KEY" -n "$1" "$TMPDIR/raw"
    { sed '/^$/,$d' "$TMPDIR/raw"; sed '1s/^/gpgsig /; 2,$s/^/ /' "$TMPDIR/raw.sig"; sed -n '/^$/,$p' "$TMPDIR/raw"; } > "$TMPDIR/sealed"
    git hash-object -t commit -w --literally "$TMPDIR/sealed"
}
# add BRANCH: the index is a new signed commit on it; its message is standard input
add() { git update-ref "refs/heads/$1" "$(raw "$(git rev-parse "heads/$1")" | seal git)"; }
# again BRANCH [SED]: the index takes the place of its tip, with its message and its tags
again() {
    git cat-file commit "$old" | sed '1,/^$/d' | sed "${2:-}" > "$TMPDIR/message"
    new=$(raw "$(git rev-parse "$old^")" < "$TMPDIR/message" | seal git)
    git update-ref "refs/heads/$1" "$new"
    for tag in $(git for-each-ref --format='%(refname)' --points-at="$old" refs/tags); do
        case $tag in
            refs/tags/release/*) git tag -f -s -m "release" "${tag#refs/tags/}" "$new" > "$TMPDIR/out" ;;
            *) git update-ref "$tag" "$new" ;;
        esac
    done
}
record=agents/default/support-triage/record.json
closure=agents/default/support-triage/closure
"#;

/// Teams with keys: Bob approves releases into `prod`, Mallory may write to `local` and `dev`.
const TEAMS: &str = r#"
key() { cut -d' ' -f1,2 "../home/$1/.ssh/id_ed25519.pub"; }
sed -i "s|role: approver|role: approver\n      keys: [\"$(key bob)\"]|" teams/release-manager.yaml
cat > teams/interns.yaml <<END
apiVersion: ops.joch.dev/v1alpha1
kind: Team
metadata: { name: interns }
spec:
  members:
    - { user: mallory@example.com, role: operator, environments: [local, dev], keys: ["$(key mallory)"] }
END
"#;

/// A shared ledger: a release in `local`, `dev`, `staging` and, with Bob's approval, in `prod`; then a second one in
/// `local`. It is made once, and copied.
pub(crate) fn shared(name: &str) -> World {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let world = make();
        world.command("alice", "tar").args(["-c", "."]).output().expect("an archive").stdout
    });
    let world = World::new(name);
    let mut tar = world.command("alice", "tar").arg("-x").stdin(Stdio::piped()).spawn().expect("tar");
    tar.stdin.take().expect("a pipe").write_all(made).expect("tar reads");
    assert!(tar.wait().expect("tar ends").success());
    world
}

fn make() -> World {
    let world = World::new("audit-shared");
    for (person, line) in [
        ("alice", "cp -r $FIXTURES/support-triage/. ."),
        ("alice", "joch init --operator alice@example.com"),
        ("alice", TEAMS),
        ("alice", "joch apply -f . --reason 'first of all'"),
        ("alice", "joch promote support-triage --from local --to dev"),
        ("alice", "joch promote support-triage --from dev --to staging"),
        ("bob", "joch approve support-triage --from staging --to prod"),
        ("alice", "joch promote support-triage --from staging --to prod"),
        ("mallory", "sed -i 's/calm, brief/calm, short/' agents/support-triage.yaml"),
        ("mallory", "joch apply -f agents/support-triage.yaml --reason shorter"),
    ] {
        sh(&world, person, line);
    }
    world
}

/// Runs a line; it must succeed.
pub(crate) fn sh(world: &World, person: &str, line: &str) -> String {
    let outcome = world.sh(person, line);
    assert_eq!(outcome.code, 0, "{person}: {line}\n{}{}", outcome.stdout, outcome.stderr);
    outcome.stdout
}

/// Does something to the ledger by hand, with the tools of a forger.
pub(crate) fn forge(world: &World, person: &str, script: &str) {
    std::fs::write(world.project().join("../forge.sh"), format!("{TOOLS}\n{script}\n")).expect("own file");
    sh(world, person, "sh ../forge.sh");
}

/// The answer of `joch audit verify`.
pub(crate) fn verify(world: &World) -> (i32, serde_json::Value) {
    let outcome = world.sh("alice", "joch audit verify -o json");
    (outcome.code, json(&outcome))
}

/// Makes a shared ledger, lets `person` do that to it, and tells which rules `audit verify` then finds broken.
pub(crate) fn rules_after(name: &str, person: &str, script: &str) -> Vec<String> {
    let world = shared(name);
    forget(&world);
    forge(&world, person, script);
    found(&world)
}

/// What the checkout remembers of the ledger is gone, as in one that was made anew.
pub(crate) fn forget(world: &World) {
    sh(world, "alice", "rm -f .joch/seen.json");
}

/// The rules that `audit verify` finds broken, each once.
pub(crate) fn found(world: &World) -> Vec<String> {
    let (code, result) = verify(world);
    assert_eq!((code, &result["verdict"]), (2, &"refused".into()), "{result:#}");
    let findings = result["findings"].as_array().expect("findings");
    for finding in findings {
        let message = finding["message"].as_str().expect("a message");
        assert!(message.contains(';'), "no way back: {message}");
    }
    let mut rules: Vec<_> = findings.iter().map(|f| f["rule"].as_str().expect("a rule").to_owned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

pub(crate) fn json(outcome: &Outcome) -> serde_json::Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|why| panic!("{why}: {}{}", outcome.stdout, outcome.stderr))
}
