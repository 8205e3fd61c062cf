//! What somebody who may write to the ledger's directory lays in the way: no command waits for ever, writes past it, or
//! takes it for the ledger's own.

use crate::audit::forge::{forge, forget, sh, shared, verify};
use crate::support::needs;

use super::{MORE, names};

/// Each command ends, far within this many seconds.
const SECONDS: u32 = 20;

/// Lays something in the way, and tells how some commands end and what they say.
fn with(id: &str, script: &str, commands: &[&str]) -> Vec<(i32, String)> {
    let world = shared(id);
    sh(&world, "alice", "joch get releases >/dev/null");
    sh(&world, "alice", &format!("cd .joch/ledger.git\n{script}"));
    let run = |command: &&str| {
        let outcome = world.sh("alice", &format!("timeout {SECONDS} joch {command}"));
        assert_ne!(outcome.code, 124, "{id}: `{command}` waits for ever");
        assert!(outcome.code < 100, "{id}: `{command}`: {}{}", outcome.stdout, outcome.stderr);
        (outcome.code, format!("{}{}", outcome.stdout, outcome.stderr))
    };
    commands.iter().map(run).collect()
}

const ALL: [&str; 4] = ["audit verify", "get releases", "doctor", "promote support-triage --from local --to dev"];

#[test]
fn x01_a_pipe_a_directory_or_a_link_for_the_lock() {
    for (id, script) in [
        ("x01_lock_pipe", "rm -f joch/lock; mkfifo joch/lock"),
        ("x01_lock_directory", "rm -f joch/lock; mkdir joch/lock"),
    ] {
        let ends = with(id, script, &ALL);
        assert_eq!(ends[1].0, 0, "{id}: readers need no lock: {}", ends[1].1);
        assert_ne!(ends[3].0, 0, "{id}: {}", ends[3].1);
        assert!(ends[3].1.contains("joch/lock"), "{id}: {}", ends[3].1);
    }
}

#[test]
fn x02_something_else_for_what_was_seen() {
    for (id, script) in [
        ("x02_seen_noise", "head -c 3000000 /dev/urandom > ../seen.json"),
        ("x02_seen_directory", "rm -f ../seen.json; mkdir ../seen.json"),
        ("x02_seen_pipe", "rm -f ../seen.json; mkfifo ../seen.json"),
        ("x02_seen_draft_pipe", "rm -f ../seen.json; mkfifo ../.seen.json.17.new"),
        ("x02_cache_pipes", "for f in ../cache/*; do rm -f $f; mkfifo $f; done"),
    ] {
        with(id, script, &ALL);
    }
}

#[test]
fn x03_something_else_for_a_branch() {
    for (id, script) in [
        ("x03_branch_pipe", "rm refs/heads/prod; mkfifo refs/heads/prod"),
        ("x03_branch_directory", "rm refs/heads/prod; mkdir refs/heads/prod"),
        ("x03_branch_of_words", "echo approved > refs/heads/prod"),
        ("x03_branch_without_end", "head -c 30000000 /dev/zero | tr '\\0' a > refs/heads/prod"),
        ("x03_branch_names_itself", "echo 'ref: refs/heads/prod' > refs/heads/prod"),
        ("x03_branch_link_outside", "cp refs/heads/prod ../../../prod; ln -sf ../../../../../prod refs/heads/prod"),
    ] {
        let ends = with(id, script, &ALL);
        // A link is followed to what it says, which is what was there.
        if !id.ends_with("link_outside") {
            assert_eq!(ends[0].0, 2, "{id}: {}", ends[0].1);
            assert!(ends[0].1.contains("prod"), "{id}: {}", ends[0].1);
        }
    }
}

#[test]
fn x04_a_pipe_for_what_is_read_before_the_ledger_is() {
    for (id, file) in [
        ("x04_shallow_pipe", "shallow"),
        ("x04_grafts_pipe", "info/grafts"),
        ("x04_alternates_pipe", "objects/info/alternates"),
        ("x04_journal_pipe", "joch/txn"),
        ("x04_head_pipe", "HEAD"),
        ("x04_config_pipe", "config"),
        ("x04_packed_refs_pipe", "packed-refs"),
        ("x04_packed_refs_draft_pipe", "joch/packed-refs.new"),
        ("x04_journal_draft_pipe", "joch/txn.new"),
        ("x04_index_of_packs_pipe", "objects/pack/multi-pack-index"),
        ("x04_index_pipe", "objects/pack/pack-1111111111111111111111111111111111111111.idx"),
        ("x04_pack_pipe", "objects/pack/pack-1111111111111111111111111111111111111111.pack"),
        ("x04_project_pipe", "../../joch.yaml"),
    ] {
        with(id, &format!("mkdir -p info objects/info; rm -f {file}; mkfifo {file}"), &ALL);
    }
}

#[test]
fn x05_a_pipe_for_an_object() {
    let ends = with(
        "x05_object_pipe",
        "id=$(git rev-parse heads/prod); f=objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-); rm -f $f; mkfifo $f",
        &ALL,
    );
    assert_eq!(ends[0].0, 2, "{}", ends[0].1);
}

#[test]
fn x06_borrowed_objects() {
    for (id, file) in
        [("x06_http_alternates", "objects/info/http-alternates"), ("x06_alternates", "objects/info/alternates")]
    {
        let world = shared(id);
        forget(&world);
        forge(&world, "mallory", &format!("echo https://example.org/objects > $GIT_DIR/{file}"));
        names(&world, id, "repository-refused", "ledger.git");
    }
}

