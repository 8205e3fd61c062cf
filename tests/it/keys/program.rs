//! The signing program and the key command of the user's own Git configuration, called as Git calls them.

use std::fs;

use crate::audit::forge::{json, sh, verify};
use crate::ledger_door::bench::executable;
use crate::support::needs;
use crate::support::world::World;

/// Without a key that is named to joch: whatever the user's Git configuration says.
const BY_GIT: &str = "unset JOCH_SIGNING_KEY;";

/// A program of Alice's, by its name in her home; `$LOG` is a file beside it.
fn script(world: &World, name: &str, text: &str) -> String {
    let path = world.home("alice").join(name);
    let log = world.home("alice").join(format!("{name}.log"));
    fs::write(&path, format!("#!/bin/sh\nLOG={}\n{text}\n", log.display())).expect("own file");
    executable(&path);
    path.display().to_string()
}

/// A program that does what `ssh-keygen` does, and writes down how it was called.
const HONEST: &str = r#"
echo "$@" >> "$LOG"
for last; do :; done
test -f "$last" && head -c 4 "$last" >> "$LOG" && echo >> "$LOG"
exec ssh-keygen "$@"
"#;

fn log(world: &World, name: &str) -> String {
    fs::read_to_string(world.home("alice").join(format!("{name}.log"))).unwrap_or_default()
}

fn project(name: &str) -> World {
    let world = World::new(name);
    sh(&world, "alice", "cp -r $FIXTURES/support-triage/. .");
    world
}

#[test]
fn the_users_signing_program_signs_as_git_has_it_sign() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = project("program");
    let program = script(&world, "sign", HONEST);
    // As Git reads it: in a file that the user's own includes, by a path relative to that.
    sh(&world, "alice", &format!("git config --file ~/signing gpg.ssh.program {program}"));
    sh(&world, "alice", "git config --global include.path signing");
    sh(&world, "alice", &format!("{BY_GIT} joch init --operator alice@example.com"));
    sh(&world, "alice", &format!("{BY_GIT} joch apply -f ."));
    let called = log(&world, "sign");
    let key = world.home("alice").join(".ssh/id_ed25519");
    let expected = format!("-Y sign -n git -f {} ", key.display());
    let calls: Vec<_> = called.lines().filter(|line| line.starts_with("-Y sign")).collect();
    assert!(calls.len() >= 4, "{called}");
    assert!(calls.iter().all(|call| call.starts_with(&expected) && call.ends_with("/buffer")), "{called}");
    assert!(called.contains("\ntree\n") && called.contains("\nobje\n"), "commits and tags: {called}");
    assert_eq!(verify(&world).0, 0);
    let left: Vec<_> = fs::read_dir(world.project().join("../tmp")).expect("a directory").collect();
    assert!(left.is_empty(), "nothing stays of what was signed: {left:?}");
    let git = sh(&world, "alice", "git -C .joch/ledger.git log -1 --format=%G? local -- 2>&1");
    assert!(!git.contains('B'), "{git}");

    // A key file that is named to joch needs no program; a public key does.
    let before = log(&world, "sign").len();
    sh(&world, "alice", "sed -i 's/calm, brief/calm, short/' agents/support-triage.yaml && joch apply -f .");
    assert_eq!(log(&world, "sign").len(), before);
    sh(&world, "alice", "sed -i 's/calm, short/calm, brief/' agents/support-triage.yaml");
    sh(&world, "alice", "joch apply -f . --key ~/.ssh/id_ed25519.pub");
    assert!(log(&world, "sign").len() > before);
}

#[test]
fn the_program_of_the_user_goes_before_that_of_the_system() {
    let world = project("program-system");
    sh(&world, "alice", "joch init --operator alice@example.com");
    let (system, user) = (script(&world, "system", HONEST), script(&world, "user", HONEST));
    let system = format!("git config --file ~/system.conf gpg.ssh.program {system}");
    sh(&world, "alice", &system);
    let apply = |word: &str| {
        let edit = format!("sed -i 's/^  description: .*/  description: {word}/' agents/support-triage.yaml");
        let env = "GIT_CONFIG_NOSYSTEM=0 GIT_CONFIG_SYSTEM=$HOME/system.conf";
        sh(&world, "alice", &format!("{BY_GIT} {edit} && {env} joch apply -f ."));
    };
    apply("one");
    assert!(!log(&world, "system").is_empty());
    sh(&world, "alice", &format!("rm ~/system.log && git config --global gpg.ssh.program {user}"));
    apply("two");
    assert_eq!(log(&world, "system"), "");
    assert!(!log(&world, "user").is_empty());
    sh(&world, "alice", &format!("{BY_GIT} rm ~/user.log; joch apply -f . --env dev"));
    assert!(!log(&world, "user").is_empty(), "GIT_CONFIG_NOSYSTEM leaves the user's");
}

#[test]
fn a_key_command_of_the_user_names_the_key() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = project("key-command");
    let program = script(
        &world,
        "sign",
        &HONEST.replace("exec", "shift 7; exec").replace("\"$@\"\n", "-Y sign -n git -f ~/.ssh/id_ed25519 \"$@\"\n"),
    );
    let command = script(&world, "which-key", "echo \"$@\" >> \"$LOG\"; cat ~/.ssh/id_ed25519.pub; echo ignored");
    sh(&world, "alice", &format!("git config --global gpg.ssh.program {program}"));
    sh(&world, "alice", "git config --global --unset user.signingKey");
    let none = world.sh("alice", &format!("{BY_GIT} joch init --operator alice@example.com"));
    assert!(none.code == 4 && none.stderr.contains("there is no key to sign with"), "{}", none.stderr);
    sh(&world, "alice", &format!("git config --global gpg.ssh.defaultKeyCommand \"{command} 'one word' two\""));
    sh(&world, "alice", &format!("{BY_GIT} joch init --operator alice@example.com"));
    assert_eq!(log(&world, "which-key"), "one word two\n");
    let called = log(&world, "sign");
    assert!(called.lines().all(|line| !line.starts_with("-Y") || line.contains("/key.pub -U ")), "{called}");
    assert_eq!(verify(&world).0, 0);
    for (does, why) in [
        ("exit 1", "failed: it gave no reason"),
        ("echo no key", "printed no public key in its first line"),
        ("echo locked >&2; exit 2", "failed: locked"),
    ] {
        script(&world, "which-key", does);
        let refused = world.sh("alice", &format!("{BY_GIT} joch apply -f . -o json"));
        assert_eq!(refused.code, 4, "{}", refused.stderr);
        assert!(refused.stderr.contains(why), "{does}: {}", refused.stderr);
    }
}

#[test]
fn what_a_program_answers_counts_only_if_the_key_that_was_asked_for_made_it() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = project("program-lies");
    sh(&world, "alice", "joch init --operator alice@example.com");
    sh(&world, "alice", "ssh-keygen -q -t ed25519 -N '' -f ~/other");
    let refs = || sh(&world, "alice", "git -C .joch/ledger.git for-each-ref");
    let before = refs();
    let other = "shift 6; exec ssh-keygen -q -Y sign -n git -f ~/other \"$@\"";
    let another_time = "cp \"$7\" \"$7.was\"; echo x >> \"$7\"; exec ssh-keygen -q \"$@\"";
    for (name, does, why) in [
        ("another-key", other, "was asked and `SHA256:"),
        ("another-text", another_time, "the new signature does not count: what it signs was changed"),
        ("another-purpose", "shift 4; exec ssh-keygen -q -Y sign -n file \"$@\"", "it was made for `file`"),
        ("nothing", "exit 0", "said that it signed, and its signature cannot be read"),
        ("nonsense", "for last; do :; done; echo hello > \"$last.sig\"", "it is not one SSH signature"),
        ("endless", "for last; do :; done; yes | head -c 9000000 > \"$last.sig\"", "it is not one SSH signature"),
        ("bytes", "for last; do :; done; printf '\\377' > \"$last.sig\"", "answered with something else than text"),
        ("locked", "echo the vault is locked >&2; exit 1", "-Y sign` failed: the vault is locked"),
        ("gone", "kill -9 $$", "-Y sign` failed: it gave no reason"),
    ] {
        let program = script(&world, name, does);
        sh(&world, "alice", &format!("git config --global gpg.ssh.program {program}"));
        let refused = world.sh("alice", &format!("{BY_GIT} joch apply -f . -o json"));
        let error = json(&crate::support::world::Outcome { stdout: refused.stderr.clone(), ..refused });
        assert_eq!(error["error"]["exitCode"].as_u64().unwrap_or(4), 4, "{name}: {error:#}");
        assert!(error.to_string().contains(why), "{name}: {error:#}");
        assert!(error.to_string().contains("gpg.ssh.program") || error.to_string().contains("--key FILE"), "{error:#}");
        assert_eq!(refs(), before, "{name}");
    }
    for (named, why) in [("./sign", "another program in every directory"), ("nowhere-at-all", "could not be started")] {
        sh(&world, "alice", &format!("git config --global gpg.ssh.program {named}"));
        let refused = world.sh("alice", &format!("{BY_GIT} joch apply -f ."));
        assert!(refused.code == 4 && refused.stderr.contains(why), "{}", refused.stderr);
    }
    assert_eq!(refs(), before);
}