/// That an index beside the history, which lies, changes nothing: neither a clean ledger nor one that was rewound.
#[test]
fn b27_indexes_of_commits_and_packs_that_lie() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let graph = "git commit-graph write --reachable; f=$GIT_DIR/objects/info/commit-graph; chmod +w $f";
    for (id, script) in [
        (
            "b27_graph_of_before",
            "git commit-graph write --reachable; git update-ref refs/heads/local heads/local~1".to_owned(),
        ),
        (
            "b27_graph_of_other_parents",
            format!(
                "{graph}; head -c $(($(stat -c %s $f) - 200)) $f > $f.new; head -c 200 /dev/zero >> $f.new; mv $f.new $f; git update-ref refs/heads/local heads/local~1"
            ),
        ),
        (
            "b27_graph_of_noise",
            format!("{graph}; yes | head -c 5000 > $f; git update-ref refs/heads/local heads/local~1"),
        ),
    ] {
        let world = shared(id);
        forget(&world);
        forge(&world, "mallory", &script);
        names(&world, id, "rewound-branch", "refs/tags/release/local/2");
    }
    let world = shared("b27_graph_honest");
    forge(&world, "mallory", &format!("{graph}; yes | head -c 5000 > $f"));
    assert_eq!(verify(&world).0, 0, "nothing is wrong but an index that nobody reads");
}

#[test]
fn b27_an_index_of_packs_that_shows_one_object_for_another() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    // The offsets of all objects in the index of packs are those of their neighbours.
    let script = "git config --unset extensions.preciousObjects; git repack -q -a -d; git multi-pack-index write
                  f=$GIT_DIR/objects/pack/multi-pack-index; chmod +w $f; n=$(stat -c %s $f)
                  { head -c $((n - 520)) $f; tail -c 512 $f; tail -c 8 $f; } > $f.new; mv $f.new $f";
    let world = shared("b27_packs");
    forget(&world);
    forge(&world, "mallory", script);
    let outcome = world.sh("alice", "timeout 60 joch audit verify -o json");
    assert!([0, 2].contains(&outcome.code), "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.code == 0 || outcome.stdout.contains("object-"), "{}", outcome.stdout);
}

/// A fork: two clones are each shown another third release. Each is whole; whoever saw one of them knows the other for
/// none, and a mixture of both shows itself.
#[test]
fn b32_a_fork_that_is_shown_to_two_clones() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = shared("b32_fork");
    sh(&world, "alice", "cp -r .joch/ledger.git ../fork.git");
    let change =
        |word: &str| format!("sed -i 's/calm, [a-z]*/calm, {word}/' agents/support-triage.yaml; rm -f .joch/seen.json");
    sh(&world, "mallory", &format!("{}; joch apply -f agents", change("kind")));
    sh(&world, "mallory", &format!("{}; JOCH_LEDGER=../fork.git joch apply -f agents", change("curt")));
    sh(&world, "alice", "rm -f .joch/seen.json; joch audit verify");
    let fork = world.sh("alice", "JOCH_LEDGER=../fork.git joch audit verify -o json");
    assert_eq!(fork.code, 2, "{}", fork.stdout);
    assert!(fork.stdout.contains("rewound-branch"), "{}", fork.stdout);
    sh(&world, "bob", "rm -f .joch/seen.json; JOCH_LEDGER=../fork.git joch audit verify");
    forget(&world);
    forge(&world, "mallory", "git fetch -q ../fork.git '+refs/heads/local:refs/heads/local'");
    names(&world, "b32_mixture", "release-tag-moved", "refs/tags/release/local/3");
}

#[test]
fn b20_refs_that_differ_in_case() {
    for (id, name) in [
        ("b20_capital_branch", "refs/heads/Prod"),
        ("b20_capital_tag", "refs/tags/Release/prod/1"),
        ("b20_below_a_branch", "refs/heads/PROD/x"),
    ] {
        let world = shared(id);
        forget(&world);
        forge(&world, "mallory", &format!("{MORE}\ngit update-ref {name} heads/dev"));
        names(&world, id, "ref-grammar", name);
    }
}

/// A journal that joch never wrote: what it names outside the ledger stays as it is, and history does not move back.
#[test]
fn x07_a_journal_that_somebody_planted() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let zero = "0000000000000000000000000000000000000000";
    for (id, line) in [
        ("x07_outside", format!("../../precious {zero} $(git rev-parse heads/dev)")),
        ("x07_settings", format!("config {zero} $(git rev-parse heads/dev)")),
        ("x07_replace", format!("refs/replace/$(git rev-parse heads/prod) {zero} $(git rev-parse heads/dev)")),
        ("x07_back", "refs/heads/prod $(git rev-parse heads/prod) $(git rev-parse heads/prod~1)".to_owned()),
        ("x07_other_line", "refs/heads/prod $(git rev-parse heads/prod) $(git rev-parse heads/dev)".to_owned()),
    ] {
        let world = shared(id);
        sh(&world, "alice", ": > precious; : > .joch/precious");
        // The commit point of the second line has already moved: what comes before it would be done, too.
        let plant = format!(
            "printf 'joch transaction 1\\n%s\\n%s\\nend\\n' \"{line}\" \"refs/heads/dev {zero} $(git rev-parse heads/dev)\" > $GIT_DIR/joch/txn"
        );
        forge(&world, "mallory", &plant);
        let before = sh(&world, "alice", "git --git-dir .joch/ledger.git rev-parse heads/prod");
        world.sh("alice", "joch get releases");
        let after = sh(&world, "alice", "git --git-dir .joch/ledger.git rev-parse heads/prod");
        assert_eq!(before, after, "{id}: the branch moved");
        sh(&world, "alice", "ls precious .joch/precious");
        sh(&world, "alice", "git --git-dir .joch/ledger.git config core.bare");
        assert_eq!(sh(&world, "alice", "git --git-dir .joch/ledger.git for-each-ref refs/replace"), "", "{id}");
    }
}
